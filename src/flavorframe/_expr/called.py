"""What nodes call from outside the language: users' functions and corrections of files.

Here they are what engines need of them. How expressions are made of them is in `user_functions`
and `corrections`.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from flavorframe._shipping.extra_files import by_digest
from flavorframe.errors import CorrectionError, needs

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Header:
    """A file that C++ includes as ``name``, with the digest of its content when it was found."""

    name: str
    path: str
    digest: str


@dataclass(frozen=True, eq=False)
class Function:
    """A user's function: of numpy arrays, in C++ (``code``), or both.

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
        return type(self), (self.compute, self.name, self.code, self.headers)

    def __repr__(self) -> str:
        return f"<ff.{'function' if self.code is None else 'cpp'} {self.name}>"


def _called(compute: Callable[..., Any] | None) -> tuple[int, int]:
    """Return what tells callables apart: Python makes the method of an object anew each time."""
    owner = getattr(compute, "__self__", None)
    return id(owner), id(getattr(compute, "__func__", compute))


def correctionlib() -> Any:
    """Return the library; raises CorrectionError where it is not installed."""
    try:
        import correctionlib
    except ImportError as error:
        text = needs("ff.correction", "correctionlib", "corrections")
        raise CorrectionError(text) from error
    return correctionlib


@dataclass(frozen=True)
class Correction:
    """One correction of a correctionlib JSON file (schema 2), or one made of histograms.

    The file's digest is part of its identity, so that a changed file is another correction. What
    was made of histograms has the same form in ``content``, and ``path`` says what it was made of.
    """

    path: str
    name: str
    digest: str
    content: str | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the correction's order."""
        return tuple(variable.name for variable in self.evaluator.inputs)

    @cached_property
    def evaluator(self) -> Any:
        """Correctionlib's own evaluator; see `text`."""
        return (self._opened.compound if self.is_compound else self._opened)[self.name]

    @cached_property
    def is_compound(self) -> bool:
        """Whether it is made of other corrections of the file."""
        return self.name not in list(self._opened)

    @cached_property
    def _opened(self) -> Any:
        return correctionlib().CorrectionSet.from_string(self.text)

    @property
    def text(self) -> str:
        """The content of the file, or of its copy that came with the run where there is one.

        Raises CorrectionError where the file has changed.
        """
        if self.content is not None:
            return self.content
        raw = bytes_of(by_digest(self.digest) or self.path)
        if sha256(raw).hexdigest() != self.digest:
            raise CorrectionError(
                f"{self.path} is another file than when ff.correction() opened it: open it again."
            )
        return (gzip.decompress(raw) if raw[:2] == GZIP_MAGIC else raw).decode()

    def __getstate__(self) -> dict[str, str | None]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def __repr__(self) -> str:
        return f"<correction {self.name}({', '.join(self.inputs)}) of {self.path}>"


def bytes_of(path: str) -> bytes:
    """Return the content of a correction file; raises CorrectionError where there is none."""
    if not Path(path).is_file():
        raise CorrectionError(f"There is no correction file {path}.")
    return Path(path).read_bytes()
