"""What every layout does the same: find a branch for a friendly name, follow links, bind trees."""

from __future__ import annotations

from typing import Protocol

from flavorframe.errors import BranchError, ExpressionError, did_you_mean
from flavorframe.expr import nodes as n
from flavorframe.expr.formula import formula
from flavorframe.layout.schema import BranchInfo, Schema, fold


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
    return _Binder(layout, schema).bind(node)


def bind_axis(axis: n.Axis, layout: Layout, schema: Schema) -> n.Axis:
    """Return the axis as bound trees name it, the masks in it bound."""
    return _fold_axis(n.map_axis(axis, lambda mask: bind(mask, layout, schema)))


def carrier(axis: n.Axis, layout: Layout, schema: Schema) -> str:
    """Return a branch of the collection, from which the lengths of its lists can be read.

    Raises BranchError where the file has no such collection, naming those that it has.
    """
    lists = [b for b in schema.branches if b.shape == "list" and b.kind != "other"]
    for branch in lists:
        if collection_axis(layout.collection_of(branch)) == axis:
            return branch.name
    known = sorted({layout.collection_of(branch) for branch in lists})
    raise BranchError(
        f"Tree {schema.tree} (layout {layout.name}) has no collection {axis.name!r}."
        f"{did_you_mean(axis.name, known)}"
    )


def collection_axis(collection: str) -> n.CollectionAxis:
    """Return the axis of a collection in bound trees, where spelling does not count."""
    return n.CollectionAxis(fold(collection))


class _Binder:
    def __init__(self, layout: Layout, schema: Schema) -> None:
        self._layout = layout
        self._schema = schema
        self._known: dict[n.Node, n.Node] = {}

    def bind(self, node: n.Node) -> n.Node:
        if node not in self._known:
            self._known[node] = self._bind(node)
        return self._known[node]

    def _bind(self, node: n.Node) -> n.Node:
        if isinstance(node, n.Field):
            return self._field(node)
        if isinstance(node, n.Branch):
            return self._branch(node)
        if isinstance(node, n.Fired):
            return self.bind(self._layout.fired(self._schema, node.menu, node.patterns))
        bound = _fold_axes(node.map(self.bind))
        if isinstance(bound, n.Apply | n.CallFunction | n.CallCorrection):
            n.join_axes(bound.arguments)
        return bound

    def _field(self, node: n.Field) -> n.Node:
        if not node.path:
            return n.Field(_fold_axis(node.on), ())
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
                    f"{formula(node)} is a link to another object, not a value: "
                    f"ask one of its fields, such as {formula(node)}.pt."
                )

    def _linked(self, collection: str | None, path: tuple[str, ...]) -> n.Node | None:
        if collection is None or len(path) < 2:
            return None
        link = self._layout.link(self._schema, collection, path[0])
        if not isinstance(link, n.Gather) or not isinstance(link.target, n.CollectionAxis):
            return None
        return n.Gather(n.Field(link.target, path[1:]), link.target, link.index)

    def _checked(self, column: n.Column, node: n.Field) -> n.Node:
        wanted = _fold_axis(node.on)
        if column.axis in (wanted, n.EVENT):
            return _as_named(column, node.path[-1])
        raise BranchError(
            f"{formula(node)} is branch {formula(column)}, which has one value per "
            f"{column.axis.name}, not per {wanted.name}."
        )

    def _branch(self, node: n.Branch) -> n.Node:
        info = self._schema.by_name.get(node.branch)
        if info is None:
            raise BranchError(
                f"Tree {self._schema.tree} has no branch {node.branch!r}."
                f"{did_you_mean(node.branch, self._schema.by_name)}"
            )
        if node.on == n.DEFERRED:
            return self._column(node.branch)
        axis = _fold_axis(node.on)
        column = self._column(node.branch)
        if column.axis == n.EVENT:
            raise BranchError(
                f"Branch {node.branch} has one value per event, not per {axis.name}: write "
                f"events[{node.branch!r}]."
            )
        return n.Column(node.branch, axis, info.kind)

    def _column(self, branch: str) -> n.Column:
        info = self._schema.by_name[branch]
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
        return collection_axis(self._layout.collection_of(info))

    def _unknown(self, node: n.Field) -> str:
        collection = node.on.collection if isinstance(node.on, n.CollectionAxis) else None
        name = ".".join((*(() if collection is None else (collection,)), *node.path))
        return (
            f"{name} is not in tree {self._schema.tree} (layout {self._layout.name})."
            f"{did_you_mean(name.replace('.', '_'), self._schema.by_name)} Branches are listed by "
            "'flavorframe inspect FILE' and reached by events['Name']."
        )


def _check_mask(subset: n.Subset) -> None:
    if subset.mask.axis not in (subset.parent, n.EVENT):
        raise ExpressionError(
            f"{subset.name}: the condition has one value per {subset.mask.axis.name}, and the "
            f"collection is {subset.parent.name}."
        )


def _as_named(column: n.Column, name: str) -> n.Node:
    """Return the column as a truth value where its name says so and the file stores a number."""
    if name.startswith("is_") and column.kind != "bool":
        return n.Apply("ne", (column, n.Literal(0)))
    return column


def _fold_axis(axis: n.Axis) -> n.Axis:
    if isinstance(axis, n.CollectionAxis):
        return collection_axis(axis.collection)
    if isinstance(axis, n.Subset):
        folded = n.Subset(_fold_axis(axis.parent), axis.mask)
        _check_mask(folded)
        return folded
    if isinstance(axis, n.Combination):
        return n.Combination(tuple(_fold_axis(parent) for parent in axis.parents))
    return axis


def _fold_axes(node: n.Node) -> n.Node:
    """Fold the axes that a node names itself, its children being bound already."""
    from dataclasses import fields, replace

    changes = {
        field.name: _fold_axis(value)
        for field in fields(node)
        if isinstance(value := getattr(node, field.name), n.Axis)
    }
    return replace(node, **changes) if changes else node


def by_folded_name(schema: Schema, *parts: str) -> str:
    """Return the one branch whose folded name is that of the parts joined, or an empty string.

    Raises BranchError where two branches differ only in case and underscores.
    """
    names = schema.by_folded_name.get(fold("_".join(parts)), ())
    if len(names) > 1:
        raise BranchError(
            f"{'.'.join(parts)} may be {' or '.join(names)}: say which by events['{names[0]}']."
        )
    return names[0] if names else ""


def check_kinds(tree: n.Node) -> None:
    """Raise ExpressionError where a bound tree computes with strings or tests numbers as names."""
    for node in n.walk(tree):
        if isinstance(node, n.IsIn):
            _check_isin(node)
        elif isinstance(node, n.StringTest):
            if not _is_string(node.operand):
                raise ExpressionError(f"{formula(node)}: {formula(node.operand)} is not a string.")
        elif isinstance(node, n.Apply | n.CallFunction) or _is_numeric_reduction(node):
            strings = [child for child in node.children() if _is_string(child)]
            if strings:
                raise ExpressionError(
                    f"{formula(node)}: {formula(strings[0])} is a string; test it with "
                    ".startswith(), .contains(), .matches() or .isin()."
                )


def _check_isin(node: n.IsIn) -> None:
    strings = _is_string(node.operand)
    if any(isinstance(value, str) != strings for value in node.values):
        kind = "strings" if strings else "numbers"
        raise ExpressionError(f"{formula(node)}: {formula(node.operand)} holds {kind} only.")


def _is_string(node: n.Node) -> bool:
    if isinstance(node, n.Column):
        return node.kind == "string"
    if isinstance(node, n.Literal):
        return isinstance(node.value, str)
    if isinstance(node, n.Take | n.Member | n.Gather):
        return _is_string(node.operand)
    return isinstance(node, n.Reduce) and node.reduction == "first" and _is_string(node.operand)


def _is_numeric_reduction(node: n.Node) -> bool:
    return isinstance(node, n.Reduce) and node.reduction not in ("first", "count", "size")
