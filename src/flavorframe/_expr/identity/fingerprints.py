"""Fingerprints of expressions by what they compute, equal in every process.

A user's function is known by its code, its constants, and all that it refers to. Where that cannot
be found out, `fingerprint` raises UnknownIdentityError: no fingerprint is better than one that two
different functions share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.called import Correction, Function
from flavorframe._expr.identity.digests import UnknownIdentityError, digest_plain, joined
from flavorframe._expr.identity.functions import FunctionFingerprints
from flavorframe._models.model import Folds, Model

__all__ = ["UnknownIdentityError", "doubts_of", "fingerprint", "is_lasting", "joined"]


def fingerprint(value: Any, *, named: bool = False) -> bytes:
    """Return 32 bytes that differ for expressions, steps or outputs that compute something else.

    Raises UnknownIdentityError for a user's function that is not known to give the same answer to
    the same arguments. Where ``named``, such a function is known by its code and by all that can be
    seen of what it refers to, down to names and types.
    """
    known: bytes | None = getattr(value, "_fingerprint", None)
    return _Fingerprints(named=named).of(value) if known is None else known


def is_lasting(value: Any) -> bool:
    """Return whether the fingerprint that a value was given can never change."""
    return getattr(value, "_fingerprint", None) is not None


def doubts_of(trees: Iterable[n.Node]) -> list[str]:
    """Return, of each function in the trees without a fingerprint, its name and what is unknown."""
    called = {
        node.function: None
        for tree in trees
        for node in n.walk(tree)
        if isinstance(node, n.CallFunction)
    }
    doubts = []
    for function in called:
        try:
            fingerprint(function)
        except UnknownIdentityError as error:
            doubts.append(str(error))
    return doubts


class _Fingerprints:
    """Fingerprints at one moment: a function may refer to something else the next time."""

    def __init__(self, *, named: bool) -> None:
        self._functions = FunctionFingerprints(strict=not named)
        self._records: dict[int, tuple[bytes, bool, Any]] = {}
        self._lasting = True  # whether what was seen since it was set can never change

    def of(self, value: Any) -> bytes:
        """Return the fingerprint of an expression, or of what is made of them."""
        if isinstance(value, Function):
            self._lasting = False
            return self._users(value)
        if isinstance(value, Correction):
            return joined("correction", value.name.encode(), value.digest.encode())
        if isinstance(value, Model | Folds):
            return joined("model", *map(str.encode, value.identity()))
        if isinstance(value, tuple):
            return joined("tuple", *map(self.of, value))
        if isinstance(value, n.Part):
            return self._tree(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        return digest_plain(value)

    def _users(self, function: Function) -> bytes:
        headers = tuple(header.digest for header in function.headers)
        name = None if function.code is None else function.name  # of several in one text
        parts = (function.compute, function.code, name, headers)
        try:
            return joined("function", *map(self._functions.of, parts))
        except UnknownIdentityError as error:
            told = str(error).removeprefix(f"{function.name} ")
            raise UnknownIdentityError(f"{function.name}: {told}") from None

    def _tree(self, part: n.Part) -> bytes:
        """Return the fingerprint of a node or axis, having found those of what is in it."""
        if getattr(part, "_fingerprint", None) is None and id(part) not in self._records:
            outside = self._lasting
            for inner in n.parts(part):
                self._record(inner)
            self._lasting = outside
        return self._record(part)

    def _record(self, value: Any) -> bytes:
        known: bytes | None = getattr(value, "_fingerprint", None)
        if known is not None:
            return known
        if id(value) in self._records:
            found, lasting, _ = self._records[id(value)]
            self._lasting = self._lasting and lasting
            return found
        outside, self._lasting = self._lasting, True
        parts = [self.of(getattr(value, field.name)) for field in fields(value)]
        found = joined(type(value).__name__, *parts)
        self._records[id(value)] = found, self._lasting, value
        if self._lasting:  # trees share parts, which would be walked again and again
            object.__setattr__(value, "_fingerprint", found)
        self._lasting = outside and self._lasting
        return found
