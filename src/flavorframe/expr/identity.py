"""Fingerprints of expressions by what they compute, equal in every process.

A user's function is known by its code, its constants, and all that it refers to. Where that cannot
be told, `fingerprint` raises UnknownIdentityError: better no fingerprint than one of two functions.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from flavorframe.expr import nodes as n
from flavorframe.expr.external import Correction, Function

IMPURE_BUILTINS = frozenset(
    ("open", "eval", "exec", "compile", "globals", "locals", "vars", "__import__", "input", "id",
     "hash", "getattr", "setattr", "delattr")
)  # fmt: skip
IMPURE_MODULES = frozenset(
    ("os", "sys", "io", "time", "datetime", "random", "secrets", "uuid", "pathlib", "socket",
     "subprocess", "importlib", "inspect", "builtins", "threading")
)  # fmt: skip
IMPURE_ATTRIBUTES = frozenset(
    ("random", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "open_memmap", "from_file",
     "read_csv", "read_parquet", "read_json", "read_pickle", "open", "__globals__", "__dict__")
)  # fmt: skip
"""What a function whose values depend on more than its arguments is known by."""

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))


class UnknownIdentityError(Exception):
    """What something computes cannot be told from what can be seen of it."""


def fingerprint(value: Any, *, named: bool = False) -> bytes:
    """Return 32 bytes that differ for expressions, steps or outputs that compute something else.

    Where a user's function refers to what has no fingerprint, it is known by its name if ``named``;
    otherwise UnknownIdentityError is raised.
    """
    known: bytes | None = getattr(value, "_fingerprint", None)
    return _Fingerprints(named=named).of(value) if known is None else known


class _Fingerprints:
    """Fingerprints of one moment: what a function refers to may be another the next time."""

    def __init__(self, *, named: bool) -> None:
        self._named = named
        self._objects: dict[int, tuple[bytes, Any]] = {}  # kept, so that no number comes twice
        self._records: dict[int, tuple[bytes, bool, Any]] = {}
        self._lasting = True  # whether what was seen since it was set can never change

    def of(self, value: Any) -> bytes:
        """Return the fingerprint of an expression, or of what is made of them."""
        if isinstance(value, Function):
            self._lasting = False
            return self._users(value)
        if isinstance(value, Correction):
            return joined("correction", value.name.encode(), value.digest.encode())
        if isinstance(value, tuple):
            return joined("tuple", *map(self.of, value))
        if isinstance(value, n.Part):
            return self._tree(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        return _plain(value)

    def _users(self, function: Function) -> bytes:
        try:
            parts = (function.compute, function.code)
            return joined("function", *map(self._object, parts))
        except UnknownIdentityError:
            if not self._named:
                raise
            return joined("named function", repr(function).encode())

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
        if self._lasting:  # trees share their branches: without memory all would be walked
            object.__setattr__(value, "_fingerprint", found)
        self._lasting = outside and self._lasting
        return found

    # what functions are made of, and refer to

    def _object(self, value: Any) -> bytes:
        if type(value) in PLAIN:
            return _plain(value)
        if id(value) in self._objects:  # among them functions that refer to themselves
            return self._objects[id(value)][0]
        earlier = joined("earlier", str(len(self._objects)).encode())
        self._objects[id(value)] = earlier, value
        found = self._compound(value)
        self._objects[id(value)] = found, value
        return found

    def _compound(self, value: Any) -> bytes:
        kind = type(value)
        if kind in (tuple, list):
            return joined(kind.__name__, *map(self._object, value))
        if kind in (set, frozenset):
            return joined(kind.__name__, *sorted(map(self._object, value)))
        if kind is dict:
            return joined("dict", *(self._object(part) for item in value.items() for part in item))
        if kind is np.ndarray or isinstance(value, np.generic):
            return _array(np.asarray(value))
        if isinstance(value, np.dtype):
            return joined("dtype", value.str.encode())
        if kind is functools.partial:
            return joined("partial", *map(self._object, (value.func, value.args, value.keywords)))
        if kind is types.FunctionType:
            return self._function(value)
        if kind is types.CodeType:
            return self._code(value)
        return _named(value)

    def _function(self, function: types.FunctionType) -> bytes:
        if _is_installed(function.__module__) and _find(function) is function:
            return _named(function)
        try:
            cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
        except ValueError:
            raise UnknownIdentityError(f"{function.__name__} has a variable not set yet") from None
        parts = [function.__code__, function.__defaults__, function.__kwdefaults__, cells]
        parts += [self._global(function, name) for name in _globals_of(function.__code__)]
        return joined("function", *map(self._object, parts))

    def _global(self, function: types.FunctionType, name: str) -> Any:
        if name in function.__globals__:
            return (name, function.__globals__[name])
        builtins = function.__globals__.get("__builtins__", __builtins__)
        builtins = builtins if isinstance(builtins, dict) else vars(builtins)
        if name in IMPURE_BUILTINS or name not in builtins:
            raise UnknownIdentityError(f"{function.__name__} uses {name}")
        return (name, builtins[name])

    def _code(self, code: types.CodeType) -> bytes:
        impure = IMPURE_ATTRIBUTES.intersection(code.co_names)
        imports = any(i.opname == "IMPORT_NAME" for i in dis.get_instructions(code))
        if impure or imports:
            what = ", ".join(sorted(impure)) or "an import"
            raise UnknownIdentityError(f"{code.co_name} uses {what}")
        handlers = getattr(code, "co_exceptiontable", b"")
        parts = (code.co_code, handlers, code.co_consts, code.co_names, code.co_varnames,
                 code.co_freevars, code.co_cellvars, code.co_argcount, code.co_posonlyargcount,
                 code.co_kwonlyargcount, code.co_flags)  # fmt: skip
        return joined("code", *map(self._object, parts))


def joined(kind: str, *parts: bytes) -> bytes:
    """Return the fingerprint of something of a kind that is made of parts with fingerprints."""
    digest = sha256(f"{kind}:{len(parts)}:".encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def _plain(value: Any) -> bytes:
    if type(value) not in PLAIN and not isinstance(value, np.generic):
        raise UnknownIdentityError(f"{value!r} has no fingerprint")
    return joined(type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))


def _array(value: np.ndarray[Any, Any]) -> bytes:
    if value.dtype.hasobject:
        raise UnknownIdentityError("an array of objects")
    return joined("array", repr(value.dtype).encode(), repr(value.shape).encode(), value.tobytes())


def _named(value: Any) -> bytes:
    """Return the fingerprint of what is installed: its name, and the version of its package."""
    if isinstance(value, types.ModuleType):
        return joined("module", value.__name__.encode(), _version(value.__name__))
    found = _find(value)
    if found is not value:
        raise UnknownIdentityError(f"{value!r} is nothing that is installed")
    module, name = _place(value)
    return joined("installed", module.encode(), name.encode(), _version(module))


def _place(value: Any) -> tuple[str, str]:
    name = str(getattr(value, "__qualname__", None) or getattr(value, "__name__", ""))
    module = getattr(value, "__module__", None)
    if isinstance(value, np.ufunc):
        modules = ("numpy", "scipy.special")
        module = next((m for m in modules if getattr(sys.modules.get(m), name, 0) is value), None)
    return str(module), name


def _find(value: Any) -> Any:
    kinds = (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc, type(np.median))
    if not isinstance(value, kinds):
        return None
    module, name = _place(value)
    return getattr(sys.modules.get(module), name, None)


def _version(module: str) -> bytes:
    package = module.partition(".")[0]
    if (package in IMPURE_MODULES and module != "builtins") or not _is_installed(module):
        raise UnknownIdentityError(f"module {module}")
    version = getattr(sys.modules.get(package), "__version__", "")
    return f"{sys.version}:{version}".encode()


@functools.lru_cache(maxsize=1024)
def _is_installed(module: str | None) -> bool:
    from flavorframe.travel import installed

    return module is not None and module != "__main__" and installed(module)


def _globals_of(code: types.CodeType) -> list[str]:
    """Return the names that code looks up outside of itself, in order."""
    names = {
        i.argval for each in _codes(code) for i in dis.get_instructions(each)
        if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }  # fmt: skip
    return sorted(names)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
