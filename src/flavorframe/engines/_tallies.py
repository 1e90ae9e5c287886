"""Tallies of a partition: every event counts, whatever the selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._data_quality.duplicates import Keys
from flavorframe._data_quality.tallies import Tally
from flavorframe._planning.plan import Plan
from flavorframe._rootio import arrays
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.open_files import open_file
from flavorframe._rootio.read_stats import ReadStats
from flavorframe.datasets import Partition
from flavorframe.engines._event_files import as_events, event_branch
from flavorframe.errors import BranchError
from flavorframe.layouts import Layout, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping


def branches_of_tallies(plan: Plan, schema: Schema, layout: Layout) -> tuple[str, ...]:
    """Return the branches that the tallies of a plan take.

    Raises BranchError where the file does not have them, FileError where they are lists.
    """
    found = (_branches(name, tally, schema, layout) for name, tally in plan.tallies)
    return tuple(dict.fromkeys(branch for branches in found for branch in branches))


def tallied(plan: Plan, file: EventFile, layout: Layout, part: Partition) -> dict[str, Any]:
    """Return the tallies of a range of events of an open file."""
    columns = {
        branch: _column(file, branch, part)
        for branch in branches_of_tallies(plan, file.schema, layout)
    }

    def keys(name: str, tally: Tally) -> Keys:
        branches = _branches(name, tally, file.schema, layout)
        return Keys(tuple(columns[b] for b in branches), part.file, part.start, file.version)

    return {name: tally.of(keys(name, tally)) for name, tally in plan.tallies}


def tallied_of(plan: Plan, part: Partition) -> dict[str, Any]:
    """Return the tallies of a range of events, whose file is opened for it."""
    file = open_file(part.file, part.tree, part.version)
    return tallied(plan, *as_events(file, plan.layout, plan.friends), part)


def no_tallies(plan: Plan) -> Mapping[str, Any]:
    """Return the tallies of no event."""
    return {name: tally.of(Keys((np.empty(0, np.int64),) * len(tally.names)))
            for name, tally in plan.tallies}  # fmt: skip


def _branches(name: str, tally: Tally, schema: Schema, layout: Layout) -> list[str]:
    use = f"output {name!r} knows events"
    return [event_branch(each, schema, layout, schema.tree, use) for each in tally.names]


def _column(file: EventFile, branch: str, part: Partition) -> arrays.Array:
    column = file.read(branch, part.start, part.stop, np.arange(len(part)), ReadStats())
    if not isinstance(column, np.ndarray):
        raise BranchError(
            f"{file.path}: branch {branch} holds strings: events are known by numbers."
        )
    return column
