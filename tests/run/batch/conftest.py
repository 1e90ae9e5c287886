"""What the tests of batch systems share: data, analyses, and a Slurm of their own."""

import shutil
import sys
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe.run.batch import follow

sys.path.insert(0, str(Path(__file__).parent))  # for what they import from beside them

from slurm_server import SlurmServer, missing


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
