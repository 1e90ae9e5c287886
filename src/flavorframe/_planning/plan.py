"""Plans: an analysis as engines take it, immutable and hashable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from flavorframe._data_quality.tallies import Tally
from flavorframe._expr import nodes as n
from flavorframe._expr.identity.fingerprints import fingerprint
from flavorframe._planning.friends import PlannedFriend
from flavorframe._planning.sample_values import without_values
from flavorframe.layouts import Layout
from flavorframe.outputs import Output, Snapshot
from flavorframe.selection import Selection
from flavorframe.skims import Skim


@dataclass(frozen=True)
class Plan:
    """What to evaluate on each partition: the steps of the selection, then the outputs.

    ``layout`` is that of the files, where the user says it, and ``friends`` what lies beside them.
    They make no difference to what is asked for, so that results of eras with others add up; nor
    does ``weights_in``, where files of simulation have their sums of weights. ``tallies`` are of
    all events that are read.
    """

    selection: Selection
    outputs: tuple[tuple[str, Output], ...]
    tallies: tuple[tuple[str, Tally], ...] = field(default=(), kw_only=True)
    weights_in: str = field(default="", compare=False, kw_only=True)
    layout: Layout | None = field(default=None, compare=False, kw_only=True)
    friends: tuple[PlannedFriend, ...] = field(default=(), compare=False, kw_only=True)

    def trees(self) -> Iterator[n.Node]:
        """Yield every expression that is evaluated."""
        for step in self.selection.steps:
            yield step.node
        for _, output in self.outputs:
            yield from output.nodes

    @cached_property
    def digest(self) -> str:
        """A fingerprint of the plan, the same in every process and wherever rows are written.

        Functions of the user's are known by their code and all that it refers to, corrections by
        what their files hold. It is the same whatever dataset the plan is for.
        """
        outputs = tuple(
            (name, replace(output, path=None, files=1) if isinstance(output, Snapshot) else output)
            for name, output in self.outputs
        )
        content = (self.selection.candidates, self.selection.steps, outputs, self.tallies)
        return fingerprint(without_values(content), named=True).hex()

    @property
    def skims(self) -> tuple[tuple[str, Skim], ...]:
        """The skims, by name."""
        return tuple((name, output) for name, output in self.outputs if isinstance(output, Skim))

    @property
    def is_weighted(self) -> bool:
        """Whether the selection weighs candidates."""
        return self.selection.is_weighted


@dataclass(frozen=True)
class BoundPlan(Plan):
    """A plan whose leaves are columns of a file.

    ``length_branches`` has a branch of each collection, to read the lengths of its lists from.
    """

    length_branches: tuple[tuple[n.Axis, str], ...] = ()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The branches that the plan may read, in the order in which it asks for them."""
        found = (node.branch for tree in self.trees() for node in n.walk(tree)
                 if isinstance(node, n.Column))  # fmt: skip
        copied = (kept.branch for _, skim in self.skims for kept in skim.kept)
        return tuple(dict.fromkeys([*found, *dict(self.length_branches).values(), *copied]))
