"""What several tests share."""

import awkward as ak
import numpy as np
import pytest
import uproot


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
