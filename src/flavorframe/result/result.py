"""The result of a run: what was asked for, and everything needed to trust it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import reduce
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flavorframe.datasets import Dataset, fraction_read
from flavorframe.errors import AnalysisError, RunError, did_you_mean
from flavorframe.outputs import Histogram
from flavorframe.result.cutflow import Cutflow
from flavorframe.result.failures import Failures
from flavorframe.result.table import Table
from flavorframe.result.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from typing_extensions import Never

    from flavorframe._planning.plan import Plan
    from flavorframe._run.core.options import Target
    from flavorframe._run.outcome import Outcome
    from flavorframe.datasets import PathLike

PACKAGES = ("flavorframe", "uproot", "awkward", "numpy", "hist", "boost_histogram", "ROOT")


@dataclass(frozen=True)
class Link:
    """How many candidates asked for a link, found no element, and found more than one."""

    asked: int
    unmatched: int
    ambiguous: int


@dataclass(frozen=True)
class WrittenSnapshot:
    """A snapshot that was written to a file while the run went on; sums of results have several.

    ``sha256`` is that of each file as it was written.
    """

    paths: tuple[str, ...]
    rows: int
    sha256: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.rows

    def moved(self, old: Path, new: Path) -> WrittenSnapshot:
        """Return the snapshot with its files, as far as they were in a folder, in the new one."""
        return replace(self, paths=tuple(moved(path, old, new) for path in self.paths))


def moved(path: str, old: Path, new: Path) -> str:
    """Return where a file is once the folder in which it may have been is another."""
    return str(new / Path(path).relative_to(old)) if Path(path).is_relative_to(old) else path


def _versions() -> dict[str, str]:
    """Return the versions of the packages that took part: of those that are loaded."""
    return {name: sys.modules[name].__version__ for name in PACKAGES if name in sys.modules}


@dataclass(frozen=True)
class Unfinished:
    """What is needed to go on with a result that was loaded: a file's content, not unpacked.

    ``refused`` says why it is not to be unpacked, where it is not.
    """

    path: Path
    content: bytes = field(repr=False)
    sha256: str = ""
    refused: str = ""

    def checked(self) -> bytes:
        """Return the content; raises RunError where it is refused, or not this result's."""
        if self.refused:
            raise RunError(self.refused)
        if self.sha256 and sha256(self.content).hexdigest() != self.sha256:
            raise RunError(
                f"{self.path} does not hold an unfinished run of this result: it was removed, "
                "changed, or is of another run. Run the analysis anew."
            )
        return self.content


@dataclass(frozen=True)
class Provenance:
    """When, on what and with which versions a result was made."""

    time: str
    plan: str
    host_python: str
    versions: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan) -> Provenance:
        """Return the provenance of a result made now."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return cls(now, plan.digest, platform.python_version(), _versions())


@dataclass(frozen=True, repr=False)
class Result:
    """What a run gives back; outputs are attributes: ``result.mass``.

    ``events`` counts what was read, ``links`` tells how links by value fared, and ``failures``
    which files and partitions could not be read. ``stopped`` says why the run ended early, where it
    did; what is needed to go on is in ``unfinished``. ``unwritten`` has the outputs, and the
    folder, that could not be written, with the reason.
    """

    dataset: Dataset
    cutflow: Cutflow
    outputs: Mapping[str, Any]
    failures: Failures
    timing: Timing
    links: Mapping[str, Link]
    provenance: Provenance
    fraction: float = 1.0
    stopped: str = ""
    unfinished: Outcome | Unfinished | None = field(default=None, compare=False)
    unwritten: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, dataset: Dataset, outcome: Outcome) -> Result:
        """Return the result of an outcome."""
        partial = outcome.partial
        outputs: dict[str, Any] = {}
        for name, output in plan.outputs:
            if isinstance(output, Histogram):
                outputs[name] = _as_hist(partial.histograms[name], output)
            elif name not in outcome.unwritten:
                outputs[name] = outcome.rows[name]
        links = {name: Link(*counts) for name, counts in partial.links.items()}
        return cls(
            dataset, partial.cutflow, outputs,
            Failures(tuple(outcome.failures), files=len(dataset.files)),
            partial.timing, links, Provenance.of(plan), _fraction(dataset, outcome),
            outcome.stopped,
            outcome if outcome.gaps or outcome.stopped or outcome.unwritten else None,
            dict(outcome.unwritten),
        )  # fmt: skip

    @property
    def events(self) -> int:
        """How many events were read."""
        return self.cutflow[0].events

    @property
    def is_complete(self) -> bool:
        """Whether every file was read whole, and every output written."""
        return not len(self.failures) and not self.stopped and not self.unwritten

    @property
    def luminosity(self) -> float | None:
        """The luminosity of what was read [fb⁻¹]; an estimate by events where files failed."""
        whole = self.dataset.luminosity
        return None if whole is None else whole * self.fraction

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the result to a folder, to be read by `flavorframe.load`, ROOT and people."""
        from flavorframe.result.store import save

        return save(self, folder)

    def resume(
        self,
        *,
        on: Target = None,
        cache: bool | PathLike | None = None,
        threads: int | None = None,
        partition_size: int | None = None,
        progress: bool | Literal["live"] | None = None,
        on_error: Literal["report", "raise"] = "report",
        retries: int = 2,
        on_update: Callable[[Result], object] | None = None,
        should_stop: Callable[[], bool] | None = None,
        performance_report: PathLike | None = None,
        files: PathLike | Sequence[PathLike] = (),
        **unknown: Never,
    ) -> Result:
        """Read what is missing, and return the whole: the same bits as of an undisturbed run.

        A complete result is returned as it is. Snapshots that went to files are written anew, with
        all rows in the order of the data, and a result that was saved by ``output`` is saved there
        anew. It also works on a result that was saved and loaded again, and more than once. Where
        an output could not be written, all is read anew.

        Args:
            on: Where to run: ``None`` for the cores of this machine, a Dask client, cluster or
                address such as ``"tcp://host:8786"``, ``"dask"`` for a Dask cluster on this
                machine, ``"gateway"`` for a new one of Dask Gateway, or a batch system such as
                ``ff.Slurm(...)``.
            cache: Keep what was read and computed, so that a changed cut shows its result at once:
                ``True`` in ``$FLAVORFRAME_CACHE`` or ``~/.cache/flavorframe``, a folder there,
                ``False`` nowhere. ``None`` keeps it in memory in a notebook, and in
                ``$FLAVORFRAME_CACHE`` where that is set.
            threads: Number of threads; by default the number of cores. With a batch system it is
                that of each job, with ``on="dask"`` the number of workers.
            partition_size: Most events that are read at once; by default 170,000 or fewer.
            progress: Show a progress bar; by default where a person is looking on. In a notebook
                ``"live"`` shows the histograms as well.
            on_error: ``"report"`` notes files that cannot be read in ``result.failures``;
                ``"raise"`` raises the first error.
            retries: How many times more to try what failed for a reason that may pass.
            on_update: Function that is called about once a second with the result so far.
            should_stop: Function that is asked between partitions whether to end the run, with the
                result so far.
            performance_report: HTML file for Dask's own report of the run.
            files: Files that functions of the analysis read: see `flavorframe.delivered`.
            **unknown: There are no others; a misspelt name is an error.

        Returns:
            The whole result.

        Raises:
            AnalysisError: The result is a sum of results, or an option does not exist or means
                nothing here.
            RunError: A snapshot's file has been removed or replaced.

        Example:
            >>> whole = result.resume(on="tcp://host:8786")  # doctest: +SKIP
        """
        from flavorframe._run.resume import resume, resume_options

        options = resume_options(
            unknown,
            on=on,
            cache=cache,
            threads=threads,
            partition_size=partition_size,
            progress=progress,
            on_error=on_error,
            retries=retries,
            on_update=on_update,
            should_stop=should_stop,
            performance_report=performance_report,
            files=files,
        )
        return resume(self, options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in self.__dataclass_fields__:
            raise AttributeError(name)
        try:
            return self[name]
        except AnalysisError as error:
            raise AttributeError(str(error)) from None

    def __getitem__(self, name: str) -> Any:
        if name in self.unwritten:
            raise AnalysisError(f"Output {name!r} was not written: {self.unwritten[name]}")
        if name not in self.outputs:
            raise AnalysisError(
                f"The result has no output {name!r}.{did_you_mean(name, self.outputs)} It has "
                f"{', '.join(self.outputs) or 'none'}."
            )
        return self.outputs[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.outputs]

    def __add__(self, other: Result) -> Result:
        """Return the result of both datasets together; both must be of the same analysis."""
        if self.provenance.plan != other.provenance.plan:
            raise AnalysisError("Results of two different analyses cannot be added.")
        both = [name for name in self.outputs if name in other.outputs]
        outputs = {name: _added(self.outputs[name], other.outputs[name]) for name in both}
        return Result(
            self.dataset + other.dataset, self.cutflow + other.cutflow, outputs,
            self.failures + other.failures, self.timing + other.timing,
            _added_links(self.links, other.links), self.provenance,
            _joint_fraction(self, other), "; ".join(filter(None, (self.stopped, other.stopped))),
            None, {**other.unwritten, **self.unwritten},
        )  # fmt: skip

    def __repr__(self) -> str:
        parts = [_headline(self), repr(self.cutflow)]
        parts += [f"{name}: {_summary(value)}" for name, value in self.outputs.items()]
        parts += _notes(self)
        parts.append(repr(self.timing))
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        from html import escape

        notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(self))
        outputs = "".join(
            f"<li>{escape(name)}: {escape(_summary(value))}</li>"
            for name, value in self.outputs.items()
        )
        return (
            f"<p><b>{escape(_headline(self))}</b></p>{self.cutflow._repr_html_()}"
            f"<ul>{outputs}</ul>{notes}{self.timing._repr_html_()}"
        )


class Results(Mapping[str, Result]):
    """The results of several datasets by name."""

    def __init__(self, results: Mapping[str, Result]) -> None:
        self._results = dict(results)

    def __getitem__(self, era: str) -> Result:
        if era not in self._results:
            raise AnalysisError(
                f"There is no result of {era!r}.{did_you_mean(era, self._results)} There are "
                f"{', '.join(self._results)}."
            )
        return self._results[era]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __contains__(self, era: object) -> bool:
        return era in self._results

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the results to a folder; see `Result.save`."""
        from flavorframe.result.store import save

        return save(self, folder)

    def resume(
        self,
        *,
        on: Target = None,
        cache: bool | PathLike | None = None,
        threads: int | None = None,
        partition_size: int | None = None,
        progress: bool | Literal["live"] | None = None,
        on_error: Literal["report", "raise"] = "report",
        retries: int = 2,
        on_update: Callable[[Result], object] | None = None,
        should_stop: Callable[[], bool] | None = None,
        performance_report: PathLike | None = None,
        files: PathLike | Sequence[PathLike] = (),
        **unknown: Never,
    ) -> Results:
        """Read what is missing of each, with one Dask cluster for all; see `Result.resume`.

        Args:
            on: Where to run: ``None`` for the cores of this machine, a Dask client, cluster or
                address such as ``"tcp://host:8786"``, ``"dask"`` for a Dask cluster on this
                machine, ``"gateway"`` for a new one of Dask Gateway, or a batch system such as
                ``ff.Slurm(...)``.
            cache: Keep what was read and computed, so that a changed cut shows its result at once:
                ``True`` in ``$FLAVORFRAME_CACHE`` or ``~/.cache/flavorframe``, a folder there,
                ``False`` nowhere. ``None`` keeps it in memory in a notebook, and in
                ``$FLAVORFRAME_CACHE`` where that is set.
            threads: Number of threads; by default the number of cores. With a batch system it is
                that of each job, with ``on="dask"`` the number of workers.
            partition_size: Most events that are read at once; by default 170,000 or fewer.
            progress: Show a progress bar; by default where a person is looking on. In a notebook
                ``"live"`` shows the histograms as well.
            on_error: ``"report"`` notes files that cannot be read in ``result.failures``;
                ``"raise"`` raises the first error.
            retries: How many times more to try what failed for a reason that may pass.
            on_update: Function that is called about once a second with the result so far.
            should_stop: Function that is asked between partitions whether to end the run, with the
                result so far.
            performance_report: HTML file for Dask's own report of the run.
            files: Files that functions of the analysis read: see `flavorframe.delivered`.
            **unknown: There are no others; a misspelt name is an error.

        Returns:
            The whole results by name. Where a run is stopped, those after it stay as they are.

        Raises:
            AnalysisError: A result is a sum of results, or an option does not exist or means
                nothing here.
            RunError: A snapshot's file has been removed or replaced.

        Example:
            >>> whole = results.resume(retries=5)  # doctest: +SKIP
        """
        from flavorframe._run.resume import resume_each, resume_options

        options = resume_options(
            unknown,
            on=on,
            cache=cache,
            threads=threads,
            partition_size=partition_size,
            progress=progress,
            on_error=on_error,
            retries=retries,
            on_update=on_update,
            should_stop=should_stop,
            performance_report=performance_report,
            files=files,
        )
        return resume_each(self, options)

    @property
    def total(self) -> Result:
        """The sum of all."""
        return reduce(lambda a, b: a + b, self.values())

    def __repr__(self) -> str:
        return "\n".join(_headline(result) for result in self.values())

    def _repr_html_(self) -> str:
        from html import escape

        return "".join(f"<p>{escape(_headline(result))}</p>" for result in self.values())


def _as_hist(filled: Any, output: Histogram) -> Any:
    import hist

    axes = []
    for axis in output.axes:
        kind = hist.axis.Regular if axis.regular else hist.axis.Variable
        where = (len(axis.edges) - 1, axis.edges[0], axis.edges[-1]) if axis.regular else (
            axis.edges,
        )  # fmt: skip
        axes.append(kind(*where, name=axis.name, label=axis.label))
    result = hist.Hist(*axes, storage=filled.storage_type())
    result.view(flow=True)[...] = filled.view(flow=True)
    return result


def _fraction(dataset: Dataset, outcome: Outcome) -> float:
    known = sum(info.events for info in outcome.files)
    read = outcome.partial.cutflow[0].events
    return fraction_read(read, known, len(outcome.files), len(dataset.files))


def _joint_fraction(a: Result, b: Result) -> float:
    if a.luminosity is None or b.luminosity is None:
        return (a.fraction + b.fraction) / 2
    whole = (a.dataset.luminosity or 0.0) + (b.dataset.luminosity or 0.0)
    return (a.luminosity + b.luminosity) / whole if whole else 1.0


def _added(a: Any, b: Any) -> Any:
    if isinstance(a, WrittenSnapshot):
        return WrittenSnapshot(a.paths + b.paths, a.rows + b.rows, a.sha256 + b.sha256)
    if isinstance(a, Table):
        return a + b
    added = a.copy()  # not a + b, which forgets that counts have known variances
    added.view(flow=True)[...] = (a + b).view(flow=True)
    return added


def _added_links(a: Mapping[str, Link], b: Mapping[str, Link]) -> dict[str, Link]:
    added = dict(a)
    for name, link in b.items():
        known = added.get(name, Link(0, 0, 0))
        added[name] = Link(
            known.asked + link.asked,
            known.unmatched + link.unmatched,
            known.ambiguous + link.ambiguous,
        )
    return added


def _headline(result: Result) -> str:
    last = result.cutflow[-1]
    text = (
        f"{result.dataset.name}: {result.events:,} events, {last.candidates:,} candidates selected"
    )
    if result.luminosity is not None:
        text += f", {result.luminosity:.3g} fb⁻¹"
    if len(result.failures) or result.stopped:
        text += f" — PARTIAL, about {100 * result.fraction:.3g} % of the data"
    if result.stopped:
        text += f" ({result.stopped})"
    if result.unwritten:
        text += f" — PARTIAL, without {', '.join(result.unwritten)}"
    return text


def _notes(result: Result) -> list[str]:
    notes = [repr(result.failures)] if result.failures else []
    notes += [f"{name} was not written: {reason}" for name, reason in result.unwritten.items()]
    for name, link in result.links.items():
        if link.unmatched or link.ambiguous:
            notes.append(
                f"link {name}: of {link.asked:,} candidates {link.unmatched:,} found no element, "
                f"{link.ambiguous:,} more than one"
            )
    empty = next((row.name for row in result.cutflow if row.candidates == 0), None)
    if result.events == 0:
        notes.append("the files hold no events")
    elif empty is not None:
        notes.append(f"no candidate is left after {empty!r}")
    return notes


def _summary(value: Any) -> str:
    if isinstance(value, WrittenSnapshot):
        return f"{value.rows:,} rows in {', '.join(value.paths)}"
    if isinstance(value, Table):
        return f"{len(value):,} rows of {', '.join(value.columns)}"
    inside = value.sum()
    total = getattr(inside, "value", inside)
    return f"histogram of {', '.join(a.label for a in value.axes)}, {total:,.6g} entries in range"
