"""Fingerprints of users' functions: of their code, and of the content of all that they refer to.

A function that is known to give the same answer to the same arguments has a `strict` fingerprint,
by which values are cached. Every function has one that tells it from others as far as can be seen,
by which plans are compared: what cannot be followed counts by its name or type.
"""

from __future__ import annotations

import builtins
import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from flavorframe._expr.identity.bytecode import Seen, Use, seen_in
from flavorframe._expr.identity.digests import (
    PLAIN,
    UnknownIdentityError,
    digest_array,
    digest_dtype,
    digest_plain,
    joined,
)
from flavorframe._expr.identity.pure import ATTRIBUTES, pure_name
from flavorframe._shipping.user_code import installed

MISSING = object()
"""Stands for the value of a name that has none."""
FOLLOWED = 20_000
"""How many objects are followed for a plan; further ones count by their name or type."""
DEPTH = 40
"""How many levels of objects within objects are followed."""


class FunctionFingerprints:
    """Fingerprints at one moment: a function may refer to something else the next time."""

    def __init__(self, *, strict: bool) -> None:
        """Where ``strict``, UnknownIdentityError is raised for what is not known to be pure."""
        self._strict = strict
        self._found: dict[int, tuple[bytes, Any]] = {}  # holds the objects, so that ids stay theirs
        self._depth = 0

    def of(self, value: Any) -> bytes:
        """Return the fingerprint of a function, or of what one refers to."""
        if type(value) in PLAIN:
            return digest_plain(value)
        if id(value) in self._found:  # among them functions that refer to themselves
            return self._found[id(value)][0]
        earlier = joined("earlier", str(len(self._found)).encode())
        self._found[id(value)] = earlier, value
        found = self._compound(value)
        self._found[id(value)] = found, value
        return found

    def _compound(self, value: Any) -> bytes:
        known = _CONTENT.get(type(value))
        if known is not None:
            return known(self, value)
        if isinstance(value, np.generic):
            return self._array(np.asarray(value))
        if isinstance(value, np.dtype):
            return digest_dtype(value)
        name = pure_name(value)
        if name is not None:
            version = _version_of(name) if self._strict else ""
            return joined("pure", name.encode(), version.encode())
        if type(value) is types.FunctionType:
            return self._function(value)
        if self._strict:
            raise UnknownIdentityError(f"{_called(value)} is not known to be pure")
        return self._described(value)

    def _sequence(self, value: Any) -> bytes:
        return joined(type(value).__name__, *map(self.of, value))

    def _set(self, value: Any) -> bytes:
        return joined(type(value).__name__, *sorted(map(self.of, value)))

    def _dict(self, value: dict[Any, Any]) -> bytes:
        return joined("dict", *(self.of(part) for item in value.items() for part in item))

    def _partial(self, value: functools.partial[Any]) -> bytes:
        return joined("partial", *map(self.of, (value.func, value.args, value.keywords)))

    def _range(self, value: range | slice) -> bytes:
        return joined(type(value).__name__, *map(self.of, (value.start, value.stop, value.step)))

    def _array(self, value: np.ndarray[Any, Any]) -> bytes:
        if value.dtype.hasobject and not self._strict:
            return joined("objects", repr(value.shape).encode(), *map(self.of, value.flat))
        return digest_array(value)

    # functions

    def _function(self, function: types.FunctionType) -> bytes:
        seen = seen_in(function.__code__)
        if not self._strict and _is_installed(function.__module__):
            return self._installed(function)
        uses = [self._use(function, use) for use in seen.uses]
        if self._strict:
            self._check(function, seen)
        parts = [function.__defaults__, function.__kwdefaults__, function.__dict__]
        code = digest_code(function.__code__, function.__code__.co_flags)
        return joined("function", code, self._state, *map(self.of, parts), *uses)

    def _installed(self, function: types.FunctionType) -> bytes:
        """Return the fingerprint of a library's function, by its code if that can be followed."""
        try:
            return FunctionFingerprints(strict=True).of(function)
        except UnknownIdentityError:
            return self._described(function)

    @functools.cached_property
    def _state(self) -> bytes:
        """The print options of numpy, on which texts made of arrays depend."""
        return repr(sorted(np.get_printoptions().items())).encode() if self._strict else b""

    def _check(self, function: types.FunctionType, seen: Seen) -> None:
        """Raise UnknownIdentityError where the code alone says that it may not be pure."""
        doubts = [*seen.doubts, *(f"sets {name} of the function around it" for name in seen.sets)]
        doubts += [f"uses an attribute {name}" for name in sorted(seen.attributes - ATTRIBUTES)]
        if doubts:
            raise UnknownIdentityError(f"{function.__name__} {doubts[0]}")

    def _use(self, function: types.FunctionType, use: Use) -> bytes:
        """Return the fingerprint of what a name and its attributes lead to, at this moment."""
        value, rest, name = _looked_up(function, use), list(use.attributes), use.name
        while rest and isinstance(value, types.ModuleType):
            name = f"{name}.{rest[0]}"
            value = getattr(value, rest.pop(0), MISSING)
        if self._strict:
            own = isinstance(value, types.FunctionType) and rest[:1] and rest[0] in vars(value)
            doubtful = [each for each in rest[1 if own else 0 :] if each not in ATTRIBUTES]
            if value is MISSING or doubtful:
                whole = ".".join([name, *doubtful[:1]])
                raise UnknownIdentityError(f"{function.__name__} uses {whole}")
        try:
            return self.of(value)
        except UnknownIdentityError:
            if isinstance(value, types.FunctionType) and not _is_installed(value.__module__):
                raise  # its message says what that function uses
            raise UnknownIdentityError(f"{function.__name__} uses {name}") from None

    # what is not known to be pure, for plans

    def _described(self, value: Any) -> bytes:
        """Return what an object is seen to be made of, its name or type where it is not seen."""
        name = _called(value).encode()
        if isinstance(value, type):
            if _is_installed(value.__module__):
                return joined("installed", name)
            return joined("class", name, *map(self.of, (*value.__bases__, *_content(value))))
        if isinstance(value, types.MethodType):
            return joined("method", self.of(value.__func__), self.of(value.__self__))
        if isinstance(value, staticmethod | classmethod):
            return joined("method", self.of(value.__func__))
        if isinstance(value, property):
            return joined("property", *map(self.of, (value.fget, value.fset)))
        beyond = self._depth == DEPTH or len(self._found) > FOLLOWED
        if beyond or isinstance(value, types.ModuleType):
            return joined("named", name)
        self._depth += 1
        parts = [self.of(part) for part in _reduced(value)]
        self._depth -= 1
        return joined("object", name, *parts)


_Content = Callable[[FunctionFingerprints, Any], bytes]
_CONTENT: dict[type, _Content] = {
    tuple: FunctionFingerprints._sequence,
    list: FunctionFingerprints._sequence,
    set: FunctionFingerprints._set,
    frozenset: FunctionFingerprints._set,
    dict: FunctionFingerprints._dict,
    range: FunctionFingerprints._range,
    slice: FunctionFingerprints._range,
    np.ndarray: FunctionFingerprints._array,
    functools.partial: FunctionFingerprints._partial,
}
"""What counts by its content alone; what is derived of these types may do anything else."""


@functools.lru_cache(maxsize=4096)
def digest_code(code: types.CodeType, flags: int) -> bytes:
    """Return the digest of code and of the code within; names that it is called by do not count."""
    handlers = getattr(code, "co_exceptiontable", b"")
    parts = (code.co_code, handlers, code.co_names, code.co_varnames, code.co_freevars,
             code.co_cellvars, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount,
             flags)  # fmt: skip
    constants = [
        digest_code(each, each.co_flags) if isinstance(each, types.CodeType) else of_plain(each)
        for each in code.co_consts
    ]
    return joined("code", *map(of_plain, parts), *constants)


def of_plain(value: Any) -> bytes:
    """Return the fingerprint of what has nothing to do with functions."""
    return FunctionFingerprints(strict=True).of(value)


def _looked_up(function: types.FunctionType, use: Use) -> Any:
    if use.is_global:
        known = function.__globals__.get("__builtins__", builtins)
        known = known if isinstance(known, dict) else vars(known)
        return function.__globals__.get(use.name, known.get(use.name, MISSING))
    cell = (function.__closure__ or ())[function.__code__.co_freevars.index(use.name)]
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return MISSING


def _called(value: Any) -> str:
    """Return how messages call an object, the same in every process."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if isinstance(name, str):
        return f"{getattr(value, '__module__', None) or ''}.{name}".lstrip(".")
    return f"an object of {type(value).__module__}.{type(value).__qualname__}"


def _content(kind: type) -> Iterator[Any]:
    """Yield names and values of what a class of the user's defines."""
    for name, value in sorted(vars(kind).items()):
        if not name.startswith("__") or isinstance(value, types.FunctionType):
            yield name
            yield value


def _reduced(value: Any) -> tuple[Any, ...]:
    """Return what an object would be made of in another process, nothing where it cannot be."""
    try:
        found = value.__reduce_ex__(4)
    except Exception:  # whatever objects raise that stay in their process
        return ()
    if isinstance(found, str):
        return (found,)
    function, arguments, state, items, pairs = (*found, None, None, None)[:5]
    return function, arguments, state, list(items or ()), list(pairs or ())


def _version_of(name: str) -> str:
    package = sys.modules.get(name.partition(".")[0])
    return str(getattr(package, "__version__", ""))


@functools.lru_cache(maxsize=1024)
def _is_installed(module: str | None) -> bool:
    return module is not None and module != "__main__" and installed(module)
