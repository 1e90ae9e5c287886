"""The body of one C++ function: its columns, its values of the event, and its loops.

An element of any axis is its index in the file, a ``long long``. For a part of a collection and
for combinations it is the index in their own list. Values are computed in one of two views. In the
view ``alive`` there are only the candidates that have passed so far, those of the state ``s``. In
the view ``full`` there are all of them: the masks of parts and what links lead to always see all.
What each element has of its own on nested axes is in `nested`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from flavorframe._expr import nodes as n
from flavorframe._expr.dependence import is_made_from_candidates
from flavorframe._expr.formula import brief
from flavorframe.engines._rdataframe.codegen.deferred import Deferred, in_turn, written
from flavorframe.engines._rdataframe.codegen.literals import text
from flavorframe.engines._rdataframe.codegen.names import column_name, column_type
from flavorframe.engines._rdataframe.codegen.nested import FULL
from flavorframe.engines._rdataframe.codegen.scope import ALIVE, Scope
from flavorframe.engines._rdataframe.codegen.totals import LINK, Totals


@dataclass(frozen=True)
class Setting:
    """What all functions of a plan share.

    Attributes:
        candidates: The axis of the candidates.
        depending: The nodes whose values depend on which candidates are alive.
        comparing_strings: The nodes that compare strings.
        length_branches: For each collection, a branch that tells how many elements an event has.
        prefix: What names begin with that RDataFrame must not take for branches.
        translate: Writes the C++ of a node in a scope.
        branches: The branches that are read so far, each with its number.
    """

    candidates: n.Axis
    depending: frozenset[n.Node]
    comparing_strings: frozenset[n.Node]
    length_branches: Mapping[n.Axis, str]
    prefix: str
    translate: Callable[[n.Node, Scope], Deferred]
    branches: dict[str, int] = field(default_factory=dict)

    def type_of(self, branch: str) -> str:
        """Return what the C++ type of a branch is called."""
        return column_type(self._number_of(branch))

    def name_of(self, branch: str) -> str:
        """Return what the strings that RDataFrame parses call a branch."""
        return column_name(branch, self._number_of(branch), self.prefix)

    def _number_of(self, branch: str) -> int:
        return self.branches.setdefault(branch, len(self.branches))


class Body:
    """Collects the lines of a function while expressions are translated."""

    def __init__(self, setting: Setting, trees: Iterable[n.Node]) -> None:
        self.setting = setting
        self.lines: list[str] = []
        self.parameters: dict[str, str] = {}
        self.uses = _uses(trees)
        self._axis_of: dict[str, n.Axis] = {}
        self._names: dict[str, Iterator[int]] = {}
        self._sizes: dict[n.Axis, str] = {}
        self._lists: dict[n.Axis, str] = {}
        self._tables: dict[n.Node, str] = {}
        self._elements: dict[n.Axis, str] = {}
        self._ranks: dict[n.Axis, str] = {}
        self._lookups: dict[n.Match, str] = {}
        self._living = ""
        self._links: list[str] = []
        self._events = {view: Scope(self, n.EVENT, view, "", self.lines) for view in (FULL, ALIVE)}

    def name(self, prefix: str) -> str:
        """Return a name that the function does not use yet."""
        return f"{prefix}{next(self._names.setdefault(prefix, count()))}"

    def parameter(self, column: n.Column) -> str:
        """Return the name of the function's argument that holds a column."""
        axis = column.on.outer if isinstance(column.on, n.StoredLists) else column.on
        return self._parameter(column.branch, axis)

    def event(self, view: str) -> Scope:
        """Return where values of the event are computed."""
        return self._events[view]

    def event_of(self, node: n.Node, view: str) -> Scope:
        """Return where a value of the event is computed once for both views, if it can be."""
        return self._events[view if node in self.setting.depending else FULL]

    def scope(self, axis: n.Axis, view: str, element: str) -> Scope:
        """Return where values of one element are computed, its lines to be put into a loop."""
        return Scope(self, axis, view, element, [])

    # elements

    def size(self, axis: n.Axis) -> str:
        """Return how many elements an axis has in the file."""
        return written(self.deferred_size(axis))

    def deferred_size(self, axis: n.Axis) -> Deferred:
        """Write, deferred, `size`."""
        if not isinstance(axis, n.CollectionAxis):
            return f"flavorframe::Integer({(yield self.made_of(axis))}.size())"
        if axis not in self._sizes:
            self._sizes[axis] = self.name("n")
            if axis not in self._axis_of.values():
                self._parameter(self.setting.length_branches[axis], axis)
        return self._sizes[axis]

    def made_of(self, axis: n.Axis) -> Deferred:
        """Write the list of what elements of a part or combinations are made of."""
        if axis not in self._lists:
            self._lists[axis] = yield self._make_list(axis)
        return self._lists[axis]

    def table(self, node: n.Node, make: Callable[[], Deferred]) -> Deferred:
        """Write the name of a list of the node's values, on all elements that an event has."""
        if node not in self._tables:
            made = yield make()
            self._tables[node] = self.name("table")
            self.lines.append(f"const auto {self._tables[node]} = {made};")
        return self._tables[node]

    def elements(self, axis: n.Axis, view: str) -> str:
        """Return what a loop over the elements in a view runs over."""
        return written(self.deferred_elements(axis, view))

    def deferred_elements(self, axis: n.Axis, view: str) -> Deferred:
        """Write, deferred, `elements`."""
        candidates = self.setting.candidates
        if view == FULL or not is_made_from_candidates(axis, candidates):
            return f"flavorframe::All{{{(yield self.deferred_size(axis))}}}"
        if axis == candidates:
            return "s.candidates"
        if axis not in self._elements:
            size, lines = (yield self.deferred_size(axis)), list[str]()
            alive = yield self.alive(axis, "i", lines)
            inside = " ".join([*lines, f"return {alive};"])
            name = self.name("left")
            self.lines.append(
                f"const auto {name} = flavorframe::those({size}, "
                f"[&](flavorframe::Integer i) {{ {inside} }});"
            )
            self._elements[axis] = name
        return self._elements[axis]

    def deferred_ranks(self, axis: n.Sorted) -> Deferred:
        """Write, deferred, where each element of the parent stands in an order."""
        if axis not in self._ranks:
            order = yield self.made_of(axis)
            name = self.name("ranks")
            self.lines.append(f"const auto {name} = flavorframe::ranks_in({order});")
            self._ranks[axis] = name
        return self._ranks[axis]

    # links

    def lookup(self, node: n.Match) -> str:
        """Return the name of what a link by value remembers of its target in an event."""
        if node not in self._lookups:
            self._lookups[node] = self.name("lookup")
            self.lines.append(f"flavorframe::Lookup {self._lookups[node]};")
        return self._lookups[node]

    def count_link(self, counting: str) -> None:
        """Count a link, by C++ that adds to ``link``, after the lines so far."""
        name = f"link{len(self._links)}"
        self._links.append(name)
        self.lines.append(f"flavorframe::LinkCount {name}; {{ auto& link = {name}; {counting} }}")

    def link_entries(self, totals: Totals) -> list[str]:
        """Return the lines that add the counts of the links to the totals."""
        start = totals.links_at
        return [f"{name}.enter(next.entries, {start + LINK * i});"
                for i, name in enumerate(self._links)]  # fmt: skip

    # the function

    def function_code(
        self, name: str, what: str, returned: str, parameters: str, lines: list[str]
    ) -> tuple[tuple[str, ...], str]:
        """Return the columns that the function takes, and its text; compilers call it ``what``."""
        checks = self.checks(started=name != "start")
        columns = [
            f"const {self.setting.type_of(branch)}& {c}" for branch, c in self.parameters.items()
        ]
        inside = "\n".join(checks + self.lines + lines)
        code = (
            f"#line 1 {text(what)}\n"
            f"{returned} {name}({', '.join([parameters, *columns])}) {{\n{inside}\n}}\n"
        )
        return tuple(map(self.setting.name_of, self.parameters)), code

    def checks(self, *, started: bool) -> list[str]:
        """Return the lines that make sizes known, and refuse lists of unequal length."""
        lines = []
        for axis in dict.fromkeys(a for a in self._axis_of.values() if a != n.EVENT):
            branches = [branch for branch, own in self._axis_of.items() if own == axis]
            known = self.parameters[branches[0]]
            size = self._sizes.get(axis) or self.name("n")
            lines.append(f"const flavorframe::Integer {size} = {known}.size();")
            lines += [self.check(b, f"{self.parameters[b]}.size()", size, branches[0])
                      for b in branches[1:]]  # fmt: skip
            if axis == self.setting.candidates and started:
                lines.append(
                    self.check(branches[0], size, "s.size", self.setting.length_branches[axis])
                )
        return lines

    def _parameter(self, branch: str, axis: n.Axis) -> str:
        if branch not in self.parameters:
            self.parameters[branch] = f"c{len(self.parameters)}"
            self._axis_of[branch] = axis
        return self.parameters[branch]

    @staticmethod
    def check(branch: str, size: str, expected: str, known: str) -> str:
        return f"flavorframe::check_size({size}, {expected}, {text(branch)}, {text(known)});"

    def _make_list(self, axis: n.Axis) -> Deferred:
        if isinstance(axis, n.Subset):
            scope = self.scope(axis.parent, FULL, self.name("i"))
            mask = yield scope.deferred_function(axis.mask, wrap="flavorframe::holds")
            size = yield self.deferred_size(axis.parent)
            made = f"flavorframe::those({size}, {mask})"
        elif isinstance(axis, n.Sorted):
            scope = self.scope(axis.parent, FULL, self.name("i"))
            by = yield scope.deferred_function(axis.by)
            size, descending = (yield self.deferred_size(axis.parent)), str(axis.descending).lower()
            made = f"flavorframe::in_order<{descending}>({size}, {by})"
        elif isinstance(axis, n.Concatenation):
            sizes = yield in_turn(self.deferred_size(parent) for parent in axis.parents)
            made = f"flavorframe::one_after_the_other({{{', '.join(sizes)}}})"
        else:
            assert isinstance(axis, n.Combination)
            number = len(axis.parents)
            sizes = yield in_turn(self.deferred_size(parent) for parent in axis.parents)
            same = [
                str(max((j for j in range(i) if axis.parents[j] == parent), default=-1))
                for i, parent in enumerate(axis.parents)
            ]
            lists = f"{{{', '.join(sizes)}}}, {{{', '.join(same)}}}"
            made = f"flavorframe::combined<{number}>({lists}, {text(brief(axis))})"
        name = self.name("list")
        self.lines.append(f"const auto {name} = {made};")
        return name

    def alive(self, axis: n.Axis, element: str, lines: list[str]) -> Deferred:
        """Write, deferred, whether an element is made of living candidates, after ``lines``."""
        if axis == self.setting.candidates:
            if not self._living:
                self._living = "living"
                self.lines.append("const auto living = flavorframe::living(s);")
            return f"living[{element}]"
        made_of, parts = (yield self.made_of(axis)), self.name("p")
        lines.append(f"const auto {parts} = {made_of}[{element}];")
        if isinstance(axis, n.Taken):
            alive: str = yield self.alive(axis.parent, parts, lines)
            return alive
        if isinstance(axis, n.Concatenation):
            some: str = yield self._some_alive(axis, parts)
            return some
        assert isinstance(axis, n.Combination)
        parents = [
            (i, p)
            for i, p in enumerate(axis.parents)
            if is_made_from_candidates(p, self.setting.candidates)
        ]
        each_alive = yield in_turn(self.alive(p, f"{parts}[{i}]", lines) for i, p in parents)
        return " && ".join(each_alive)

    def _some_alive(self, axis: n.Concatenation, at: str) -> Deferred:
        """Write, deferred, whether an element of one of several collections is alive there."""
        tests = []
        for number, parent in enumerate(axis.parents):
            lines, alive = list[str](), "true"
            if is_made_from_candidates(parent, self.setting.candidates):
                alive = yield self.alive(parent, f"{at}.element", lines)
            inside = " ".join([*lines, f"return bool({alive});"])
            tests.append(f"({at}.list == {number} && [&] {{ {inside} }}())")
        return f"({' || '.join(tests)})"


def _uses(trees: Iterable[n.Node]) -> Counter[n.Node]:
    uses: Counter[n.Node] = Counter()
    for tree in trees:
        uses[tree] += 1
        for node in n.walk(tree):
            uses.update(node.children())
    return uses
