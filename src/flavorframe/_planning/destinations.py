"""What a run would write, and what it must not write over: its inputs, and its own other files."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path

from flavorframe._files.places import identity
from flavorframe._files.writing import file_name, what_else
from flavorframe._planning.plan import Plan
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Snapshot

RESULT, HISTOGRAMS, UNFINISHED = "result.json", "histograms.root", "unfinished.pickle"
"""The files of a result's folder, beside its snapshots; the last is what going on with it takes."""

Destination = tuple[str, Path]


def result_folder(output: str | os.PathLike[str], name: str) -> Path:
    """Return the folder of the result of that name, in the one of all, wherever one is later."""
    return Path(output).expanduser().absolute() / file_name(str(name))


def of_snapshots(plan: Plan, name: str) -> Iterator[Destination]:
    """Yield what the snapshots of a plan are called, on a dataset of that name, and their files."""
    for output, spec in plan.outputs:
        if isinstance(spec, Snapshot):
            for path in spec.paths:
                yield f"snapshot {output!r} of {name!r}", Path(path).expanduser()


def of_result(folder: Path, name: str) -> Iterator[Destination]:
    """Yield the other files of a result."""
    for file in (RESULT, HISTOGRAMS, UNFINISHED):
        yield f"the result of {name!r}", folder / file


def refuse_conflicts(written: Sequence[Destination], inputs: Iterable[str]) -> None:
    """Raise AnalysisError where two files would be one, or an input or no file written over."""
    in_danger = any(path.exists() for _, path in written)  # else no server of files is asked
    read = {identity(file): file for file in inputs} if in_danger else {}
    first: dict[Hashable, str] = {}
    for what, path in written:
        other = what_else(path)
        if other is not None:
            raise AnalysisError(f"{what} would be written to {path}, which is {other}.")
        key = identity(os.fspath(path))
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
