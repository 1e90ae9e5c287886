"""An analysis: selections and what is made of them, to be run on datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from keyword import iskeyword
from typing import TYPE_CHECKING, overload

from flavorframe._data_quality.tallies import Tally, split_tallies
from flavorframe._expr.variations import chosen
from flavorframe._planning.compiling import check_names, plan_of
from flavorframe._planning.plan import Plan
from flavorframe.averages import Declared
from flavorframe.datasets import Dataset
from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.regions import Region, check_name, restricted_region
from flavorframe.result import Result, Results
from flavorframe.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from typing_extensions import Never

    from flavorframe._run.core.options import Target
    from flavorframe._run.detached.run import Run
    from flavorframe.datasets import PathLike
    from flavorframe.engines import Engine


@dataclass(frozen=True, init=False)
class Analysis:
    """A selection and its outputs, or several regions that are evaluated in one pass.

    Args:
        selection: Which candidates are kept, and with which weights; or a region.
        **outputs: Histograms, snapshots and skims, and what is noted of all events that are read;
            a result has them as attributes of these names. Without a selection they are regions,
            which a result has as attributes.

    Raises:
        AnalysisError: An output or region is none, or its name is taken, or a source of variations
            has other shifts in one place than in another.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)))
        Analysis: mass (histogram)
        Selection of triplet
    """

    regions: tuple[tuple[str, Region], ...]
    tallies: tuple[tuple[str, Tally], ...]

    def __init__(
        self, selection: Selection | Region | None = None, /, **outputs: Declared | Region | Tally
    ) -> None:
        """Raises AnalysisError for an output that is none, or whose name is taken."""
        tallies, others = split_tallies(outputs)
        for name, _ in tallies:
            check_name("An output", name)
        if selection is None:
            regions = tuple(_named_regions(others).items())
        elif isinstance(selection, Region):
            regions = (("", selection.with_outputs(**_outputs(others))),)
        elif isinstance(selection, Selection):
            regions = (("", Region(selection).with_outputs(**_outputs(others))),)
        else:
            raise AnalysisError(f"ff.Analysis takes a selection first, not {selection!r}.")
        object.__setattr__(self, "regions", regions)
        object.__setattr__(self, "tallies", tallies)
        check_names(self.plan)

    @property
    def plan(self) -> Plan:
        """The analysis in compiled form."""
        return replace(plan_of(self.regions), tallies=self.tallies)

    @property
    def selection(self) -> Selection:
        """The selection; raises AnalysisError where there are several regions."""
        return self._region.selection

    @property
    def outputs(self) -> tuple[tuple[str, Declared], ...]:
        """The outputs by name; raises AnalysisError where there are several regions."""
        return self._region.outputs

    @property
    def _region(self) -> Region:
        (name, region), *_ = self.regions
        if name:
            names = ", ".join(name for name, _ in self.regions)
            raise AnalysisError(f"The analysis has regions, {names}: take analysis[{name!r}].")
        return region

    def __getitem__(self, region: str) -> Analysis:
        """Return the analysis of one region; raises AnalysisError for one that is not there."""
        found = dict(self.regions).get(region)
        if found is None:
            names = [name for name, _ in self.regions if name]
            raise AnalysisError(
                f"There is no region {region!r}.{did_you_mean(region, names)} There are "
                f"{', '.join(names) or 'none'}."
            )
        return Analysis(found)

    def with_outputs(self, **outputs: Declared | Tally) -> Analysis:
        """Return the analysis with more outputs, or others under the same names."""
        return Analysis(self._region, **{**dict(self.tallies), **outputs})

    def with_variations(self, *names: str) -> Analysis:
        """Return the analysis with some of its variations alone; without a name, with none.

        Args:
            *names: Sources with all of their shifts, such as ``"muon ID"``, or single variations,
                such as ``"muon ID up"``.

        Raises:
            AnalysisError: There is no such source or variation.

        Example:
            >>> import flavorframe as ff
            >>> muon = ff.events().muon
            >>> pt = ff.vary("scale", muon.pt, up=1.01 * muon.pt, down=0.99 * muon.pt)
            >>> ff.Analysis(ff.Selection(muon).cut("pt", pt > 3)).with_variations()
            Analysis: no outputs
            Selection of muon
              1. pt    muon.pt > 3
        """
        kept = chosen(self.plan.variations, names)
        regions = {name: restricted_region(region, kept) for name, region in self.regions}
        tallies = dict(self.tallies)
        return Analysis(regions.pop("", None), **regions, **tallies)

    # The options of `run` and `submit` are defined in `_run.core.options`; a test compares them.

    @overload
    def run(
        self,
        data: Dataset,
        *,
        on: Target = None,
        engine: str | Engine = "columnar",
        cache: bool | PathLike | None = None,
        output: PathLike | None = None,
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
    ) -> Result: ...
    @overload
    def run(
        self,
        data: Mapping[str, Dataset],
        *,
        on: Target = None,
        engine: str | Engine = "columnar",
        cache: bool | PathLike | None = None,
        output: PathLike | None = None,
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
    ) -> Results: ...
    def run(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        on: Target = None,
        engine: str | Engine = "columnar",
        cache: bool | PathLike | None = None,
        output: PathLike | None = None,
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
    ) -> Result | Results:
        """Run on a dataset, or on each dataset of a catalogue.

        Files that cannot be read are in ``result.failures``. An interrupt (Ctrl-C) ends the run
        with the result so far: see `Result.resume`.

        Args:
            data: The dataset, or datasets by name, such as a catalogue.
            on: Where to run: ``None`` for the cores of this machine, a Dask client, cluster or
                address such as ``"tcp://host:8786"``, ``"dask"`` for a Dask cluster on this
                machine, ``"gateway"`` for a new one of Dask Gateway, or a batch system such as
                ``ff.Slurm(...)``.
            engine: ``"columnar"``, ``"rdataframe"``, or an object with the methods of an engine.
            cache: Keep what was read and computed, so that a changed cut shows its result at once:
                ``True`` in ``$FLAVORFRAME_CACHE`` or ``~/.cache/flavorframe``, a folder there,
                ``False`` nowhere. ``None`` keeps it in memory in a notebook, and in
                ``$FLAVORFRAME_CACHE`` where that is set.
            output: Folder for the result and its snapshots, which are written while the run goes
                on.
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
            The result, or for several datasets the results by name.

        Raises:
            RunError: No file could be read, or the folder cannot be written to.
            AnalysisError: Before anything is read: a target or an option does not exist, or the
                option means nothing there, or a file would be written twice or over an input.

        Example:
            >>> import flavorframe as ff
            >>> t = ff.events().triplet
            >>> mass = ff.hist(t.mass, bins=62, range=(1.65, 2.01))
            >>> analysis = ff.Analysis(ff.Selection(t), mass=mass)
            >>> analysis.run(ff.dataset("/data/2017B.root"), thread=2)
            Traceback (most recent call last):
            flavorframe.errors.AnalysisError: There is no option 'thread' of a run. Did you mean
            'threads'? There are on, engine, cache, output, threads, partition_size, progress,
            on_error, retries, on_update, should_stop, performance_report, files.
        """
        from flavorframe._run.core.options import RunOptions, refuse_unknown
        from flavorframe._run.run_datasets import run_datasets

        refuse_unknown("run", unknown)
        options = RunOptions(
            on=on,
            engine=engine,
            cache=cache,
            output=output,
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
        return run_datasets(self.plan, data, options)

    def submit(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        name: str | None = None,
        on: Target = None,
        engine: str | Engine = "columnar",
        cache: bool | PathLike | None = None,
        output: PathLike | None = None,
        threads: int | None = None,
        partition_size: int | None = None,
        on_error: Literal["report", "raise"] = "report",
        retries: int = 2,
        performance_report: PathLike | None = None,
        files: PathLike | Sequence[PathLike] = (),
        **unknown: Never,
    ) -> Run:
        """Start a run that goes on by itself, and return at once; see `flavorframe.attach`.

        With a Dask client, cluster or address as ``on`` the cluster conducts the run, and this
        machine may be switched off; otherwise a process of this machine that outlives the session.

        Args:
            data: The dataset, or datasets by name, such as a catalogue.
            name: What the run is called; by default the dataset's name with the time.
            on: Where to run: ``None`` for the cores of this machine, a Dask client, cluster or
                address such as ``"tcp://host:8786"``, ``"dask"`` for a Dask cluster on this
                machine, ``"gateway"`` for a new one of Dask Gateway, or a batch system such as
                ``ff.Slurm(...)``.
            engine: ``"columnar"``, ``"rdataframe"``, or an object with the methods of an engine.
            cache: Keep what was read and computed, so that a changed cut shows its result at once:
                ``True`` in ``$FLAVORFRAME_CACHE`` or ``~/.cache/flavorframe``, a folder there,
                ``False`` nowhere. ``None`` keeps it in memory in a notebook, and in
                ``$FLAVORFRAME_CACHE`` where that is set.
            output: Folder for the result and its snapshots, which are written while the run goes
                on.
            threads: Number of threads; by default the number of cores. With a batch system it is
                that of each job, with ``on="dask"`` the number of workers.
            partition_size: Most events that are read at once; by default 170,000 or fewer.
            on_error: ``"report"`` notes files that cannot be read in ``result.failures``;
                ``"raise"`` raises the first error.
            retries: How many times more to try what failed for a reason that may pass.
            performance_report: HTML file for Dask's own report of the run.
            files: Files that functions of the analysis read: see `flavorframe.delivered`.
            **unknown: There are no others; a misspelt name is an error.

        Returns:
            The detached run, which tells how it stands and has its result.

        Raises:
            AnalysisError: There is a run of that name already, or what `run` would raise.

        Example:
            >>> run = analysis.submit(catalog, name="2017", output="results")  # doctest: +SKIP
            >>> ff.attach("2017").status  # doctest: +SKIP
            'running'
        """
        from flavorframe._run.core.options import RunOptions, refuse_unknown
        from flavorframe._run.detached.submit import submit

        refuse_unknown("submit", unknown)
        options = RunOptions(
            on=on,
            engine=engine,
            cache=cache,
            output=output,
            threads=threads,
            partition_size=partition_size,
            on_error=on_error,
            retries=retries,
            performance_report=performance_report,
            files=files,
        )
        return submit(self.plan, data, name, options)

    def __repr__(self) -> str:
        noted = ", ".join(f"{name} ({tally.title})" for name, tally in self.tallies)
        whole = f"Analysis: {noted}\n" if noted else "Analysis: "
        if not self.regions[0][0]:
            return f"{whole}{self._region!r}"
        named = (f"{name}: {region!r}" for name, region in self.regions)
        return "\n".join([whole.rstrip(": \n") if not noted else whole.rstrip("\n"), *named])

    def _repr_html_(self) -> str:
        named = ((f"<b>{escape(name)}</b>" if name else "", each) for name, each in self.regions)
        return "".join(f"{name}{region.selection._repr_html_()}" for name, region in named)


def _outputs(given: Mapping[str, Declared | Region]) -> dict[str, Declared]:
    for name, output in given.items():
        if isinstance(output, Region):
            raise AnalysisError(
                f"{name!r} is a region beside a selection: give the selection a region of its own, "
                "as in ff.Analysis(signal=ff.Region(...), control=ff.Region(...))."
            )
    return dict(given)  # type: ignore[arg-type]


def _named_regions(given: Mapping[str, Declared | Region]) -> dict[str, Region]:
    if not given:
        raise AnalysisError("ff.Analysis takes a selection first, or regions by name.")
    regions = {}
    for name, region in given.items():
        if not isinstance(region, Region):
            raise AnalysisError(
                f"ff.Analysis takes a selection first, or regions by name, and {name!r} is "
                f"{region!r}."
            )
        if not name.isidentifier() or iskeyword(name):
            raise AnalysisError(f"A region cannot be called {name!r}: give it a name of Python.")
        check_name("A region", name)
        regions[name] = region
    return regions
