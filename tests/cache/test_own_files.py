"""A folder of a cache that others may write to: nothing of theirs is used, no link is followed."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flavorframe._cache import Store, caching
from flavorframe._cache.own_files import own_name
from flavorframe._cache.store import MAGIC, TALLY, _checksum

KEY = "ab" * 32
ANOTHER = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def whole(content, key=KEY):
    """Return a file that anybody could make."""
    return MAGIC + _checksum(key, content) + content


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache")


def path_of(store, key=KEY):
    (found,) = store.folder.rglob(f"{key}.ffc")
    return found


def test_files_are_for_oneself_alone(store):
    earlier = os.umask(0)
    try:
        store.put(KEY, b"x")
    finally:
        os.umask(earlier)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in store.folder.rglob("*")}
    assert set(modes.values()) == {0o600, 0o700}
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert store.get(KEY) == b"x"


@needs_root
def test_entries_of_another_user_are_not_used(store):
    store.put(KEY, b"good")
    path = path_of(store)
    path.write_bytes(whole(b"evil"))
    assert store.get(KEY) == b"evil"  # one's own, with a checksum that is right
    os.chown(path, ANOTHER, ANOTHER)
    assert store.get(KEY) is None
    assert store.size() == (0, 0)
    assert store.clear() == (0, 0)
    assert path.exists()
    store.put(KEY, b"good")
    assert store.get(KEY) == b"good"
    assert not store.problem


def test_entries_that_others_may_write_to_are_not_used(store):
    store.put(KEY, b"good")
    path_of(store).chmod(0o620)
    assert store.get(KEY) is None
    store.put(KEY, b"good")
    assert store.get(KEY) == b"good"


def test_entries_with_another_name_are_not_used(store, tmp_path):
    store.put(KEY, b"good")
    os.link(path_of(store), tmp_path / "elsewhere")
    assert store.get(KEY) is None


@needs_root
def test_a_folder_of_another_user_has_one_folder_for_each_user(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, ANOTHER, ANOTHER)
    shared.chmod(0o1777)
    (shared / "ab").mkdir()
    (shared / "ab" / f"{KEY}.ffc").write_bytes(whole(b"evil"))
    for path in (shared / "ab", shared / "ab" / f"{KEY}.ffc"):
        os.chown(path, ANOTHER, ANOTHER)
    (shared / TALLY).write_bytes(b"theirs")
    os.chown(shared / TALLY, ANOTHER, ANOTHER)
    store = Store(shared)
    assert store.get(KEY) is None
    store.put(KEY, b"good")
    assert store.get(KEY) == b"good"
    assert (shared / own_name() / "ab" / f"{KEY}.ffc").exists()
    assert store.clear() == (1, len(whole(b"good")))
    assert (shared / TALLY).read_bytes() == b"theirs"
    assert (shared / "ab" / f"{KEY}.ffc").exists()


WRITER = """
import os, sys
from flavorframe._cache import Store
os.setgid(12345), os.setuid(12345)
store = Store(sys.argv[1])
assert store.get(sys.argv[2]) is None, "another's"
store.put(sys.argv[2], sys.argv[3].encode())
assert not store.problem, store.problem
assert store.get(sys.argv[2]) == sys.argv[3].encode()
assert store.size()[0] == 1
store.clear()
store.put(sys.argv[2], sys.argv[3].encode())
"""


@needs_root
def test_users_who_share_a_folder_see_their_own():
    with tempfile.TemporaryDirectory() as name:  # others cannot go through pytest's folders
        shared = Path(name)
        shared.chmod(0o1777)
        store = Store(shared)
        store.put(KEY, b"mine")
        subprocess.run([sys.executable, "-c", WRITER, name, KEY, "theirs"], check=True)
        assert store.get(KEY) == b"mine"
        assert store.size()[0] == 1
        assert store.clear()[0] == 1
        assert [path.stat().st_uid for path in shared.rglob("*.ffc")] == [ANOTHER]


@needs_root
@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_place_that_another_user_took_is_told_of(kind, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    place = shared / own_name()
    if kind == "folder":
        place.mkdir(mode=0o777)
        os.chown(place, ANOTHER, ANOTHER)
    else:
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to(tmp_path / "elsewhere")
    store = Store(shared)
    store.put(KEY, b"x")
    assert store.get(KEY) is None
    assert store.problem
    assert not list(tmp_path.rglob("*.ffc"))
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        caching(shared)


# Links


@pytest.fixture
def elsewhere(tmp_path):
    """Return a folder of one's own that looks like a part of a cache."""
    other = Store(tmp_path / "elsewhere")
    for number in range(3):
        other.put(f"ab{number}" + "0" * 61, bytes(100))
    return tmp_path / "elsewhere"


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_link_leads_elsewhere(store, elsewhere):
    store.put("cd" * 32, b"x")
    before = content(elsewhere)
    (store.folder / "ab").symlink_to(elsewhere / "ab")
    (store.folder / own_name()).symlink_to(elsewhere)
    (store.folder / "cd" / f"{KEY}.ffc").symlink_to(next(iter(before)))
    assert store.get("ab0" + "0" * 61) is None
    store.put("ab0" + "0" * 61, b"x")
    assert store.problem
    assert store.size()[0] == 1
    store.limit = 0
    store.shrink()
    assert store.clear() == (0, 0)
    assert content(elsewhere) == before


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_the_tally_is_no_link(link, store, tmp_path):
    thesis = tmp_path / "thesis.tex"
    thesis.write_text("!")
    store.put(KEY, b"x")
    (store.folder / TALLY).unlink()
    link(thesis, store.folder / TALLY)
    store.put(KEY, b"y")
    store.shrink()
    assert store.problem
    assert thesis.read_text() == "!"


def test_what_is_no_file_is_not_waited_for(store):
    store.put(KEY, b"x")
    path = path_of(store)
    path.unlink()
    os.mkfifo(path)
    assert store.get(KEY) is None


def test_a_folder_that_is_a_link_may_be_named(tmp_path):
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "disk")
    store = Store(tmp_path / "cache")
    store.put(KEY, b"x")
    assert Store(tmp_path / "disk").get(KEY) == b"x"


# How large it is


def test_the_folder_is_measured_rarely(store, monkeypatch):
    measured = []
    files = Store._files
    monkeypatch.setattr(Store, "_files", lambda self: measured.append(1) or files(self))
    for number in range(500):
        store.put(f"{number:064x}", bytes(100))
    assert len(measured) == 1
    Store(store.folder).put(KEY, bytes(100))  # in another process
    assert len(measured) == 1


def test_what_was_there_before_is_measured(store):
    for number in range(100):
        store.put(f"{number:064x}", bytes(5000))
    (store.folder / TALLY).unlink()  # as earlier versions left it
    full = Store(store.folder, limit=100 * 4096)
    full.put(KEY, bytes(5000))
    assert full.size()[1] < 100 * 4096
    assert full.get(KEY) is not None


def test_what_is_written_again_does_not_empty_the_folder(store):
    store.limit = 50 * 4096
    for number in range(30):
        store.put(f"{number:064x}", bytes(1000))
    for _ in range(300):
        store.put(KEY, bytes(1000))
    assert store.size()[0] == 31


FULL = """
import resource, signal, sys
from flavorframe._cache import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(sys.argv[1])
store.put("cd" * 32, bytes(100_000))
assert store.get("cd" * 32) is None
assert "File too large" in store.problem, store.problem
"""


def test_what_cannot_be_written_wholly_is_a_problem_and_leaves_nothing(store):
    store.put(KEY, b"x")
    subprocess.run([sys.executable, "-c", FULL, str(store.folder)], check=True)
    names = {path.name for path in store.folder.rglob("*") if path.is_file()}
    assert names == {TALLY, f"{KEY}.ffc"}
    assert store.get(KEY) == b"x"
