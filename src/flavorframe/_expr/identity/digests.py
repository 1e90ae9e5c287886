"""Fingerprints of plain values and arrays, equal in every process, and of what is made of them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))


class UnknownIdentityError(Exception):
    """There is no fingerprint: what something computes does not follow from what can be seen."""


def joined(kind: str, *parts: bytes) -> bytes:
    """Return the fingerprint of something of a kind that is made of parts with fingerprints."""
    digest = sha256(f"{kind}:{len(parts)}:".encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def digest_plain(value: Any) -> bytes:
    """Return the digest of a number, a text or nothing."""
    if isinstance(value, np.generic):
        return digest_array(np.asarray(value))
    if type(value) not in PLAIN:
        raise UnknownIdentityError(f"{value!r} has no fingerprint")
    return joined(type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))


def digest_array(value: np.ndarray[Any, Any]) -> bytes:
    """Return the digest of an array by type, shape and content."""
    if value.dtype.hasobject:
        raise UnknownIdentityError("an array of objects has no fingerprint")
    return joined("array", digest_dtype(value.dtype), repr(value.shape).encode(), value.tobytes())


def digest_dtype(dtype: np.dtype[Any]) -> bytes:
    """Return the digest of a type of arrays; the names of its fields and their places count."""
    return joined("dtype", repr(dtype).encode())
