"""A friend entry by entry: entry i of its tree belongs to entry i of the tree."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from flavorframe._rootio.arrays import Array, Column
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile, require_whole
from flavorframe._rootio.schema import BranchInfo
from flavorframe.errors import FileError


class FriendByEntry:
    """A friend of a tree that has as many entries."""

    def __init__(self, name: str, friend: RootFile, file: EventFile) -> None:
        """Take an open file; raises FileError where the numbers of entries differ."""
        if friend.events != file.events:
            raise FileError(
                f"{friend.path}: friend {name!r} has {friend.events} entries, and {file.path} has "
                f"{file.events}: without on= they must be those of the same events, in order."
            )
        self._friend = friend
        self.branches: tuple[BranchInfo, ...] = friend.schema.branches

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> Column:
        """Return one column at the events start + ``rows``."""
        friend = self._friend
        require_whole(friend.path, friend.schema, friend.events, friend.shorter, [branch])
        return friend.read(branch, start, stop, rows, stats)

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask a server at once for what the block will read of some branches."""
        return self._friend.ahead(branches, start, stop)
