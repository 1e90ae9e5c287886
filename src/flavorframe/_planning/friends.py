"""The friends of a dataset as engines take them: files, with their versions as a run began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flavorframe._files.versions import Version, versions_of
from flavorframe.datasets import Dataset, Friend


@dataclass(frozen=True)
class PlannedFriend:
    """A friend of the files of a run.

    Attributes:
        name: What its branches are reached under.
        friend: Its files, and how entries are found.
        versions: The version of each file when the run began.
        of: The number of the friend's file for each file of the dataset, for friends by entry.
    """

    name: str
    friend: Friend
    versions: tuple[Version | None, ...]
    of: Mapping[str, int] = field(default_factory=dict, hash=False)


def planned_friends(data: Dataset) -> tuple[PlannedFriend, ...]:
    """Return the friends of a dataset; raises FileError where a server cannot be asked for them."""
    return tuple(_planned(name, friend, data) for name, friend in data.friends)


def _planned(name: str, friend: Friend, data: Dataset) -> PlannedFriend:
    versions = versions_of(friend.files)
    of = {} if friend.on else {file: number for number, file in enumerate(data.files)}
    for first, *others in data.replicas if of else ():
        of |= dict.fromkeys(others, of[first])
    return PlannedFriend(name, friend, tuple(versions[file] for file in friend.files), of)
