"""Checks each file that a run opens: it must not have changed, and its names mean the same."""

from __future__ import annotations

from dataclasses import replace

from flavorframe._files.versions import CHANGED
from flavorframe._run.core.attempts import Failed
from flavorframe._run.core.partitions import known_files
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset
from flavorframe.engines import FileInfo
from flavorframe.errors import BranchError, FileChangedError
from flavorframe.result import Failure


class OpenedFiles:
    """The files of a run that were opened, and those of the earlier run that it completes."""

    def __init__(self, dataset: Dataset, earlier: Outcome | None) -> None:
        self._dataset = dataset
        self._infos = {} if earlier is None else {info.file: info for info in earlier.files}
        self._read = known_files(earlier)
        self._first = next((info for info in self._infos.values() if info.meanings), None)

    def checked(self, found: FileInfo | Failed) -> FileInfo | Failed:
        """Return the opened file, or a failure if it does not fit the others."""
        if not isinstance(found, Failed):
            found = unchanged(found, self._read.get(found.file))
        if not isinstance(found, Failed):
            found = meaning_alike(found, self._first)
        return found

    def add(self, info: FileInfo) -> None:
        """Note a file that was checked; the first one decides what the names of the plan mean."""
        self._first = self._first or info
        meanings = info.meanings if info.file == self._first.file else ()
        self._infos[info.file] = replace(info, edges=(), meanings=meanings)

    @property
    def in_order(self) -> list[FileInfo]:
        """The files that were opened, in the order of the dataset."""
        return [self._infos[name] for name in self._dataset.files if name in self._infos]


def unchanged(found: FileInfo, known: FileInfo | None) -> FileInfo | Failed:
    """Return the file, or a failure if it has changed since it was opened before."""
    if known is None or (known.events == found.events and _may_be_same(found, known)):
        return found
    failure = Failure(found.file, found.tree, None, None, CHANGED, "FileChangedError")
    return Failed(failure, FileChangedError(f"{found.file}: {CHANGED}"))


def _may_be_same(found: FileInfo, known: FileInfo) -> bool:
    if found.version is None or known.version is None:
        return True
    if found.place != known.place:  # what servers tell beside the size is their own
        return len({found.version.size, known.version.size} - {None}) < 2
    return known.version.is_same(found.version)


def meaning_alike(found: FileInfo, first: FileInfo | None) -> FileInfo | Failed:
    """Return the file, or a failure if a name of the plan has another meaning in the first file."""
    known = {} if first is None else dict(first.meanings)
    differing = [(name, m) for name, m in found.meanings if known.get(name, m) != m]
    if first is None or not differing:
        return found
    name, meaning = differing[0]
    reason = (
        f"{name} is {meaning} here, and {known[name]} in {first.file}: what means different things "
        "is not added up. Put such files into datasets of their own."
    )
    failure = Failure(found.file, found.tree, None, None, reason, "BranchError")
    return Failed(failure, BranchError(f"{found.file}: {reason}"))
