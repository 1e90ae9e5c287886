"""Runs engines on the same events and compares their results."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from flavorframe._files.locations import file_key, refuse_repeats
from flavorframe._planning.friends import planned_friends
from flavorframe._planning.plan import Plan
from flavorframe._run.core.attempts import Failed, evaluate, prepare
from flavorframe._run.core.opened_files import meaning_alike
from flavorframe._run.core.options import PARTITION_SIZE
from flavorframe._run.core.partitions import FileRange, file_ranges, partitions
from flavorframe.analysis import Analysis
from flavorframe.certificate.certificate import Certificate, Compared, Cut, Difference
from flavorframe.certificate.search import Pair, find
from flavorframe.datasets import Dataset, Partition
from flavorframe.engines import Engine, FileInfo, Partial, get_engine
from flavorframe.errors import AnalysisError, RunError
from flavorframe.outputs import Histogram

MOST_EVENTS = 20
"""Most events that are explained."""

PACKAGES = ("flavorframe", "numpy", "uproot", "ROOT")


def certify(
    analysis: Analysis,
    data: Dataset,
    *,
    engines: Sequence[str | Engine] = ("columnar", "rdataframe"),
    partition_size: int | None = None,
) -> Certificate:
    """Run engines on the same events, compare cut by cut and bin by bin, and certify it.

    Counts must be equal; numbers that mathematical functions are part of, to 10⁻⁹. What differs is
    followed to its event and candidate, of the first twenty events. Files that no engine can read
    are listed; one that only some can read is a difference. Regions and variations are compared one
    by one.

    Args:
        analysis: What to run.
        data: What to run it on.
        engines: Names of engines, or engines; the first is the reference.
        partition_size: Events that are compared at once; by default as in a run.

    Returns:
        What the engines agree on, and where they differ.

    Raises:
        AnalysisError: For less than two engines.
        RunError: Where nothing could be read.

    Example:
        >>> import tempfile
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> analysis = ff.Analysis(ff.Selection(t).cut("mass", t.mass.between(1.65, 2.01)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     catalog = ff.catalog(ff.samples.write(folder, fraction=1e-4, eras=["2017B"]))
        ...     ff.certify(analysis, catalog["2017B"], engines=["columnar", "columnar"]).agrees
        True
    """
    if not isinstance(data, Dataset):
        raise AnalysisError(f"ff.certify() takes a dataset, such as ff.dataset(...), not {data!r}.")
    made = [get_engine(engine) for engine in engines]
    if len(made) < 2:
        raise AnalysisError("ff.certify() compares two engines or more.")
    refuse_repeats(data.places, f"dataset {data.name!r}", file_key)
    plan = replace(_without_skims(analysis.plan), layout=data.layout, friends=planned_friends(data))
    comparison = _Comparison(plan, tuple(made), analysis.plan.digest)
    for index, whole_file in enumerate(file_ranges(data, None)):
        comparison.read(whole_file, data.tree, index, partition_size or PARTITION_SIZE)
    return comparison.certificate(data)


@dataclass
class _Comparison:
    """The results of the engines so far."""

    plan: Plan
    engines: tuple[Engine, ...]
    digest: str
    differences: list[Difference] = field(default_factory=list)
    differing: int = 0
    unread: list[str] = field(default_factory=list)
    first: FileInfo | None = None

    def __post_init__(self) -> None:
        self._sums = [engine.empty(self.plan) for engine in self.engines]
        self._names = _distinct([engine.name for engine in self.engines])

    def read(self, whole_file: FileRange, tree: str | None, index: int, size: int) -> None:
        """Compare the engines on a file."""
        file = whole_file.file
        opened = [prepare(engine, self.plan, whole_file, tree) for engine in self.engines]
        infos = [info for info in opened if isinstance(info, FileInfo)]
        if len(infos) < len(opened):
            self._note_failures(opened, file, tree or "", (0, 0))
            return
        alike = [meaning_alike(info, self.first) for info in infos]
        if not all(isinstance(info, FileInfo) for info in alike):
            self._note_failures(alike, file, tree or "", (0, 0))
            return
        self.first = self.first or infos[0]
        # At one place, because the search for a difference reads it over and over.
        info = replace(infos[0], file=infos[0].place, copies=None)
        for part in partitions(whole_file, index, info, size):
            self._compare(part)

    def _compare(self, part: Partition) -> None:
        found = [evaluate(engine, self.plan, part) for engine in self.engines]
        partials = [partial for partial in found if isinstance(partial, Partial)]
        if len(partials) < len(found):
            self._note_failures(found, part.file, part.tree, (part.start, part.stop))
            return
        self._sums = [a + b for a, b in zip(self._sums, partials, strict=True)]
        for other in self.engines[1:]:
            self._search(Pair(self.plan, (self.engines[0], other)), part)

    def _search(self, pair: Pair, part: Partition) -> None:
        if not pair.disagreements(part):
            return
        self.differing += 1
        left = MOST_EVENTS - len(self.differences)
        if left > 0:
            self.differences.extend(find(pair, part, left))

    def _note_failures(
        self, found: Sequence[Any], file: str, tree: str, events: tuple[int, int]
    ) -> None:
        reasons = {
            name: item.failure.reason if isinstance(item, Failed) else "it can be read"
            for name, item in zip(self._names, found, strict=True)
        }
        if all(isinstance(item, Failed) for item in found):
            where = f", events {events[0]} to {events[1]}" if events[1] else ""
            self.unread.append(f"{file}{where}: {reasons[self._names[0]]}")
            return
        self.differences.append(Difference("failure", file, "", file, tree, events, reasons))

    def certificate(self, data: Dataset) -> Certificate:
        """Return the certificate of all files that were read."""
        events = self._sums[0].cutflow[0].events
        if self.unread and not events and not self.differences:
            raise RunError(
                f"Nothing of dataset {data.name} could be read. The first: {self.unread[0]}"
            )
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return Certificate(
            data.name, len(data.files), events, tuple(self._names), _versions(), self.digest,
            now, tuple(self._cuts()), tuple(self._outputs()), tuple(self.differences),
            self.differing, tuple(self.unread),
        )  # fmt: skip

    def _cuts(self) -> Iterator[Cut]:
        flows = [partial.cutflows for partial in self._sums]
        for region in flows[0]:
            for rows in zip(*(each[region] for each in flows), strict=True):
                counts = {
                    name: (row.events, row.candidates, *row.categories)
                    for name, row in zip(self._names, rows, strict=True)
                }
                yield Cut(rows[0].name, rows[0].formula, counts, region)

    def _outputs(self) -> Iterator[Compared]:
        partial = self._sums[0]
        for name, histogram in partial.histograms.items():
            view = histogram.view(flow=True)
            sums = view if view.dtype.names is None else view["value"]
            yield Compared(name, "histogram", int(view.size), float(np.sum(sums)))
        for name, output in self.plan.outputs:
            if not isinstance(output, Histogram):
                rows = sum(len(next(iter(c.values()))) for c in partial.tables[name])
                weighted = self.plan.part_of(name).is_weighted
                columns = output.column_names(weighted=weighted)
                yield Compared(name, "snapshot", len(columns), float(rows))


def _without_skims(plan: Plan) -> Plan:
    """Return the plan without what copies events and computes nothing that could differ."""
    skims = dict(plan.skims)
    return replace(plan, outputs=tuple(item for item in plan.outputs if item[0] not in skims))


def _distinct(names: list[str]) -> list[str]:
    """Return the engines' names, each different: an engine may be compared with itself."""
    return [f"{n} ({i + 1})" if names.count(n) > 1 else n for i, n in enumerate(names)]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
