"""What several tests share."""

import importlib.util
import shutil

import awkward as ak
import numpy as np
import pytest
import uproot

from flavorframe import samples
from support import grid, kept_events, servers, tokens
from support.xrootd import tokens_of


@pytest.fixture(autouse=True)
def no_cache_unless_asked_for(monkeypatch):
    """Have no test take a process for a notebook because another test started IPython in it."""
    monkeypatch.delenv("FLAVORFRAME_CACHE", raising=False)
    monkeypatch.setattr("flavorframe._cache.cache.is_interactive", lambda: False)


@pytest.fixture(scope="session", autouse=True)
def the_same_events_are_generated_once():
    """Have the generator's last events kept, for many samples are of the same."""
    with pytest.MonkeyPatch.context() as patch:
        kept_events.keep_chunks(patch)
        yield


@pytest.fixture(scope="session")
def small_nano(tmp_path_factory):
    """Return the path of a NanoAOD-like file of 50 events, some without candidates."""
    path = tmp_path_factory.mktemp("nano") / "small.root"
    rng = np.random.default_rng(1)
    n_muon, n_triplet = rng.integers(2, 5, 50), rng.integers(0, 4, 50)

    def lists(counts, values):
        return ak.unflatten(values, counts)

    def uniform(low, high, counts):
        return lists(counts, rng.uniform(low, high, counts.sum()))

    muon = {
        "pt": lists(n_muon, rng.uniform(2, 9, n_muon.sum()).astype(np.float32)),
        "eta": uniform(-2, 2, n_muon),
        "phi": uniform(-3, 3, n_muon),
        "isGlobal": lists(n_muon, rng.random(n_muon.sum()) < 0.8),
    }
    mu1_idx = lists(n_triplet, rng.integers(-1, 2, n_triplet.sum()).astype(np.int32))
    triplet = {
        "mass": uniform(1.6, 2.1, n_triplet),
        "vertex_chi2": uniform(0, 10, n_triplet),
        "mu1_pt": uniform(2, 12, n_triplet),
        "mu1_idx": mu1_idx,
    }
    with uproot.recreate(path) as file:
        content = {
            "run": np.full(50, 297050, np.uint32),
            "event": np.arange(50, dtype=np.uint64),
            "HLT_Double": rng.random(50) < 0.6,
            "Muon": ak.zip(muon),
            "triplet": ak.zip(triplet),
        }
        file.mktree("Events", {name: ak.type(value) for name, value in content.items()})
        file["Events"].extend(content)
    return path


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Return a function that gives the path of a small sample in a layout, made when asked for."""
    folder, known = tmp_path_factory.mktemp("samples"), {}

    def path(layout, events=1200):
        if (layout, events) not in known:
            pieces = [samples.generate(events // 3, seed=seed) for seed in (1, 2, 3)]
            file = folder / f"{layout}_{events}.root"
            known[layout, events] = samples.write_file(file, events=pieces, **_options(layout))
        return known[layout, events]

    return path


@pytest.fixture(scope="session")
def corner_case(tmp_path_factory):
    """Return a function that gives the path of a corner case in a layout."""
    folder = tmp_path_factory.mktemp("corner_cases")

    def path(name, layout):
        file = folder / f"{name}_{layout}.root"
        if not file.exists():
            samples.write_corner_case(name, file, **_options(layout))
        return file

    return path


def _options(layout):
    """Return how to write a file in a layout, such as "bph", or "nano-rntuple"."""
    if layout == "bph" and importlib.util.find_spec("ROOT") is None:
        pytest.skip("samples of layout bph are written by ROOT, which is not installed")
    name, _, rntuple = layout.partition("-")
    return {"layout": name, "format": "rntuple" if rntuple else "ttree"}


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Return a certificate authority for tests, in a folder for X509_CERT_DIR."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which names the files of authorities, is not installed")
    return grid.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def xrootd():
    """Return an XRootD server that lets anybody in."""
    server = servers.XRootD()
    yield server
    server.close()


@pytest.fixture(scope="session")
def secured(authority):
    """Return an XRootD server that lets in whoever has a proxy of the authority."""
    server = servers.XRootD(authority)
    yield server
    server.close()


@pytest.fixture(scope="session")
def issuer(authority, tmp_path_factory):
    """Return an issuer of bearer tokens."""
    issuer = tokens.Issuer(authority, tmp_path_factory.mktemp("issuer"))
    yield issuer
    issuer.close()


@pytest.fixture(scope="session")
def token_server(authority, issuer):
    """Return an XRootD server that lets in whoever has a token of the issuer."""
    server = servers.XRootD(authority, **tokens_of(issuer, authority))
    yield server
    server.close()


@pytest.fixture(scope="session")
def s3_server():
    """Return an S3 server that asks for keys."""
    server = servers.S3()
    yield server
    server.close()


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path):
    """Return the S3 server, with its address and keys in the usual variables and nowhere else."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.keys[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.keys[1])
    return s3_server


@pytest.fixture
def web(tmp_path):
    """Return an HTTP server of the test's folder."""
    server = servers.Web(tmp_path)
    yield server
    server.close()


@pytest.fixture
def no_credentials(tmp_path, monkeypatch):
    """Leave the test without the credentials of whoever runs it."""
    for name in ("X509_USER_PROXY", "BEARER_TOKEN", "BEARER_TOKEN_FILE", "X509_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("X509_USER_CERT", "X509_USER_KEY"):  # or the client makes a proxy from them
        monkeypatch.setenv(name, str(tmp_path / "none"))
