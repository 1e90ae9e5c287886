"""What could not be read, and why: nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flavorframe.result import _repr_html, _repr_text


@dataclass(frozen=True)
class Failure:
    """A file, or the events ``start`` up to but without ``stop`` of it, that could not be read.

    ``reason`` is one sentence, ``kind`` the name of the exception's class and ``worker`` where it
    happened. ``tree``, ``start`` and ``stop`` are ``None`` when the file did not even open.
    """

    file: str
    tree: str | None
    start: int | None
    stop: int | None
    reason: str
    kind: str
    attempts: int = 1
    worker: str | None = None

    @property
    def events(self) -> int | None:
        """The number of events lost, or ``None`` when it is unknown."""
        if self.start is None or self.stop is None:
            return None
        return self.stop - self.start


@dataclass(frozen=True, repr=False)
class Failures:
    """The failures of a run over ``files`` files (0: number unknown); false when there is none.

    >>> Failures()
    no failures
    >>> Failures((Failure("a.root", "Events", 0, 500, "a basket is damaged", "OSError"),), files=5)
    1 of 5 files could not be read, 500 events lost:
      a.root, events 0 to 500: a basket is damaged (OSError)
    """

    items: tuple[Failure, ...] = ()
    files: int = 0

    @property
    def failed_files(self) -> tuple[str, ...]:
        """The files that failed as a whole or in part, each once."""
        return tuple(dict.fromkeys(failure.file for failure in self.items))

    @property
    def events_lost(self) -> int:
        """The number of events known to be lost; files that did not open may have held more."""
        return sum(failure.events or 0 for failure in self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Failure]:
        return iter(self.items)

    def __getitem__(self, index: int) -> Failure:
        return self.items[index]

    def __add__(self, other: Failures) -> Failures:
        """Return the failures of two runs over different files."""
        return Failures(self.items + other.items, self.files + other.files)

    def __repr__(self) -> str:
        return _repr_text.failures(self)

    def _repr_html_(self) -> str:
        return _repr_html.failures(self)
