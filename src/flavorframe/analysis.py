"""An analysis: a selection and what is made of it, to be run on datasets."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from flavorframe.datasets import Dataset
from flavorframe.engine import Engine, get_engine
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Histogram, Output, Snapshot
from flavorframe.plan import Plan
from flavorframe.result.result import Result, Results
from flavorframe.selection import Selection
from flavorframe.writing import make_folder

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from flavorframe.run.detached import Run
    from flavorframe.run.executor import Executor, HowToRun

RESERVED = frozenset(dir(Result)) | {field.name for field in fields(Result)}
"""Names of a result's own attributes, which no output can bear."""


@dataclass(frozen=True, init=False)
class Analysis:
    """A selection and its outputs, each named by a keyword.

    >>> import flavorframe as ff
    >>> t = ff.events().triplet
    >>> ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)))
    Analysis: mass (histogram)
    Selection of triplet
    """

    selection: Selection
    outputs: tuple[tuple[str, Output], ...]

    def __init__(self, selection: Selection, **outputs: Output) -> None:
        """Raises AnalysisError for an output that is none, or whose name is taken."""
        if not isinstance(selection, Selection):
            raise AnalysisError(f"ff.Analysis takes a selection first, not {selection!r}.")
        for name, output in outputs.items():
            _check_output(name, output, selection)
        object.__setattr__(self, "selection", selection)
        object.__setattr__(self, "outputs", tuple(outputs.items()))

    @property
    def plan(self) -> Plan:
        """The analysis in compiled form."""
        return Plan(self.selection, self.outputs)

    def with_outputs(self, **outputs: Output) -> Analysis:
        """Return the analysis with more outputs, or others under the same names."""
        return Analysis(self.selection, **{**dict(self.outputs), **outputs})

    @overload
    def run(self, data: Dataset, **options: Unpack[HowToRun]) -> Result: ...
    @overload
    def run(self, data: Mapping[str, Dataset], **options: Unpack[HowToRun]) -> Results: ...
    def run(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        on: Any = None,
        engine: str | Engine = "columnar",
        cache: bool | str | os.PathLike[str] | None = None,
        output: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> Result | Results:
        """Run on a dataset, or on each dataset of a catalogue.

        ``on`` says where: this machine's cores (``None``), a Dask client, cluster or address such
        as ``"tcp://host:8786"``, ``"dask"`` for a Dask cluster on this machine, ``"gateway"`` for a
        new one of Dask Gateway, or a batch system, such as ``ff.Slurm(...)``. ``threads`` is by
        default the number of cores, ``partition_size`` the events taken at once, and a ``progress``
        bar is shown where a person is looking on (``"live"`` shows the histograms too, in a
        notebook).

        ``engine`` is ``"columnar"``, ``"rdataframe"``, or an object with the methods of an engine.
        ``cache`` keeps what was read and computed, so that a cut can be changed and the result seen
        at once: ``True`` in ``$FLAVORFRAME_CACHE`` or ``~/.cache/flavorframe``, a folder there,
        ``False`` nowhere. By default it is kept in memory, for this session, where a person types
        (in a notebook), and also in ``$FLAVORFRAME_CACHE`` where that is set.

        Files that cannot be read are in ``result.failures``; ``on_error="raise"`` raises the first
        of them instead. What failed for a reason that may pass is tried ``retries`` times more.
        ``on_update`` is called about once a second with the result so far, and an interrupt
        (Ctrl-C) ends the run with it: see `Result.resume`. With ``output``, a folder, snapshots are
        written into it while the run goes on, and the result is saved there at its end.
        ``files`` names files that functions of the analysis read: see `flavorframe.delivered`.
        ``performance_report`` names an HTML file for Dask's own report.

        Raises RunError where no file could be read or the folder cannot be written to, and
        AnalysisError for a target or an option that is none.
        """
        from flavorframe.run.executor import run_options
        from flavorframe.run.targets import executor_for

        chosen = get_engine(engine, cache)
        with contextlib.closing(executor_for(on, chosen, run_options(options))) as executor:
            if isinstance(data, Mapping):
                return self._run_each(data, executor, chosen, output)
            return self._run(data, executor, output)

    def submit(
        self,
        data: Dataset | Mapping[str, Dataset],
        *,
        name: str | None = None,
        **options: Unpack[HowToRun],
    ) -> Run:
        """Start a run that goes on by itself, and return at once; see `flavorframe.attach`.

        The options are those of `run`. With a Dask client, cluster or address as ``on`` the run is
        conducted by the cluster, and this machine may go; otherwise by a process of this machine
        that outlives the session. ``name`` is by default the dataset's with the time. Raises
        AnalysisError where there is a run of that name already.
        """
        from flavorframe.run.detached import submit

        return submit(self, data, name, dict(options))

    def _run_each(
        self,
        data: Mapping[str, Dataset],
        executor: Executor,
        engine: Engine,
        output: str | os.PathLike[str] | None,
    ) -> Results:
        """Run on one dataset after the other; where one is stopped, those after it are not read."""
        from flavorframe.run.resume import Unread

        datasets, results = dict(data.items()), dict[str, Result]()
        executor.announce([(self._plan_for(each, output), each) for each in datasets.values()])
        for name, each in datasets.items():
            results[name] = self._run(each, executor, output)
            if results[name].stopped:
                executor = Unread(engine, results[name].stopped)
        return Results(results)

    def _run(
        self, data: Dataset, executor: Executor, output: str | os.PathLike[str] | None
    ) -> Result:
        from flavorframe.result.store import folder_of, writing_to
        from flavorframe.run import interrupts
        from flavorframe.run.ending import result_of

        plan = self._plan_for(data, output)
        with interrupts.noted():  # also between the run and the end that it comes to
            if output is None:
                return result_of(executor.run(plan, data), self.plan.digest)
            with writing_to(folder_of(output, data.name)) as folder:
                outcome = executor.run(plan, data)
                outcome.folder = folder
                return result_of(outcome, self.plan.digest)

    def _plan_for(self, data: Dataset, output: str | os.PathLike[str] | None) -> Plan:
        from flavorframe.result.store import folder_of

        if not isinstance(data, Dataset):
            raise AnalysisError(
                f"analysis.run() takes a dataset, such as ff.catalog('2017.json')['2017B'] or "
                f"ff.dataset('files/*.root'), not {data!r}."
            )
        if output is not None:
            return self._writing_to(folder_of(output, data.name)).plan
        for name, snapshot in self.outputs:
            if isinstance(snapshot, Snapshot) and snapshot.files > 1 and snapshot.path is None:
                raise AnalysisError(
                    f"Snapshot {name!r} is to go to {snapshot.files} files, and has no place: give "
                    "path= to ff.snapshot(), or output= to run()."
                )
        return self.plan

    def _writing_to(self, folder: Path) -> Analysis:
        """Return the analysis with its snapshots written to files in the folder."""
        make_folder(folder)
        written = {
            name: replace(snapshot, path=str(folder / f"{name}.{snapshot.suffix}"))
            for name, snapshot in self.outputs
            if isinstance(snapshot, Snapshot) and snapshot.path is None
        }
        return self.with_outputs(**written)

    def __repr__(self) -> str:
        kinds = ", ".join(
            f"{name} ({'histogram' if isinstance(o, Histogram) else 'snapshot'})"
            for name, o in self.outputs
        )
        return f"Analysis: {kinds or 'no outputs'}\n{self.selection!r}"

    def _repr_html_(self) -> str:
        return self.selection._repr_html_()


def _check_output(name: str, output: object, selection: Selection) -> None:
    if not isinstance(output, Histogram | Snapshot):
        raise AnalysisError(
            f"Output {name!r} is {output!r}; an output is made by ff.hist(...) or ff.snapshot(...)."
        )
    if name in RESERVED or name.startswith("_"):
        raise AnalysisError(
            f"An output cannot be called {name!r}: results use the name themselves."
        )
    if isinstance(output, Histogram) and output.without is not None:
        selection.without(output.without)
