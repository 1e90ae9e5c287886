"""Computations from outside the expression language: users' functions and correction files."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.kinds import refuse_computing_with_strings
from flavorframe._travel.extra_files import by_digest
from flavorframe.errors import CorrectionError, ExpressionError, did_you_mean, needs

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Header:
    """A file that C++ includes as ``name``, and what it held: a changed file is another header."""

    name: str
    path: str
    digest: str


@dataclass(frozen=True, eq=False)
class Function:
    """A user's function, usable on expressions: of numpy arrays, in C++ (``code``), or both.

    Two are equal that call the same object: objects that are equal now may not stay so.
    """

    compute: Callable[..., Any] | None
    name: str
    code: str | None = None
    headers: tuple[Header, ...] = ()

    def __post_init__(self) -> None:
        key = (_called(self.compute), self.name, self.code, self.headers)
        object.__setattr__(self, "_key", key)  # also asked for while Python ends

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.__dict__["_key"] == other.__dict__["_key"]

    def __hash__(self) -> int:
        return hash(self.__dict__["_key"])

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (self.compute, self.name, self.code, self.headers)

    def __call__(self, *arguments: Operand) -> Expr:
        """Return the function of the given expressions or constants."""
        node = n.CallFunction(self, tuple(as_node(a) for a in arguments))
        refuse_computing_with_strings(node)
        if not any(isinstance(a, Expr) for a in arguments):
            raise ExpressionError(f"{self.name}() takes at least one expression.")
        return Expr(node)

    def __repr__(self) -> str:
        return f"<ff.{'function' if self.code is None else 'cpp'} {self.name}>"


def _called(compute: Callable[..., Any] | None) -> tuple[int, int]:
    """Return what tells one callable from others: a method of an object is made anew each time."""
    owner = getattr(compute, "__self__", None)
    return id(owner), id(getattr(compute, "__func__", compute))


def function(compute: Callable[..., Any]) -> Function:
    """Make a function of numpy arrays usable on expressions.

    It is called with arrays of shape (n,), one per argument (a number given for an argument is
    repeated), and must return one array of shape (n,), computed element by element: how many
    elements come at once is not defined.

    >>> import numpy as np, flavorframe as ff
    >>> @ff.function
    ... def rapidity(pt, eta, mass):
    ...     mt = np.hypot(pt, mass)
    ...     return np.arcsinh(pt / mt * np.sinh(eta))
    >>> muon = ff.events().muon
    >>> rapidity(muon.pt, muon.eta, ff.MUON_MASS)
    <rapidity(muon.pt, muon.eta, 0.1056583755), one value per muon>
    """
    if not callable(compute):
        raise ExpressionError(f"ff.function takes a function, not {compute!r}.")
    return Function(compute, getattr(compute, "__name__", "function"))


def cpp(
    code: str, *, name: str | None = None, python: Callable[..., Any] | Function | None = None
) -> Function:
    """Make a C++ function of numbers usable on expressions, with ``engine="rdataframe"``.

    It is called with one element's numbers, ``double``, ``long long``, or ``unsigned long long``
    where the file has unsigned numbers of 64 bits, and returns a number or a truth value; where an
    argument is missing it is not called. ``name`` is that of the function to call, by default the
    last one in the text. The same in ``python``, of numpy arrays as `function` takes them, lets the
    columnar engine compute it too. Files that it includes in quotes, by a path or from the current
    folder, count by what they hold. Raises ExpressionError where the text has no such function.

    >>> import flavorframe as ff
    >>> rapidity = ff.cpp('''
    ... #include <cmath>
    ... double rapidity(double pt, double eta, double mass) {
    ...   double mt = std::hypot(pt, mass);
    ...   return std::asinh(pt / mt * std::sinh(eta));
    ... }''')
    >>> muon = ff.events().muon
    >>> rapidity(muon.pt, muon.eta, ff.MUON_MASS)
    <rapidity(muon.pt, muon.eta, 0.1056583755), one value per muon>
    """
    if not isinstance(code, str):
        raise ExpressionError(f"ff.cpp takes the text of a C++ function, not {code!r}.")
    known = [found for found in _DEFINITION.findall(code) if found not in _KEYWORDS]
    if not known or name not in (None, *known):
        wanted = "function definition" if name is None else f"definition of a function {name!r}"
        found = f" It defines {', '.join(known)}." if known else ""
        raise ExpressionError(
            f"The text given to ff.cpp has no {wanted}, such as 'double f(double x) {{...}}'."
            f"{found}{did_you_mean(name or '', known)}"
        )
    compute = python.compute if isinstance(python, Function) else python
    return Function(compute, name or known[-1], code, _headers(code))


def _headers(code: str) -> tuple[Header, ...]:
    """Return the files that C++ includes and that are found, and those that they include."""
    found: dict[str, Header] = {}
    texts = [(code, Path.cwd())]
    while texts:
        text, folder = texts.pop()
        for name in _INCLUDE.findall(text):
            path = (folder / name).resolve()
            if path.is_file() and str(path) not in found:
                raw = path.read_bytes()
                found[str(path)] = Header(name, str(path), sha256(raw).hexdigest())
                texts.append((raw.decode(errors="replace"), path.parent))
    return tuple(found.values())


_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"\n]+)"', re.MULTILINE)
_DEFINITION = re.compile(r"\b([A-Za-z_]\w*)\s*\([^(){}]*\)\s*(?:noexcept\s*)?\{")
_KEYWORDS = frozenset({"if", "for", "while", "switch", "catch"})


@dataclass(frozen=True)
class Correction:
    """One correction of a correctionlib JSON file (schema 2), usable on expressions.

    The file's digest is part of its identity, so that a changed file is another correction.
    """

    path: str
    name: str
    digest: str

    def __call__(self, **inputs: Operand) -> Expr:
        """Return the correction at the given inputs, checked by name.

        Raises CorrectionError for an input that is missing or unknown, or a category that the
        correction does not have.
        """
        self._check_names(inputs)
        for name, value in inputs.items():
            if isinstance(value, str):
                self._check_category(name, value)
        return Expr(n.CallCorrection(self, tuple(as_node(inputs[name]) for name in self.inputs)))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the correction's order."""
        return tuple(variable.name for variable in self.evaluator.inputs)

    @cached_property
    def evaluator(self) -> Any:
        """Correctionlib's own evaluator; see `text`."""
        return _correctionlib().CorrectionSet.from_string(self.text)[self.name]

    @property
    def text(self) -> str:
        """What the file holds: the one that was delivered, where there is one.

        Raises CorrectionError where the file has changed.
        """
        raw = _bytes(by_digest(self.digest) or self.path)
        if sha256(raw).hexdigest() != self.digest:
            raise CorrectionError(
                f"{self.path} is another file than when ff.correction() opened it: open it again."
            )
        return (gzip.decompress(raw) if raw[:2] == GZIP_MAGIC else raw).decode()

    def __getstate__(self) -> dict[str, str]:
        return {"path": self.path, "name": self.name, "digest": self.digest}

    def __repr__(self) -> str:
        return f"<correction {self.name}({', '.join(self.inputs)}) of {self.path}>"

    def _check_names(self, given: dict[str, Operand]) -> None:
        for name in given:
            if name not in self.inputs:
                raise CorrectionError(
                    f"Correction {self.name} of {self.path} has no input {name!r}: it takes "
                    f"{', '.join(self.inputs)}.{did_you_mean(name, self.inputs)}"
                )
        missing = [name for name in self.inputs if name not in given]
        if missing:
            raise CorrectionError(
                f"Correction {self.name} of {self.path} needs {', '.join(missing)} as well: it "
                f"takes {', '.join(self.inputs)}."
            )

    def _check_category(self, name: str, value: str) -> None:
        known = _categories(self.text, self.name, name)
        if known and value not in known:
            raise CorrectionError(
                f"Correction {self.name} of {self.path} has no {name}={value!r}: it knows "
                f"{', '.join(sorted(known))}.{did_you_mean(value, known)}"
            )


def correction(path: str | Path, name: str) -> Correction:
    """Open one correction of a correctionlib JSON file, schema 2 (also gzipped).

    The result is called with expressions or constants by input name and gives an expression,
    to be used as a value or as a weight. Raises CorrectionError where the file cannot be read or
    has no such correction.
    """
    file = Path(path).expanduser().resolve()
    raw = _bytes(str(file))
    corrections = list(_open(str(file)))
    if name not in corrections:
        raise CorrectionError(
            f"{file} has no correction {name!r}: it has {', '.join(corrections)}."
            f"{did_you_mean(name, corrections)}"
        )
    return Correction(str(file), name, sha256(raw).hexdigest())


def _correctionlib() -> Any:
    try:
        import correctionlib
    except ImportError as error:
        text = needs("ff.correction", "correctionlib", "corrections")
        raise CorrectionError(text) from error
    return correctionlib


def _bytes(path: str) -> bytes:
    if not Path(path).is_file():
        raise CorrectionError(f"There is no correction file {path}.")
    return Path(path).read_bytes()


def _open(path: str) -> Any:
    library = _correctionlib()
    try:
        return library.CorrectionSet.from_file(path)
    except Exception as error:  # correctionlib raises bare RuntimeError for anything wrong inside
        raise CorrectionError(
            f"{path} is not a correctionlib file of schema 2: {str(error).splitlines()[0]}"
        ) from None


def _categories(text: str, correction_name: str, variable: str) -> set[str]:
    """Return the keys that a correction knows for a string input; empty where any is allowed."""
    content = json.loads(text)
    data = next(c["data"] for c in content["corrections"] if c["name"] == correction_name)
    categories = [node for node in _nodes(data) if node.get("input") == variable]
    if any(node.get("default") is not None for node in categories):
        return set()
    return {str(item["key"]) for node in categories for item in node["content"]}


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the category nodes of a correction of schema 2, wherever they are nested."""
    if isinstance(data, list):
        for item in data:
            yield from _nodes(item)
    elif isinstance(data, dict):
        if data.get("nodetype") == "category":
            yield data
        for item in data.values():
            yield from _nodes(item)
