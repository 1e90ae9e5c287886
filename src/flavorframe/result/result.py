"""The result of a run: its outputs, and everything needed to trust them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flavorframe._data_quality.generated import Generated
from flavorframe._display import Items, Paragraph, as_html
from flavorframe._expr.variations import NOMINAL
from flavorframe._planning.plan import in_region, varied_name
from flavorframe.averages import ENDS, SumOfPowers
from flavorframe.datasets import Dataset, fraction_read
from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.outputs import VARIATION, Histogram
from flavorframe.result._histograms import as_hist, is_varied, labels_of, varied
from flavorframe.result._outputs import added, summary
from flavorframe.result._saving import save
from flavorframe.result._summary import notes, summary_line
from flavorframe.result.averages import averaged
from flavorframe.result.cutflow import Cutflow
from flavorframe.result.failures import Failures
from flavorframe.result.links import Link, added_links
from flavorframe.result.provenance import Provenance
from flavorframe.result.replicas import Replica, added_replicas
from flavorframe.result.scaling import ScaledHistograms, generated_of, left_out_of, scaled
from flavorframe.result.timing import Timing
from flavorframe.result.unfinished import Unfinished
from flavorframe.result.variations import Variations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from typing_extensions import Never

    from flavorframe._expr.variations import Variation
    from flavorframe._planning.plan import Plan
    from flavorframe._run.core.options import Target
    from flavorframe._run.outcome import Outcome
    from flavorframe.datasets import PathLike
    from flavorframe.engines import FileInfo
    from flavorframe.engines.partial import Partial
    from flavorframe.layouts import Units


@dataclass(frozen=True, repr=False)
class Result:
    """What a run gives back; outputs are attributes: ``result.mass``.

    Results of one analysis add up: the sum is that of both datasets together.

    Attributes:
        dataset: What was read.
        cutflow: Events and candidates after each cut; of several regions, the events read.
        outputs: Histograms (``hist.Hist``), tables, and snapshots that were written, by name.
        failures: The files and ranges of events that could not be read.
        timing: Where the time went [s].
        links: How links by value between collections fared, by name.
        provenance: When and with what it was made.
        fraction: The fraction of the dataset that was read, an estimate where files failed.
        stopped: Why the run ended early; empty where it did not.
        unfinished: What `resume` needs; None where there is nothing to go on with.
        unwritten: Why outputs, or the folder, could not be written, by their name.
        warnings: What is likely not meant, though nothing failed.
        replicas: The files that another place than their first has given, and why.
        regions: The cutflows of several regions by name; ``result.signal`` is the result of one.
        generated: Of simulation, the sum of generator weights of what was read, if it is known.
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
    warnings: tuple[str, ...] = ()
    replicas: tuple[Replica, ...] = ()
    regions: Mapping[str, Cutflow] = field(default_factory=dict)
    generated: Generated | None = None

    @classmethod
    def of(cls, plan: Plan, dataset: Dataset, outcome: Outcome) -> Result:
        """Return the result of an outcome."""
        partial = outcome.partial
        outputs: dict[str, Any] = {}
        for name, output in plan.outputs:
            if isinstance(output, SumOfPowers):
                if output.power == 0:
                    outputs[name] = _average(name, output, plan, partial)
            elif isinstance(output, Histogram):
                outputs[name] = _histogram(name, output, plan, partial)
            elif name not in outcome.unwritten:
                outputs[name] = outcome.rows[name]
        outputs |= partial.tallies
        links = {name: Link(*counts) for name, counts in partial.links.items()}
        fraction = _fraction(dataset, outcome)
        return cls(
            dataset, partial.cutflow, outputs,
            Failures(tuple(outcome.failures), files=len(dataset.files)),
            partial.timing, links, Provenance.of(plan, _units(outcome)),
            fraction, outcome.stopped,
            outcome if outcome.gaps or outcome.stopped or outcome.unwritten else None,
            dict(outcome.unwritten), tuple(_warnings(dataset, outcome)),
            replicas=outcome.replicas, regions=partial.regions,
            generated=generated_of(dataset, outcome, fraction),
        )  # fmt: skip

    @property
    def events(self) -> int:
        """How many events were read."""
        return self.cutflow[0].events

    @property
    def nominal(self) -> Result:
        """The result without variations: histograms lose the axis of these."""
        return self.varied(NOMINAL)

    def varied(self, label: str) -> Result:
        """Return the result in a variation: histograms lose the axis of variations.

        Args:
            label: The source and the shift, such as ``"muon ID up"``, or ``"nominal"``.

        Raises:
            AnalysisError: There is no such variation.
        """
        varying = [value for value in self.outputs.values() if is_varied(value)]
        known = list(dict.fromkeys(each for value in varying for each in value.axes[0]))
        if label not in (NOMINAL, *known):
            raise AnalysisError(
                f"There is no variation {label!r}.{did_you_mean(label, known)} "
                f"There are {', '.join(known) or 'none'}."
            )
        outputs = {
            name: varied(value, label if label in labels_of(value, VARIATION) else NOMINAL)
            for name, value in self.outputs.items()
        }
        of_it = f"{self.provenance.plan} {label}" if known else self.provenance.plan
        provenance = replace(self.provenance, plan=of_it)  # adds up with the same alone
        return replace(self, outputs=outputs, unfinished=None, provenance=provenance)

    def variations(self, output: str) -> Variations:
        """Return the variations of a histogram, and what they make of its uncertainty.

        Args:
            output: The name of the histogram.

        Raises:
            AnalysisError: There is no such output, or it has no variations.
        """
        return Variations(self[output])

    def region(self, name: str) -> Result:
        """Return the result of a region, which adds up with that of another dataset.

        Args:
            name: The name of the region; ``result.signal`` is ``result.region("signal")``.

        Raises:
            AnalysisError: There is no such region.
        """
        if name not in self.regions:
            raise AnalysisError(
                f"The result has no region {name!r}.{did_you_mean(name, self.regions)} It has "
                f"{', '.join(self.regions) or 'none'}."
            )

        def own(values: Mapping[str, Any]) -> dict[str, Any]:
            prefix = in_region(name, "")
            return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}

        friends = dict(self.dataset.friends)  # are found for all events, whatever the region
        links = own(self.links) | {k: v for k, v in self.links.items() if k in friends}
        provenance = replace(self.provenance, plan=f"{self.provenance.plan} {name}")
        return replace(
            self, cutflow=self.regions[name], outputs=own(self.outputs), links=links,
            unwritten=own(self.unwritten), regions={}, unfinished=None, provenance=provenance,
        )  # fmt: skip

    @property
    def is_complete(self) -> bool:
        """Whether every file was read whole, and every output written."""
        return not len(self.failures) and not self.stopped and not self.unwritten

    @property
    def cutflows(self) -> dict[str, Cutflow]:
        """The cutflow of each region by its name; of one selection, its own and no name."""
        return dict(self.regions) or {"": self.cutflow}

    @property
    def luminosity(self) -> float | None:
        """The luminosity of what was read [fb⁻¹]; an estimate by events where files failed."""
        whole = self.dataset.luminosity
        return None if whole is None else whole * self.fraction

    def scaled(self, luminosity: float) -> ScaledHistograms:
        """Return the histograms of simulation as they would be in data of some luminosity.

        They are multiplied by cross-section × luminosity / sum of the generator weights of what was
        read, and so are their errors. Weight candidates by the generator's weights, if there are
        any: ``selection.weight("generator", events["genWeight"])``.

        Args:
            luminosity: The integrated luminosity [fb⁻¹].

        Returns:
            The histograms by name, also as attributes, with weighted storage.

        Raises:
            AnalysisError: The dataset is data, its cross-section or sum of weights is not known or
                not positive, or the luminosity is negative.

        Example:
            >>> result.scaled(41.5).mass  # doctest: +SKIP
        """
        return scaled(self, luminosity)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the result to a folder, to be read by `flavorframe.load`, ROOT and people.

        Tables that are in memory become ROOT files beside it.

        Args:
            folder: Where to write: the result has a folder of its dataset's name in it.

        Returns:
            The path of the folder.

        Raises:
            AnalysisError: Where files that were read would be written over.
            RunError: Where the folder cannot be written to, or is just being written to.
        """
        return save({self.dataset.name: self}, folder)

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
        if name in self.regions:
            return self.region(name)
        if name in self.unwritten:
            raise AnalysisError(f"Output {name!r} was not written: {self.unwritten[name]}")
        if name not in self.outputs:
            known = [*self.regions, *self.outputs]
            raise AnalysisError(
                f"The result has no output {name!r}.{did_you_mean(name, known)} It has "
                f"{', '.join(self.regions or self.outputs) or 'none'}."
            )
        return self.outputs[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(self.regions or self.outputs)]

    def __add__(self, other: Result) -> Result:
        """Return the result of both datasets together.

        Raises:
            AnalysisError: For results of different analyses, or of files in different units.
        """
        if self.provenance.plan != other.provenance.plan:
            raise AnalysisError("Results of two different analyses cannot be added.")
        _require_same_units(self, other)
        both = [name for name in self.outputs if name in other.outputs]
        outputs = {name: added(self.outputs[name], other.outputs[name]) for name in both}
        return Result(
            self.dataset + other.dataset, self.cutflow + other.cutflow, outputs,
            self.failures + other.failures, self.timing + other.timing,
            added_links(self.links, other.links), self.provenance,
            _joint_fraction(self, other), "; ".join(filter(None, (self.stopped, other.stopped))),
            None, {**other.unwritten, **self.unwritten},
            tuple(dict.fromkeys((*self.warnings, *other.warnings))),
            replicas=added_replicas(self.replicas, other.replicas),
            regions={name: flow + other.regions[name] for name, flow in self.regions.items()},
            generated=self.generated + other.generated
            if self.generated and other.generated else None,
        )  # fmt: skip

    def __repr__(self) -> str:
        outputs = (f"{name}: {summary(value)}" for name, value in self.outputs.items())
        flows = [f"{name}\n{flow!r}".strip() for name, flow in self.cutflows.items()]
        parts = [summary_line(self), *flows, *outputs, *notes(self), repr(self.timing)]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        outputs = tuple(f"{name}: {summary(value)}" for name, value in self.outputs.items())
        parts = [
            as_html(Paragraph(summary_line(self), tag="b")),
            *(f"<p>{name}</p>{flow._repr_html_()}" for name, flow in self.cutflows.items()),
            as_html(Items(outputs)),
            *(as_html(Paragraph(note)) for note in notes(self)),
            self.timing._repr_html_(),
        ]
        return "".join(parts)


def _histogram(name: str, output: Histogram, plan: Plan, partial: Partial) -> Any:
    """Return a histogram as users hold it, with an axis of variations if its region has any."""
    variations = plan.part_of(name).variations
    filled = [partial.histograms[varied_name(name, each)] for each in (None, *variations)]
    return as_hist(filled, output, _labels(variations))


def _average(name: str, output: Histogram, plan: Plan, partial: Partial) -> Any:
    """Return a mean as users hold it, with an axis of variations if its region has any."""
    variations = plan.part_of(name).variations
    sums = [
        [partial.histograms[varied_name(f"{name}{end}", each)] for end in ENDS]
        for each in (None, *variations)
    ]
    return averaged(sums, output, _labels(variations))


def _labels(variations: Sequence[Variation]) -> list[str]:
    return [NOMINAL, *(each.label for each in variations)] if variations else []


def _warnings(dataset: Dataset, outcome: Outcome) -> Iterator[str]:
    """Yield what every file lacks, so that its default value is all that the result has of it."""
    for region, flow in outcome.partial.cutflows.items():
        yield from _told_of_categories(region, flow)
    for default in outcome.files[0].lacking if outcome.files else ():
        if all(default in info.lacking for info in outcome.files):
            yield f"{default}: no file of {dataset.name} has it, so it is that value everywhere"
    yield from dict.fromkeys(told for info in outcome.files for told in _told_of_skims(info))
    if outcome.gaps:
        for name in dict.fromkeys(s.name for info in outcome.files for s in info.skims if s.trees):
            yield (
                f"skim {name!r} has the other trees of each file that was opened, and events are "
                "missing: sums of weights in it are larger than those of the events read"
            )


def _told_of_categories(region: str, flow: Cutflow) -> Iterator[str]:
    *sorted_, several = flow[-1].categories or (0, 0)
    selected = f"{flow[-1].candidates:,} selected candidates{f' of {region}' if region else ''}"
    if flow.categories and several:
        yield (
            f"{several:,} of {selected} fit more than one of the categories "
            f"{', '.join(flow.categories)}: each is in the first that it fits"
        )
    if flow.categories and flow[-1].candidates > sum(sorted_):
        yield (
            f"{flow[-1].candidates - sum(sorted_):,} of {selected} fit none of the categories "
            f"{', '.join(flow.categories)}: they are in the overflow of histograms"
        )


def _told_of_skims(info: FileInfo) -> tuple[str, ...]:
    return tuple(told for skimmed in info.skims for told in skimmed.left_out)


def _units(outcome: Outcome) -> Units | None:
    """Return the units of the files that were read, which are the same in all of them."""
    return outcome.files[0].units if outcome.files else None


def _require_same_units(a: Result, b: Result) -> None:
    for what in ("energy", "length"):
        one, two = getattr(a.provenance, what), getattr(b.provenance, what)
        if one and two and one != two:
            raise AnalysisError(
                f"Results of {a.dataset.name} and {b.dataset.name} cannot be added: the files of "
                f"one have {what} in {one}, those of the other in {two}. Compare them instead, or "
                "fill histograms of quantities in one unit, such as t.mass / ff.GeV, and add those."
            )


def _fraction(dataset: Dataset, outcome: Outcome) -> float:
    known = sum(info.events for info in outcome.files) - sum(left_out_of(outcome).values())
    read = outcome.partial.cutflow[0].events
    return fraction_read(read, known, len(outcome.files), len(dataset.files))


def _joint_fraction(a: Result, b: Result) -> float:
    if a.luminosity is None or b.luminosity is None:
        return (a.fraction + b.fraction) / 2
    whole = (a.dataset.luminosity or 0.0) + (b.dataset.luminosity or 0.0)
    return (a.luminosity + b.luminosity) / whole if whole else 1.0
