"""Links by value between collections: how many candidates found their element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """How the candidates of a selection fared that are linked to another collection by value.

    Attributes:
        asked: Candidates that were looked up.
        unmatched: Those of them that found no element.
        ambiguous: Those of them that found more than one, of which the first was taken.
    """

    asked: int
    unmatched: int
    ambiguous: int

    def __add__(self, other: Link) -> Link:
        return Link(
            self.asked + other.asked,
            self.unmatched + other.unmatched,
            self.ambiguous + other.ambiguous,
        )


def added_links(a: Mapping[str, Link], b: Mapping[str, Link]) -> dict[str, Link]:
    """Return the links of two results together.

    >>> added_links({"mu1": Link(10, 1, 0)}, {"mu1": Link(5, 0, 2)})
    {'mu1': Link(asked=15, unmatched=1, ambiguous=2)}
    """
    return {**a, **{name: a[name] + link if name in a else link for name, link in b.items()}}
