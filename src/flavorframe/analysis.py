"""An analysis: a selection and what is made of it, to be run on datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, overload

from flavorframe._data_quality.tallies import Tally, split_tallies
from flavorframe._expr import nodes as n
from flavorframe._planning.plan import Plan
from flavorframe.datasets import Dataset
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Histogram, Output, Snapshot
from flavorframe.result import Result, Results
from flavorframe.selection import Selection
from flavorframe.skims import Skim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from typing_extensions import Never

    from flavorframe._run.core.options import Target
    from flavorframe._run.detached.run import Run
    from flavorframe.datasets import PathLike
    from flavorframe.engines import Engine

RESERVED = frozenset(dir(Result)) | {field.name for field in fields(Result)}
"""Names of a result's own attributes, which no output can bear."""


@dataclass(frozen=True, init=False)
class Analysis:
    """A selection and its outputs, each named by a keyword.

    Args:
        selection: Which candidates are kept, and with which weights.
        **outputs: Histograms, snapshots, skims, and what is noted of all events that are read; a
            result has them as attributes of these names.

    Raises:
        AnalysisError: An output is neither, or its name is taken.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)))
        Analysis: mass (histogram)
        Selection of triplet
    """

    selection: Selection
    outputs: tuple[tuple[str, Output], ...]
    tallies: tuple[tuple[str, Tally], ...]

    def __init__(self, selection: Selection, **outputs: Output | Tally) -> None:
        """Raises AnalysisError for an output that is none, or whose name is taken."""
        if not isinstance(selection, Selection):
            raise AnalysisError(f"ff.Analysis takes a selection first, not {selection!r}.")
        tallies, others = split_tallies(outputs)
        for name, output in others.items():
            _check_output(name, output, selection)
        for name, _ in tallies:
            _check_name(name)
        object.__setattr__(self, "selection", selection)
        object.__setattr__(self, "outputs", tuple(others.items()))
        object.__setattr__(self, "tallies", tallies)

    @property
    def plan(self) -> Plan:
        """The analysis in compiled form."""
        return Plan(self.selection, self.outputs, tallies=self.tallies)

    def with_outputs(self, **outputs: Output | Tally) -> Analysis:
        """Return the analysis with more outputs, or others under the same names."""
        return Analysis(self.selection, **{**dict(self.outputs), **dict(self.tallies), **outputs})

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
        kinds = ", ".join(
            [f"{name} ({type(o).__name__.lower()})" for name, o in self.outputs]
            + [f"{name} ({tally.title})" for name, tally in self.tallies]
        )
        return f"Analysis: {kinds or 'no outputs'}\n{self.selection!r}"

    def _repr_html_(self) -> str:
        return self.selection._repr_html_()


def _check_output(name: str, output: object, selection: Selection) -> None:
    if not isinstance(output, Histogram | Snapshot):
        raise AnalysisError(
            f"Output {name!r} is {output!r}; an output is made by ff.hist(...), "
            "ff.snapshot(...), ff.skim(...), ff.lumi_sections() or ff.duplicates()."
        )
    _check_name(name)
    if isinstance(output, Histogram) and output.without is not None:
        selection.without(output.without)
    if isinstance(output, Skim):
        _check_skim(name, output, selection)
    elif (
        isinstance(output, Snapshot) and selection.is_weighted and "weight" in dict(output.columns)
    ):
        raise AnalysisError(
            f"Snapshot {name!r} has a column 'weight', and the one of the selection's weights is "
            "called so: give yours another name, as in ff.snapshot(my_weight=...)."
        )


def _check_name(name: str) -> None:
    if name in RESERVED or name.startswith("_"):
        raise AnalysisError(
            f"An output cannot be called {name!r}: results use the name themselves."
        )


def _check_skim(name: str, skim: Skim, selection: Selection) -> None:
    if skim.passed is not None and selection.candidates == n.EVENT:
        raise AnalysisError(
            f"Skim {name!r} has passed={skim.passed!r}: candidates are events here, and all that a "
            "skim has are selected."
        )
