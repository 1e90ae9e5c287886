"""What the tests of batch systems share: data, analyses, and a Slurm of their own."""

import shutil
import sys
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe.run.batch import follow

sys.path.insert(0, str(Path(__file__).parent))  # for the Slurm server

from slurm_server import SlurmServer, missing

events = ff.events()
t, muon = events.triplet, events.muon


@pytest.fixture(scope="session")
def slurm_server():
    """Return a running Slurm of one node with two cores."""
    if absent := missing():
        pytest.skip(f"Slurm is not installed (slurm-wlm, munge): no {', '.join(absent)}")
    with SlurmServer() as server:
        yield server


@pytest.fixture
def slurm(slurm_server, monkeypatch, tmp_path):
    """Return a function that gives a Slurm site with a run folder, whose name is an odd one."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_server.configuration))
    monkeypatch.setattr(follow, "SOONEST", 0.2)
    slurm_server.clear()

    def site(**asked):
        folder = tmp_path / "runs, 100% ours"
        return ff.Slurm(partition="short", memory="500MB", folder=folder, **asked)

    return site


@pytest.fixture
def files(small_nano, tmp_path):
    """Return three files of 50 events each."""
    names = [tmp_path / f"{name}.root" for name in "abc"]
    for name in names:
        shutil.copy(small_nano, name)
    return names


@pytest.fixture
def data(files):
    """Return the dataset of the three files."""
    return ff.dataset(files, luminosity=3.0)


def weighted(*cuts, **outputs):
    """Return an analysis with weights of many digits, a histogram and a snapshot."""
    selection = ff.Selection(t).cut("mass", t.mass > 1.65)
    for number, cut in enumerate(cuts):
        selection = selection.cut(f"cut {number}", cut)
    return ff.Analysis(
        selection.weight("w", 0.1 + t.mu1.pt / 7),
        mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)),
        rows=ff.snapshot(t.mass, events.event),
        **outputs,
    )


def assert_same_bits(one, two):
    """Assert that two results of `weighted` are equal to the last bit."""
    assert one.cutflow == two.cutflow
    assert one.mass.view(flow=True).tobytes() == two.mass.view(flow=True).tobytes()
    for name in two.rows:
        assert one.rows[name].tobytes() == two.rows[name].tobytes()
