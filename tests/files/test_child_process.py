"""Functions that a child process calls for this one."""

import os

import pytest

from flavorframe._files.child_process import ChildEndedError, ChildProcess, SharedChild
from flavorframe._files.remote.proxies import read_proxy
from flavorframe.errors import CredentialError


def test_results_and_errors_come_back():
    with ChildProcess() as child:
        assert child.call(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError) as failure:
            child.call(divmod, 1, 0)
        assert "Traceback" in str(failure.value.__cause__)
        with pytest.raises(CredentialError, match="there is no proxy none"):
            child.call(read_proxy, "none")
        assert child.runs


def test_it_has_the_folder_and_the_environment_of_each_call(tmp_path, monkeypatch):
    with ChildProcess() as child:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("OF_THE_PARENT", "now")
        assert child.call(os.getcwd) == str(tmp_path)
        assert child.call(os.getenv, "OF_THE_PARENT") == "now"
        monkeypatch.delenv("OF_THE_PARENT")
        assert child.call(os.getenv, "OF_THE_PARENT") is None


def test_how_it_ended_is_told():
    with ChildProcess() as child, pytest.raises(ChildEndedError, match="SIGABRT"):
        child.call(os.abort)
    with ChildProcess() as child, pytest.raises(ChildEndedError, match="exit code 3"):
        child.call(os._exit, 3)


def test_another_takes_the_place_of_one_that_ended():
    shared = SharedChild()
    first = shared.call(os.getpid)
    assert shared.call(os.getpid) == first
    with pytest.raises(ChildEndedError):
        shared.call(os.abort)
    assert shared.call(os.getpid) != first
    shared.start().stop()
