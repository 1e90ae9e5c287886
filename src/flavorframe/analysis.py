"""An analysis: a selection and what is made of it, to be run on datasets."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from flavorframe._files.places import identity, refuse_repeats
from flavorframe._files.writing import file_name, make_folder
from flavorframe._planning.destinations import (
    Destination,
    of_result,
    of_snapshots,
    refuse_conflicts,
    result_folder,
)
from flavorframe._planning.plan import Plan
from flavorframe.datasets import Dataset
from flavorframe.engines import Engine, TellingEngine, get_engine
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Histogram, Output, Snapshot
from flavorframe.result import Result, Results
from flavorframe.selection import Selection

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from flavorframe._run.core.executor import Executor, HowToRun
    from flavorframe._run.detached.run import Run

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

        Raises RunError where no file could be read or the folder cannot be written to; and, before
        anything is read, AnalysisError for a target that is none, for an option that is none or
        means nothing there, and where a file would be written twice or over an input.
        """
        from flavorframe._run.core.executor import run_options
        from flavorframe._run.targets import executor_for

        chosen = get_engine(engine, cache)
        planned = self.planned(data, output)
        if isinstance(chosen, TellingEngine):
            chosen.tell_what_is_not_kept(self.plan)
        with contextlib.closing(executor_for(on, chosen, run_options(options), cache)) as executor:
            if output is not None:
                for name in planned:
                    make_folder(result_folder(output, name))
            results = self._run_each(planned, executor, chosen, output)
        return results if isinstance(data, Mapping) else next(iter(results.values()))

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
        from flavorframe._run.detached.run import submit

        return submit(self, data, name, dict(options))

    def planned(
        self, data: Dataset | Mapping[str, Dataset], output: str | os.PathLike[str] | None = None
    ) -> dict[str, tuple[Plan, Dataset]]:
        """Return the plan for each dataset, by the name of its result.

        Raises AnalysisError where a run of them would write one file twice, or over its inputs, and
        DatasetError for a file that would count double.
        """
        named = dict(data.items()) if isinstance(data, Mapping) else {_name_of(data): data}
        planned = {name: (self._plan_for(each, name, output), each) for name, each in named.items()}
        written: list[Destination] = []
        for name, (plan, each) in planned.items():
            refuse_repeats(each.files, f"dataset {each.name!r}", identity)
            written += of_snapshots(plan, name)
            if output is not None:
                written += of_result(result_folder(output, name), name)
        refuse_conflicts(written, (file for _, each in planned.values() for file in each.files))
        return planned

    def _run_each(
        self,
        planned: Mapping[str, tuple[Plan, Dataset]],
        executor: Executor,
        engine: Engine,
        output: str | os.PathLike[str] | None,
    ) -> Results:
        """Run on one dataset after the other; where one is stopped, those after it are not read."""
        from flavorframe._run.resume import Unread

        results = dict[str, Result]()
        folders = {n: None if output is None else result_folder(output, n) for n in planned}
        executor.announce(list(planned.values()), list(folders.items()))
        for name, (plan, data) in planned.items():
            results[name] = self._run(plan, data, executor, folders[name], name)
            if results[name].stopped:
                executor = Unread(engine, results[name].stopped)
        return Results(results)

    def _run(
        self, plan: Plan, data: Dataset, executor: Executor, folder: Path | None, name: str
    ) -> Result:
        from flavorframe._run.core import interrupts
        from flavorframe._run.core.ending import result_of
        from flavorframe.result._saving import writing_to

        with interrupts.noted():  # also between the run and the end that it comes to
            if folder is None:
                return result_of(executor.run(plan, data), self.plan.digest)
            with writing_to(folder) as whole:
                outcome = executor.run(plan, data)
                outcome.folder, outcome.name = whole, name
                return result_of(outcome, self.plan.digest)

    def _plan_for(self, data: Dataset, name: str, folder: str | os.PathLike[str] | None) -> Plan:
        _name_of(data)
        if folder is not None:
            return self._writing_to(result_folder(folder, name)).plan
        for output, snapshot in self.outputs:
            if isinstance(snapshot, Snapshot) and snapshot.files > 1 and snapshot.path is None:
                raise AnalysisError(
                    f"Snapshot {output!r} is to go to {snapshot.files} files, and has no place: "
                    "give path= to ff.snapshot(), or output= to run()."
                )
        return self.with_absolute_paths().plan

    def _writing_to(self, folder: Path) -> Analysis:
        """Return the analysis with its snapshots written to files in the folder."""
        written = {
            name: replace(snapshot, path=str(folder / f"{file_name(name)}.{snapshot.suffix}"))
            for name, snapshot in self.outputs
            if isinstance(snapshot, Snapshot) and snapshot.path is None
        }
        return self.with_outputs(**written).with_absolute_paths()

    def with_absolute_paths(self) -> Analysis:
        """Return the analysis with the same files as seen from any folder."""
        written = {
            name: replace(snapshot, path=os.path.abspath(os.path.expanduser(snapshot.path)))
            for name, snapshot in self.outputs
            if isinstance(snapshot, Snapshot) and snapshot.path is not None
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


def _name_of(data: Dataset) -> str:
    if not isinstance(data, Dataset):
        raise AnalysisError(
            f"analysis.run() takes a dataset, such as ff.catalog('2017.json')['2017B'] or "
            f"ff.dataset('files/*.root'), not {data!r}."
        )
    return data.name


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
    if isinstance(output, Snapshot) and selection.is_weighted and "weight" in dict(output.columns):
        raise AnalysisError(
            f"Snapshot {name!r} has a column 'weight', and the one of the selection's weights is "
            "called so: give yours another name, as in ff.snapshot(my_weight=...)."
        )
