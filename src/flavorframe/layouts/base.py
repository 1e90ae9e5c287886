"""What every layout does the same: find a branch for a friendly name, follow links, bind trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.logic import decided, with_unsigned_literals
from flavorframe._expr.reductions import REDUCTIONS
from flavorframe._expr.strings import refuse_computing_with_strings, refuse_string
from flavorframe._rootio.schema import BranchInfo, Schema, fold
from flavorframe.errors import BranchError, ExpressionError, did_you_mean


class Layout(Protocol):
    """A naming scheme: which branch or computation stands for a friendly name."""

    name: str

    def __hash__(self) -> int:
        """Layouts are alike where they are the same object."""

    def recognises(self, schema: Schema) -> bool:
        """Return whether the file is written in this layout."""

    def branch_for(self, schema: Schema, collection: str | None, path: tuple[str, ...]) -> str:
        """Return the branch of a friendly name, or an empty string where there is none."""

    def link(self, schema: Schema, collection: str, name: str) -> n.Node | None:
        """Return the link ``name`` of a collection as a `Gather` of a bare element, if any."""

    def collection_of(self, branch: BranchInfo) -> str:
        """Return the name of the collection that a list-like branch belongs to."""

    def fired(self, schema: Schema, menu: str, patterns: tuple[str, ...]) -> n.Node:
        """Return the tree that says whether a path of the menu fired."""


def bind(node: n.Node, layout: Layout, schema: Schema) -> n.Node:
    """Return the node with friendly names replaced by the columns of a file.

    Raises BranchError for a name that the file does not have, ExpressionError where the file's
    collections do not combine.
    """
    bound = _Binder(layout, schema).bind(node)
    assert isinstance(bound, n.Node)
    return bound


def bind_axis(axis: n.Axis, layout: Layout, schema: Schema) -> n.Axis:
    """Return the axis as bound trees name it, the masks in it bound."""
    bound = _Binder(layout, schema).bind(axis)
    assert isinstance(bound, n.Axis)
    return bound


def carrier(axis: n.Axis, layout: Layout, schema: Schema) -> str:
    """Return a branch of the collection, from which the lengths of its lists can be read.

    Raises BranchError where the file has no such collection, naming those that it has.
    """
    known = collections(layout, schema)
    for collection, branch in known.items():
        if collection_axis(collection) == axis:
            return branch
    raise BranchError(
        f"Tree {schema.tree} (layout {layout.name}) has no collection {axis.name!r}."
        f"{did_you_mean(axis.name, known)}"
    )


def collections(layout: Layout, schema: Schema) -> dict[str, str]:
    """Return the collections of a file that expressions can take, with a branch of each."""
    found: dict[str, str] = {}
    for branch in schema.branches:
        if branch.shape == "list" and branch.kind != "other":
            found.setdefault(collection_of(branch, layout, schema), branch.name)
    return dict(sorted(found.items()))


def collection_of(branch: BranchInfo, layout: Layout, schema: Schema) -> str:
    """Return the collection of a list: what the layout says, or its counter.

    Lists that the layout puts together are of several collections where they have several counters.
    """
    said = layout.collection_of(branch)
    if branch.counter in (None, f"n{said}") or not branch.is_counted_with_others:
        return said
    several = len(_counters(layout, schema)[fold(said)]) > 1
    return str(branch.counter) if several else said


@lru_cache(maxsize=32)
def _counters(layout: Layout, schema: Schema) -> Mapping[str, set[str]]:
    """Return the counters of the lists that the layout takes for one collection."""
    counters: dict[str, set[str]] = defaultdict(set)
    for branch in schema.branches:
        if branch.counter is not None and branch.is_counted_with_others:
            counters[fold(layout.collection_of(branch))].add(branch.counter)
    return counters


def collection_axis(collection: str) -> n.CollectionAxis:
    """Return the axis of a collection in bound trees, where spelling does not count."""
    return n.CollectionAxis(fold(collection))


class _Binder:
    def __init__(self, layout: Layout, schema: Schema) -> None:
        self._layout = layout
        self._schema = schema
        self._known: dict[n.Part, n.Part] = {}

    def bind(self, top: n.Part) -> n.Part:
        for part in n.parts(top):
            if part not in self._known:
                self._known[part] = self._bind(part)
        return self._known[top]

    def _bind(self, part: n.Part) -> n.Part:
        """Bind a part; what is inside is bound already."""
        if isinstance(part, n.Field):
            return self._field(part)
        if isinstance(part, n.Branch):
            return self._branch(part)
        if isinstance(part, n.Fired):
            return self.bind(self._layout.fired(self._schema, part.menu, part.patterns))
        if isinstance(part, n.CollectionAxis):
            return collection_axis(part.collection)
        bound = part.map(self._known.__getitem__)
        if isinstance(bound, n.Apply):
            return with_unsigned_literals(decided(bound))
        if isinstance(bound, n.Subset):
            _check_mask(bound)
        if isinstance(bound, n.Reduce):
            _check_reducible(bound)
        return bound

    def _field(self, node: n.Field) -> n.Part:
        if not node.path:
            return node.map(self._known.__getitem__)
        collection = node.on.collection if isinstance(node.on, n.CollectionAxis) else None
        branch = self._layout.branch_for(self._schema, collection, node.path)
        if branch:
            column = self._column(branch)
            return self._checked(column, node)
        linked = self._linked(collection, node.path)
        if linked is not None:
            return self.bind(linked)
        self._refuse_link(collection, node)
        raise BranchError(self._unknown(node))

    def _refuse_link(self, collection: str | None, node: n.Field) -> None:
        if collection is not None and len(node.path) == 1:
            link = self._layout.link(self._schema, collection, node.path[0])
            if link is not None:
                raise BranchError(
                    f"{brief(node)} is a link to another object, not a value: "
                    f"ask one of its fields, such as {brief(node)}.pt."
                )

    def _linked(self, collection: str | None, path: tuple[str, ...]) -> n.Node | None:
        if collection is None or len(path) < 2:
            return None
        link = self._layout.link(self._schema, collection, path[0])
        if not isinstance(link, n.Gather) or not isinstance(link.target, n.CollectionAxis):
            return None
        return n.Gather(n.Field(link.target, path[1:]), link.target, link.index)

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
        column = self._column(self._name(node.branch))
        if node.on == n.DEFERRED:
            return column
        axis = self._known[node.on]
        assert isinstance(axis, n.Axis)
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
            raise BranchError(
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
        if "other" in (info.kind, info.shape):
            raise BranchError(
                f"Branch {branch} holds {info.typename}, which expressions cannot take: they take "
                "numbers, truth values and strings, one or a list of them in each event."
            )
        axis = n.EVENT if info.shape == "scalar" else self._axis(info)
        return n.Column(branch, axis, info.kind)

    def _axis(self, info: BranchInfo) -> n.Axis:
        return collection_axis(collection_of(info, self._layout, self._schema))

    def _unknown(self, node: n.Field) -> str:
        collection = node.on.collection if isinstance(node.on, n.CollectionAxis) else None
        name = ".".join((*(() if collection is None else (collection,)), *node.path))
        return (
            f"{name} is not in tree {self._schema.tree} (layout {self._layout.name})."
            f"{did_you_mean(name.replace('.', '_'), self._schema.by_name)} Branches are listed by "
            "'flavorframe inspect FILE' and reached by events['Name']."
        )


def _check_mask(subset: n.Subset) -> None:
    refuse_string(subset.mask, subset.name, "conditions")
    if subset.mask.axis not in (subset.parent, n.EVENT):
        raise ExpressionError(
            f"{brief(subset)}: the condition has one value per {brief(subset.mask.axis)}, and the "
            f"collection is {brief(subset.parent)}."
        )


def _as_named(column: n.Column, name: str) -> n.Node:
    """Return the column as a truth value where its name says so and the file stores a number."""
    if name.startswith("is_") and column.kind != "bool":
        return n.Apply("ne", (column, n.Literal(0)))
    return column


def by_folded_name(schema: Schema, *parts: str) -> str:
    """Return the one branch whose folded name is that of the parts joined, or an empty string.

    Raises BranchError where several branches differ only in case, underscores and path.
    """
    names = schema.by_folded_name.get(fold("_".join(parts)), ())
    return only(".".join(parts), names) if names else ""


def only(asked: str, names: tuple[str, ...]) -> str:
    """Return the one branch that a name means; raises BranchError where there are several."""
    if len(names) > 1:
        raise BranchError(
            f"{asked} may be {' or '.join(names)}: say which by events['{names[0]}']."
        )
    return names[0]


def check_kinds(tree: n.Node) -> None:
    """Raise ExpressionError where a bound tree computes with strings or tests numbers as names."""
    for node in n.walk(tree):
        if isinstance(node, n.IsIn):
            _check_isin(node)
        elif isinstance(node, n.StringTest):
            if kind_of(node.operand) != "string":
                raise ExpressionError(f"{brief(node)}: {brief(node.operand)} is not a string.")
        elif isinstance(node, n.CallCorrection):
            _check_inputs(node)
        elif not _takes_strings(node):
            refuse_computing_with_strings(node)


def _check_isin(node: n.IsIn) -> None:
    strings = kind_of(node.operand) == "string"
    if any(isinstance(value, str) != strings for value in node.values):
        kind = "strings" if strings else "numbers"
        raise ExpressionError(f"{brief(node)}: {brief(node.operand)} holds {kind} only.")


def _check_inputs(node: n.CallCorrection) -> None:
    for argument in node.arguments:
        if kind_of(argument) == "string" and not isinstance(argument, n.Literal):
            raise ExpressionError(
                f"{brief(node)}: {brief(argument)} is a string of the file; a correction takes "
                "numbers, and categories that are written where it is called."
            )


def _takes_strings(node: n.Node) -> bool:
    """Return whether a node hands on values without computing with them."""
    if isinstance(node, n.Reduce):
        return REDUCTIONS[node.reduction].takes_strings
    return isinstance(node, n.Take | n.Member) or (
        isinstance(node, n.Gather) and kind_of(node.index) != "string"
    )


def _check_reducible(node: n.Reduce) -> None:
    if node.operand.axis == n.EVENT:
        what, name = brief(node.operand), "count" if node.reduction == "size" else node.reduction
        raise ExpressionError(
            f"{brief(node)}: {what} has one value per event in this file: .{name}() has nothing "
            f"to reduce. Write {what} itself."
        )
