"""Selections: named cuts on candidates, in order, weights, and the best candidate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from flavorframe._expr import nodes as n
from flavorframe._expr.collection import Collection
from flavorframe._expr.event import Event
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.formula import brief, formula
from flavorframe._expr.nesting import refuse_nested_axis
from flavorframe._expr.strings import refuse_string
from flavorframe._expr.texts import shortened
from flavorframe._expr.variations import Variation
from flavorframe.errors import AnalysisError, ExpressionError, did_you_mean


@dataclass(frozen=True)
class Cut:
    """A named condition."""

    name: str
    node: n.Node

    @property
    def formula(self) -> str:
        """What it does, as a formula."""
        return formula(self.node)


@dataclass(frozen=True)
class Weight:
    """A named factor that multiplies the weight of all that passed the steps before.

    ``varied`` has the factor in the variations in which it is another, once these are told apart.
    """

    name: str
    node: n.Node
    varied: tuple[tuple[Variation, n.Node], ...] = ()

    @property
    def formula(self) -> str:
        """What it does, as a formula."""
        return f"weight {formula(self.node)}"


@dataclass(frozen=True)
class Best:
    """The choice of one candidate an event."""

    node: n.Node
    highest: bool

    @property
    def name(self) -> str:
        """How the cutflow calls it."""
        return "best candidate"

    @property
    def formula(self) -> str:
        """What it does, as a formula."""
        return f"{'highest' if self.highest else 'lowest'} {formula(self.node)}"


Step = Cut | Weight | Best
USES = {Cut: "cut on", Weight: "weights", Best: "chosen by"}
"""What is done with the values of a step, as errors say it."""


@dataclass(frozen=True)
class Selection:
    """Cuts on the candidates of a collection; each method returns a longer selection.

    A cut with one value per event drops events; one with a value per candidate drops candidates
    for good, and an event passes while one candidate of it does. Each later step sees only what
    passed.

    Args:
        candidates: A collection, or ``events`` where the event itself is selected.

    Raises:
        AnalysisError: ``candidates`` is neither.

    Example:
        >>> import flavorframe as ff
        >>> events = ff.events()
        >>> t = events.triplet
        >>> ff.Selection(t).cut("mass", t.mass.between(1.62, 2.02)).best(lowest=t.vertex_chi2)
        Selection of triplet
          1. mass              1.62 ≤ triplet.mass < 2.02
          2. best candidate    lowest triplet.vertex_chi2
    """

    candidates: n.Axis
    steps: tuple[Step, ...] = ()

    def __init__(self, candidates: Collection | Event, steps: tuple[Step, ...] = ()) -> None:
        """Start from a collection, or from ``events`` where the event itself is selected."""
        if isinstance(candidates, Event):
            axis: n.Axis = n.EVENT
        elif isinstance(candidates, Collection):
            axis = candidates.axis
            refuse_nested_axis(axis, "ff.Selection")
        elif isinstance(candidates, n.Axis):
            axis = candidates
        else:
            raise AnalysisError(
                f"ff.Selection takes a collection such as events.triplet, or events, not "
                f"{candidates!r}."
            )
        object.__setattr__(self, "candidates", axis)
        object.__setattr__(self, "steps", steps)

    def cut(self, name: str, condition: Expr) -> Selection:
        """Return the selection with one more cut.

        Args:
            name: What the cutflow calls it.
            condition: One truth value per event or per candidate; a number counts as true where
                it is not zero.

        Returns:
            A longer selection; this one stays as it is.

        Raises:
            AnalysisError: The name is used twice, or the best candidate is chosen already.
            ExpressionError: The condition is on another collection, a string or a constant.
        """
        if self.has_best:
            raise AnalysisError(
                f"Cut {name!r} comes after .best(): the best candidate is chosen among those that "
                "passed every cut, so put .best() last."
            )
        node = self._step_node(Cut, "cut", name, condition)
        if isinstance(node, n.Literal):
            raise ExpressionError(
                f"Cut {name!r} is the constant {node.value!r}, not a condition on an expression "
                "such as t.mass > 1.6; a text becomes one by ff.parse()."
            )
        return self._with(Cut(name, node))

    def weight(self, name: str, factor: Expr | float) -> Selection:
        """Return the selection with a weight, which counts from this step on.

        Put it after the cuts that keep its inputs in range. Weights multiply.

        Args:
            name: What the cutflow calls it.
            factor: One number per event or per candidate, or one for all.

        Returns:
            A longer selection; this one stays as it is.

        Raises:
            AnalysisError: The name is used twice.
            ExpressionError: The factor is on another collection, or a string.
        """
        return self._with(Weight(name, self._step_node(Weight, "weight", name, factor)))

    def best(self, *, lowest: Expr | None = None, highest: Expr | None = None) -> Selection:
        """Return the selection that keeps one candidate an event, the first of equal ones.

        Candidates whose value is NaN or missing are kept only where there is no other.

        Args:
            lowest: What is to be lowest, with one number per candidate; or
            highest: What is to be highest.

        Returns:
            A longer selection, to which no cut can be added.

        Raises:
            AnalysisError: Both or none of the two are given, the best candidate is chosen already,
                or events are selected.
            ExpressionError: The value is on another collection, or a string.
        """
        given = [value for value in (lowest, highest) if value is not None]
        if len(given) != 1:
            raise AnalysisError(".best() takes either lowest=... or highest=....")
        if self.has_best:
            raise AnalysisError("The selection has a best candidate already.")
        node = self._step_node(Best, "best candidate", "best candidate", given[0])
        if self.candidates == n.EVENT:
            raise AnalysisError(".best() chooses among candidates, and this selects events.")
        return self._with(Best(node, highest is not None))

    @property
    def has_best(self) -> bool:
        """Whether one candidate an event is kept."""
        return any(isinstance(step, Best) for step in self.steps)

    @property
    def is_weighted(self) -> bool:
        """Whether any weight is given."""
        return any(isinstance(step, Weight) for step in self.steps)

    @property
    def cut_names(self) -> tuple[str, ...]:
        """The names of the cuts, in order."""
        return tuple(step.name for step in self.steps if isinstance(step, Cut))

    def without(self, name: str) -> Selection:
        """Return the selection without one cut.

        Args:
            name: The name of the cut.

        Returns:
            A shorter selection; this one stays as it is.

        Raises:
            AnalysisError: There is no cut of that name.
        """
        if name not in self.cut_names:
            cuts = ", ".join(map(repr, self.cut_names))
            listed = f"The cuts are {cuts}." if cuts else "The selection has no cut."
            raise AnalysisError(
                f"There is no cut {name!r}.{did_you_mean(name, self.cut_names)} {listed}"
            )
        steps = tuple(s for s in self.steps if not (isinstance(s, Cut) and s.name == name))
        return replace(self, steps=steps)

    def _with(self, step: Step) -> Selection:
        return replace(self, steps=(*self.steps, step))

    def _step_node(self, step: type[Step], what: str, name: str, value: Operand) -> n.Node:
        if not isinstance(name, str) or not name:
            raise AnalysisError(f"A {what} needs a name, and {name!r} is none.")
        if any(step.name == name for step in self.steps):
            raise AnalysisError(f"The name {name!r} is used twice in the selection.")
        node = as_node(value)
        refuse_string(node, f"{what.capitalize()} {name!r}", USES[step])
        if node.axis not in (n.EVENT, n.UNRESOLVED, self.candidates):
            raise ExpressionError(
                f"{what.capitalize()} {name!r} ({brief(node)}) has one value per "
                f"{brief(node.axis)}, and the candidates are {brief(self.candidates)}: reduce it "
                "with any(), sum(), min() ..., or link it with .at() or .match()."
            )
        return node

    def __repr__(self) -> str:
        width = max((len(step.name) for step in self.steps), default=0) + 4
        lines = [f"Selection of {brief(self.candidates)}"]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"  {number}. {step.name:{width}}{shortened(step.formula)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        left = '<td style="text-align: left">'  # pages of notebooks have it right
        rows = "".join(
            f"<tr>{left}{escape(s.name)}</td>{left}<code>{escape(shortened(s.formula))}</code></td></tr>"
            for s in self.steps
        )
        return (
            f"<table><caption>Selection of {escape(brief(self.candidates))}</caption>{rows}</table>"
        )
