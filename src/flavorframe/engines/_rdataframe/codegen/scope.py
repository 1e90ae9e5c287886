"""Where a C++ function computes the values of one element, or of the event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n
from flavorframe.engines._rdataframe.codegen.deferred import Deferred, written
from flavorframe.engines._rdataframe.codegen.literals import literal
from flavorframe.engines._rdataframe.codegen.nested import FULL, NestedLists

if TYPE_CHECKING:
    from flavorframe.engines._rdataframe.codegen.body import Body

ALIVE = "alive"

DEEP = 16
"""A node with more levels of operations below it gets a statement of its own.

Compilers stop at 256 brackets within each other.
"""


class Scope:
    """Where values of one element, or of the event, are computed; what recurs gets a name."""

    def __init__(
        self, body: Body, axis: n.Axis, view: str, element: str, lines: list[str],
        outer: Scope | None = None,
    ) -> None:  # fmt: skip
        """``outer`` is the scope of the element whose list this one is in, on a nested axis."""
        self.body, self.axis, self.view, self.element, self.lines = body, axis, view, element, lines
        self.outer = outer
        self._known: dict[n.Node, str] = {}
        self._parents: dict[str, Scope] = {}
        self._nested = NestedLists(self)
        self._in_full: Scope | None = None

    def value(self, node: n.Node) -> str:
        """Return the C++ of a node's value here."""
        return written(self.deferred_value(node))

    def deferred_value(self, node: n.Node) -> Deferred:
        """Write, deferred, `value`."""
        if isinstance(node, n.Literal):
            return literal(node.value)
        if node.axis == n.EVENT:
            scope = self.body.event_of(node, self.view)
            steps = scope.named(node) if self.axis != n.EVENT else scope.computed(node)
        elif self.outer is not None and node.axis == self.outer.axis:
            steps = self.outer.named(node)
        else:
            steps = self.computed(node)
        value: str = yield steps
        return value

    def named(self, node: n.Node) -> Deferred:
        """Write, deferred, a name for the node's value here, computed once."""
        if isinstance(node, n.Literal):
            return literal(node.value)
        if node.axis == n.EVENT and self is not self.body.event_of(node, self.view):
            name: str = yield self.body.event_of(node, self.view).named(node)
            return name
        if self.outer is not None and node.axis == self.outer.axis:
            name = yield self.outer.named(node)
            return name
        if node not in self._known:
            code: str = yield self.body.setting.translate(node, self)
            if isinstance(node, n.Column | n.Constant | n.Position):
                return code
            self._known[node] = self.body.name("v")
            self.lines.append(f"const auto {self._known[node]} = {code};")
        return self._known[node]

    def computed(self, node: n.Node) -> Deferred:
        """Write the node's C++, or to its name if it is used more than once or deep."""
        named = node in self._known or self.body.uses[node] > 1 or node.height > DEEP
        code: str = yield self.named(node) if named else self.body.setting.translate(node, self)
        return code

    def function(self, node: n.Node, wrap: str = "") -> str:
        """Return a C++ function of this scope's element that computes the node."""
        return written(self.deferred_function(node, wrap))

    def deferred_function(self, node: n.Node, wrap: str = "") -> Deferred:
        """Write, deferred, `function`."""
        value = yield self.deferred_value(node)
        inside = " ".join([*self.lines, f"return {wrap}({value});"])
        return f"[&](flavorframe::Integer {self.element}) {{ {inside} }}"

    def parent(self, axis: n.Axis, element: str) -> Scope:
        """Return where values of what this element is made of are computed."""
        if element not in self._parents:
            name = self.body.name("p")
            self.lines.append(f"const flavorframe::Integer {name} = {element};")
            outer = self.outer if n.is_nested(axis) else None
            self._parents[element] = Scope(self.body, axis, self.view, name, self.lines, outer)
        return self._parents[element]

    # the elements of other axes, as they are seen from here

    def each(self, axis: n.Axis, view: str) -> Scope:
        """Return where values of one element of an axis are computed, to be put into a loop."""
        if not n.is_nested(axis):
            return self.body.scope(axis, view, self.body.name("i"))
        owner = self.owner(axis)
        outer = owner.in_full if view == FULL else owner
        return Scope(self.body, axis, view, self.body.name("i"), [], outer)

    def owner(self, axis: n.Axis) -> Scope:
        """Return the scope of the element whose list of a nested axis is meant here."""
        if self.outer is not None and self.axis != n.outer_axis(axis):
            return self.outer
        return self

    @property
    def in_full(self) -> Scope:
        """The scope of the same element in the view ``full``."""
        if self.view == FULL:
            return self
        if self._in_full is None:
            self._in_full = Scope(self.body, self.axis, FULL, self.element, self.lines, self.outer)
            self._in_full._nested = self._nested
        return self._in_full

    def size_of(self, axis: n.Axis) -> Deferred:
        """Write how many elements an axis has in the file, in a list if it is nested."""
        if not n.is_nested(axis):
            return self.body.deferred_size(axis)
        return self.owner(axis)._nested.size(axis)

    def inner_list(self, column: n.Column) -> str:
        """Return the list that the element meant here has in a column of lists in lists."""
        return self.owner(column.axis)._nested.stored(column)

    def made_of(self, axis: n.Axis) -> Deferred:
        """Write the list of what elements of a part or combinations are made of."""
        if not n.is_nested(axis):
            return self.body.made_of(axis)
        return self.owner(axis)._nested.made_of(axis)

    def ranks_in(self, order: n.Sorted) -> Deferred:
        """Write where each element stands in an order, in its list if it is nested."""
        if not n.is_nested(order):
            return self.body.deferred_ranks(order)
        return self.owner(order)._nested.ranks(order)

    def elements_of(self, axis: n.Axis) -> Deferred:
        """Write what a loop over the elements in this scope's view runs over."""
        if not n.is_nested(axis):
            return self.body.deferred_elements(axis, self.view)
        return self.owner(axis)._nested.elements(axis, self.view)

    def lookup(self, node: n.Match) -> str:
        """Return the name of what a link by value remembers of its target."""
        if not n.is_nested(node.target):
            return self.body.lookup(node)
        return self.owner(node.target)._nested.lookup(node)
