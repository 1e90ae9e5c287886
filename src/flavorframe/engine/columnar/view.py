"""Evaluate bound trees on the part of a partition that is still alive.

A `View` has the events that survived so far. The *full* view sees every element of these events;
the *surviving* view sees, of the candidates, only those that passed every cut before. Links and
the masks of sub-collections always look at the full view: an index means the file's numbering.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import singledispatchmethod
from typing import Any

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Jagged, Names, Values
from flavorframe.engine.columnar.baskets import Spent
from flavorframe.engine.columnar.reader import RootFile
from flavorframe.engine.columnar.segments import combine, first_match, ranges, reduce_segments
from flavorframe.errors import CorrectionError, ExpressionError, FileError
from flavorframe.expr import nodes as n
from flavorframe.expr.formula import formula
from flavorframe.expr.operations import compute, widen


class Columns:
    """The columns of one partition, each read once, when first asked for."""

    def __init__(self, file: RootFile, start: int, stop: int, carriers: dict[n.Axis, str]) -> None:
        """``carriers`` names a branch of each collection, to learn the lengths of its lists."""
        self._file, self._start, self._stop = file, start, stop
        self._carriers = carriers
        self._read: dict[str, Any] = {}
        self._offsets: dict[n.Axis, tuple[str, Array]] = {}
        self.spent = Spent()

    def __len__(self) -> int:
        return self._stop - self._start

    def content(self, column: n.Column) -> Any:
        """Return the flat values of a column: one an event, or one an element."""
        if column.branch not in self._read:
            self._read[column.branch] = self._file.read(
                column.branch, self._start, self._stop, self.spent
            )
        values = self._read[column.branch]
        if not isinstance(values, Jagged):
            return values
        self._check_lengths(column, values.offsets)
        return values.content

    def offsets(self, axis: n.Axis) -> Array:
        """Return where the lists of a collection begin and end."""
        if axis not in self._offsets:
            self.content(n.Column(self._carriers[axis], axis, ""))
        return self._offsets[axis][1]

    def _check_lengths(self, column: n.Column, offsets: Array) -> None:
        known, expected = self._offsets.setdefault(column.on, (column.branch, offsets))
        if offsets is not expected and not np.array_equal(offsets, expected):
            row = int(np.flatnonzero(np.diff(offsets) != np.diff(expected))[0])
            lengths = np.diff(offsets)[row], np.diff(expected)[row]
            raise FileError(
                f"{self._file.path}: in event {self._start + row} branch {column.branch} has "
                f"{lengths[0]} elements and {known} has {lengths[1]}: they are not lists of the "
                f"same collection ({column.on.name})."
            )


@dataclass(frozen=True)
class Elements:
    """The elements of an axis in a view, sorted by event.

    ``event`` is the position of each element's event in the view, ``local`` its index in the
    file's numbering, ``full`` its position among the full view's elements, ``source`` its place
    in the stored column, and ``parents`` the positions, in this view, of what it is made from.
    """

    event: Array
    local: Array
    full: Array
    counts: Array
    source: Array | None = None
    parents: tuple[Array, ...] = ()

    @property
    def starts(self) -> Array:
        """Where each event's elements begin."""
        return np.cumsum(self.counts) - self.counts

    def __len__(self) -> int:
        return len(self.event)


@dataclass
class Links:
    """How many candidates asked for each link, and found no element, or more than one."""

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Scheme:
    """What views need to know of a plan: the candidates' axis, and what to remember."""

    candidates: n.Axis
    shared: frozenset[n.Node]
    touching: frozenset[n.Node]
    settled: frozenset[n.Node]


def make_scheme(candidates: n.Axis, trees: Sequence[n.Node]) -> Scheme:
    """Return the scheme: which nodes recur, which depend on the candidates, and on the cuts."""
    uses: dict[n.Node, int] = {}
    touching: set[n.Node] = set()
    settled: set[n.Node] = set()
    for tree in trees:
        for node in n.walk(tree):
            _classify(node, candidates, touching, settled)
            for child in node.children():
                uses[child] = uses.get(child, 0) + 1
        uses[tree] = uses.get(tree, 0) + 1
    leaves = (n.Literal, n.Column, n.Field, n.Position)
    shared = {node for node, count in uses.items() if count > 1 and not isinstance(node, leaves)}
    return Scheme(candidates, frozenset(shared), frozenset(touching), frozenset(settled))


def _classify(
    node: n.Node, candidates: n.Axis, touching: set[n.Node], settled: set[n.Node]
) -> None:
    children = list(node.children())
    if derived(node.axis, candidates) or any(child in touching for child in children):
        touching.add(node)
    reduces = isinstance(node, n.Reduce) and node in touching
    if not reduces and all(child in settled for child in children):
        settled.add(node)


def derived(axis: n.Axis, candidates: n.Axis) -> bool:
    """Return whether the axis is the candidates', or made from it."""
    if axis == candidates:
        return axis != n.EVENT
    if isinstance(axis, n.Subset):
        return derived(axis.parent, candidates)
    return isinstance(axis, n.Combination) and any(derived(p, candidates) for p in axis.parents)


class View:
    """The living events of a partition; see the module's text."""

    def __init__(
        self,
        columns: Columns,
        scheme: Scheme,
        events: Array,
        *,
        links: Links | None = None,
        full: View | None = None,
        chosen: Array | None = None,
    ) -> None:
        self.columns, self.scheme, self.events = columns, scheme, events
        self.links = links
        self.full = full
        self.chosen = np.zeros(0, np.intp) if chosen is None else chosen
        self.remembered: dict[n.Node, Values] = {}
        self._elements: dict[n.Axis, Elements] = {}
        self._masks: dict[n.Axis, Array] = {}

    # the elements of an axis

    def elements(self, axis: n.Axis) -> Elements:
        """Return the elements of a collection, sub-collection or combination."""
        if self.full is not None and not derived(axis, self.scheme.candidates):
            return self.full.elements(axis)
        if axis not in self._elements:
            self._elements[axis] = self._make_elements(axis)
        return self._elements[axis]

    def _make_elements(self, axis: n.Axis) -> Elements:
        if self.full is not None and axis == self.scheme.candidates:
            return self._restrict(self.full.elements(axis), self.chosen, ())
        if isinstance(axis, n.Subset):
            return self._subset(axis)
        if isinstance(axis, n.Combination):
            return self._combination(axis)
        offsets = self.columns.offsets(axis)
        starts, counts = offsets[self.events], np.diff(offsets)[self.events]
        return self._listed(counts, source=ranges(starts, counts))

    def _listed(
        self, counts: Array, source: Array | None = None, parents: tuple[Array, ...] = ()
    ) -> Elements:
        event = np.repeat(np.arange(len(self.events)), counts)
        local = ranges(np.zeros(len(counts), np.int64), counts)
        return Elements(event, local, np.arange(len(event)), counts, source, parents)

    def _restrict(self, whole: Elements, kept: Array, parents: tuple[Array, ...]) -> Elements:
        event = whole.event[kept]
        counts = np.bincount(event, minlength=len(self.events))
        source = None if whole.source is None else whole.source[kept]
        return Elements(event, whole.local[kept], kept, counts, source, parents)

    def _subset(self, axis: n.Subset) -> Elements:
        parent = self.elements(axis.parent)
        mask = self._mask(axis)
        positions = np.flatnonzero(mask[parent.full])
        if self.full is None:
            counts = np.bincount(parent.event[positions], minlength=len(self.events))
            return self._listed(counts, parents=(positions,))
        rank = np.cumsum(mask) - 1
        kept = rank[parent.full[positions]]
        return self._restrict(self.full.elements(axis), kept, (positions,))

    def _mask(self, axis: n.Subset) -> Array:
        """Return where the mask holds among all elements of the parent."""
        view = self.full or self
        if axis not in view._masks:
            values = view._spread(view.evaluate(axis.mask), axis.mask.axis, axis.parent)
            view._masks[axis] = np.broadcast_to(values.truth(), len(view.elements(axis.parent)))
        return view._masks[axis]

    def _combination(self, axis: n.Combination) -> Elements:
        parents = [self.elements(parent) for parent in axis.parents]
        if self.full is not None:
            return self._surviving_combinations(axis, parents)
        same = [
            max((j for j in range(i) if axis.parents[j] == parent), default=-1)
            for i, parent in enumerate(axis.parents)
        ]
        event, members = combine([p.starts for p in parents], [p.counts for p in parents], same)
        counts = np.bincount(event, minlength=len(self.events))
        return self._listed(counts, parents=tuple(members))

    def _surviving_combinations(self, axis: n.Combination, parents: list[Elements]) -> Elements:
        assert self.full is not None
        whole = self.full.elements(axis)
        alive = np.ones(len(whole), bool)
        renumbered = []
        for parent, members, parent_axis in zip(parents, whole.parents, axis.parents, strict=True):
            new = np.full(len(self.full.elements(parent_axis)), -1)
            new[parent.full] = np.arange(len(parent))
            renumbered.append(new[members])
            alive &= new[members] >= 0
        kept = np.flatnonzero(alive)
        return self._restrict(whole, kept, tuple(m[kept] for m in renumbered))

    # values

    def evaluate(self, node: n.Node) -> Values:
        """Return the node's values: one an event, or one an element of its axis."""
        if self.full is not None and node not in self.scheme.touching:
            return self.full.evaluate(node)
        known = self.remembered.get(node)
        if known is None:
            known = self._evaluate(node)
            if node in self.scheme.shared:
                self.remembered[node] = known
        return known

    def spread(self, node: n.Node, axis: n.Axis) -> Values:
        """Return the node's values repeated for each element of the axis, constants included."""
        values = self._spread(self.evaluate(node), node.axis, axis)
        size = self.size(axis)
        if not isinstance(values.data, Names) and np.ndim(values.data) == 0:
            return Values(np.full(size, values.data))
        return values

    def size(self, axis: n.Axis) -> int:
        """Return how many values an expression on the axis has."""
        return len(self.events) if axis == n.EVENT else len(self.elements(axis))

    def event_of(self, axis: n.Axis) -> Array:
        """Return the position of the event of each value on the axis."""
        return np.arange(len(self.events)) if axis == n.EVENT else self.elements(axis).event

    def _spread(self, values: Values, origin: n.Axis, axis: n.Axis) -> Values:
        if origin == axis or axis == n.EVENT:
            return values
        return values[self.elements(axis).event]

    def _aligned(self, arguments: Sequence[n.Node], axis: n.Axis) -> list[Values]:
        return [self._spread(self.evaluate(a), a.axis, axis) for a in arguments]

    @singledispatchmethod
    def _evaluate(self, node: n.Node) -> Values:
        raise NotImplementedError(type(node))

    @_evaluate.register
    def _(self, node: n.Literal) -> Values:
        return Values(np.asarray(node.value))

    @_evaluate.register
    def _(self, node: n.Column) -> Values:
        content = self.columns.content(node)
        if node.axis == n.EVENT:
            return Values(content[self.events])
        return Values(content[self.elements(node.axis).source])

    @_evaluate.register
    def _(self, node: n.Apply) -> Values:
        values = self._aligned(node.arguments, node.axis)
        if node.operation in ("and", "or"):
            return _kleene(node.operation, *values)
        data = compute(node.operation, [v.data for v in values])
        if node.operation == "where":
            return Values(data, _where_valid(*values))
        return Values(data, _both_valid(values))

    @_evaluate.register
    def _(self, node: n.IsIn) -> Values:
        values = self.evaluate(node.operand)
        if isinstance(values.data, Names):
            return Values(_test_words(values.data, set(node.values).__contains__), values.valid)
        return Values(np.isin(widen(values.data), np.array(node.values)), values.valid)

    @_evaluate.register
    def _(self, node: n.StringTest) -> Values:
        values = self.evaluate(node.operand)
        if not isinstance(values.data, Names):
            raise ExpressionError(f"{formula(node)}: {formula(node.operand)} is not a string.")
        test = STRING_TESTS[node.test]
        fits = _test_words(values.data, lambda word: any(test(word, p) for p in node.patterns))
        return Values(fits, values.valid)

    @_evaluate.register
    def _(self, node: n.Reduce) -> Values:
        axis = node.operand.axis
        values, elements = self.spread(node.operand, axis), self.elements(axis)
        return reduce_segments(
            node.reduction, values, elements.event, elements.local, len(self.events)
        )

    @_evaluate.register
    def _(self, node: n.Take) -> Values:
        values = self.spread(node.operand, node.subset.parent)
        return values[self.elements(node.subset).parents[0]]

    @_evaluate.register
    def _(self, node: n.Member) -> Values:
        values = self.spread(node.operand, node.combination.parents[node.position])
        return values[self.elements(node.combination).parents[node.position]]

    @_evaluate.register
    def _(self, node: n.Position) -> Values:
        return Values(self.elements(node.axis).local)

    @_evaluate.register
    def _(self, node: n.Match) -> Values:
        view = self.full or self
        keys = [view.spread(key, node.target).data for key in node.keys]
        values = [self.spread(value, node.axis) for value in node.values]
        pairs = [_same_precision(k, v.data) for k, v in zip(keys, values, strict=True)]
        targets, event = view.elements(node.target), self.event_of(node.axis)
        found, number = first_match(
            [k for k, _ in pairs], [v for _, v in pairs],
            targets.starts[event], targets.counts[event],
        )  # fmt: skip
        self._note_links(node, number)
        valid = _both_valid(values)
        return Values(found, found >= 0 if valid is None else valid & (found >= 0))

    @_evaluate.register
    def _(self, node: n.Gather) -> Values:
        position, valid = self._point(node.target, node.index)
        operand = (self.full or self).spread(node.operand, node.target)
        if len(operand.data) == 0:
            return Values(np.zeros(len(position), _dtype(operand.data)), valid)
        gathered = operand[position]
        return Values(gathered.data, _both_valid([gathered, Values(None, valid)]))

    @_evaluate.register
    def _(self, node: n.Found) -> Values:
        return Values(self._point(node.target, node.index)[1])

    @_evaluate.register
    def _(self, node: n.CallFunction) -> Values:
        values = [self.spread(a, node.axis) for a in node.arguments]
        arrays = [widen(v.numbers()) for v in values]
        return Values(_call(node, arrays), _both_valid(values))

    @_evaluate.register
    def _(self, node: n.CallCorrection) -> Values:
        values = self._aligned(node.arguments, node.axis)
        valid = _both_valid(values)
        data = np.full(self.size(node.axis), np.nan)
        rows = np.arange(len(data)) if valid is None else np.flatnonzero(valid)
        if len(rows):
            data[rows] = _correct(node, [v[rows].data for v in values])
        return Values(data, valid)

    def _point(self, target: n.Axis, index: n.Node) -> tuple[Array, Array]:
        """Return the positions in the full view that an index points to, and where it does."""
        values = self.spread(index, index.axis)
        targets, event = (self.full or self).elements(target), self.event_of(index.axis)
        local = np.asarray(values.numbers())
        with np.errstate(invalid="ignore"):
            valid = (local >= 0) & (local < targets.counts[event])
        offset = np.where(valid, local, 0).astype(np.int64)
        return np.where(valid, targets.starts[event] + offset, 0), valid

    def _note_links(self, node: n.Match, number: Array) -> None:
        if self.links is not None:
            asked = (len(number), int((number == 0).sum()), int((number > 1).sum()))
            self.links.counts.setdefault(formula(node), asked)


STRING_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "contains": str.__contains__,
    "matches": fnmatchcase,
}


def _test_words(names: Names, test: Callable[[str], bool]) -> Array:
    holds = np.fromiter((test(word) for word in names.words), bool, len(names.words))
    if not len(holds):
        return np.zeros(len(names), bool)
    return holds[names.codes]


def _both_valid(values: Sequence[Values]) -> Array | None:
    valid: Array | None = None
    for item in values:
        if item.valid is not None:
            valid = item.valid if valid is None else valid & item.valid
    return valid


def _where_valid(condition: Values, a: Values, b: Values) -> Array | None:
    if condition.valid is None and a.valid is None and b.valid is None:
        return None
    holds = condition.truth()
    chosen = np.where(holds, _validity(a), _validity(b))
    return chosen & _validity(condition)


def _validity(values: Values) -> Array:
    return np.ones((), bool) if values.valid is None else values.valid


def _kleene(operation: str, a: Values, b: Values) -> Values:
    """Return a and b, or a or b, where a missing value is neither true nor false."""
    data = compute(operation, [a.data, b.data])
    if a.valid is None and b.valid is None:
        return Values(data)
    settles = (lambda v: v.truth()) if operation == "or" else _false
    valid = (_validity(a) & _validity(b)) | settles(a) | settles(b)
    return Values(a.truth() | b.truth() if operation == "or" else data & valid, valid)


def _false(values: Values) -> Array:
    return ~Values(values.data).truth() & _validity(values)


def _same_precision(key: Array, value: Array) -> tuple[Array, Array]:
    """Return both as floats of single precision where either is stored so."""
    if np.float32 in (key.dtype, value.dtype):
        return key.astype(np.float32), value.astype(np.float32)
    return key, value


def _dtype(data: Any) -> Any:
    return np.int32 if isinstance(data, Names) else data.dtype


def _call(node: n.CallFunction, arrays: list[Array]) -> Array:
    name = node.function.name
    try:
        result = np.asarray(node.function.compute(*arrays))
    except Exception as error:
        raise ExpressionError(
            f"The function {name} in {formula(node)} failed: {type(error).__name__}: {error}"
        ) from error
    if result.shape != arrays[0].shape:
        raise ExpressionError(
            f"The function {name} was given arrays of shape {arrays[0].shape} and returned shape "
            f"{result.shape}; it must return one value per element."
        )
    return result


_CORRECTION_TYPES = {"real": np.float64, "int": np.int64}


def _correct(node: n.CallCorrection, data: list[Any]) -> Array:
    correction = node.correction
    variables = correction.evaluator.inputs
    arguments = [
        str(d) if v.type == "string" else np.asarray(d).astype(_CORRECTION_TYPES[v.type])
        for d, v in zip(data, variables, strict=True)
    ]
    try:
        return np.asarray(correction.evaluator.evaluate(*arguments))
    except Exception as error:  # correctionlib raises RuntimeError and IndexError
        seen = ", ".join(
            f"{v.name} from {np.min(a):.4g} to {np.max(a):.4g}"
            for a, v in zip(arguments, variables, strict=True)
            if not isinstance(a, str)
        )
        raise CorrectionError(
            f"Correction {correction.name} of {correction.path} has no value for some of the "
            f"inputs ({seen}): {error}. Put the weight after the cuts that keep its inputs in "
            "range."
        ) from None
