"""Types of the compiled part; see `native/module.c`."""

from collections.abc import Callable
from typing import Any

from flavorframe._rootio.arrays import Array

def read(
    source: int | tuple[Any, ...],
    baskets: Array,
    rows: Array,
    kind: int,
    itemsize: int,
    length: int,
    header: int,
    room: int,
    fallback: Callable[[bytes, memoryview, memoryview], int],
    sizes: Array,
    ends: Array,
    /,
) -> tuple[bytearray, int, float, float, float, int]: ...
def decompress(
    block: memoryview, size: int, fallback: Callable[[bytes, memoryview, memoryview], int], /
) -> bytearray: ...
def system_codecs(use: bool, /) -> dict[str, bool]: ...
def keep_freed_memory() -> None: ...
def spread(counts: Array, out: Array, /) -> None: ...
def ranges(starts: Array, counts: Array, out: Array, /) -> None: ...
def places(known: Array, wanted: Array, out: Array, /) -> None: ...
def first_match(
    kinds: str,
    arrays: tuple[Array, ...],
    starts: Array,
    counts: Array,
    found: Array,
    number: Array,
    /,
) -> None: ...
def best(values: Array, first: Array, largest: bool, out: Array, /) -> None: ...
def sift(
    tables: tuple[Array, ...], cuts: bytes, joined: Array, alive: Array, rows: Array, /
) -> int: ...
