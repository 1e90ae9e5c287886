"""Tallies: what is noted of every event that is read, whatever the selection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flavorframe._data_quality.duplicates import Duplicates, Keys
from flavorframe._data_quality.sections import LumiSections
from flavorframe.errors import AnalysisError

Tallied = LumiSections | Duplicates
"""What a result has of a tally; two of a kind add up."""
TALLIED = (LumiSections, Duplicates)

KEY = ("run", "luminosity_block", "event")


@dataclass(frozen=True)
class Tally:
    """What is noted of every event; ``names`` are the values of the event that it takes."""

    names: tuple[str, ...]
    title: ClassVar[str]

    def of(self, keys: Keys) -> Tallied:
        """Return what is noted of events, given their values of these names."""
        raise NotImplementedError(type(self))


@dataclass(frozen=True)
class LumiSectionsTally(Tally):
    """The lumi sections of the events."""

    title = "lumi sections"

    def of(self, keys: Keys) -> LumiSections:
        """Return the sections of events, given their runs and sections."""
        return LumiSections.of_events(*keys.columns)


@dataclass(frozen=True)
class DuplicatesTally(Tally):
    """The keys of the events."""

    title = "duplicates"

    def of(self, keys: Keys) -> Duplicates:
        """Return the duplicates among events, given their keys."""
        return Duplicates(self.names, (keys,) if len(keys) else ())


def lumi_sections() -> LumiSectionsTally:
    """Have a result list the lumi sections of all events that were read.

    It costs reading two numbers of each event. A section counts as soon as one event of it was
    read: of files that keep few events, it is the sections of these.

    Returns:
        An output for `Analysis`; the result has a `LumiSections`.

    Example:
        >>> import flavorframe as ff
        >>> events = ff.events()
        >>> analysis = ff.Analysis(ff.Selection(events), sections=ff.lumi_sections())
        >>> result = analysis.run("2017B.root")  # doctest: +SKIP
        >>> result.sections.to_json("processed.json")  # doctest: +SKIP
    """
    return LumiSectionsTally(("run", "luminosity_block"))


def duplicates(by: Iterable[str] = KEY) -> DuplicatesTally:
    """Have a result tell which events were read more than once, in one file or in several.

    It keeps the key of every event in memory until the end, 16 bytes in NanoAOD. What it finds
    `Dataset.without` leaves out.

    Args:
        by: The values that events differ in: names of the event, or branches.

    Returns:
        An output for `Analysis`; the result has a `Duplicates`.

    Raises:
        AnalysisError: No name is given, or one that is none.

    Example:
        >>> import flavorframe as ff
        >>> ff.duplicates(by=["run", "event"]).names
        ('run', 'event')
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise AnalysisError(f"ff.duplicates(by={by!r}): give names, such as {', '.join(KEY)}.")
    return DuplicatesTally(names)


def split_tallies(
    outputs: Mapping[str, Any],
) -> tuple[tuple[tuple[str, Tally], ...], dict[str, Any]]:
    """Return the tallies among outputs, and the others."""
    tallies = {name: output for name, output in outputs.items() if isinstance(output, Tally)}
    others = {name: output for name, output in outputs.items() if name not in tallies}
    return tuple(tallies.items()), others
