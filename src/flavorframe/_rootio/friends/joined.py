"""An open tree with its friends, whose branches are called ``friend.branch``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import lru_cache
from typing import Protocol, cast

from flavorframe._rootio.arrays import Array, Column, Nested
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import BranchInfo, Schema


class FriendFile(Protocol):
    """What a friend has for each event of the tree; branches by the friend's own names."""

    branches: tuple[BranchInfo, ...]

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> Column:
        """Return one column at the events start + ``rows`` of the tree."""

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask a server at once for what the block will read of some branches."""


class WithFriends:
    """An open tree with its friends, with what `RootFile` offers."""

    def __init__(self, file: EventFile, friends: Mapping[str, FriendFile]) -> None:
        """``friends`` are by name."""
        self._file, self.friends = file, friends
        self.path, self.tree, self.version = file.path, file.tree, file.version
        self.events, self.shorter = file.events, file.shorter
        self.schema = _joined(file.schema, tuple((k, f.branches) for k, f in friends.items()))

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> Column:
        """Return one column at the events start + ``rows``, as `RootFile.read` does."""
        friend, own = self._split(branch)
        if friend is None:
            return self._file.read(branch, start, stop, rows, stats)
        return friend.read(own, start, stop, rows, stats)

    def read_nested(
        self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats
    ) -> Nested:
        """Return one column of lists of lists of the tree itself; friends have none."""
        return self._file.read_nested(branch, start, stop, rows, stats)

    def common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches of the tree itself begin a basket."""
        return self._file.common_edges(self._of_the_tree(branches))

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask servers at once for what the block will read of some branches."""
        stack: ExitStack[bool | None] = ExitStack()
        stack.enter_context(self._file.ahead(self._of_the_tree(branches), start, stop))
        for name, friend in self.friends.items():
            own = [b.partition(".")[2] for b in branches if b.startswith(f"{name}.")]
            if own:
                stack.enter_context(friend.ahead(own, start, stop))
        return cast("AbstractContextManager[None]", stack)  # that it yields itself is of no use

    def _of_the_tree(self, branches: Sequence[str]) -> tuple[str, ...]:
        return tuple(branch for branch in branches if self._split(branch)[0] is None)

    def _split(self, branch: str) -> tuple[FriendFile | None, str]:
        name, _, own = branch.partition(".")
        return (self.friends[name], own) if name in self.friends else (None, branch)


@lru_cache(maxsize=32)
def _joined(schema: Schema, friends: tuple[tuple[str, tuple[BranchInfo, ...]], ...]) -> Schema:
    more = (
        replace(_readable(branch), name=f"{name}.{branch.name}", counter=None, path="", own="")
        for name, branches in friends
        for branch in branches
    )
    return Schema(schema.tree, (*schema.branches, *more))


def _readable(branch: BranchInfo) -> BranchInfo:
    if branch.shape != "nested":
        return branch
    return replace(
        branch, kind="other", shape="other", why="a friend's lists in lists are not read"
    )
