"""The files that a run writes. None may be an input, or another file of the run."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path

from flavorframe._files.locations import file_key
from flavorframe._files.writing import file_name, what_else
from flavorframe._planning.plan import Plan
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Snapshot

RESULT, HISTOGRAMS, UNFINISHED = "result.json", "histograms.root", "unfinished.pickle"
"""The files in a result's folder beside its snapshots; the last holds what `resume` needs."""

Destination = tuple[str, Path]


def result_folder(output: str | os.PathLike[str], name: str) -> Path:
    """Return the absolute path of the folder in ``output`` for the result of that name."""
    return Path(output).expanduser().absolute() / file_name(str(name))


def of_snapshots(plan: Plan, name: str) -> Iterator[Destination]:
    """Yield the files of a plan's snapshots on a dataset, after what messages call them."""
    for output, spec in plan.outputs:
        if isinstance(spec, Snapshot):
            for path in spec.paths:
                yield f"snapshot {output!r} of {name!r}", Path(path).expanduser()


def of_result(folder: Path, name: str) -> Iterator[Destination]:
    """Yield the other files of a result."""
    for file in (RESULT, HISTOGRAMS, UNFINISHED):
        yield f"the result of {name!r}", folder / file


def refuse_conflicts(written: Sequence[Destination], inputs: Iterable[str]) -> None:
    """Raise AnalysisError where an output is an input or another output too, or is no file."""
    in_danger = any(
        path.exists() for _, path in written
    )  # otherwise file servers need not be asked
    read = {file_key(file): file for file in inputs} if in_danger else {}
    first: dict[Hashable, str] = {}
    for what, path in written:
        other = what_else(path)
        if other is not None:
            raise AnalysisError(f"{what} would be written to {path}, which is {other}.")
        key = file_key(os.fspath(path))
        if key in read:
            raise AnalysisError(
                f"{what} would be written to {path}, over {read[key]}, from which it is made: give "
                "another path= or another folder."
            )
        if key in first:
            raise AnalysisError(
                f"{first[key]} and {what} would be written to the same file, {path}, one over the "
                "other: give each a name and a path of its own. Without path=, and with output= "
                "for run(), each dataset has its own folder."
            )
        first[key] = what
