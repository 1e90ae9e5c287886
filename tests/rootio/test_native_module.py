"""The compiled part as a module: each object has a state of its own, and gives it back."""

import gc
import sys
import threading
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pytest

from flavorframe._rootio import compiled
from support.compiled_part import needs_compiled

pytestmark = needs_compiled


def fresh():
    """Return a new object of the compiled module."""
    spec = spec_from_file_location("_native", compiled.native.__file__)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_objects_do_not_share_state():
    one, other = fresh(), fresh()
    there = one.system_codecs(True)
    assert not any(one.system_codecs(False).values())
    assert other.system_codecs(True) == there


def test_objects_give_back_what_they_took():
    def some(number):
        for _ in range(number):
            counts, out = np.array([2, 1]), np.empty(3, np.int64)
            fresh().spread(counts, out)
            assert out.tolist() == [0, 0, 1]
        gc.collect()
        return sys.getallocatedblocks()

    some(100)
    before = some(100)
    assert some(3000) - before < 1500  # other threads of the process allocate some hundreds


def test_codecs_may_be_switched_while_threads_read():
    block = b"XZ\0" + (10).to_bytes(3, "little") + (20).to_bytes(3, "little") + bytes(10)
    module, stop, found = fresh(), threading.Event(), set()

    def fallback(algorithm, compressed, target):
        target[:] = bytes(range(20))
        return 20

    def read():
        while not stop.is_set():
            found.add(bytes(module.decompress(memoryview(block), 20, fallback)))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        module.system_codecs(number % 2 == 0)
    stop.set()
    for thread in threads:
        thread.join()
    assert found == {bytes(range(20))}


def test_subinterpreters():
    interpreters = pytest.importorskip("_xxsubinterpreters")
    code = f"""
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("_native", {compiled.native.__file__!r})
module = module_from_spec(spec)
spec.loader.exec_module(module)
assert isinstance(module.system_codecs(False), dict)
"""
    for _ in range(3):
        interpreter = interpreters.create()
        try:
            interpreters.run_string(interpreter, code)
        finally:
            interpreters.destroy(interpreter)
