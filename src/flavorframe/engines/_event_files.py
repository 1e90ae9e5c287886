"""Open files as engines read them: events, also where a row is a candidate, and with friends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from threading import Lock

from flavorframe._files.versions import require, version_of
from flavorframe._planning.friends import PlannedFriend
from flavorframe._planning.plan import Plan
from flavorframe._rootio.candidate_rows.events import EventsOfRows
from flavorframe._rootio.candidate_rows.grouping import groups_of
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.friends.entries import FriendByEntry
from flavorframe._rootio.friends.joined import FriendFile, WithFriends
from flavorframe._rootio.friends.keyed import FriendByKey
from flavorframe._rootio.friends.table import FriendTable
from flavorframe._rootio.open_files import open_file
from flavorframe._rootio.root_file import RootFile
from flavorframe._rootio.schema import Schema
from flavorframe.datasets import Partition
from flavorframe.engines.partial import Counts, count_of
from flavorframe.errors import BranchError, FileError, did_you_mean
from flavorframe.layouts import Layout, recognise

_lock = Lock()
JOINED = "friends are joined"


def as_events(
    file: RootFile, asked: Layout | None, friends: Sequence[PlannedFriend] = ()
) -> tuple[EventFile, Layout]:
    """Return the events of an open file, and its layout.

    Args:
        file: The open file.
        asked: The layout that the user says it has, if any.
        friends: What lies beside it.

    Returns:
        What has one entry an event, with the branches of friends, and the layout.

    Raises:
        BranchError: The file is not of the layout that was asked for, or has not what friends are
            joined by.
        FileError: The rows of one event do not follow each other, or friends do not fit.
    """
    layout = recognise(file.schema, asked)
    by_entry = {f.name: _by_entry(f, file) for f in friends if not f.friend.on}
    events = _with(file, by_entry)
    if layout.rows is not None:
        groups = groups_of(file, layout.rows.key)
        events = EventsOfRows(events, groups, layout.rows.of_event)
    by_key = {f.name: _by_key(f, events, layout) for f in friends if f.friend.on}
    return _with(events, by_key), layout


def friend_counts(file: EventFile, start: int, stop: int) -> dict[str, Counts]:
    """Return how the events of a range found entries in each friend by key."""
    friends = file.friends if isinstance(file, WithFriends) else {}
    return {
        name: count_of(friend.matches(start, stop))
        for name, friend in friends.items()
        if isinstance(friend, FriendByKey)
    }


def friend_counts_of(plan: Plan, part: Partition) -> dict[str, Counts]:
    """Return the same of a partition, whose file is opened for it."""
    file = open_file(part.file, part.tree, part.version)
    opened, _ = as_events(file, plan.layout, plan.friends)
    return friend_counts(opened, part.start, part.stop)


def _with(file: EventFile, friends: Mapping[str, FriendFile]) -> EventFile:
    return WithFriends(file, friends) if friends else file


def _by_entry(planned: PlannedFriend, file: RootFile) -> FriendByEntry:
    number = planned.of[file.path]
    return FriendByEntry(planned.name, _open(planned, number), file)


def _open(planned: PlannedFriend, number: int) -> RootFile:
    return open_file(planned.friend.files[number], planned.friend.tree, planned.versions[number])


def _by_key(planned: PlannedFriend, file: EventFile, layout: Layout) -> FriendByKey:
    key = tuple(
        event_branch(name, file.schema, layout, file.path, JOINED) for name in planned.friend.on
    )
    with _lock:
        table = _table(planned)
    return FriendByKey(table, file, key)


@lru_cache(maxsize=4)
def _table(planned: PlannedFriend) -> FriendTable:
    files = [partial(_open, planned, number) for number in range(len(planned.friend.files))]
    first = files[0]()
    schema, where = first.schema, first.path
    layout = recognise(schema)
    key = tuple(event_branch(name, schema, layout, where, JOINED) for name in planned.friend.on)
    table = FriendTable(planned.name, files, key, many=planned.friend.many)
    for file, version in zip(planned.friend.files, planned.versions, strict=True):
        if version is not None:
            require(file, version, version_of(file))
    return table


def event_branch(name: str, schema: Schema, layout: Layout, where: str, use: str) -> str:
    """Return the branch of a name of the event, or the branch itself that is so called.

    Raises BranchError where there is none, and FileError for one that has lists; ``use`` is what it
    is taken for.
    """
    branch = name
    if name not in schema.by_name:
        branch = layout.branch_for(schema, None, tuple(name.split(".")))
    if not branch:
        raise BranchError(
            f"{where}: there is no {name!r} in tree {schema.tree}, by which {use}."
            f"{did_you_mean(name, schema.by_name)}"
        )
    if schema.by_name[branch].shape != "scalar":
        raise FileError(
            f"{where}: branch {branch} does not have one value an event, by which {use}."
        )
    return branch
