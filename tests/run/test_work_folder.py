"""Work folders are private, used while a run needs them, and found when left behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe._run.delivery import work_folder
from flavorframe._run.delivery.work_folder import Payload, WorkFolder

SECRET = b"-----BEGIN CERTIFICATE-----secret"


@pytest.fixture(autouse=True)
def _own_place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("X509_USER_PROXY", "BEARER_TOKEN", "BEARER_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


def payload(version=0, **contents):
    return Payload({"x509up": SECRET, "files/scale.txt": b"2"} | contents, version)


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}


def test_private_used_and_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("X509_USER_PROXY", "/before")
    WorkFolder.acquire("run", payload())
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith(f"flavorframe-{os.getuid()}-run-")
    assert modes(folder)[folder.name] == modes(folder)["files"] == 0o700
    assert modes(folder)["x509up"] == modes(folder)["scale.txt"] == 0o600
    assert os.environ["X509_USER_PROXY"] == str(folder / "x509up")
    assert Path(ff.delivered("scale.txt")).read_text() == "2"
    WorkFolder.release("run")
    assert list(tmp_path.iterdir()) == []
    assert os.environ["X509_USER_PROXY"] == "/before"
    with pytest.raises(ff.FlavorframeError, match="no file 'scale.txt' came with the run"):
        ff.delivered("scale.txt")


def test_a_delivered_token_comes_before_one_in_the_environment(monkeypatch):
    monkeypatch.setenv("BEARER_TOKEN", "old")
    WorkFolder.acquire("run", Payload({"bearer_token": b"new"}))
    assert "BEARER_TOKEN" not in os.environ
    assert Path(os.environ["BEARER_TOKEN_FILE"]).read_bytes() == b"new"
    WorkFolder.release("run")
    assert os.environ["BEARER_TOKEN"] == "old"
    assert "BEARER_TOKEN_FILE" not in os.environ


def test_kept_until_the_last_user_leaves_and_never_older(tmp_path):
    WorkFolder.acquire("run", payload(1, x509up=b"new"))
    WorkFolder.acquire("run", payload(0))
    (folder,) = tmp_path.iterdir()
    WorkFolder.release("run")
    assert (folder / "x509up").read_bytes() == b"new"
    WorkFolder.release("run")
    assert list(tmp_path.iterdir()) == []
    WorkFolder.release("run")  # once more does no harm


def test_contents_are_not_printed():
    assert "secret" not in repr(payload())


def test_what_a_killed_process_leaves_is_found_and_removed(tmp_path):
    code = (
        "import tempfile, sys, time\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "from flavorframe._run.delivery.work_folder import Payload, WorkFolder\n"
        "WorkFolder.acquire('killed', Payload({'x509up': b'secret'}))\n"
        "print('taken', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "taken\n"
    (alive,) = work_folder.entries()
    assert (alive.run, alive.process, alive.in_use) == ("killed", process.pid, True)
    assert work_folder.clean() == []
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (left,) = work_folder.entries()
    assert not left.in_use
    assert work_folder.clean() == [left]
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_removes_what_is_left(tmp_path):
    WorkFolder.acquire("first", payload())
    (first,) = work_folder.entries()
    copy = tmp_path / f"flavorframe-{os.getuid()}-left-1"
    copy.mkdir()
    (copy / "lock").touch()
    note = {"run": "left", "host": "", "process": 1, "since": 0}
    (copy / "note.json").write_text(json.dumps(note))
    WorkFolder.acquire("second", payload())
    assert not copy.exists()
    assert Path(first.path).exists()
    WorkFolder.release("second")
    WorkFolder.release("first")


def test_links_and_strangers_are_left_alone(tmp_path):
    target = tmp_path / "precious"
    target.mkdir()
    (tmp_path / f"flavorframe-{os.getuid()}-link").symlink_to(target)
    (tmp_path / f"flavorframe-{os.getuid()}-other").mkdir()
    assert work_folder.clean() == []
    assert len(list(tmp_path.iterdir())) == 3
