"""What the tests of batch systems share: data, analyses, and a Slurm of their own."""

import shutil
import sys
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe._run.batch import monitor
from support.slurm_server import SlurmServer, missing


@pytest.fixture(scope="session")
def slurm_server():
    """Return a running Slurm of one node with two cores."""
    if absent := missing():
        pytest.skip(f"Slurm is not installed (slurm-wlm, munge): no {', '.join(absent)}")
    with SlurmServer() as server:
        yield server


@pytest.fixture
def slurm(slurm_server, monkeypatch, tmp_path):
    """Return a function that gives a Slurm with a run folder, whose name is an odd one."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_server.configuration))
    monkeypatch.setattr(monitor, "SOONEST", 0.2)
    slurm_server.clear()

    def system(**asked):
        folder = tmp_path / "runs, 100% ours"
        return ff.Slurm(partition="short", folder=folder, **{"memory": "500MB", **asked})

    return system


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


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """Put a stand-in for the queue on the path, and return its folder."""
    folder = tmp_path / "pool"
    folder.mkdir()
    source = Path(__file__).with_name("condor_pool.txt").read_text()
    for name in ("condor_submit", "condor_rm"):
        script = folder / name
        script.write_text(source.replace("/usr/bin/env python3", sys.executable))
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("CONDOR_POOL", str(folder))
    monkeypatch.setattr(monitor, "SOONEST", 0.1)
    return folder
