"""The folder of a cache: bounded, whole files only, many processes."""

import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from flavorframe._cache import Cache, Caching, Entry, Store, cache as cache_module, caching
from flavorframe._cache.cache import decoded, encoded
from flavorframe.errors import AnalysisError

KEY = "ab" * 32


def entry(size=100):
    return Entry(
        {"words": ["a", "é"]}, {"x": np.arange(size, dtype=np.int32), "y": np.ones((2, 3))}
    )


def assert_same(a, b):
    assert a.facts == b.facts
    assert list(a.arrays) == list(b.arrays)
    for name, array in a.arrays.items():
        np.testing.assert_array_equal(array, b.arrays[name])
        assert array.dtype == b.arrays[name].dtype


def test_entries_come_back_as_they_were(tmp_path):
    cache = Cache(Store(tmp_path))
    cache.put(KEY, entry())
    cache.flush()
    assert_same(Cache(Store(tmp_path)).get(KEY), entry())
    assert Cache(Store(tmp_path)).get("cd" * 32) is None


def test_the_disk_waits_until_it_is_quiet(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "QUIET_SECONDS", 60.0)
    store = Store(tmp_path)
    cache = Cache(store)
    cache.put(KEY, entry())
    time.sleep(0.1)
    assert store.size()[0] == 0
    cache.flush()
    assert store.size()[0] == 1


@pytest.mark.parametrize("limits", [{"HELD": 4 * entry().nbytes}, {"WAITING": 8}])
def test_no_more_is_held_back_than_a_little(tmp_path, monkeypatch, limits):
    monkeypatch.setattr(cache_module, "QUIET_SECONDS", 60.0)
    for name, value in limits.items():
        monkeypatch.setattr(cache_module, name, value)
    store = Store(tmp_path)
    cache = Cache(store)
    for number in range(40):  # would take minutes, were each to wait until it is quiet
        cache.put(f"{number:064}", entry())
    deadline = time.monotonic() + 30
    while store.size()[0] < 35 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.size()[0] >= 35
    cache.flush()
    assert store.size()[0] == 40


def test_what_is_for_memory_is_not_on_disk(tmp_path):
    cache = Cache(Store(tmp_path))
    cache.put(KEY, entry(), on_disk=False)
    cache.flush()
    assert_same(cache.get(KEY), entry())
    assert Cache(Store(tmp_path)).get(KEY) is None


def test_what_is_kept_cannot_be_written_to(tmp_path):
    cache = Cache(Store(tmp_path))
    kept = entry()
    cache.put(KEY, kept)
    cache.flush()
    for found in (cache.get(KEY), Cache(Store(tmp_path)).get(KEY)):
        with pytest.raises(ValueError, match="read-only"):
            found.arrays["x"][0] = 7


def test_a_damaged_file_is_a_miss_and_goes(tmp_path):
    store = Store(tmp_path)
    store.put(KEY, *encoded(entry()))
    (path,) = tmp_path.rglob("*.ffc")
    whole, rng = path.read_bytes(), random.Random(3)
    damaged = [whole[:n] for n in range(0, len(whole), 7)] + [b"", whole + b"x", b"x" * len(whole)]
    for _ in range(300):
        flipped = bytearray(whole)
        flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        damaged.append(bytes(flipped))
    for content in damaged:
        path.write_bytes(content)
        assert store.get(KEY) is None
        assert not path.exists()
    path.write_bytes(whole)
    assert store.get(KEY) == b"".join(encoded(entry()))


def test_a_file_under_another_key_is_a_miss(tmp_path):
    store = Store(tmp_path)
    store.put(KEY, *encoded(entry()))
    (path,) = tmp_path.rglob("*.ffc")
    path.rename(path.with_name(path.name.replace(KEY, "ab" + "cd" * 31)))
    assert store.get("ab" + "cd" * 31) is None


def test_what_is_no_entry_is_none():
    good = b"".join(encoded(entry()))
    for content in (b"", b"12345678", good[:60], b"\xff" * 100, good.replace(b"<i4", b"|O ")):
        assert decoded(content) is None


def test_the_size_is_bounded_and_the_oldest_goes(tmp_path):
    store = Store(tmp_path, limit=50_000)
    for number in range(100):
        store.put(f"{number:02x}" * 32, bytes(2_000))
        os.utime(next((tmp_path / f"{number:02x}").iterdir()), (number, number))
        assert store.size()[1] <= 50_000 + 2 * 2_100
    store.shrink()
    assert store.get(f"{99:02x}" * 32) is not None
    assert store.get(f"{0:02x}" * 32) is None


def test_memory_is_bounded():
    cache = Cache(None, memory=100_000)
    for number in range(100):
        cache.put(str(number), entry(1000))
    assert cache._size <= 100_000
    assert cache.get("99") is not None
    assert cache.get("0") is None


def test_clear_leaves_what_is_not_ours(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "thesis.tex").write_text("!")
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "notes.txt").write_text("!")
    store.put(KEY, b"x")
    assert store.clear()[0] == 1
    assert store.size() == (0, 0)
    assert (tmp_path / "thesis.tex").exists()
    assert (tmp_path / "ab" / "notes.txt").exists()


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "cache")
    store.put(KEY, b"x")
    assert store.get(KEY) is None
    assert "Not a directory" in store.problem


WRITER = """
import sys
from flavorframe._cache import Store
store = Store(sys.argv[1], limit=40_000)
for round in range(300):
    key = f"{round % 50:02x}" * 32
    found = store.get(key)
    assert found in (None, key.encode() * 30), "damaged"
    store.put(key, key.encode() * 30)
    if round % 10 == 0:
        store.shrink()
assert not store.problem, store.problem
"""


def test_processes_write_and_remove_at_once(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert not list(tmp_path.rglob("*.part"))
    Store(tmp_path, limit=40_000).shrink()
    assert Store(tmp_path).size()[1] <= 40_000


def test_what_cache_means(tmp_path, monkeypatch):
    monkeypatch.delenv("FLAVORFRAME_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert caching(False) is None
    assert caching(None) is None
    monkeypatch.setattr("flavorframe._cache.cache.is_interactive", lambda: True)
    assert caching(None) == Caching(None)
    assert caching(True).folder == str(tmp_path / "flavorframe")
    assert caching(tmp_path / "x").folder == str(tmp_path / "x")
    monkeypatch.setenv("FLAVORFRAME_CACHE", str(tmp_path / "named"))
    assert caching(None).folder == caching(True).folder == str(tmp_path / "named")
    with pytest.raises(AnalysisError, match="True, False or a folder"):
        caching(3)


@pytest.mark.parametrize(("options", "expected"), [([], "False"), (["-i"], "True")])
def test_a_script_is_no_conversation(options, expected):
    code = "from flavorframe._cache.cache import is_interactive; print(is_interactive())"
    line = [sys.executable, "-q", *options]
    if options:
        found = subprocess.run(line, input=code + "\n", capture_output=True, text=True, check=True)
    else:
        found = subprocess.run([*line, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == expected
