"""Limits bite: what a process can have is measured."""

import secrets
import subprocess
import sys

import pytest

from flavorframe_facility.machine import limits

TAKE = "print(len(bytearray(400_000_000)))"
BURN = """
import multiprocessing, resource, time
def burn(_):
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        pass
    return time.process_time()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sum(pool.map(burn, range(2))))
"""


def run(join, code):
    return subprocess.run(
        [sys.executable, "-c", code], preexec_fn=join, check=False, capture_output=True, text=True
    )


@pytest.fixture
def group():
    """Return the name of a group of processes that nobody else has."""
    name = f"test-{secrets.token_hex(4)}"
    yield name
    limits.remove_group(name)


def test_memory(group):
    assert run(limits.create_group(group, 1, 600_000_000), TAKE).stdout == "400000000\n"
    done = run(limits.create_group(group, 1, 300_000_000), TAKE)
    assert done.returncode != 0
    assert done.stdout == ""


def test_cores(group):
    if not limits._version():
        pytest.skip("control groups cannot be written here")
    used = float(run(limits.create_group(group, 0.5, 10**9), BURN).stdout)
    assert used < 1.2  # of 3 seconds, with two cores


def test_without_control_groups(monkeypatch):
    monkeypatch.setattr(limits, "_version", lambda: 0)
    join = limits.create_group("any", 1, 300_000_000)
    assert run(join, "import os; print(len(os.sched_getaffinity(0)))").stdout == "1\n"
    assert "MemoryError" in run(join, TAKE).stderr
    assert "each process" in limits.kind()
