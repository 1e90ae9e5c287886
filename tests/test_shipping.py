"""What cannot go to another process is told before a run, by name."""

import importlib
import socket
import threading

import numpy as np
import pytest

import flavorframe as ff
from flavorframe._shipping.user_code import installed, packed
from flavorframe.errors import AnalysisError

lock = threading.Lock()


class Site(ff.Slurm):
    """A batch system that need not be installed, for it is never asked."""

    def require(self):
        return


@pytest.fixture
def stuck():
    """Return an analysis whose function holds a lock, which does no harm in this process."""

    @ff.function
    def guarded(mass):
        with lock:
            return np.sqrt(mass)

    t = ff.events().triplet
    return ff.Analysis(ff.Selection(t).cut("guarded", guarded(t.mass) > 1))


@pytest.fixture
def data(sample):
    return ff.dataset([sample("nano")])


def test_here_it_may_stay(stuck, data):
    assert stuck.run(data, progress=False).events == 1200


def test_elsewhere_it_is_refused_before_anything_is_done(stuck, data, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    told = r"The function guarded \(.*test_shipping.py, line .* cannot go .* it uses lock, a lock\."
    for run in (
        lambda: stuck.run(data, on="tcp://127.0.0.1:9", progress=False),
        lambda: stuck.submit(data, name="mine"),
        lambda: stuck.run(data, on=Site(folder=tmp_path / "runs"), progress=False),
    ):
        with pytest.raises(AnalysisError, match=told):
            run()
    assert list(tmp_path.iterdir()) == []


def test_what_is_held_deep_down_is_named():
    inner = {"connections": [socket.socket()]}

    def helper(x):
        return inner, x

    def outer(x):
        return helper(x)

    with pytest.raises(AnalysisError, match=r"uses helper, a function with a socket in it\."):
        packed(outer)
    inner["connections"][0].close()


def test_objects_that_are_no_functions():
    with pytest.raises(
        AnalysisError, match="cannot go to another process.* for the sake of a lock"
    ):
        packed({"a": [lock]})


@pytest.mark.parametrize(("metadata", "expected"), [("theirs-1.0.dist-info", True), (None, False)])
def test_packages_are_installed_where_their_metadata_lies(
    tmp_path, monkeypatch, metadata, expected
):
    (tmp_path / f"theirs_{expected}.py").write_text("x = 1\n")
    if metadata:
        (tmp_path / metadata).mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module(f"theirs_{expected}")
    assert installed(f"theirs_{expected}") == expected
