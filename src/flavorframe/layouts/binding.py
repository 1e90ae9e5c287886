"""Binding: expressions in terms of a file's branches, by the rules of its layout.

Friendly names become columns, links become look-ups by index or by value, trigger menus become
tests of branches, quantities become numbers of the file's units, and operators become logic or work
on bits, for now all kinds are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flavorframe._expr import nodes as n
from flavorframe._expr.defaults import require_fitting
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.logic import decided, with_unsigned_literals
from flavorframe._expr.units import converted
from flavorframe._rootio.schema import UNREADABLE, BranchInfo, Schema
from flavorframe.errors import BranchError, ExpressionError, FlavorframeError, did_you_mean
from flavorframe.layouts.base import LackingError, collection_axis, collection_of, only
from flavorframe.layouts.checks import check_axes
from flavorframe.layouts.deciding import decided_for_sample
from flavorframe.layouts.declared import Layout
from flavorframe.layouts.momenta import derived
from flavorframe.layouts.naming import fields_in_common

SHOWN = 8
"""How many members of an object a message lists."""


def bind(node: n.Node, layout: Layout, schema: Schema) -> n.Node:
    """Return the node with friendly names replaced by the columns of a file.

    Args:
        node: A friendly tree.
        layout: The layout of the file.
        schema: The branches of the file.

    Returns:
        A bound tree, in which the kinds of all columns are known.

    Raises:
        BranchError: The file does not have a name, or it is not what the tree takes it for.
        ExpressionError: The file's collections do not combine, or kinds do not go together.
    """
    bound = _Binder(layout, schema).bind(node)
    assert isinstance(bound, n.Node)
    return bound


def bind_axis(axis: n.Axis, layout: Layout, schema: Schema) -> n.Axis:
    """Return the axis as bound trees name it, the masks in it bound."""
    bound = _Binder(layout, schema).bind(axis)
    assert isinstance(bound, n.Axis)
    return bound


class _Binder:
    """Binds the parts of trees from the inside out, each part once."""

    def __init__(self, layout: Layout, schema: Schema) -> None:
        self._layout = layout
        self._schema = schema
        self._known: dict[n.Part, n.Part] = {}
        self._lacking: dict[n.Part, str] = {}
        self._links: list[tuple[str, str]] = []  # that are being followed

    def bind(self, top: n.Part) -> n.Part:
        """Return a part bound; raises BranchError where the file lacks what it needs."""
        try:
            return self._bound(top)
        except LackingError as error:
            raise BranchError(str(error)) from None

    def _bound(self, top: n.Part) -> n.Part:
        """Return a part bound; what the file lacks is an error only if no default stands in."""
        for part in n.parts(top):
            if part not in self._known and part not in self._lacking:
                try:
                    self._known[part] = self._bind(part)
                except LackingError as error:
                    self._lacking[part] = str(error)
        return self._of(top)

    def _of(self, part: n.Part) -> n.Part:
        """Return what a part was bound to."""
        if part in self._lacking:
            raise LackingError(self._lacking[part])
        return self._known[part]

    def _bind(self, part: n.Part) -> n.Part:
        """Bind a part; what is inside is bound already."""
        if isinstance(part, n.Field):
            return self._field(part)
        if isinstance(part, n.Branch):
            return self._branch(part)
        if isinstance(part, n.Quantity | n.SampleValue):
            return self._constant(part)
        if isinstance(part, n.Fired):
            return self.bind(self._layout.fired(self._schema, part.menu, part.patterns))
        if isinstance(part, n.CollectionAxis):
            return collection_axis(part.collection)
        if isinstance(part, n.Default):
            return self._default(part)
        if isinstance(part, n.Named):
            return self._of(part.operand)
        if isinstance(part, n.Chain):
            return self._chain(part)
        return self._bind_computed(part)

    def _bind_computed(self, part: n.Part) -> n.Part:
        decision = decided_for_sample(part, self._known) if isinstance(part, n.Node) else None
        if decision is not None:
            return decision
        bound = part.map(self._of)
        if isinstance(bound, n.Apply):
            return with_unsigned_literals(decided(bound))
        check_axes(bound)
        return bound

    def _constant(self, node: n.Quantity | n.SampleValue) -> n.Node:
        if isinstance(node, n.Quantity):
            units = self._layout.units
            return n.Literal(converted(node, units.energy, units.length))
        if node.value is None:
            raise LackingError(f"{brief(node)}: the dataset that is read does not have it.")
        return n.Constant(n.EVENT, node.value)

    def _field(self, node: n.Field) -> n.Part:
        if not node.path:
            return node.map(self._of)
        if isinstance(node.on, n.StoredLists):
            return self._in_lists(node)
        collection = node.on.collection if isinstance(node.on, n.CollectionAxis) else None
        branch = self._branch_for(collection, node.path)
        if branch and node.on == n.EVENT and self._schema.by_name[branch].partners:
            return self._of_friend(branch, node)
        if branch:
            column = self._column(branch)
            return self._checked(column, node)
        if node.path == ("index",) and collection is not None:
            return n.Position(node.on).map(self._of)
        other = derived(node, lambda path: bool(self._branch_for(collection, path)))
        if other is not None:
            return self._bound(other)
        linked = self._linked(collection, node.path)
        if linked is not None:
            return self._bound_link(linked, node)
        self._refuse_link(collection, node)
        raise LackingError(self._unknown(node))

    def _branch_for(self, collection: str | None, path: tuple[str, ...]) -> str:
        return self._layout.branch_for(self._schema, collection, path)

    def _in_lists(self, node: n.Field) -> n.Column:
        """Return the column of a field of the lists that elements of a collection have."""
        assert isinstance(node.on, n.StoredLists)
        outer, axis = node.on.outer, self._known[node.on]
        assert isinstance(outer, n.CollectionAxis)
        assert isinstance(axis, n.StoredLists)
        path = (node.on.name_in_outer, *node.path)
        branch = self._layout.branch_for(self._schema, outer.collection, path)
        if not branch:
            raise LackingError(self._unknown(n.Field(outer, path)))
        return self._column_of_lists(branch, axis)

    def _column_of_lists(self, branch: str, axis: n.StoredLists) -> n.Column:
        info = self._schema.by_name[branch]
        if info.shape != "nested" or info.kind in UNREADABLE:
            raise BranchError(
                f"Branch {branch} holds {info.typename}, and {axis.name} takes lists in lists of "
                f"numbers, truth values or strings. {info.why or 'Ask it without .nested()'}."
            )
        return n.Column(branch, axis, info.kind)

    def _chain(self, node: n.Chain) -> n.Part:
        try:
            return node.map(self._of)
        except LackingError as error:
            common = fields_in_common(node.concatenation.parents, self._layout, self._schema)
            raise LackingError(
                f"{error} {brief(node.concatenation)} has the fields that its collections have in "
                f"common{': ' if common else ''}{', '.join(common)}."
            ) from None

    def _default(self, node: n.Default) -> n.Part:
        """Return the operand bound or, where the file lacks it, the value in its place."""
        operand = node.operand
        if operand not in self._lacking:
            return self._with_default(node, self._known[operand])
        if isinstance(operand, n.Field):
            collection = operand.on.collection if isinstance(operand.on, n.CollectionAxis) else None
            linked = self._linked(collection, operand.path)
            if linked is not None:
                value = n.Default(linked.operand, node.value)
                return self._bound(n.Gather(value, linked.target, linked.index))
        axis = self._bound(node.axis)
        assert isinstance(axis, n.Axis)
        return n.Constant(axis, node.value)

    @staticmethod
    def _with_default(node: n.Default, bound: n.Part) -> n.Part:
        """Return a bound operand that the file has, if files without it would have such values."""
        assert isinstance(bound, n.Node)
        operand = node.operand
        if operand.axis == n.UNRESOLVED and bound.axis != n.EVENT:
            assert isinstance(operand, n.Branch)
            raise ExpressionError(
                f"{brief(node)}: branch {operand.branch} is a list in each event, of "
                f"{bound.axis.name}: say so for files that lack it, by "
                f"events.{bound.axis.name}[{operand.branch!r}].default({node.value!r})."
            )
        kind = kind_of(bound)
        if isinstance(operand, n.SampleValue) and kind in ("int", "unsigned"):
            kind = "float"  # catalogues have 1 for 1.0
        require_fitting(operand, node.value, kind)
        return bound

    def _of_friend(self, branch: str, node: n.Field) -> n.Node:
        """Return the value of an event's only entry in a friend, missing where it has none."""
        if self._schema.by_name[branch].partners == "many":
            raise BranchError(
                f"{brief(node)}: an event may have several entries of friend {node.path[0]!r}, "
                f"which are a collection: reduce it, as ff.events().{'.'.join(node.path)}.max()."
            )
        return n.Reduce("first", _as_named(self._column(branch), node.path[-1]))

    def _refuse_link(self, collection: str | None, node: n.Field) -> None:
        if collection is not None and len(node.path) == 1:
            link = self._layout.link(self._schema, collection, node.path[0])
            if link is not None:
                raise BranchError(
                    f"{brief(node)} is a link to another object, not a value: "
                    f"ask one of its fields, such as {brief(node)}.pt."
                )

    def _linked(self, collection: str | None, path: tuple[str, ...]) -> n.Gather | None:
        if collection is None or len(path) < 2:
            return None
        link = self._layout.link(self._schema, collection, path[0])
        if not isinstance(link, n.Gather) or not isinstance(link.target, n.CollectionAxis):
            return None
        return n.Gather(n.Field(link.target, path[1:]), link.target, link.index)

    def _bound_link(self, linked: n.Gather, node: n.Field) -> n.Part:
        """Bind what is behind a link; errors say where a layout declares it."""
        assert isinstance(node.on, n.CollectionAxis)
        link = (node.on.collection, node.path[0])
        try:
            with self._following(link):
                self._bound(linked.index)
            return self._bound(linked)  # which may follow the same link again, as to mothers
        except FlavorframeError as error:
            told = self._layout.explain_link(*link)
            raise type(error)(f"{str(error).removesuffix(told)}{told}") from None

    @contextmanager
    def _following(self, link: tuple[str, str]) -> Iterator[None]:
        """Follow a link; raises BranchError where that needs what is behind the link."""
        if link in self._links:
            raise BranchError(
                f"{'.'.join(link)} is found by a value that is behind the link itself: say by "
                "equal = … which values of the file are equal."
            )
        self._links.append(link)
        try:
            yield
        finally:
            self._links.pop()

    def _checked(self, column: n.Column, node: n.Field) -> n.Node:
        wanted = self._known[node.on]
        assert isinstance(wanted, n.Axis)
        if column.axis in (wanted, n.EVENT):
            return _as_named(column, node.path[-1])
        raise BranchError(
            f"{brief(node)} is branch {brief(column)}, which has one value per "
            f"{column.axis.name}, not per {wanted.name}."
        )

    def _branch(self, node: n.Branch) -> n.Node:
        name = self._name(node.branch)
        axis = self._known[node.on]
        assert isinstance(axis, n.Axis)
        if isinstance(axis, n.StoredLists):
            return self._column_of_lists(name, axis)
        column = self._column(name)
        if axis == n.UNRESOLVED:
            return column
        if column.axis == n.EVENT:
            raise BranchError(
                f"Branch {node.branch} has one value per event, not per {axis.name}: write "
                f"events[{node.branch!r}]."
            )
        return n.Column(column.branch, axis, column.kind)

    def _name(self, asked: str) -> str:
        """Return the name of the branch that is asked for by it, by its path or its own name."""
        if asked in self._schema.by_name:
            return asked
        names = self._schema.by_other_name.get(asked, ())
        if not names:
            raise LackingError(
                f"Tree {self._schema.tree} has no branch {asked!r}."
                f"{did_you_mean(asked, self._schema.by_name)}"
            )
        return only(asked, names)

    def _column(self, branch: str) -> n.Column:
        info = self._schema.by_name[branch]
        if info.kind == "repeated":
            raise BranchError(
                f"Tree {self._schema.tree} has {info.typename} of the one path {branch!r}: nothing "
                "tells them apart, so none is read. Write the file anew with names that differ."
            )
        if info.why:
            raise BranchError(f"Branch {branch} is not readable by expressions: {info.why}.")
        if info.shape == "group":
            raise BranchError(self._group(info))
        if info.shape == "nested":
            raise BranchError(
                f"Branch {branch} holds lists in lists, {info.typename}: their values are those of "
                f"events.{self._axis(info).name}.nested('list')[{branch!r}], to be reduced to one "
                "for each inner list, such as their .sum()."
            )
        if not info.is_readable:
            raise BranchError(
                f"Branch {branch} holds {info.typename}, which expressions cannot take: they take "
                "numbers, truth values and strings, one or a list of them in each event."
            )
        axis = n.EVENT if info.shape == "scalar" else self._axis(info)
        return n.Column(branch, axis, info.kind)

    def _group(self, info: BranchInfo) -> str:
        begins = (f"{info.name.rstrip('.')}.", f"{info.name}/")
        members = [b.name for b in self._schema.branches if b.name.startswith(begins)]
        shown = f"{', '.join(members[:SHOWN])}{', …' if len(members) > SHOWN else ''}"
        return (
            f"Branch {info.name} holds objects ({info.typename}): expressions take their members"
            f"{', ' if members else ''}{shown}."
        )

    def _axis(self, info: BranchInfo) -> n.Axis:
        return collection_axis(collection_of(info, self._layout, self._schema))

    def _unknown(self, node: n.Field) -> str:
        collection = node.on.collection if isinstance(node.on, n.CollectionAxis) else None
        name = ".".join((*(() if collection is None else (collection,)), *node.path))
        explained = self._layout.explain(self._schema, collection, node.path)
        return (
            f"{name} is not in tree {self._schema.tree} (layout {self._layout.name})."
            f"{explained or did_you_mean(name.replace('.', '_'), self._schema.by_name)} Branches "
            "are listed by 'flavorframe inspect FILE' and reached by events['Name']."
        )


def _as_named(column: n.Column, name: str) -> n.Node:
    """Return the column as a truth value where its name says so and the file stores a number."""
    if name.startswith("is_") and column.kind != "bool":
        return n.Apply("ne", (column, n.Literal(0)))
    return column
