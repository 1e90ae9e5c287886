"""Collections: lists of objects in each event, parts of them, links to them, pairs and triples."""

from __future__ import annotations

import math
from typing import overload

from flavorframe._expr import nodes as n
from flavorframe._expr.constants import is_whole
from flavorframe._expr.expression import Expr, apply, as_node
from flavorframe._expr.formula import brief
from flavorframe._expr.nesting import refuse_nested_axis
from flavorframe._expr.objects import element, members_of, on_axis, stored_axis, value_of
from flavorframe._expr.strings import refuse_string
from flavorframe.errors import ExpressionError


class Collection(Expr):
    """A list of objects in each event; its fields are expressions with one value per object.

    Example:
        >>> import flavorframe as ff
        >>> muon = ff.events().muon
        >>> muon[muon.pt > 5].eta
        <muon[muon.pt > 5].eta, one value per muon[muon.pt > 5]>
    """

    __slots__ = ()

    @overload
    def __getitem__(self, key: str) -> Expr: ...
    @overload
    def __getitem__(self, key: Expr) -> Collection: ...
    def __getitem__(self, key: str | Expr) -> Expr:
        """Return a branch of this collection, or the part of it where a condition holds.

        Args:
            key: The name of a branch in the file, or a condition with one value per element.

        Returns:
            The branch with one value per element, or the part as a collection of its own.

        Raises:
            ExpressionError: The condition has values for something else, or strings.
        """
        if isinstance(key, str):
            return Expr(on_axis(n.Branch(key, _stored(self.axis)), self.axis))
        return Collection(element(n.Subset(self.axis, self._mask(key))))

    def _mask(self, mask: Expr) -> n.Node:
        if not isinstance(mask, Expr) or mask.axis not in (self.axis, n.UNRESOLVED):
            text = brief(mask.node) if isinstance(mask, Expr) else repr(mask)
            raise ExpressionError(
                f"{brief(self.node)}[{text}]: a sub-collection takes a condition with one value "
                f"per {brief(self.axis)}, or the name of a branch."
            )
        node = value_of(mask.node)
        refuse_string(node, f"{self.formula}[...]", "conditions")
        return node

    def at(self, index: Expr | int) -> Expr:
        """Return the link to the element at an index.

        Args:
            index: Where the element is in its event, counted from 0. A whole number below 0 counts
                from the end, −1 being the last. An expression that gives an index outside the
                collection, such as −1, points to nothing.

        Returns:
            The linked object, with one value of each field for each index. Where it points to
            nothing, values are missing and conditions on them false.

        Raises:
            ExpressionError: ``index`` is neither an expression nor a whole number.

        Example:
            >>> import flavorframe as ff
            >>> events = ff.events()
            >>> events.muon.at(events.triplet.mu1_idx).pt
            <muon.at(triplet.mu1_idx).pt, one value per triplet>
            >>> events.muon.at(-1).pt
            <muon.at(−1).pt, one value per event>
        """
        if not isinstance(index, Expr) and not is_whole(index):
            raise ExpressionError(f".at() takes an expression or a whole number, not {index!r}.")
        if not isinstance(index, Expr) and index < 0:
            return Expr(n.Gather(self.node, self.axis, n.FromEnd(self.axis, -int(index))))
        return Expr(n.Gather(self.node, self.axis, as_node(index)))

    def sorted(self, by: Expr, *, descending: bool = False) -> Collection:
        """Return the collection in the order of a value.

        Elements of equal value stay in the order of the file, and those whose value is NaN or
        missing come last.

        Args:
            by: The value, one per element.
            descending: Whether the largest comes first.

        Returns:
            A collection of its own, whose indices count in the new order.

        Raises:
            ExpressionError: The value is of something else, or a string.

        Example:
            >>> import flavorframe as ff
            >>> jet = ff.events().jet
            >>> jet.sorted(jet.pt, descending=True).at(1).pt
            <jet.sorted(jet.pt, descending).at(1).pt, one value per event>
        """
        return Collection(element(self._order(by, "sorted", descending=descending)))

    def rank(self, by: Expr, *, descending: bool = False) -> Expr:
        """Return the place of each element in the order of a value; see `sorted`.

        Args:
            by: The value, one per element.
            descending: Whether the largest is number 0.

        Returns:
            A whole number from 0 for each element.

        Raises:
            ExpressionError: The value is of something else, or a string.

        Example:
            >>> import flavorframe as ff
            >>> jet = ff.events().jet
            >>> jet.rank(jet.pt, descending=True) < 2
            <rank(jet.pt, descending) < 2, one value per jet>
        """
        return Expr(n.Rank(self._order(by, "rank", descending=descending)))

    def _order(self, by: Expr, method: str, *, descending: bool) -> n.Sorted:
        if not isinstance(by, Expr) or by.axis not in (self.axis, n.UNRESOLVED):
            text = brief(by.node) if isinstance(by, Expr) else repr(by)
            raise ExpressionError(
                f"{brief(self.node)}.{method}({text}): an order takes an expression with one value "
                f"per {brief(self.axis)}."
            )
        node = value_of(by.node)
        refuse_string(node, f"{self.formula}.{method}(...)", "sorted by")
        return n.Sorted(self.axis, node, bool(descending))

    def first(self, number: int | None = None) -> Collection:
        """Return the part of the collection with its first elements, or all where it has fewer.

        Args:
            number: How many.

        Returns:
            The part, as a collection of its own.

        Raises:
            ExpressionError: ``number`` is no whole number from 0.

        Example:
            >>> import flavorframe as ff
            >>> jet = ff.events().jet
            >>> jet.sorted(jet.pt, descending=True).first(4).mass.sum()
            <sum(jet.sorted(jet.pt, descending).first(4).mass), one value per event>
        """
        if number is None or not is_whole(number) or number < 0:
            given = "" if number is None else repr(number)
            raise ExpressionError(
                f"{brief(self.node)}.first({given}): write how many elements the part has, such "
                f"as .first(4). The first element itself is {brief(self.node)}.at(0)."
            )
        mask = (self.index < int(number)).node
        return Collection(element(n.First(self.axis, mask, int(number))))

    def match(self, **values: Expr) -> Expr:
        """Return the link to the first element whose fields equal the given values bit for bit.

        Args:
            values: The value that each named field must have, all on one axis.

        Returns:
            The linked object; its ``found`` says whether there is one.

        Raises:
            ExpressionError: No field is given, or the values are of two collections.

        Example:
            >>> import flavorframe as ff
            >>> events = ff.events()
            >>> events.muon.match(pt=events.triplet.mu1.pt).is_global
            <muon.match(pt = triplet.mu1.pt).is_global, one value per triplet>
        """
        if not values:
            raise ExpressionError(".match() takes at least one field: muon.match(pt=...).")
        keys = tuple(getattr(self, name).node for name in values)
        match = n.Match(self.axis, keys, tuple(as_node(v) for v in values.values()))
        return Expr(n.Gather(self.node, self.axis, match))

    def per(self, outer: Collection) -> Collection:
        """Return, for each element of another collection, all elements of this one in its event.

        Values of the outer elements go with each element of their lists. Reductions give one value
        for each outer element, on which it can be cut.

        Args:
            outer: The collection whose elements get a list each: any, also a part of one, pairs,
                or this one itself.

        Returns:
            A collection on a *nested axis*; its ``index`` is that in this collection.

        Raises:
            ExpressionError: ``outer`` is no collection, or one of the two is nested already.

        Example:
            >>> import flavorframe as ff
            >>> events = ff.events()
            >>> t, near = events.triplet, events.muon.per(events.triplet)
            >>> near[ff.delta_r(near, t) < 0.4].pt.sum()
            <sum(muon.per(triplet)[ΔR(muon.per(triplet), triplet) < 0.4].pt), one value per triplet>
        """
        require_collection(outer, f"{self.formula}.per")
        for axis in (self.axis, outer.axis):
            refuse_nested_axis(axis, f"{self.formula}.per({outer.formula})")
        return Collection(element(n.Per(outer.axis, self.axis)))

    def nested(self, name: str) -> Collection:
        """Return the list that the file has for each element: lists in lists.

        A field of it is what the file calls by the names of the collection, the list and the field:
        ``t.nested("daughter").pt`` is ``triplet_daughter_pt``. Any branch of lists in lists is
        reached by its name. All that is asked of one of these collections must be lists of the same
        lengths.

        Args:
            name: What the elements of the lists are called.

        Returns:
            A collection on a *nested axis*: reductions give one value for each outer element.

        Raises:
            ExpressionError: ``name`` is no name, or this is not a stored collection but made of
                one.

        Example:
            >>> import flavorframe as ff
            >>> daughter = ff.events().triplet.nested("daughter")
            >>> daughter[daughter.pt > 2].charge.sum()
            <sum(triplet.daughter[triplet.daughter.pt > 2].charge), one value per triplet>
            >>> daughter["triplet_daughter_chi2"].max()
            <max(triplet_daughter_chi2), one value per triplet>
        """
        if not isinstance(name, str) or not name:
            raise ExpressionError(f"{self.formula}.nested() takes a name, not {name!r}.")
        if not isinstance(self.axis, n.CollectionAxis):
            raise ExpressionError(
                f"{self.formula}.nested({name!r}): only a collection of the file has lists in it: "
                "ask it of that, and cut on or select elements afterwards."
            )
        return Collection(element(n.StoredLists(self.axis, name)))

    def nearest(self, other: Collection, *, max: float | None = None) -> Expr:
        """Return the link from each element to the element of another collection next to it in ΔR.

        Args:
            other: The collection that is searched, with ``eta`` and ``phi`` [rad]. In the same
                collection, each element finds itself.
            max: The largest ΔR at which there is a neighbour; without it there always is one, if
                the event has any.

        Returns:
            The linked object, as of `at`: missing where there is none, the first of equal ones.

        Raises:
            ExpressionError: ``other`` is no collection, or one of the two is nested.

        Example:
            >>> import flavorframe as ff
            >>> events = ff.events()
            >>> events.triplet.nearest(events.muon).pt
            <muon.at(argmin(ΔR(muon.per(triplet), triplet))).pt, one value per triplet>
        """
        require_collection(other, f"{self.formula}.nearest")
        near = other.per(self)
        distance = apply("delta_r", near.eta, near.phi, self.eta, self.phi)
        if max is not None:
            distance = apply("where", distance <= max, distance, math.nan)
        return other.at(distance.argmin())

    @property
    def index(self) -> Expr:
        """The index of each element, counted from 0 in each event."""
        return Expr(n.Position(self.axis))

    @property
    def members(self) -> tuple[Expr, ...]:
        """The members of pairs or triples: ``a, b = ff.pairs(muon).members``.

        The ``index`` of a member is where it is in its collection. Pairs of muons and pairs of
        electrons that are put together have members with the fields that both have.
        """
        found = members_of(stored_axis(self.axis))
        if not found:
            raise ExpressionError(
                f"{brief(self.node)} has no members: it is not made by ff.pairs()."
            )
        return tuple(Expr(on_axis(member, self.axis)) for member in found)


def require_collection(value: object, where: str) -> None:
    """Raise ExpressionError where a collection is wanted, and this is something else."""
    if isinstance(value, Collection):
        return
    shown = brief(value.node) if isinstance(value, Expr) else repr(value)
    raise ExpressionError(
        f"{where}({shown}) takes a collection such as events.muon. What an event has of a "
        "collection once is the collection itself."
    )


def _stored(axis: n.Axis) -> n.Axis:
    stored = stored_axis(axis)
    if isinstance(stored, n.Combination):
        raise ExpressionError(f"{stored.name} has no branches of its own; ask one of .members.")
    if isinstance(stored, n.Concatenation):
        raise ExpressionError(
            f"{stored.name} has no branches of its own: ask for the fields that its collections "
            "have in common, such as leptons.pt."
        )
    return stored
