"""Friends of a dataset: files that hold more about the same events."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flavorframe.datasets._files import PathLike, as_entries, below, expanded
from flavorframe.errors import DatasetError


@dataclass(frozen=True)
class Friend:
    """Files beside those of a dataset; see `flavorframe.friend`.

    Attributes:
        files: Full paths or URLs.
        tree: The tree in each file; ``None`` has it found.
        on: The names of what tells an event; without any, entries belong together by their order.
        many: Whether an event may have several entries.
    """

    files: tuple[str, ...]
    tree: str | None = None
    on: tuple[str, ...] = ()
    many: bool = False

    def head(self, n_files: int) -> Friend:
        """Return the friend of the first files of a dataset."""
        return self if self.on else replace(self, files=self.files[:n_files])


def friend(
    files: PathLike | Iterable[PathLike],
    *,
    on: str | Iterable[str] = (),
    many: bool = False,
    tree: str | None = None,
) -> Friend:
    """Return files that hold more about the events of a dataset, such as scores of a model.

    Args:
        files: One or several files, globs or folders.
        on: The names by which entries are found, such as ``("run", "luminosity_block", "event")``:
            names of the event, or branches, in both. Without it, entry i of file i belongs to entry
            i of the dataset's file i.
        many: Whether an event may have several entries; then they are a collection.
        tree: Path of the tree in each file; ``None`` has it found.

    Returns:
        The friend, for ``ff.dataset(..., friends={"scores": friend})``.

    Raises:
        DatasetError: A glob matches nothing, or ``many`` is asked for without ``on``.

    Example:
        >>> import flavorframe as ff
        >>> scores = ff.friend("scores.root", on=("run", "luminosity_block", "event"))
        >>> data = ff.dataset("ntuple.root", friends={"scores": scores})
        >>> ff.events(friends=["scores"]).scores.bdt
        <scores.bdt, one value per event>
    """
    where = "a friend"
    names = (on,) if isinstance(on, str) else tuple(on)
    if many and not names:
        raise DatasetError(f"{where}: with many=True say by what entries are found, with on=.")
    here = os.getcwd()
    named = as_entries(files, where)
    entries = [tuple(below(here, place) for place in places) for places in named]
    found, _, tree = expanded(entries, tree, where)
    return Friend(found, tree, names, many)


def checked_friends(
    friends: Mapping[str, Friend], files: tuple[str, ...], where: str
) -> tuple[tuple[str, Friend], ...]:
    """Return friends by name; raises DatasetError for a name or a number of files that is wrong."""
    for name, each in friends.items():
        if not isinstance(each, Friend):
            raise DatasetError(
                f"{where}, friend {name!r}: should be what ff.friend() returns, not {each!r}."
            )
        if not str(name).isidentifier():
            raise DatasetError(f"{where}: {name!r} is no name for a friend, such as 'scores'.")
        if not each.on and len(each.files) != len(files):
            raise DatasetError(
                f"{where}, friend {name!r}: it has {len(each.files)} files and the dataset "
                f"{len(files)}: without on= there must be one for each, in the same order."
            )
    return tuple(friends.items())


def added_friends(
    a: tuple[tuple[str, Friend], ...], b: tuple[tuple[str, Friend], ...], where: str
) -> tuple[tuple[str, Friend], ...]:
    """Return the friends of two datasets together; raises DatasetError where they do not go so."""
    ours, theirs = dict(a), dict(b)
    if ours.keys() != theirs.keys():
        raise DatasetError(f"{where}: the datasets that are added have different friends.")
    return tuple((name, _added(ours[name], theirs[name], f"{where}, {name!r}")) for name in ours)


def _added(a: Friend, b: Friend, where: str) -> Friend:
    if (a.tree, a.on, a.many) != (b.tree, b.on, b.many):
        raise DatasetError(f"{where}: the friends of the datasets that are added are not alike.")
    files = (*a.files, *b.files) if not a.on else tuple(dict.fromkeys((*a.files, *b.files)))
    return replace(a, files=files)
