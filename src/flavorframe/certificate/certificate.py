"""The certificate: what engines agree on, and every difference down to the candidate."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flavorframe._display import as_html, as_text
from flavorframe._display.page import environment
from flavorframe._files.json_numbers import encoded
from flavorframe._files.writing import replacing, require_folder
from flavorframe.certificate._description import description


@dataclass(frozen=True)
class Candidate:
    """A candidate on which two engines disagree.

    Attributes:
        index: Its number in the file's list; None where events are selected.
        kept: Whether each engine keeps it.
        values: What each engine has for the columns of the cut.
    """

    index: int | None
    kept: tuple[bool, ...]
    values: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Difference:
    """Something on which two engines do not agree, in an event or, for sums, a range of events.

    Attributes:
        kind: "cut", "histogram", "snapshot", "link" or "failure".
        name: Name of the cut, output or link.
        formula: The formula of a cut.
        file: Path or URL of the file.
        tree: Name of the tree.
        events: The first event, and the one after the last, by their place in the file.
        found: What each engine found.
        identity: Run, luminosity block and event number, as far as the file has them.
        candidates: The candidates on which they disagree.
        region: The region, where the analysis has several.
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
    region: str = ""


@dataclass(frozen=True)
class Cut:
    """A row of the cutflow.

    Attributes:
        name: Name of the cut.
        formula: Its condition.
        counts: Events and candidates that each engine counts, then the candidates of each category
            and at last those that fit several.
        region: The region, where the analysis has several.
    """

    name: str
    formula: str
    counts: Mapping[str, tuple[int, ...]]
    region: str = ""

    @property
    def agrees(self) -> bool:
        """Whether all counts are the same."""
        return len(set(self.counts.values())) == 1


@dataclass(frozen=True)
class Compared:
    """An output that was compared.

    Attributes:
        name: Its name, such as "signal.mass", or "mass [scale up]" in a variation.
        kind: "histogram" or "snapshot".
        size: Its bins, or columns.
        entries: Its entries (sum of weights), or rows.
    """

    name: str
    kind: str
    size: int
    entries: float


@dataclass(frozen=True, repr=False)
class Certificate:
    """The comparison of engines on the same events: the counts at each cut, and the differences.

    Attributes:
        dataset: Name of the dataset.
        files: How many files it has.
        events: How many events were read.
        engines: Names of the engines.
        versions: The versions of Python and the packages that took part.
        plan: Digest of the analysis.
        time: When it was made, in ISO format.
        cuts: The counts at each cut, of each region.
        outputs: The outputs that were compared.
        differences: Where the engines differ, event by event, at most twenty.
        differing: In how many partitions they differ.
        unread: What none of the engines could read, a sentence each.
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
        """Return the certificate as values for JSON."""
        return {"agrees": self.agrees, **asdict(self)}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the certificate to a file, and return its path.

        Args:
            path: The file: a page with suffix ``.html``, JSON with any other.

        Raises:
            RunError: Where the folder cannot be written to.
        """
        target = Path(path).expanduser()
        require_folder(target.parent)
        text = self._page() if target.suffix == ".html" else self._json()
        with replacing(target) as unfinished:
            Path(unfinished).write_text(text, encoding="utf-8")
        return target

    def _page(self) -> str:
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        template = environment("flavorframe.certificate").get_template("page.html.j2")
        content = self._repr_html_()
        return template.render(certificate=self, content=content, versions=versions)

    def _json(self) -> str:
        return json.dumps(encoded(self.to_dict()), indent=2, ensure_ascii=False) + "\n"

    def __repr__(self) -> str:
        return as_text(*description(self))

    def _repr_html_(self) -> str:
        return as_html(*description(self))
