"""Users' functions in expressions: over numpy arrays, in C++, or both."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.strings import refuse_computing_with_strings
from flavorframe.errors import ExpressionError, did_you_mean


@dataclass(frozen=True)
class Header:
    """A file that C++ includes as ``name``, with the digest of its content when it was found."""

    name: str
    path: str
    digest: str


@dataclass(frozen=True, eq=False)
class Function:
    """A user's function, usable on expressions: of numpy arrays, in C++ (``code``), or both.

    Two of them are equal if they call the same object: objects that are equal now may differ later.
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
    """Return what tells callables apart: Python makes the method of an object anew each time."""
    owner = getattr(compute, "__self__", None)
    return id(owner), id(getattr(compute, "__func__", compute))


def function(compute: Callable[..., Any]) -> Function:
    """Make a function of numpy arrays usable on expressions.

    Args:
        compute: A function that is called with arrays of shape (n,), one per argument (a number
            given for an argument is repeated), and returns one array of shape (n,). It must
            compute element by element: how many elements come at once is not defined.

    Returns:
        A function of expressions, which gives an expression on their joint axis.

    Raises:
        ExpressionError: ``compute`` cannot be called.

    Example:
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

    Args:
        code: C++ that defines it. It is called with one element's numbers, ``double``, ``long
            long``, or ``unsigned long long`` where the file has unsigned numbers of 64 bits, and
            returns a number or a truth value; where an argument is missing it is not called. Files
            that it includes in quotes, by a path or from the current folder, are part of it.
        name: Which function of ``code`` to call; by default the last one.
        python: The same over numpy arrays, as `function` takes it, for the columnar engine.

    Returns:
        A function of expressions, which gives an expression on their joint axis.

    Raises:
        ExpressionError: ``code`` defines no such function.

    Example:
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
