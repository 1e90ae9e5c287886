"""A Dask cluster of real processes, a user's proxy, and an analysis that takes its time."""

import shutil
import time

import numpy as np
import pytest

import flavorframe as ff
from flavorframe import samples

EVENTS = 4000


@pytest.fixture(scope="session")
def cluster():
    """Return a cluster of two processes; its nannies start killed workers anew."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def client(cluster):
    """Return a client of the cluster."""
    with cluster.get_client() as client:
        yield client


@pytest.fixture
def proxy(no_credentials, authority, tmp_path, monkeypatch):
    """Return the path of the user's proxy, which workers know nothing of."""
    path = authority.proxy(tmp_path / "my_proxy")
    monkeypatch.setenv("X509_USER_PROXY", str(path))
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    return path


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Return six files of different lengths."""
    folder = tmp_path_factory.mktemp("files")
    pieces = [samples.generate(EVENTS // 4, seed=seed) for seed in range(4)]
    names = [folder / f"{i}.root" for i in range(6)]
    for i, name in enumerate(names[:3]):
        samples.write_file(name, events=pieces[: i + 1] if i < 2 else pieces)
    for i, name in enumerate(names[3:]):
        shutil.copy(names[i], name)
    return [str(name) for name in names]


@pytest.fixture
def dataset(files):
    """Return the dataset of the six files."""
    return ff.dataset(files, luminosity=6.0)


@ff.function
def uneven(mass):
    """Return weights of no round numbers."""
    return np.exp(5 * mass) / 3


@ff.function
def slowly(mass):
    """Return the mass, after a while."""
    time.sleep(0.05)
    return mass


@pytest.fixture
def analysis():
    """Return an analysis with weights, histograms and a snapshot."""
    return weighted(ff.events().triplet)


@pytest.fixture
def slow_analysis():
    """Return the same with a pause in each partition."""
    return weighted(ff.events().triplet, slowly)


def weighted(t, through=lambda mass: mass, **outputs):
    selection = ff.Selection(t).cut("mass", through(t.mass) > 1.7).weight("w", uneven(t.mass))
    return ff.Analysis(
        selection,
        mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)),
        rows=ff.snapshot(t.mass, ff.events().event),
        **outputs,
    )


def assert_same(one, other):
    """Compare results bit by bit; cuts may be written differently."""
    assert numbers(one.cutflow) == numbers(other.cutflow)
    assert one.mass == other.mass
    assert (one.links, one.fraction) == (other.links, other.fraction)
    for name in ("mass", "event", "weight"):
        np.testing.assert_array_equal(one.rows[name], other.rows[name])


def numbers(cutflow):
    return [
        (r.events, r.candidates, r.sumw_events, r.sumw_candidates, r.sumw2_candidates)
        for r in cutflow
    ]


@pytest.fixture
def same():
    """Return the comparison of results."""
    return assert_same
