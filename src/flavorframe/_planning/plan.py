"""Plans: an analysis as engines take it, immutable and hashable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from flavorframe._data_quality.tallies import Tally
from flavorframe._expr import nodes as n
from flavorframe._expr.identity.fingerprints import fingerprint
from flavorframe._expr.variations import Variation, shifted, variations_in
from flavorframe._planning.friends import PlannedFriend
from flavorframe._planning.sample_values import without_values
from flavorframe.layouts import Layout
from flavorframe.outputs import Histogram, Output, Snapshot
from flavorframe.selection import Best, Cut, Selection
from flavorframe.skims import Skim


@dataclass(frozen=True)
class PlannedRegion:
    """A region of a plan; its outputs are named as `in_region` says."""

    name: str
    selection: Selection
    category: n.Category | None = None


@dataclass(frozen=True)
class Plan:
    """What to evaluate on each partition: the steps of the selection, then the outputs.

    With several ``regions``, ``selection`` and ``category`` are those of the first, and outputs are
    named ``signal.mass``; ``parts`` has a plan for each. ``tallies`` are of all events that are
    read. ``layout`` is that of the files, where the user says it, and ``friends`` what lies beside
    them. They make no difference to what is asked for, so that results of eras with others add up;
    nor does ``weights_in``, where files of simulation have their sums of weights.
    """

    selection: Selection
    outputs: tuple[tuple[str, Output], ...]
    category: n.Category | None = None
    regions: tuple[PlannedRegion, ...] = ()
    tallies: tuple[tuple[str, Tally], ...] = field(default=(), kw_only=True)
    weights_in: str = field(default="", compare=False, kw_only=True)
    layout: Layout | None = field(default=None, compare=False, kw_only=True)
    friends: tuple[PlannedFriend, ...] = field(default=(), compare=False, kw_only=True)

    @cached_property
    def parts(self) -> tuple[tuple[str, Plan], ...]:
        """The plan of each region by its name; of one selection, the plan itself and no name."""
        if not self.regions:
            return (("", self),)
        return tuple((region.name, self._part(region)) for region in self.regions)

    def _part(self, region: PlannedRegion) -> Plan:
        prefix = in_region(region.name, "")
        outputs = tuple(
            (name.removeprefix(prefix), output)
            for name, output in self.outputs
            if name.startswith(prefix)
        )
        return Plan(
            region.selection, outputs, region.category, layout=self.layout, friends=self.friends
        )

    def part_of(self, output: str) -> Plan:
        """Return the plan of the region that an output belongs to."""
        parts = dict(self.parts)
        return parts.get(region_of(output, parts), self)

    def trees(self) -> Iterator[n.Node]:
        """Yield every expression that is evaluated."""
        for _, part in self.parts:
            for step in part.selection.steps:
                yield step.node
            if part.category is not None:
                yield part.category
        for _, output in self.outputs:
            yield from output.nodes

    @cached_property
    def variations(self) -> tuple[Variation, ...]:
        """The variations of anything in it; raises AnalysisError where they contradict."""
        axes = (part.selection.candidates for _, part in self.parts)
        return variations_in((*axes, *self.trees()))

    def moves(self, variation: Variation) -> bool:
        """Return whether other candidates are selected in a variation, of a plan of one region."""
        steps = (s.node for s in self.selection.steps if isinstance(s, Cut | Best))
        return any(
            shifted(part, variation) is not shifted(part, None)
            for part in (self.selection.candidates, *steps)
        )

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
        regions = tuple(
            (name, part.selection.candidates, part.selection.steps, part.category)
            for name, part in self.parts
        )
        content = (regions, outputs, self.tallies)
        return fingerprint(without_values(content), named=True).hex()

    @property
    def skims(self) -> tuple[tuple[str, Skim], ...]:
        """The skims, by name."""
        return tuple((name, output) for name, output in self.outputs if isinstance(output, Skim))

    @property
    def is_weighted(self) -> bool:
        """Whether the selection weighs candidates."""
        return self.selection.is_weighted

    @property
    def filled(self) -> tuple[tuple[str, Histogram], ...]:
        """The histograms of a plan of one region, in the variations too, as partials name them."""
        return tuple(
            (varied_name(name, variation), output)
            for name, output in self.outputs
            if isinstance(output, Histogram)
            for variation in (None, *self.variations)
        )


def varied_name(output: str, variation: Variation | None) -> str:
    """Return what partials call a histogram in a variation.

    >>> varied_name("mass", Variation("muon ID", "up"))
    'mass [muon ID up]'
    """
    return output if variation is None else f"{output} [{variation.label}]"


def in_region(region: str, name: str) -> str:
    """Return what the whole calls an output, or a link, of a region.

    >>> in_region("signal", "mass"), in_region("", "mass")
    ('signal.mass', 'mass')
    """
    return f"{region}.{name}" if region else name


def region_of(name: str, regions: Iterable[str]) -> str:
    """Return the region of an output by what the whole calls it; empty where it is of none.

    >>> region_of("signal.mass", ["control", "signal"]), region_of("mass", [""])
    ('signal', '')
    """
    own = (each for each in regions if each and name.startswith(in_region(each, "")))
    return next(own, "")


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
