"""Decompression by Python packages, one call a block, where the system has no library for it.

To add a codec, write its function here and enter it in `CODECS`. If the system may have a library
for it, which is faster because it needs no Python lock, add its functions to ``SystemCodecs`` in
``native/native.h``, count it in ``LIBRARIES`` there, and in ``native/codecs.c`` add its name
(``library_names``), its use, and its entry in ``system_codecs_found``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flavorframe._rootio.read_errors import is_of_the_file


def decompress_block(algorithm: bytes, compressed: memoryview, target: memoryview) -> int:
    """Decompress one block into the target, and return how many bytes that gave.

    ``algorithm`` is the two letters that begin the block. Raises ValueError, with the reason, for
    letters that ROOT does not write, a package that is not there, and bytes that it cannot take.
    """
    codec = CODECS.get(algorithm)
    if codec is None:
        raise ValueError(f"its compression {algorithm!r} is none that ROOT has")
    try:
        return codec(compressed, target)
    except ImportError as error:
        raise ValueError(f"its compression needs the package {error.name}") from error
    except BaseException as error:
        if not is_of_the_file(error):
            raise
        raise ValueError(f"it does not decompress ({error})") from error


def _zstd(compressed: memoryview, target: memoryview) -> int:
    import cramjam

    return int(cramjam.zstd.decompress_into(compressed, target))


def _zlib(compressed: memoryview, target: memoryview) -> int:
    import deflate

    return _copy(deflate.zlib_decompress(compressed, len(target)), target)


def _lz4(compressed: memoryview, target: memoryview) -> int:
    import cramjam
    import xxhash

    checksum, body = compressed[:8], compressed[8:]
    if xxhash.xxh64_digest(body) != bytes(checksum):
        raise ValueError("its checksum is wrong")
    return _copy(cramjam.lz4.decompress_block(body, output_len=len(target)), target)


def _lzma(compressed: memoryview, target: memoryview) -> int:
    import lzma

    return _copy(lzma.decompress(compressed), target)


def _copy(result: Any, target: memoryview) -> int:
    values = np.frombuffer(result, np.uint8)
    if len(values) == len(target):
        np.frombuffer(target, np.uint8)[:] = values
    return len(values)


CODECS: dict[bytes, Callable[[memoryview, memoryview], int]] = {
    b"ZS": _zstd,
    b"ZL": _zlib,
    b"L4": _lz4,
    b"XZ": _lzma,
}
"""Decompressors by the two letters that begin a block."""
