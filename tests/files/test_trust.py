"""Whose files are loaded where loading runs what is in them."""

import json
import os
import pickle
import shutil

import pytest

import flavorframe as ff
from flavorframe import samples
from flavorframe._files import trust
from flavorframe._files.trust import open_own, read_own
from flavorframe._run.batch.folder import RunFolder
from flavorframe._run.batch.parts import fault, read_part, write_part
from flavorframe._run.detached.folder_store import FolderStore
from flavorframe._shipping.user_code import packed
from flavorframe.errors import AnalysisError, RunError

OTHER = 12345


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.pickle"
    path.write_bytes(b"mine")
    path.chmod(0o600)
    return path


@pytest.fixture
def given_to(monkeypatch):
    """Return what gives files to another user; who may not do that becomes another one."""

    def give(*paths):
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, OTHER, OTHER)
        else:
            monkeypatch.setattr(trust.os, "geteuid", lambda: OTHER)

    return give


class Trap:
    """Makes a file where it is unpickled."""

    def __init__(self, path):
        self._path = str(path)

    def __reduce__(self):
        return open, (self._path, "w")


def test_an_own_file_is_read(own):
    assert read_own(own) == b"mine"
    own.chmod(0o644)
    assert read_own(own) == b"mine"
    with pytest.raises(FileNotFoundError):
        open_own(own.with_name("none"))
    with pytest.raises(FileNotFoundError):
        open_own(own.parent / "none" / "none")


def test_a_file_of_another_user_is_not(own, given_to):
    given_to(own)
    with pytest.raises(RunError, match=r"own\.pickle is not loaded: it.* belongs to user 12345"
                                       "|its folder belongs to"):  # fmt: skip
        open_own(own)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_nor_one_in_the_folder_of_another_user(own):
    os.chown(own.parent, OTHER, OTHER)
    with pytest.raises(RunError, match="its folder belongs to user 12345.*copy the folder"):
        open_own(own)


def test_nor_one_that_others_can_write_to(own, monkeypatch):
    own.chmod(0o602)
    with pytest.raises(RunError, match=r"other users can write to it.*chmod go-w"):
        open_own(own)
    own.chmod(0o660)
    monkeypatch.setattr(trust, "_is_private", lambda group: True)  # as with umask 002
    assert read_own(own) == b"mine"
    monkeypatch.setattr(trust, "_is_private", lambda group: False)
    with pytest.raises(RunError, match="other users can write to it"):
        open_own(own)


def test_only_a_group_of_the_users_name_and_own_is_private(monkeypatch):
    user = trust.pwd.struct_passwd(("me", "x", os.geteuid(), 77, "", "/", ""))
    monkeypatch.setattr(trust.pwd, "getpwuid", lambda number: user)
    for name, number, members, expected in (
        ("me", 77, [], True),
        ("me", 77, ["me"], True),
        ("me", 77, ["you"], False),
        ("cms", 77, [], False),
        ("me", 78, [], False),
    ):
        found = trust.grp.struct_group((name, "x", number, members))
        monkeypatch.setattr(trust.grp, "getgrgid", lambda group, found=found: found)
        assert trust._is_private(number) is expected


def test_links_pipes_and_folders_are_not_followed(own):
    link = own.with_name("link")
    link.symlink_to(own)
    with pytest.raises(RunError, match="it is a link"):
        open_own(link)
    os.mkfifo(own.with_name("pipe"))
    with pytest.raises(RunError, match="not a regular file"):
        open_own(own.with_name("pipe"))
    own.with_name("folder").mkdir()
    with pytest.raises(RunError, match="not a regular file"):
        open_own(own.with_name("folder"))


@pytest.fixture
def partial(tmp_path):
    """Return a folder with a partial result."""
    t = ff.events().triplet
    samples.write_file(tmp_path / "a.root", events=samples.generate(50))
    files = [str(tmp_path / "a.root"), str(tmp_path / "b.root")]
    analysis = ff.Analysis(ff.Selection(t), m=ff.hist(t.mass, bins=3, range=(1, 2)))
    return analysis.run(ff.dataset(files, name="A"), progress=False).save(tmp_path / "out")


def test_an_unfinished_run_of_another_user_is_not_resumed(partial, given_to, tmp_path):
    file = partial / "A" / "unfinished.pickle"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(pickle.dumps(Trap(tmp_path / "caught")))
    given_to(file)
    result = ff.load(partial)["A"]
    with pytest.raises(RunError, match=r"unfinished\.pickle is not loaded"):
        result.resume()
    with pytest.raises(RunError, match=r"unfinished\.pickle is not loaded"):
        result.save(tmp_path / "mine")  # it would be the user's own from then on
    assert not (tmp_path / "caught").exists()


@pytest.mark.parametrize("name", ["../../theirs", "/tmp/theirs", "..", ".", ""])
def test_a_detached_run_lies_below_the_folder_of_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "job").write_bytes(b"theirs")
    (theirs / "state").write_text(json.dumps({"status": "finished"}))
    with pytest.raises(AnalysisError, match="there is no run"):
        ff.attach(name.replace("/tmp", str(tmp_path))).forget()
    store = FolderStore(name)
    store.put("job", b"mine")
    assert store.folder.parent == tmp_path / "state" / "flavorframe" / "runs"
    assert (theirs / "job").exists()


def test_a_detached_run_of_another_user_is_not_looked_at(tmp_path, monkeypatch, given_to):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = FolderStore("run")
    for key, content in {"job": b"", "state": b'{"status": "finished"}'}.items():
        store.put(key, content)
    store.put("result", pickle.dumps(Trap(tmp_path / "caught")))
    given_to(store.folder / "result")
    with pytest.raises(RunError, match="is not loaded"):
        ff.attach("run").result()
    assert not (tmp_path / "caught").exists()


def test_a_batch_run_of_another_user_is_not_gathered(tmp_path, given_to):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "sent.pickle", "work.pickle"):
        (folder / name).write_bytes(packed(Trap(tmp_path / "caught")))
        (folder / name).chmod(0o600)
    given_to(folder / "sent.pickle", folder / "work.pickle")
    with pytest.raises(RunError, match=r"sent\.pickle is not loaded"):
        ff.Slurm.gather(folder)
    with pytest.raises(RunError, match=r"work\.pickle is not loaded"):
        RunFolder(folder).work  # noqa: B018 - as a job does
    assert not (tmp_path / "caught").exists()


def test_nor_is_a_part(tmp_path, given_to):
    part = tmp_path / "0.part"
    write_part(part, "job 0", [Trap(tmp_path / "caught")])
    assert part.stat().st_mode & 0o777 == 0o600
    given_to(part)
    for read in (fault, lambda *of: list(read_part(*of))):
        with pytest.raises(RunError, match="is not loaded"):
            read(part, "job 0")
    assert not (tmp_path / "caught").exists()


def test_a_copy_is_ones_own(partial, tmp_path):
    shutil.copytree(partial, tmp_path / "copy")
    samples.write_file(tmp_path / "b.root", events=samples.generate(50))
    assert ff.load(tmp_path / "copy")["A"].resume(progress=False).is_complete
