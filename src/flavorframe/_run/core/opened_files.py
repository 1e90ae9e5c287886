"""Checks each file that a run opens: it must not have changed, and its names mean the same."""

from __future__ import annotations

from dataclasses import replace

from flavorframe._files.versions import CHANGED
from flavorframe._run.core.attempts import Failed
from flavorframe._run.core.partitions import known_files
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset, LeftOut
from flavorframe.engines import FileInfo
from flavorframe.engines.protocol import Skimmed
from flavorframe.errors import BranchError, FileChangedError
from flavorframe.result import Failure


class OpenedFiles:
    """The files of a run that were opened, and those of the earlier run that it completes."""

    def __init__(self, dataset: Dataset, earlier: Outcome | None) -> None:
        self._dataset = dataset
        self._infos = {} if earlier is None else {info.file: info for info in earlier.files}
        self._read = known_files(earlier)
        self._left_out = {each.file: each for each in dataset.left_out}
        self._first = next((info for info in self._infos.values() if info.meanings), None)

    def checked(self, found: FileInfo | Failed) -> FileInfo | Failed:
        """Return the opened file, or a failure if it does not fit the others."""
        if not isinstance(found, Failed):
            found = unchanged(found, self._read.get(found.file))
        if not isinstance(found, Failed):
            found = _as_copies_were_found(found, self._left_out.get(found.file))
        if not isinstance(found, Failed):
            found = alike(found, self._first)
        return found

    def add(self, info: FileInfo) -> None:
        """Note a file that was checked; the first one decides what the names of the plan mean."""
        self._first = self._first or info
        known = replace(info, edges=())
        if info.file != self._first.file:
            known = replace(known, meanings=(), skims=tuple(map(_without_branches, info.skims)))
        self._infos[info.file] = known

    @property
    def in_order(self) -> list[FileInfo]:
        """The files that were opened, in the order of the dataset."""
        return [self._infos[name] for name in self._dataset.files if name in self._infos]


def unchanged(found: FileInfo, known: FileInfo | None) -> FileInfo | Failed:
    """Return the file, or a failure if it has changed since it was opened before."""
    if known is None or (known.events == found.events and _may_be_same(found, known)):
        return found
    return _changed(found, CHANGED)


def _as_copies_were_found(found: FileInfo, known: LeftOut | None) -> FileInfo | Failed:
    """Return the file, or a failure if it has changed since copies of events were found in it."""
    if known is None or _may_be_same(found, known):
        return found
    return _changed(
        found,
        "the file has changed since copies of events were found in it: run ff.duplicates() anew, "
        "and give data.without() what it finds.",
    )


def _changed(found: FileInfo, reason: str) -> Failed:
    failure = Failure(found.file, found.tree, None, None, reason, "FileChangedError")
    return Failed(failure, FileChangedError(f"{found.file}: {reason}"))


def _may_be_same(found: FileInfo, known: FileInfo | LeftOut) -> bool:
    if found.version is None or known.version is None:
        return True
    if found.place != known.place:  # what servers tell beside the size is their own
        return len({found.version.size, known.version.size} - {None}) < 2
    return known.version.is_same(found.version)


def alike(found: FileInfo, first: FileInfo | None) -> FileInfo | Failed:
    """Return the file, or a failure if names mean, or skims keep, something else in the first."""
    found_alike = meaning_alike(found, first)
    if isinstance(found_alike, Failed) or first is None:
        return found_alike
    return _skimmed_alike(found, first)


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
    return _unlike(found, reason)


def _skimmed_alike(found: FileInfo, first: FileInfo) -> FileInfo | Failed:
    """Return the file, or a failure if a skim copies other branches of it than of the first.

    What one file has and another has not can have no value in the skim's one tree.
    """
    for here, there in zip(found.skims, first.skims, strict=True):
        own, known = _copied(here), _copied(there)
        for branch in sorted(own ^ known):
            has, lacks = ("it", first.file) if branch in own else (first.file, "it")
            return _unlike(
                found,
                f"skim {here.name!r} would copy {branch}, which {has} has and {lacks} has not: "
                "leave it out by drop= or trees=, or give it a value where it is lacking, by a new "
                "branch of its name made with .default().",
            )
    return found


def _without_branches(skimmed: Skimmed) -> Skimmed:
    return replace(skimmed, kept=())  # thousands, the same in all files


def _copied(skimmed: Skimmed) -> set[str]:
    """Return what a skim copies: branches, with what counts them, and those of other trees."""
    events = {kept.branch + (f" (counted by {kept.counter})" if kept.counter else "")
              for kept in skimmed.kept}  # fmt: skip
    return events | {f"{tree}.{name}" for tree, columns in skimmed.trees for name in columns}


def _unlike(found: FileInfo, reason: str) -> Failed:
    failure = Failure(found.file, found.tree, None, None, reason, "BranchError")
    return Failed(failure, BranchError(f"{found.file}: {reason}"))
