"""Which elements of two collections are one object: by an index, or because values are equal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flavorframe._rootio.schema import fold
from flavorframe.layouts.declared import SHORT_NAMES, Link
from flavorframe.layouts.drafting.groups import Group
from flavorframe.layouts.drafting.look import Look
from flavorframe.layouts.naming import snake

INDEX = re.compile(r"(?P<target>.+?)_?(?:idx|index)_?(?P<which>\w*)$")
ALWAYS, OFTEN = 0.95, 0.5
"""The share of values that must be found for a link, and for a hint that there may be one."""
ENOUGH_VALUES = 20


@dataclass(frozen=True)
class FoundLink:
    """A link, and the share of elements, or of values, that have a partner.

    Attributes:
        link: The link.
        share: The share that has a partner, from 0 to 1.
        of: How many there are.
    """

    link: Link
    share: float
    of: int

    @property
    def is_sure(self) -> bool:
        """Whether the link is to be declared, not only told: an index may lead nowhere."""
        return bool(self.link.index) or self.share >= ALWAYS


Links = Mapping[str, Mapping[str, FoundLink]]
"""Links by the collection that they start from, and by name."""


def find_links(look: Look, groups: Sequence[Group]) -> Links:
    """Return the links that indices and equal values tell."""
    return {
        group.name: dict((*_by_values(look, group, groups), *_by_index(look, group, groups)))
        for group in groups
    }


def _by_index(look: Look, group: Group, groups: Sequence[Group]) -> Iterator[tuple[str, FoundLink]]:
    for name, branch in group.fields.items():
        found = INDEX.match(name.replace(".", "_"))
        if not found or look.schema.by_name[branch].kind != "int":
            continue
        target = _called(found["target"], groups)
        if target is not None and _can_index(look, branch, target):
            index, link = look.values(branch), Link(target.name, index=branch)
            share = float((index >= 0).mean()) if len(index) else 0.0
            which = found["which"]
            called = found["target"] + (which if which.isdigit() else f"_{which}")
            yield snake(called), FoundLink(link, share, len(index))


def _called(name: str, groups: Sequence[Group]) -> Group | None:
    """Return the collection of that name, or of what is short for it: ``mu1`` for muon."""
    stem = name.rstrip("0123456789_")
    wanted = [fold(each) for each in (name, stem, SHORT_NAMES.get(stem, stem))]
    return next((group for each in wanted for group in groups if fold(group.name) == each), None)


def _can_index(look: Look, branch: str, target: Group) -> bool:
    """Return whether no index is beyond the end of the target's list."""
    lengths = look.sizes(next(iter(target.fields.values())))
    return bool((look.values(branch) < np.repeat(lengths, look.sizes(branch))).all())


def _by_values(
    look: Look, group: Group, groups: Sequence[Group]
) -> Iterator[tuple[str, FoundLink]]:
    """Yield the best link of each object that is stored with an element, by its pt."""
    for name, branch in group.fields.items():
        member, _, field = name.rpartition(".")
        if not member or field not in ("pt", "p", "energy"):
            continue
        targets = [other for other in groups if other is not group and field in other.fields]
        found = [(_share(look, branch, other.fields[field]), other) for other in targets]
        (share, count), target = max(found, key=lambda each: each[0], default=((0.0, 0), group))
        if share >= OFTEN and count >= ENOUGH_VALUES:
            yield member, FoundLink(Link(target.name, equal=((field, name),)), share, count)


def _share(look: Look, ours: str, theirs: str) -> tuple[float, int]:
    """Return the share of values that are in the other list of their event, and their number."""
    if {look.schema.by_name[branch].kind for branch in (ours, theirs)} != {"float"}:
        return 0.0, 0
    wanted, known = ({*_by_event(look, branch)} for branch in (ours, theirs))
    return (len(wanted & known) / len(wanted) if wanted else 0.0), len(wanted)


def _by_event(look: Look, branch: str) -> Iterator[tuple[int, float]]:
    """Yield the event and the value of each element, in single precision as files may have it."""
    events = np.repeat(np.arange(look.events), look.sizes(branch))
    values = look.values(branch).astype(np.float32)
    yield from zip(events.tolist(), values.tolist(), strict=True)
