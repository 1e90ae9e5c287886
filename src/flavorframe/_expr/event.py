"""The event, as far as the language knows it: names, and branches by their names in the file.

Which names have one value an event is known to a subclass, `flavorframe.layouts.events.Events`.
"""

from __future__ import annotations

from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.collection import Collection
from flavorframe._expr.expression import Expr
from flavorframe.errors import ExpressionError


class Event:
    """The names of what an event holds: values of the event, and collections.

    Whether a name is the one or the other must be known where expressions are built, for axes are
    checked there. A subclass names the values; every other name is a collection.
    """

    _names_of_values: frozenset[str] = frozenset()

    def __getattr__(self, name: str) -> Any:
        """Return the event's value or the collection of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._names_of_values:
            return Expr(n.Field(n.EVENT, (name,)))
        return Collection(n.Field(n.CollectionAxis(name), ()))

    def __getitem__(self, branch: str) -> Expr:
        """Return a branch by its name in the file.

        Args:
            branch: The name, or the path where several branches have the same name.

        Returns:
            An expression; whether it has one value an event is known once a file is open.

        Raises:
            ExpressionError: ``branch`` is no name.
        """
        if not isinstance(branch, str):
            raise ExpressionError(f"events[...] takes the name of a branch, not {branch!r}.")
        return branch_of(branch)


class Menu:
    """The trigger paths of one level."""

    def __init__(self, menu: str) -> None:
        self._menu = menu

    def fired(self, *patterns: str) -> Expr:
        """Return whether any path fired whose whole name fits one of some shell patterns.

        Args:
            patterns: Names of paths, in which ``*`` stands for any characters, ``?`` for any one,
                and ``[ab]`` for one of those in brackets.

        Returns:
            A condition with one truth value per event.

        Raises:
            ExpressionError: No pattern is given, or one that is no name.

        Example:
            >>> import flavorframe as ff
            >>> ff.events().hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*")
            <HLT_DoubleMu3_Trk_Tau3mu_v* fired, one value per event>
        """
        if not patterns or not all(isinstance(p, str) and p for p in patterns):
            raise ExpressionError(f"fired() takes one or more path names, not {patterns!r}.")
        return Expr(n.Fired(self._menu, patterns))

    def __repr__(self) -> str:
        return f"<trigger menu {self._menu}>"


def branch_of(name: str) -> Expr:
    """Return the expression of a branch, whose axis is known once a file is open."""
    return Expr(n.Branch(name, n.UNRESOLVED))
