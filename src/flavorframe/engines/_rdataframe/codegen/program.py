"""A bound plan as C++: one function a step, one for the histograms, one for each snapshot.

A function takes the state of the event and the columns that it needs, and makes the next state.
RDataFrame reads a column only where the event has survived until there. What is counted and filled
goes into *totals*, which add up over the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

from flavorframe._expr import nodes as n
from flavorframe._expr.dependence import depending_on_candidates
from flavorframe._expr.texts import shortened
from flavorframe._planning.plan import BoundPlan
from flavorframe._rootio.vectors import COMPONENTS
from flavorframe.engines._rdataframe.codegen.body import Body, Setting
from flavorframe.engines._rdataframe.codegen.categories import counted_by
from flavorframe.engines._rdataframe.codegen.external import External, externals_of
from flavorframe.engines._rdataframe.codegen.histograms import fill_histograms
from flavorframe.engines._rdataframe.codegen.link_counts import LinkCounts
from flavorframe.engines._rdataframe.codegen.names import column_type, unused_prefix
from flavorframe.engines._rdataframe.codegen.snapshots import rows_of
from flavorframe.engines._rdataframe.codegen.strings import comparing_strings
from flavorframe.engines._rdataframe.codegen.totals import ROW, Totals
from flavorframe.engines._rdataframe.codegen.translate import translate
from flavorframe.layouts import Schema
from flavorframe.outputs import Histogram, Snapshot
from flavorframe.selection import Best, Cut, Selection, Step, Weight

HELPERS = (
    "State", "after", "amounts_of", "file_fingerprint", "first_entry", "is_alive", "places_of",
    "run_step", "state_of", "list_of", *(f"{name}_of" for name in sorted(COMPONENTS)),
)  # fmt: skip
"""What the strings that RDataFrame parses use of the namespace ``flavorframe``."""


@dataclass(frozen=True)
class Function:
    """A C++ function of the state and some columns; ``what`` is its place in the analysis.

    Columns are named as RDataFrame calls them. One that writes rows has no totals.
    """

    name: str
    what: str
    columns: tuple[str, ...]
    code: str
    totals: Totals = field(default_factory=Totals)


@dataclass(frozen=True)
class Fork:
    """Histograms for which the step at ``position`` is left out."""

    position: int
    outputs: Function


@dataclass(frozen=True)
class Program:
    """All functions of a plan, in a namespace named after their text.

    Attributes:
        categories: What counts candidates by category, after the start and after each step.
        prefix: What names begin with that RDataFrame must not take for branches; see `names`.
        externals: The users' functions and corrections that are called.
        branches: What is read.
        types: The C++ types of the branches, as ROOT reads them from the files at hand. With them
            functions are compiled once and well, and not as often as RDataFrame sees their names.
        aliases: Columns, each with what ROOT calls it.
        defined: Columns, each with the expression that makes it of ROOT's.
    """

    prefix: str
    externals: tuple[External, ...]
    branches: tuple[str, ...]
    start: Function
    steps: tuple[Function, ...]
    forks: tuple[Fork, ...]
    outputs: Function | None
    snapshots: tuple[tuple[str, Function], ...]
    categories: Function | None = None
    types: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    defined: tuple[tuple[str, str], ...] = ()

    def functions(self) -> Iterator[Function]:
        """Yield all functions."""
        yield self.start
        yield from self.steps
        yield from (fork.outputs for fork in self.forks)
        yield from (each for each in (self.outputs, self.categories) if each is not None)
        yield from (function for _, function in self.snapshots)

    @cached_property
    def namespace(self) -> str:
        """The namespace of the functions."""
        called = [external.code for external in self.externals]
        digest = sha256(f"{called} {self._inside}".encode()).hexdigest()
        return f"flavorframe_{digest[:16]}"

    @property
    def code(self) -> str:
        """The text of all functions, which may be declared more than once."""
        guard = f"{self.namespace}_"
        names = {self.helper(name): f"flavorframe::{name}" for name in HELPERS}
        names |= {self.called(f): f"{self.namespace}::{f.name}" for f in self.functions()}
        macros = "".join(f"#define {name} {meaning}\n" for name, meaning in names.items())
        return (
            f"#ifndef {guard}\n#define {guard}\n"
            f"namespace {self.namespace} {{\n{self._inside}\n}}\n#endif\n{macros}"
        )

    def helper(self, name: str) -> str:
        """Return what RDataFrame's strings call something of the namespace ``flavorframe``."""
        return f"{self.prefix}{name}"

    def called(self, function: Function) -> str:
        """Return what RDataFrame's strings call a function of this program."""
        return f"{self.prefix}{self.namespace}_{function.name}"

    @property
    def _inside(self) -> str:
        types = [f"using {column_type(i)} = {name};" for i, name in enumerate(self.types)]
        return "\n".join([*types, *(function.code for function in self.functions())])


def write_program(plan: BoundPlan, schema: Schema, declared: Selection) -> Program:
    """Return the plan in C++; compilers call each step as it was ``declared``.

    Raises AnalysisError for a function that has no C++, and where weights are not defined.
    """
    return _Writer(plan, schema, declared).program()


class _Writer:
    def __init__(self, plan: BoundPlan, schema: Schema, declared: Selection) -> None:
        self._plan, self._schema, self._declared = plan, schema, declared
        candidates = plan.selection.candidates
        trees = [*plan.trees(), n.Position(candidates)]
        length_branches = dict(plan.length_branches)
        nodes = (node for tree in trees for node in n.walk(tree))
        self._setting = Setting(
            candidates, depending_on_candidates(nodes, candidates), comparing_strings(trees),
            length_branches, unused_prefix(f"{b.name} {b.path}" for b in schema.branches),
            translate,
        )  # fmt: skip
        self._links = LinkCounts()
        self._trees = trees

    def program(self) -> Program:
        plan = self._plan
        start = self._start()
        steps = tuple(self._step(i, step) for i, step in enumerate(plan.selection.steps))
        plain = {name: o for name, o in plan.outputs
                 if isinstance(o, Histogram) and o.without is None}  # fmt: skip
        snapshots = {name: o for name, o in plan.outputs if isinstance(o, Snapshot)}
        outputs = self._outputs("outputs", "the histograms", plain, snapshots)
        forks = tuple(self._forks())
        rows = tuple(
            (name, self._rows(i, name, o)) for i, (name, o) in enumerate(snapshots.items())
        )
        return Program(
            self._setting.prefix, externals_of(self._trees), tuple(self._setting.branches),
            start, steps, forks, outputs if outputs.totals.size else None, rows,
            self._categories(),
        )  # fmt: skip

    def _start(self) -> Function:
        candidates = self._setting.candidates
        body = Body(self._setting, [n.Position(candidates)])
        links = self._links.count(body, [n.Position(candidates)])
        size = "0" if candidates == n.EVENT else body.size(candidates)
        lines = [f"flavorframe::start(next, {size});"]
        return self._function("start", "the candidates", body, lines, links, weighed=False)

    def _step(self, position: int, step: Step) -> Function:
        body = Body(self._setting, [step.node])
        links = self._links.count(body, [step.node])
        lines = _next_state(step, body)
        kind = type(step).__name__.lower()
        named = "best candidate" if isinstance(step, Best) else f"{kind} {step.name!r}"
        what = f"{named} ({shortened(self._declared.steps[position].formula)})"
        done = self._plan.selection.steps[: position + 1]
        weighed = _weighs_candidates(done, self._setting.candidates) and not _has_best(done)
        return self._function(f"step_{position}", what, body, lines, links, weighed=weighed)

    def _function(
        self, name: str, what: str, body: Body, lines: list[str], links: Sequence[str],
        *, weighed: bool,
    ) -> Function:  # fmt: skip
        """Return a function that makes the next state, and counts it."""
        totals = Totals(ROW, not weighed, links=tuple(links))
        events = self._setting.candidates == n.EVENT
        number = "1" if events else "next.candidates.size()"
        flags = [str(self._plan.is_weighted).lower(), str(not weighed).lower()]
        counted = [
            f"flavorframe::count_row(next, {number}, {', '.join(flags)});",
            *body.link_entries(totals),
        ]
        return self._made(name, what, body, lines + counted, totals)

    def _made(self, name: str, what: str, body: Body, lines: list[str], totals: Totals) -> Function:
        lines = ["next.follow(s);", *lines]
        parameters = "flavorframe::State& next, const flavorframe::State& s"
        columns, code = body.function_code(name, what, "void", parameters, lines)
        return Function(name, what, columns, code, totals)

    def _outputs(
        self, name: str, what: str, histograms: dict[str, Histogram],
        snapshots: dict[str, Snapshot] | None = None,
    ) -> Function:  # fmt: skip
        trees = [node for output in histograms.values() for node in output.nodes]
        body = Body(self._setting, trees)
        noted = [*trees, *(node for s in (snapshots or {}).values() for node in s.nodes)]
        links = self._links.count(body, noted) if snapshots is not None else ()
        totals, lines = fill_histograms(self._plan, body, histograms, tuple(links))
        return self._made(name, what, body, [*lines, *body.link_entries(totals)], totals)

    def _categories(self) -> Function | None:
        """Return the function that counts candidates by category."""
        if self._plan.category is None:
            return None
        histograms = counted_by(self._plan.category, self._setting.candidates)
        body = Body(self._setting, [node for each in histograms.values() for node in each.nodes])
        totals, lines = fill_histograms(self._plan, body, histograms, (), counting=True)
        totals = replace(totals, is_of_categories=True)
        return self._made("categories", "the categories", body, lines, totals)

    def _forks(self) -> Iterator[Fork]:
        left_out: dict[str, dict[str, Histogram]] = {}
        for name, output in self._plan.outputs:
            if isinstance(output, Histogram) and output.without is not None:
                left_out.setdefault(output.without, {})[name] = output
        names = [step.name for step in self._plan.selection.steps]
        for number, (cut, histograms) in enumerate(left_out.items()):
            what = f"the histograms without cut {cut!r}"
            yield Fork(names.index(cut), self._outputs(f"without_{number}", what, histograms))

    def _rows(self, number: int, name: str, snapshot: Snapshot) -> Function:
        body = Body(self._setting, snapshot.nodes)
        lines = rows_of(self._plan, body, snapshot, self._schema)
        parameters = (
            "const flavorframe::State& s, flavorframe::Integer file, flavorframe::Integer first, "
            "flavorframe::Integer entry"
        )
        returned = "ROOT::RVec<flavorframe::Integer>"
        what = f"snapshot {name!r}"
        columns, code = body.function_code(f"rows_{number}", what, returned, parameters, lines)
        return Function(f"rows_{number}", what, columns, code)


def _next_state(step: Step, body: Body) -> list[str]:
    """Return the lines that make the state after a step."""
    axis = step.node.axis
    if isinstance(step, Best):
        scope = body.scope(body.setting.candidates, "alive", body.name("i"))
        largest = str(step.highest).lower()
        return [f"flavorframe::keep_best<{largest}>(next, s, {scope.function(step.node)});"]
    if axis == n.EVENT:
        value = body.event("alive").value(step.node)
        if isinstance(step, Cut):
            return [f"next.alive = flavorframe::holds({value});", "next.keep_all(s);"]
        return ["next.keep_all(s);", f"next.weight *= flavorframe::as_double({value});"]
    scope = body.scope(axis, "alive", body.name("i"))
    if isinstance(step, Cut):
        kept = scope.function(step.node, wrap="flavorframe::holds")
        return [f"flavorframe::keep(next, s, {kept});"]
    return [f"flavorframe::weigh(next, s, {scope.function(step.node)});"]


def _weighs_candidates(steps: Sequence[Step], candidates: n.Axis) -> bool:
    return any(isinstance(s, Weight) and s.node.axis != n.EVENT for s in steps)


def _has_best(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, Best) for step in steps)
