"""The lists that an element has on nested axes: C++ in the loop over the outer elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n
from flavorframe._expr.dependence import has_lists_without
from flavorframe.engines._rdataframe.codegen.deferred import Deferred

if TYPE_CHECKING:
    from flavorframe.engines._rdataframe.codegen.scope import Scope

FULL = "full"


class NestedLists:
    """The lists of one outer element, the element of a scope.

    An element of such a list is its index on the inner axis; one of a part of it is its index in a
    list of its own, as elsewhere.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._lists: dict[n.Axis, str] = {}
        self._living: dict[n.Axis, str] = {}
        self._ranks: dict[n.Axis, str] = {}
        self._lookups: dict[n.Match, str] = {}
        self._checked: set[str] = set()

    def size(self, axis: n.Axis) -> Deferred:
        """Write how many elements the list has in the file."""
        if isinstance(axis, n.Per):
            size: str = yield self._scope.body.deferred_size(axis.inner)
            return size
        if isinstance(axis, n.StoredLists):
            return self._stored_size(axis)
        return f"flavorframe::Integer({(yield self.made_of(axis))}.size())"

    def stored(self, column: n.Column) -> str:
        """Return the list of a column of lists in lists, checked to be as long as the others."""
        axis, body = column.axis, self._scope.body
        assert isinstance(axis, n.StoredLists)
        known = body.setting.length_branches[axis]
        code = f"{body.parameter(column)}[{self._scope.element}]"
        if column.branch not in (known, *self._checked):
            self._checked.add(column.branch)
            size = self._stored_size(axis)
            self._scope.lines.append(body.check(column.branch, f"{code}.size()", size, known))
        return code

    def _stored_size(self, axis: n.StoredLists) -> str:
        body = self._scope.body
        known = body.parameter(n.Column(body.setting.length_branches[axis], axis, ""))
        return f"flavorframe::Integer({known}[{self._scope.element}].size())"

    def made_of(self, axis: n.Axis) -> Deferred:
        """Write the list of what elements of a part, or in another order, are made of."""
        if axis in self._lists:
            return self._lists[axis]
        assert isinstance(axis, n.Subset | n.Sorted)
        each, size = self._scope.each(axis.parent, FULL), (yield self.size(axis.parent))
        if isinstance(axis, n.Subset):
            mask = yield each.deferred_function(axis.mask, wrap="flavorframe::holds")
            made = f"flavorframe::those({size}, {mask})"
        else:
            by = yield each.deferred_function(axis.by)
            made = f"flavorframe::in_order<{str(axis.descending).lower()}>({size}, {by})"
        self._lists[axis] = self._named("list", made)
        return self._lists[axis]

    def ranks(self, order: n.Sorted) -> Deferred:
        """Write where each element of the list stands in an order."""
        if order not in self._ranks:
            made = yield self.made_of(order)
            self._ranks[order] = self._named("ranks", f"flavorframe::ranks_in({made})")
        return self._ranks[order]

    def elements(self, axis: n.Axis, view: str) -> Deferred:
        """Write what a loop over the elements in a view runs over."""
        body = self._scope.body
        if isinstance(axis, n.Per):
            inner: str = yield body.deferred_elements(axis.inner, view)
            return inner
        size = yield self.size(axis)
        if view == FULL or has_lists_without(axis, body.setting.candidates):
            return f"flavorframe::All{{{size}}}"
        if axis not in self._living:
            lines = list[str]()
            alive = yield self._alive(axis, "i", lines)
            inside = " ".join([*lines, f"return {alive};"])
            left = f"flavorframe::those({size}, [&](flavorframe::Integer i) {{ {inside} }})"
            self._living[axis] = self._named("left", left)
        return self._living[axis]

    def lookup(self, node: n.Match) -> str:
        """Return the name of what a link by value remembers of the list."""
        if node not in self._lookups:
            self._lookups[node] = self._scope.body.name("lookup")
            self._scope.lines.append(f"flavorframe::Lookup {self._lookups[node]};")
        return self._lookups[node]

    def _alive(self, axis: n.Axis, element: str, lines: list[str]) -> Deferred:
        """Write whether an element is one of living candidates, after ``lines``."""
        while isinstance(axis, n.Taken):
            parent = self._scope.body.name("p")
            lines.append(f"const auto {parent} = {(yield self.made_of(axis))}[{element}];")
            axis, element = axis.parent, parent
        assert isinstance(axis, n.Per)
        alive: str = yield self._scope.body.alive(axis.inner, element, lines)
        return alive

    def _named(self, kind: str, code: str) -> str:
        name = self._scope.body.name(kind)
        self._scope.lines.append(f"const auto {name} = {code};")
        return name
