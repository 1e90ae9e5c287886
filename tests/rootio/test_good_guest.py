"""Importing flavorframe and opening a file change nothing in the process of somebody else."""

import subprocess
import sys

import pytest
import uproot

from support.compiled_part import needs_compiled

LOOK = """
import ctypes, faulthandler, gc, locale, os, signal, sys, threading

def state():
    return {
        "collection": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), gc.get_debug()),
        "environment": dict(os.environ),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "locale": locale.setlocale(locale.LC_ALL),
        "faulthandler": faulthandler.is_enabled(),
        "switches": (sys.getswitchinterval(), sys.getrecursionlimit()),
        "threads": [thread.name for thread in threading.enumerate()],
    }

collected = []
gc.callbacks.append(lambda phase, info: collected.append(phase))
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "guest.root"
    with uproot.recreate(path) as opened:
        opened.mktree("Events", {"x": "float64"})
        opened["Events"].extend({"x": [1.0, 2.0]})
    return path


def said(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_import_and_opening_leave_the_process_alone(file):
    code = f"""{LOOK}
before = state()
import flavorframe as ff
from flavorframe._rootio import own_process
disabled = []
gc.disable, gc.freeze = (lambda: disabled.append(1)), (lambda: disabled.append(1))
from flavorframe._rootio.open_files import open_file
open_file({str(file)!r}, None)
assert ff.inspect({str(file)!r}).events == 2
after = state()
print([name for name in before if before[name] != after[name]], disabled)
"""
    assert said(code) == "[] []"


def test_a_process_of_its_own_pauses_collection_only_while_it_opens_a_file(file):
    code = f"""{LOOK}
import flavorframe as ff
from flavorframe._rootio import own_process
ff.tune_process()
from flavorframe._rootio.open_files import open_file
before = state()["collection"]
collected.clear()
with own_process.no_garbage_collection():
    assert not gc.isenabled()
open_file({str(file)!r}, None)
print(state()["collection"] == before)
"""
    assert said(code) == "True"


@needs_compiled
@pytest.mark.skipif(sys.platform != "linux", reason="the options of the GNU C library")
def test_memory_is_left_to_the_c_library_until_it_is_asked_for(file):
    """A block of 20 MB is mapped by itself, and given back at once, unless memory is kept."""
    code = f"""
import ctypes, os
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
from flavorframe._rootio.open_files import open_file
from flavorframe._rootio import own_process
open_file({str(file)!r}, None)

def mapped():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")

def kept_after_free():
    before = mapped()
    libc.free(libc.malloc(20 << 20))
    return mapped() - before >= 15 << 20

print(kept_after_free())
own_process.tune_process()
print(kept_after_free())
"""
    assert said(code).split() == ["False", "True"]
