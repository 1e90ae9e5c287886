"""Files that take their places together: killed at any line, the set is the old one or the new."""

import fcntl
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flavorframe._files import file_sets
from flavorframe._files.file_sets import FileSet, locked, settle
from flavorframe._files.writing import hidden_file, replacing
from flavorframe.errors import OutputError, RunError
from support.killing import in_a_fresh_process, killed_at

NAMES = ("a.root", "b.root", "c.json")


def write(folder, text, stale=()):
    with FileSet() as files:
        for name in NAMES:
            files.new(folder / name).write_text(text)
        for name in stale:
            files.remove(folder / name)
        files.commit()


def contents(folder):
    return [(folder / name).read_text() for name in NAMES]


@pytest.mark.parametrize("exchange", [True, False])
def test_killed_at_any_line(tmp_path, exchange):
    in_a_fresh_process(old_or_new_at_any_line, tmp_path, exchange)


def old_or_new_at_any_line(tmp_path, exchange):
    if not exchange:
        file_sets._renameat2 = None
    seen = set()
    for number in itertools.count(1, 2):
        write(tmp_path, "old")
        (tmp_path / "stale").write_text("old")
        if not killed_at(number, {file_sets.__file__}, lambda: write(tmp_path, "new", ["stale"])):
            break
        settle(tmp_path)
        found = contents(tmp_path)
        assert found in (["old"] * 3, ["new"] * 3)
        assert (tmp_path / "stale").exists() == (found == ["old"] * 3)
        seen.add(found[0])
        write(tmp_path, "later")  # also removes what the killed one left
        assert sorted(os.listdir(tmp_path)) == [*NAMES, *(["stale"] if found[0] == "old" else [])]
    assert seen == {"old", "new"}
    assert contents(tmp_path) == ["new"] * 3


def test_who_settles_is_killed_as_well(tmp_path):
    in_a_fresh_process(old_or_new_though_settling_is_killed, tmp_path)


def old_or_new_though_settling_is_killed(tmp_path):
    for number in itertools.count(60, 11):
        write(tmp_path, "old")
        if not killed_at(number, {file_sets.__file__}, lambda: write(tmp_path, "new")):
            break
        for later in itertools.count(1, 3):
            if not killed_at(later, {file_sets.__file__}, lambda: settle(tmp_path)):
                break
        assert contents(tmp_path) in (["old"] * 3, ["new"] * 3)


def test_an_interrupt_does_not_come_between(tmp_path, monkeypatch):
    write(tmp_path, "old")
    made = file_sets._exchanged

    def interrupted(a, b):
        monkeypatch.setattr(file_sets, "_exchanged", made)
        made(a, b)
        raise KeyboardInterrupt

    monkeypatch.setattr(file_sets, "_exchanged", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, "new")
    assert contents(tmp_path) == ["new"] * 3
    assert sorted(os.listdir(tmp_path)) == list(NAMES)


def test_a_folder_that_is_removed_meanwhile(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    with FileSet() as files:
        for name in NAMES:
            files.new(folder / name).write_text("new")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        with pytest.raises(OutputError, match=r"cannot write a\.root in folder .*/x: No such file"):
            files.commit()


def test_a_second_writer_is_refused(tmp_path):
    with locked(tmp_path / "rows.root"):
        with pytest.raises(
            RunError, match=f"rows.root in folder .* process {os.getpid()} on .* is"
        ):
            locked(tmp_path / "rows.root").__enter__()
        with locked(tmp_path / "other.root"):
            pass
    with locked(tmp_path / "rows.root"):
        pass
    assert os.listdir(tmp_path) == []


LOCKING = """
import sys, time
from pathlib import Path
from flavorframe._files.file_sets import locked
from flavorframe._files.writing import hidden_file
with locked(Path(sys.argv[1], "rows.root")):
    hidden_file(Path(sys.argv[1], "rows.root"))[0].write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_holds_nothing_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-c", LOCKING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(RunError, match=f"process {process.pid} on"):
            locked(tmp_path / "rows.root").__enter__()
        with replacing(tmp_path / "rows.root") as hidden:
            hidden.write_text("whole")
        assert (tmp_path / ".rows.root.1.part").read_text() == "half"  # of one that lives
        process.kill()
    with locked(tmp_path / "rows.root"), replacing(tmp_path / "rows.root") as hidden:
        hidden.write_text("whole")
    assert os.listdir(tmp_path) == ["rows.root"]


def test_hidden_files_of_several_writers(tmp_path):
    first, one = hidden_file(tmp_path / "rows.root")
    second, two = hidden_file(tmp_path / "rows.root")
    assert first != second
    os.close(two)
    os.close(one)
    last, three = hidden_file(tmp_path / "rows.root")
    assert last == first
    assert not second.exists()
    os.close(three)


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def none(descriptor, operation):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.warns(UserWarning, match="without locks: see to it that no other run"):
        locked(tmp_path / "rows.root").__enter__()
    write(tmp_path, "new")
    assert contents(tmp_path) == ["new"] * 3


def test_links_and_pipes_are_left_alone(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / ".rows.root.1.part").symlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / ".rows.root.2.part")
    with replacing(tmp_path / "rows.root") as hidden:
        assert hidden.name == ".rows.root.3.part"
        hidden.write_text("whole")
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "rows.root").read_text() == "whole"


def test_a_set_goes_over_into_another(tmp_path):
    with FileSet() as whole:
        with FileSet() as part:
            part.lock(tmp_path / "a.root")
            part.new(tmp_path / "a.root").write_text("new")
            whole.join(part)
        with pytest.raises(RunError, match="is writing it"):
            locked(tmp_path / "a.root").__enter__()
        assert not Path(tmp_path / "a.root").exists()
        whole.commit()
    assert os.listdir(tmp_path) == ["a.root"]


@pytest.mark.parametrize("exchange", [True, False])
def test_a_name_that_is_free_again_is_another_ones(tmp_path, monkeypatch, exchange):
    """Another process takes the hidden name in the moment in which the file has left it."""
    move, taken = os.replace, []
    if not exchange:
        monkeypatch.setattr(file_sets, "_renameat2", None)

    def and_another(hidden, path):
        move(hidden, path)
        taken.append(hidden_file(Path(path)))

    monkeypatch.setattr(os, "replace", and_another)
    with replacing(tmp_path / "a.root") as hidden:
        hidden.write_text("whole")
    with FileSet() as files:
        files.new(tmp_path / "b.root").write_text("whole")
        files.commit()
    for other, descriptor in taken:
        assert other.exists()
        os.close(descriptor)
    assert [other.name for other, _ in taken] == [".a.root.1.part", ".b.root.1.part"]
