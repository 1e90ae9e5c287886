"""The certificate: what engines agree on, and every difference down to the candidate."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flavorframe._files.json_numbers import encoded
from flavorframe._files.writing import replacing, require_folder
from flavorframe.certificate import _repr


@dataclass(frozen=True)
class Candidate:
    """A candidate on which two engines disagree.

    ``index`` is its number in the file's list (None where events are selected), ``kept`` says
    whether each engine keeps it, and ``values`` what each has for the columns of the cut.
    """

    index: int | None
    kept: tuple[bool, ...]
    values: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Difference:
    """Something that two engines do not agree on, in an event or, for sums, a range of events.

    ``kind`` is "cut", "histogram", "snapshot", "link" or "failure", ``formula`` that of the cut.
    ``identity`` has run, luminosity block and event, as far as the file has them.
    """

    kind: str
    name: str
    formula: str
    file: str
    tree: str
    events: tuple[int, int]
    found: Mapping[str, str]
    identity: Mapping[str, int] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Cut:
    """A row of the cutflow: events and candidates that each engine counts."""

    name: str
    formula: str
    counts: Mapping[str, tuple[int, int]]

    @property
    def agrees(self) -> bool:
        """Whether all counts are the same."""
        return len(set(self.counts.values())) == 1


@dataclass(frozen=True)
class Compared:
    """An output that was compared: bins or rows, and how many of them differ."""

    name: str
    kind: str
    size: int
    entries: float


@dataclass(frozen=True, repr=False)
class Certificate:
    """What engines make of the same events: the counts at each cut, and the differences.

    ``unread`` tells what none of them could read. Saved by `save`.
    """

    dataset: str
    files: int
    events: int
    engines: tuple[str, ...]
    versions: Mapping[str, str]
    plan: str
    time: str
    cuts: tuple[Cut, ...]
    outputs: tuple[Compared, ...]
    differences: tuple[Difference, ...] = ()
    differing: int = 0
    unread: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the engines agree on everything that was read."""
        return not self.differences and all(cut.agrees for cut in self.cuts)

    def to_dict(self) -> dict[str, Any]:
        """Return the certificate as JSON can hold it."""
        return {"agrees": self.agrees, **asdict(self)}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the certificate as a page (``.html``) or as JSON, and return its path.

        Raises RunError where the folder cannot be written to.
        """
        target = Path(path).expanduser()
        require_folder(target.parent)
        text = _repr.page(self) if target.suffix == ".html" else self._json()
        with replacing(target) as unfinished:
            Path(unfinished).write_text(text, encoding="utf-8")
        return target

    def _json(self) -> str:
        return json.dumps(encoded(self.to_dict()), indent=2, ensure_ascii=False) + "\n"

    def __repr__(self) -> str:
        return _repr.text(self)

    def _repr_html_(self) -> str:
        return _repr.html(self)
