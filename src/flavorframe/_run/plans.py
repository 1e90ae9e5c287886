"""The plan for each dataset of a run: snapshots know where they are written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flavorframe._files.locations import file_key, refuse_repeats
from flavorframe._files.writing import file_name
from flavorframe._planning.destinations import (
    Destination,
    of_result,
    of_snapshots,
    refuse_conflicts,
    result_folder,
)
from flavorframe._planning.friends import planned_friends
from flavorframe._planning.plan import Plan
from flavorframe._planning.sample_values import weights_in, with_values
from flavorframe.datasets import Dataset, PathLike
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Snapshot
from flavorframe.skims import Skim

Planned = Mapping[str, tuple[Plan, Dataset]]
"""The plan for each dataset, by the name of its result."""


def plans_for(
    plan: Plan, data: Dataset | Mapping[str, Dataset], output: PathLike | None = None
) -> Planned:
    """Return the plan for each dataset; ``output`` is the folder of the results, if any.

    Raises AnalysisError if a run of them would write one file twice, or over its inputs, and
    DatasetError for a file that would count double.
    """
    named = dict(data.items()) if isinstance(data, Mapping) else {_name_of(data): data}
    planned = {name: (_plan_for(plan, each, name, output), each) for name, each in named.items()}
    written: list[Destination] = []
    for name, (each_plan, each) in planned.items():
        refuse_repeats(each.places, f"dataset {each.name!r}", file_key)
        written += of_snapshots(each_plan, name)
        if output is not None:
            written += of_result(result_folder(output, name), name)
    refuse_conflicts(written, (file for _, each in planned.values() for file in each.places))
    return planned


def with_absolute_paths(plan: Plan) -> Plan:
    """Return the plan with the same files of snapshots as seen from any folder."""
    written = {
        name: replace(snapshot, path=os.path.abspath(os.path.expanduser(snapshot.path)))
        for name, snapshot in plan.outputs
        if isinstance(snapshot, Snapshot) and snapshot.path is not None
    }
    return _with_outputs(plan, written)


def _plan_for(plan: Plan, data: Dataset, name: str, folder: PathLike | None) -> Plan:
    _name_of(data)
    plan = replace(
        plan, layout=data.layout, friends=planned_friends(data), weights_in=weights_in(data)
    )
    plan = with_values(plan, data)
    if folder is not None:
        return with_absolute_paths(_writing_to(plan, result_folder(folder, name)))
    for output, snapshot in plan.outputs:
        if isinstance(snapshot, Skim) and snapshot.path is None:
            raise AnalysisError(
                f"Skim {output!r} has no place: give path= to ff.skim(), or output= to run()."
            )
        if isinstance(snapshot, Snapshot) and snapshot.files > 1 and snapshot.path is None:
            raise AnalysisError(
                f"Snapshot {output!r} is to go to {snapshot.files} files, and has no place: "
                "give path= to ff.snapshot(), or output= to run()."
            )
    return with_absolute_paths(plan)


def _writing_to(plan: Plan, folder: Path) -> Plan:
    """Return the plan with its snapshots written to files in the folder."""
    written = {
        name: replace(snapshot, path=str(folder / f"{file_name(name)}.{snapshot.suffix}"))
        for name, snapshot in plan.outputs
        if isinstance(snapshot, Snapshot) and snapshot.path is None
    }
    return _with_outputs(plan, written)


def _with_outputs(plan: Plan, others: Mapping[str, Snapshot]) -> Plan:
    return replace(plan, outputs=tuple((name, others.get(name, o)) for name, o in plan.outputs))


def _name_of(data: Dataset) -> str:
    if not isinstance(data, Dataset):
        raise AnalysisError(
            f"analysis.run() takes a dataset, such as ff.catalog('2017.json')['2017B'] or "
            f"ff.dataset('files/*.root'), not {data!r}."
        )
    return data.name
