"""What could not be read, and why: nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flavorframe._display import Grid, Items, Paragraph, as_html, as_text
from flavorframe._display.numbers import plural

_SHOWN_AS_TEXT = 10


@dataclass(frozen=True)
class Failure:
    """A file, or a range of its events, that could not be read.

    Attributes:
        file: Path or URL of the file.
        tree: Name of the tree; None where the file did not even open.
        start: First event of the range; None where the file did not even open.
        stop: The event after the last one of the range; None where the file did not even open.
        reason: Why, in one sentence.
        kind: Name of the exception's class.
        attempts: How often it was tried.
        worker: Where it happened; None on the machine of the session.
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
    """The failures of a run; false where there is none.

    Attributes:
        items: The failures.
        files: How many files the run was over; 0 where the number is unknown.

    Example:
        >>> Failures()
        no failures
        >>> damaged = Failure("a.root", "Events", 0, 500, "a basket is damaged", "OSError")
        >>> Failures((damaged,), files=5)
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
        if not self:
            return "no failures"
        lines = [_line(failure) for failure in self.items[:_SHOWN_AS_TEXT]]
        more = len(self) - len(lines)
        lines += [f"… and {more:,} more"] if more else []
        return as_text(Paragraph(f"{failures_summary(self)}:"), Items(tuple(lines), indent="  "))

    def _repr_html_(self) -> str:
        if not self:
            return as_html(Paragraph("no failures", "ff-failures"))
        rows = tuple(_cells(failure) for failure in self)
        header = ("file", "events", "reason")
        return as_html(Grid(header, rows, 3, "ff-failures", failures_summary(self)))


def failures_summary(failures: Failures) -> str:
    """Return how many files failed and how many events are lost.

    >>> failures_summary(Failures((Failure("a.root", "Events", 0, 5, "damaged", "OSError"),)))
    '1 file could not be read, 5 events lost'
    """
    failed, files = len(failures.failed_files), failures.files
    of = f" of {files:,}" if files else ""
    noun = plural(files or failed, "file")
    return f"{failed:,}{of} {noun} could not be read{_events_lost(failures)}"


def _events_lost(failures: Failures) -> str:
    if not failures.events_lost:
        return ""
    unknown = any(failure.events is None for failure in failures)
    least = "at least " if unknown else ""
    return f", {least}{failures.events_lost:,} events lost"


def _cells(failure: Failure) -> tuple[str, str, str]:
    """Return the file, the range of events that failed and why."""
    details = [failure.kind] if failure.kind != "FileError" else []
    details += [f"{failure.attempts} attempts"] if failure.attempts > 1 else []
    details += [f"on {failure.worker}"] if failure.worker else []
    events = "" if failure.events is None else f"{failure.start} to {failure.stop}"
    more = f" ({', '.join(details)})" if details else ""
    return failure.file, events, f"{failure.reason}{more}"


def _line(failure: Failure) -> str:
    file, events, reason = _cells(failure)
    return f"{file}, events {events}: {reason}" if events else f"{file}: {reason}"
