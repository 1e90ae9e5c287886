"""What an analysis means, spelled out: one event, one candidate, one number at a time.

A second, slow and obvious implementation of the rules of meaning, for engines to be tested against.
It shares the expression tree with the package and nothing else: it has its own table of names, its
own arithmetic on Python numbers, and no engine or layout code.

Conventions: an *element* of a stored collection is its index in the file, one of a sub-collection
or of a sorted one is the element of the parent, one of pairs or triples is the tuple of its
members, one of a concatenation is the place of its collection and the element there, one of nested
lists knows its outer element and its own, and the event itself is the element `()` of the event
axis. A missing value is None.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
import uproot

from flavorframe._expr import nodes as n
from flavorframe.analysis import Analysis
from flavorframe.outputs import Histogram, HistogramAxis, Output, Snapshot
from flavorframe.selection import Best, Cut, Step, Weight

# Names

_NAMES = """
run                          run                             run
luminosity_block             lumi                            luminosityBlock
event                        evt                             event
n_primary_vertices           PVCollection_Size               PV_npvs
n_pileup                     nPileUpInt                      Pileup_nPU
half                         half                            half
hash                         hash                            hash
seed                         seed                            seed
label                        label                           -
muon.pt                      MuonPt                          Muon_pt
muon.eta                     MuonEta                         Muon_eta
muon.phi                     MuonPhi                         Muon_phi
muon.charge                  MuonCharge                      Muon_charge
muon.is_global               Muon_isGlobal                   Muon_isGlobal
muon.is_pf                   Muon_isPF                       Muon_isPF
muon.is_soft                 Muon_isSoft                     Muon_isSoft
muon.is_tracker              Muon_isTrackerMuon              Muon_isTracker
muon.mass                    -                               Muon_mass
muon.flags                   Muon_flags                      Muon_flags
muon.mask                    Muon_mask                       Muon_mask
muon.code                    Muon_code                       Muon_code
muon.serial                  Muon_serial                     Muon_serial
muon.label                   Muon_label                      -
track.pt                     Track_pt                        Track_pt
track.eta                    Track_eta                       Track_eta
track.phi                    Track_phi                       Track_phi
track.charge                 Track_charge                    Track_charge
track.dz                     Track_dz                        Track_dz
track.dxy                    Track_dxy                       Track_dxy
jet.pt                       -                               Jet_pt
jet.eta                      -                               Jet_eta
jet.phi                      -                               Jet_phi
jet.mass                     -                               Jet_mass
electron.pt                  -                               Electron_pt
electron.charge              -                               Electron_charge
gen_part.pt                  -                               GenPart_pt
gen_part.pdg_id              -                               GenPart_pdgId
triplet.mass                 Triplet2_Mass                   triplet_mass
triplet.pt                   Triplet2_Pt                     triplet_pt
triplet.eta                  Triplet2_Eta                    triplet_eta
triplet.phi                  Triplet2_Phi                    triplet_phi
triplet.charge               Triplet2_Charge                 triplet_charge
triplet.vertex_chi2          TripletVtx2_Chi2                triplet_vertex_chi2
triplet.pv_ntracks           RefittedPV2_NTracks             triplet_pv_ntracks
triplet.word                 Triplet_word                    triplet_word
triplet.code                 Triplet_code                    triplet_code
triplet.flight_significance  FlightDistBS_SV_Significance    triplet_flight_significance
triplet.mu1.pt               Mu01_Pt                         triplet_mu1_pt
triplet.mu1.eta              Mu01_Eta                        triplet_mu1_eta
triplet.mu1.phi              Mu01_Phi                        triplet_mu1_phi
triplet.mu1.trigger_dr       Mu1_dRtriggerMatch_2017         triplet_mu1_trigger_dr
triplet.mu2.pt               Mu02_Pt                         triplet_mu2_pt
triplet.mu2.eta              Mu02_Eta                        triplet_mu2_eta
triplet.mu2.phi              Mu02_Phi                        triplet_mu2_phi
triplet.mu2.trigger_dr       Mu2_dRtriggerMatch_2017         triplet_mu2_trigger_dr
triplet.track.pt             Tr_Pt                           triplet_track_pt
triplet.track.eta            Tr_Eta                          triplet_track_eta
triplet.track.phi            Tr_Phi                          triplet_track_phi
triplet.track.dxy            -                               triplet_track_dxy
triplet.daughter.pt          -                               triplet_daughter_pt
triplet.daughter.charge      -                               triplet_daughter_charge
triplet.refit1.pt            RefTrack1_Pt                    triplet_refit1_pt
triplet.refit1.eta           RefTrack1_Eta                   triplet_refit1_eta
triplet.refit1.phi           RefTrack1_Phi                   triplet_refit1_phi
triplet.refit2.pt            RefTrack2_Pt                    triplet_refit2_pt
triplet.refit2.eta           RefTrack2_Eta                   triplet_refit2_eta
triplet.refit2.phi           RefTrack2_Phi                   triplet_refit2_phi
"""
"""The friendly names that the tests use, and their branches in the layouts bph and nano."""

_ROWS = [line.split() for line in _NAMES.strip().split("\n")]
BRANCHES = {
    layout: {row[0]: row[column] for row in _ROWS if row[column] != "-"}
    for column, layout in enumerate(("bph", "nano"), 1)
}

MEMBERS = ("charge", "is_global", "is_pf", "dz", "dxy")
"""What tests ask of a candidate's muons and tracks beside their momenta."""

BRANCHES["rows"] = BRANCHES["nano"] | {
    f"triplet.{part}.{field}": f"triplet_{part}_{field}"
    for part in ("mu1", "mu2", "track")
    for field in MEMBERS
}
"""The names of files that `row_files` writes, with one row for each candidate."""

KEY = ("run", "luminosityBlock", "event")
"""What tells the events of a file with one row a candidate apart."""

LINKS = {
    "triplet.mu1": ("muon", "triplet_mu1_idx"),
    "triplet.mu2": ("muon", "triplet_mu2_idx"),
    "triplet.track": ("track", "triplet_track_idx"),
    "jet.muon1": ("muon", "Jet_muonIdx1"),
    "muon.jet": ("jet", "Muon_jetIdx"),
    "muon.gen": ("gen_part", "Muon_genPartIdx"),
    "track.gen": ("gen_part", "Track_genPartIdx"),
    "gen_part.mother": ("gen_part", "GenPart_genPartIdxMother"),
}
"""The collection that a link leads to, and its index in nano; in bph the two have equal pt."""


POWERS = {"MeV": 6, "GeV": 9, "cm": -2, "mm": -3, "um": -6}
"""Units as powers of ten; all files that the oracle reads are in GeV and cm."""


# The file


class File:
    """The columns of a tree as nested Python lists."""

    def __init__(self, path: str, tree: str | None = None) -> None:
        opened = uproot.open(path)
        names = [name for name, kind in opened.classnames(cycle=False).items() if _is_tree(kind)]
        known = [name for name in ("Events", "Tree3Mu/ntuple") if name in names]
        self._tree = opened[tree or (known or names)[0]]
        self.branches = [name.split("/")[-1] for name in self._tree.keys()]  # noqa: SIM118
        self.layout = _layout(set(self.branches))
        self._lists: dict[str, list[Any]] = {}
        self._types: dict[str, str] = {}
        self._kinds: dict[n.Node, str] = {}
        self.axes: dict[n.Node, n.Axis] = {}
        self._list_of: dict[str, str] = {}
        self._rows_of = self._rows_of_events() if self.layout == "rows" else []
        self.events = len(self._rows_of) or int(self._tree.num_entries)

    def _rows_of_events(self) -> list[list[int]]:
        """Return the rows of each event: those that follow each other with one key."""
        keys = list(zip(*(self._tree[branch].array().to_list() for branch in KEY), strict=True))
        events: list[list[int]] = []
        for row, key in enumerate(keys):
            if row and key == keys[row - 1]:
                events[-1].append(row)
            else:
                events.append([row])
        return events

    def value(self, branch: str, event: int) -> Any:
        """Return what an event has in a branch: a number, or a list."""
        if branch not in self._lists:
            self._load(branch)
        return self._lists[branch][event]

    def type(self, branch: str) -> str:
        """Return the type of a branch's values, such as "var * float32"."""
        self._load(branch)
        return self._types[branch]

    def kind(self, node: n.Node) -> str:
        """Return what values are: "truth", "whole", "unsigned" (of 64 bits), "real" or "word"."""
        if node not in self._kinds:
            self._kinds[node] = _kind(self, node)
        return self._kinds[node]

    def kind_of_branch(self, branch: str) -> str:
        stored = self.type(branch).rsplit(" ", 1)[-1]
        kinds = {"bool": "truth", "string": "word", "uint64": "unsigned"}
        return kinds.get(stored, "whole" if "int" in stored else "real")

    def lacks(self, node: n.Node) -> bool:
        """Return whether a default value stands in for a name, branch or trigger decision."""
        if isinstance(node, n.Fired):
            return self.layout == "nano" and not self.paths(node)
        if isinstance(node, n.Branch):
            return node.branch not in self.branches
        assert isinstance(node, n.Field)
        branch = self.branch_of(node)
        if branch is None:  # it is of what a link leads to
            part, *path = node.path
            target = n.CollectionAxis(LINKS[f"{node.on.name}.{part}"][0])
            return self.lacks(n.Field(target, tuple(path)))
        return branch not in self.branches

    def paths(self, node: n.Fired) -> list[str]:
        """Return the branches of trigger paths that fit, in nano."""
        prefix = {"hlt": "HLT_", "l1": "L1_"}[node.menu]
        patterns = [*node.patterns, *(re.sub(r"_v(\*|\d+)$", "", p) for p in node.patterns)]
        paths = [b for b in self.branches if b.startswith(prefix)]
        return [path for path in paths if any(fnmatchcase(path, p) for p in patterns)]

    def is_list(self, branch: str) -> bool:
        return self.type(branch).startswith("var *")

    def collection_of(self, branch: str) -> str:
        """Return the collection that a branch belongs to, by the table or by its first word."""
        for name, known in BRANCHES[self.layout].items():
            if known == branch:
                return name.split(".")[0]
        return re.split("[_.]", branch)[0].lower()

    def branch_of(self, node: n.Field) -> str | None:
        """Return the branch of a friendly name, if it has one."""
        name = ".".join((*([] if node.on == n.EVENT else [node.on.name]), *node.path))
        return BRANCHES[self.layout].get(name)

    def list_of(self, collection: str) -> str:
        """Return some branch that has one value for each element of a collection."""
        if collection not in self._list_of:
            own = [b for b in self.branches if self.collection_of(b) == collection]
            self._list_of[collection] = next(branch for branch in own if self.is_list(branch))
        return self._list_of[collection]

    def list_in(self, axis: n.StoredLists) -> str:
        """Return some branch that has a list for each element of a collection."""
        begins = f"{axis.outer.name}_{axis.name_in_outer}"
        return next(branch for branch in self.branches if branch.startswith(begins))

    def _load(self, branch: str) -> None:
        if branch not in self._lists:
            array = self._tree[branch].array()
            values, held = array.to_list(), str(array.type).split(" * ", 1)[1]
            if self._rows_of and branch.startswith("triplet_"):
                values = [[values[row] for row in rows] for rows in self._rows_of]
                held = f"var * {held}"
            elif self._rows_of:
                values = [values[rows[0]] for rows in self._rows_of]
            self._lists[branch], self._types[branch] = values, held


def _layout(branches: set[str]) -> str:
    if {"Triplet2_Mass", "Mu01_Pt"} <= branches:
        return "bph"
    return "rows" if "triplet_mu1_is_global" in branches else "nano"


def _is_tree(kind: str) -> bool:
    return kind == "TTree" or kind.endswith("RNTuple")


def to_single(x: float) -> float:
    """Return the number rounded to the precision of a 32-bit float."""
    try:
        return float(struct.unpack("f", struct.pack("f", x))[0])
    except OverflowError:
        return math.copysign(math.inf, x)


# Arithmetic: a missing argument gives a missing result, invalid arithmetic NaN or infinity.


def whole(x: int) -> int:
    """Return the integer as 64 bits hold it."""
    return (x + 2**63) % 2**64 - 2**63


def _number(x: Any) -> Any:
    return int(x) if isinstance(x, bool) else x


def _exact(compute: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: compute(*map(_number, arguments))


def as_kind(x: Any, kind: str) -> Any:
    """Return a number as a kind holds it: in 64 bits, with a sign or without, or as real."""
    if x is None:
        return None
    convert = {"truth": bool, "whole": whole, "unsigned": lambda i: i % 2**64, "real": float}[kind]
    return convert(_number(x))


def _function(compute: Callable[..., float]) -> Callable[..., Any]:
    def wrapped(*arguments: Any) -> float:
        try:
            return compute(*map(float, arguments))
        except (ValueError, OverflowError):
            return math.nan

    return wrapped


def divide(a: Any, b: Any) -> float:
    a, b = float(a), float(b)
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _floor_divide(a: Any, b: Any) -> Any:
    if b == 0:
        return 0 if _are_whole(a, b) else divide(a, b)
    return a // b


def _remainder(a: Any, b: Any) -> Any:
    if b == 0:
        return 0 if _are_whole(a, b) else math.nan
    return a % b


def _are_whole(*numbers: Any) -> bool:
    return all(isinstance(x, int) for x in numbers)


def _shifted_left(x: int, by: int) -> int:
    return x << by if 0 <= by < 64 else 0


def _shifted_right(x: int, by: int) -> int:
    return x >> min(by, 64) if by >= 0 else x >> 64


def _logarithm(x: float) -> float:
    return -math.inf if x == 0 else math.log(x)


def _whole_part(round_: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: float(round_(x)) if math.isfinite(x) else x


def _smaller(a: Any, b: Any) -> Any:
    return math.nan if a != a or b != b else min(a, b)


def _larger(a: Any, b: Any) -> Any:
    return math.nan if a != a or b != b else max(a, b)


def delta_phi(a: float, b: float) -> float:
    return (a - b + math.pi) % (2 * math.pi) - math.pi


def delta_r(eta1: float, phi1: float, eta2: float, phi2: float) -> float:
    d_eta, d_phi = eta1 - eta2, delta_phi(phi1, phi2)
    return math.sqrt(d_eta * d_eta + d_phi * d_phi)


def mass(*components: float) -> float:
    energy = px = py = pz = 0.0
    for i in range(0, len(components), 4):
        pt, eta, phi, m = components[i : i + 4]
        x, y, z = pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta)
        energy += math.sqrt(x * x + y * y + z * z + m * m)
        px, py, pz = px + x, py + y, pz + z
    return mass_of_components(px, py, pz, energy)


def mass_of_components(px: float, py: float, pz: float, energy: float) -> float:
    squared = energy * energy - (px * px + py * py + pz * pz)
    return -math.sqrt(-squared) if squared < 0 else math.sqrt(squared)


def angle(*components: float) -> float:
    p, q = components[:3], components[3:]
    if not any(p) or not any(q):
        return math.nan
    crossed = [p[i - 2] * q[i - 1] - p[i - 1] * q[i - 2] for i in range(3)]
    return math.atan2(math.hypot(*crossed), sum(a * b for a, b in zip(p, q, strict=True)))


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": _exact(lambda a, b: a + b),
    "subtract": _exact(lambda a, b: a - b),
    "multiply": _exact(lambda a, b: a * b),
    "negative": _exact(lambda a: -a),
    "absolute": _exact(abs),
    "divide": divide,
    "floor_divide": _exact(_floor_divide),
    "remainder": _exact(_remainder),
    "minimum": _exact(_smaller),
    "maximum": _exact(_larger),
    "bit_and": _exact(lambda a, b: a & b),
    "bit_or": _exact(lambda a, b: a | b),
    "bit_xor": _exact(lambda a, b: a ^ b),
    "bit_not": _exact(lambda a: ~a),
    "shift_left": _exact(_shifted_left),
    "shift_right": _exact(_shifted_right),
    "bit": lambda x, number: x >> number & 1 == 1,
    "xor": lambda a, b: bool(a) != bool(b),
    "power": _function(math.pow),
    "sqrt": _function(math.sqrt),
    "exp": _function(math.exp),
    "log": _function(_logarithm),
    "sin": _function(math.sin),
    "cos": _function(math.cos),
    "sinh": _function(math.sinh),
    "cosh": _function(math.cosh),
    "arctan2": _function(math.atan2),
    "arcsinh": _function(math.asinh),
    "floor": _function(_whole_part(math.floor)),
    "ceil": _function(_whole_part(math.ceil)),
    "hypot": _function(math.hypot),
    "delta_phi": _function(delta_phi),
    "delta_r": _function(delta_r),
    "mass": _function(mass),
    "mass_of_components": _function(mass_of_components),
    "angle": _function(angle),
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a < b or a > b,
    "between_left": lambda x, low, high: low <= x < high,
    "between_right": lambda x, low, high: low < x <= high,
    "between_both": lambda x, low, high: low <= x <= high,
    "between_none": lambda x, low, high: low < x < high,
    "not": lambda a: not a,
}

OPERATORS = {
    "&": ("and", "bit_and"), "|": ("or", "bit_or"), "^": ("xor", "bit_xor"),
    "~": ("not", "bit_not"),
}  # fmt: skip
"""What operators are on truth values, and on whole numbers."""

TRUTHS = {
    "and", "or", "xor", "not", "bit", "lt", "le", "gt", "ge", "eq", "ne", "between_left",
    "between_right", "between_both", "between_none",
}  # fmt: skip
NUMBERS = {
    "add", "subtract", "multiply", "negative", "absolute", "floor_divide", "remainder", "minimum",
    "maximum", "where", "bit_and", "bit_or", "bit_xor", "bit_not", "shift_left", "shift_right",
}  # fmt: skip
"""Operations that give truth values, and numbers of the kind of their arguments; others reals."""

STRING_TESTS = {
    "startswith": lambda word, pattern: word.startswith(pattern),
    "contains": lambda word, pattern: pattern in word,
    "matches": fnmatchcase,
}


def three_valued_and(a: Any, b: Any) -> bool | None:
    if (a is not None and not a) or (b is not None and not b):
        return False
    return None if a is None or b is None else True


def three_valued_or(a: Any, b: Any) -> bool | None:
    if a or b:
        return True
    return None if a is None or b is None else False


def holds(condition: Any) -> bool:
    """Return whether a condition is fulfilled: a missing one is not."""
    return condition is not None and bool(condition)


def as_number(x: Any) -> Any:
    """Return the value as histograms and snapshots see it: NaN where it is missing."""
    return math.nan if x is None else x


# Kinds


def _kind(file: File, node: n.Node) -> str:
    if isinstance(node, n.Literal | n.SampleValue):
        value = node.value
        if isinstance(value, bool | str | float):
            return {bool: "truth", str: "word", float: "real"}[type(value)]
        return "unsigned" if int(value) >= 2**63 else "whole"
    if isinstance(node, n.Branch):
        return file.kind_of_branch(node.branch)
    if isinstance(node, n.Field):
        return _kind_of_field(file, node)
    if isinstance(node, n.Default):
        lacks = file.lacks(node.operand)
        return file.kind(n.Literal(node.value) if lacks else node.operand)
    if isinstance(node, n.Take | n.Member | n.Inner | n.Gather | n.Named):
        return file.kind(node.operand)
    if isinstance(node, n.Reduce):
        return _kind_of_reduced(file, node)
    if isinstance(node, n.Apply):
        return _kind_of_applied(file, node)
    if isinstance(node, n.Chain):
        return _kind_of_several({file.kind(operand) for operand in node.operands})
    return _kind_of_called(node)


def _kind_of_called(node: n.Node) -> str:
    if isinstance(node, n.Position | n.Rank | n.FromEnd | n.Match | n.FirstCopy | n.Pointing):
        return "whole"
    if isinstance(node, n.Category):
        return "whole"
    if isinstance(node, n.LumiLookup):
        return "truth" if node.table.values is None else "real"
    called = n.CallFunction | n.CallCorrection | n.CallModel
    return "real" if isinstance(node, called) else "truth"


def _kind_of_field(file: File, node: n.Field) -> str:
    if node.path[-1].startswith("is_"):
        return "truth"
    branch = file.branch_of(node)
    if branch is not None:
        return file.kind_of_branch(branch)
    if node.path == ("index",):
        return "whole"
    part, *rest = node.path
    return file.kind(n.Field(n.CollectionAxis(LINKS[f"{node.on.name}.{part}"][0]), tuple(rest)))


def _kind_of_several(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    return "real" if "real" in kinds else "whole"


def _kind_of_reduced(file: File, node: n.Reduce) -> str:
    if node.reduction in ("any", "all"):
        return "truth"
    if node.reduction in ("count", "size", "argmin", "argmax"):
        return "whole"
    kind = file.kind(node.operand)
    return "whole" if node.reduction == "sum" and kind == "truth" else kind


def operation_of(file: File, node: n.Apply) -> str:
    """Return the operation; operators on truth values are logic, on whole numbers bits."""
    if node.operation not in OPERATORS:
        return node.operation
    logic, bits = OPERATORS[node.operation]
    kinds = {file.kind(argument) for argument in node.arguments}
    assert kinds == {"truth"} or kinds <= {"whole", "unsigned"}
    return logic if kinds == {"truth"} else bits


def _kind_of_applied(file: File, node: n.Apply) -> str:
    operation = operation_of(file, node)
    arguments = node.arguments[1:] if operation == "where" else node.arguments
    kinds = [file.kind(argument) for argument in arguments]
    if operation in TRUTHS or (operation == "where" and set(kinds) == {"truth"}):
        return "truth"
    if operation not in NUMBERS or "real" in kinds:
        return "real"
    if "unsigned" in kinds:  # constants go along
        kinds = ["unsigned" if isinstance(a, n.Literal) and _is_natural(a.value) else k
                 for a, k in zip(arguments, kinds, strict=True)]  # fmt: skip
    unsigned = [kind == "unsigned" for kind in kinds]
    if operation in ("subtract", "negative"):
        return "whole"
    if operation in ("maximum", "bit_and", "bit_or", "bit_xor"):
        return "unsigned" if any(unsigned) else "whole"
    if operation in ("shift_left", "shift_right"):
        return "unsigned" if unsigned[0] else "whole"
    if operation == "remainder":
        return "unsigned" if unsigned[1] else "whole"
    return "unsigned" if all(unsigned) else "whole"


def _is_natural(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


# Reductions: from the values of an event's elements, in order, to one


def _usable(values: list[Any]) -> list[int]:
    return [i for i, x in enumerate(values) if x is not None and x == x]


def smallest(values: list[Any]) -> int | None:
    """Return the place of the smallest value, the first of equal ones, NaN and missing aside."""
    return min(_usable(values), key=lambda i: values[i], default=None)


def largest(values: list[Any]) -> int | None:
    """Return the place of the largest value, the first of equal ones, NaN and missing aside."""
    return max(_usable(values), key=lambda i: values[i], default=None)


def _sum(values: list[Any]) -> Any:
    total: Any = 0
    for value in values:
        if value is not None:
            total = ARITHMETIC["add"](total, value)
    return total


# One event


@dataclass(frozen=True)
class InList:
    """An element of the list that an outer element has."""

    outer: Any
    own: Any


def outer_of(axis: n.Axis) -> n.Axis:
    """Return what each list of an axis is for: the event, or an element of the outer axis."""
    while isinstance(axis, n.Taken):
        axis = axis.parent
    return axis.outer if isinstance(axis, n.Per | n.StoredLists) else n.EVENT


class Event:
    """One event: of the candidates, only those in ``alive`` are seen, or all where it is None."""

    def __init__(
        self, file: File, number: int, candidates: n.Axis, alive: list[Any] | None = None
    ) -> None:
        self.file, self.number, self.candidates, self.alive = file, number, candidates, alive
        self.whole: Event = self if alive is None else Event(file, number, candidates)
        self._elements: dict[n.Axis, list[Any]] = {}
        self._reduced: dict[tuple[n.Node, Any], Any] = {}

    def with_alive(self, alive: list[Any]) -> Event:
        """Return the event as it is when only these candidates are left."""
        event = Event(self.file, self.number, self.candidates, alive)
        event.whole = self.whole
        return event

    # axes

    def axis_of(self, node: n.Node) -> n.Axis:
        """Return the axis of the node, which is the same in all events of a file."""
        known = self.file.axes
        if node not in known:
            known[node] = self._find_axis(node)
        return known[node]

    def _find_axis(self, node: n.Node) -> n.Axis:
        if isinstance(node, n.Field | n.Branch):
            return self._axis_of_column(node)
        if isinstance(node, n.Apply | n.CallFunction | n.CallCorrection | n.CallModel):
            return self.join(node.arguments)
        if isinstance(node, n.Match):
            return self.join(node.values, outer_of(node.target))
        if isinstance(node, n.LumiLookup):
            return self.join((node.run, node.luminosity_block))
        if isinstance(node, n.IsAncestor):
            return self.join((node.above, node.below))
        if isinstance(node, n.IsIn | n.StringTest | n.Named):
            return self.axis_of(node.operand)
        if isinstance(node, n.Gather | n.Found):
            return self.join((node.index,), outer_of(node.target))
        if isinstance(node, n.Reduce):
            return outer_of(self.axis_of(node.operand))
        if isinstance(node, n.Category):
            return self.join(node.conditions)
        return node.axis

    def join(self, nodes: tuple[n.Node, ...], at_least: n.Axis = n.EVENT) -> n.Axis:
        """Return the one axis, beside the event's and outer ones, of several nodes."""
        axes = {axis for axis in (at_least, *map(self.axis_of, nodes)) if axis != n.EVENT}
        inmost = axes - {outer_of(axis) for axis in axes}
        assert len(inmost) <= 1
        return inmost.pop() if inmost else n.EVENT

    def _axis_of_column(self, node: n.Field | n.Branch) -> n.Axis:
        if node.on != n.UNRESOLVED or not isinstance(node, n.Branch):
            return node.on
        if not self.file.is_list(node.branch):
            return n.EVENT
        return n.CollectionAxis(self.file.collection_of(node.branch))

    def elements(self, axis: n.Axis) -> list[Any]:
        """Return the elements of an axis, in order."""
        if axis not in self._elements:
            self._elements[axis] = list(self._find_elements(axis))
        return self._elements[axis]

    def _find_elements(self, axis: n.Axis) -> Iterator[Any]:
        if axis == n.EVENT:
            yield ()
        elif self.alive is not None and axis == self.candidates:
            yield from self.alive
        elif isinstance(axis, n.CollectionAxis):
            yield from range(self._size(axis.collection))
        elif isinstance(axis, n.Subset):
            for element in self.elements(axis.parent):
                if holds(self.whole.value(axis.mask, element)):
                    yield element
        else:
            yield from self._made_elements(axis)

    def _made_elements(self, axis: n.Axis) -> Iterator[Any]:
        if isinstance(axis, n.Sorted):
            yield from self._sorted(axis)
        elif isinstance(axis, n.Concatenation):
            for number, parent in enumerate(axis.parents):
                for element in self.elements(parent):
                    yield number, element
        elif isinstance(axis, n.Combination):
            yield from self._combinations(axis, ())
        elif isinstance(axis, n.Per | n.StoredLists):
            for outer in self.elements(axis.outer):
                yield from (InList(outer, own) for own in self._in_list(axis, outer))

    def _in_list(self, axis: n.Per | n.StoredLists, outer: Any) -> list[Any]:
        if isinstance(axis, n.Per):
            return self.elements(axis.inner)
        lists = self.file.value(self.file.list_in(axis), self.number)
        return list(range(len(lists[outer])))

    def _sorted(self, axis: n.Sorted) -> Iterator[Any]:
        lists: dict[Any, list[Any]] = {}
        for element in self.elements(axis.parent):
            own = element.outer if isinstance(element, InList) else ()
            lists.setdefault(own, []).append(element)
        for elements in lists.values():
            yield from self._in_order(axis, elements)

    def _in_order(self, axis: n.Sorted, elements: list[Any]) -> Iterator[Any]:
        values = [self.whole.value(axis.by, element) for element in elements]
        known = _usable(values)
        for place in sorted(known, key=lambda i: values[i], reverse=axis.descending):
            yield elements[place]
        for place, element in enumerate(elements):
            if place not in known:
                yield element

    def _combinations(self, axis: n.Combination, chosen: tuple[Any, ...]) -> Iterator[Any]:
        if len(chosen) == len(axis.parents):
            yield chosen
            return
        parent = axis.parents[len(chosen)]
        before = [e for e, p in zip(chosen, axis.parents, strict=False) if p == parent]
        elements = self.elements(parent)
        first = elements.index(before[-1]) + 1 if before else 0
        for element in elements[first:]:
            yield from self._combinations(axis, (*chosen, element))

    def _size(self, collection: str) -> int:
        return len(self.file.value(self.file.list_of(collection), self.number))

    # values

    def value(self, node: n.Node, at: Any) -> Any:
        """Return the value of the node at an element of its axis, or of one that it spreads to."""
        if isinstance(at, InList) and outer_of(self.axis_of(node)) == n.EVENT:
            at = at.outer
        return getattr(self, f"_{type(node).__name__.lower()}")(node, at)

    def values(self, node: n.Node, axis: n.Axis) -> list[Any]:
        """Return the value at each element of an axis."""
        return [self.value(node, element) for element in self.elements(axis)]

    def _literal(self, node: n.Literal, at: Any) -> Any:
        return node.value

    def _constant(self, node: n.Constant, at: Any) -> Any:
        return node.value

    def _category(self, node: n.Category, at: Any) -> int:
        fitting = [i for i, each in enumerate(node.conditions) if holds(self.value(each, at))]
        return fitting[0] if fitting else len(node.conditions)

    def _samplevalue(self, node: n.SampleValue, at: Any) -> Any:
        return node.value

    def _quantity(self, node: n.Quantity, at: Any) -> Any:
        power = POWERS[node.unit] - POWERS["GeV" if node.unit.endswith("eV") else "cm"]
        return float(Fraction(repr(node.value)) * Fraction(10) ** power)

    def _branch(self, node: n.Branch, at: Any) -> Any:
        return self._stored(node.branch, at)

    def _stored(self, branch: str, at: Any) -> Any:
        stored = self.file.value(branch, self.number)
        if isinstance(at, InList):
            return stored[at.outer][at.own]
        return stored[at] if isinstance(stored, list) else stored

    def _field(self, node: n.Field, at: Any) -> Any:
        branch = self.file.branch_of(node)
        if branch is None and node.path == ("index",):
            return self._index_in_file(node.on, at)
        if branch is None:
            return self._linked(node, at)
        stored = self._stored(branch, at)
        is_number = not isinstance(stored, bool)
        return not_equal(stored, 0) if node.path[-1].startswith("is_") and is_number else stored

    def _linked(self, node: n.Field, at: Any) -> Any:
        """Return a field of a triplet's muon or track that is stored only in their own lists."""
        target, index = self._link(node)
        return self._gather(n.Gather(n.Field(target, node.path[1:]), target, index), at)

    def _link(self, node: n.Field) -> tuple[n.Axis, n.Node]:
        """Return the collection that a link of the layout leads to, and the index in it."""
        part = node.path[0]
        collection, index_branch = LINKS[f"{node.on.name}.{part}"]
        target = n.CollectionAxis(collection)
        if self.file.layout == "bph":
            keys, values = (n.Field(target, ("pt",)),), (n.Field(node.on, (part, "pt")),)
            return target, n.Match(target, keys, values)
        return target, n.Branch(index_branch, node.on)

    def _fired(self, node: n.Fired, at: Any) -> bool:
        if self.file.layout == "bph":
            names = self.file.value(f"Trigger_{node.menu}name", self.number)
            decisions = self.file.value(f"Trigger_{node.menu}decision", self.number)
            fired = [name for name, decision in zip(names, decisions, strict=True) if decision == 1]
            return any(fnmatchcase(name, p) for name in fired for p in node.patterns)
        return any(self.file.value(path, self.number) for path in self.file.paths(node))

    def _default(self, node: n.Default, at: Any) -> Any:
        if not self.file.lacks(node.operand):
            return self.value(node.operand, at)
        if isinstance(node.operand, n.Field) and self.file.branch_of(node.operand) is None:
            return node.value if self._points(node.operand, at) else None
        return node.value

    def _points(self, node: n.Field, at: Any) -> bool:
        """Return whether the link of a triplet's muon or track leads to an element."""
        target, index = self._link(node)
        return self._pointed_at(target, index, at) is not None

    def _apply(self, node: n.Apply, at: Any) -> Any:
        arguments = [self.value(argument, at) for argument in node.arguments]
        operation, kind = operation_of(self.file, node), self.file.kind(node)
        if operation == "and":
            return three_valued_and(*arguments)
        if operation == "or":
            return three_valued_or(*arguments)
        if operation == "where":
            condition, a, b = arguments
            return None if condition is None else as_kind(a if condition else b, kind)
        if None in arguments:
            return None
        if kind == "real":  # a whole number beside a real one is one as well
            arguments = [float(_number(argument)) for argument in arguments]
        return as_kind(ARITHMETIC[operation](*arguments), kind)

    def _isin(self, node: n.IsIn, at: Any) -> Any:
        x = self.value(node.operand, at)
        return None if x is None else any(x == value for value in node.values)

    def _stringtest(self, node: n.StringTest, at: Any) -> Any:
        word = self.value(node.operand, at)
        test = STRING_TESTS[node.test]
        return None if word is None else any(test(word, pattern) for pattern in node.patterns)

    def list_at(self, axis: n.Axis, at: Any) -> list[Any]:
        """Return the elements of an axis in the event or, if nested, in the list at an element."""
        elements = self.elements(axis)
        if outer_of(axis) == n.EVENT:
            return elements
        outer = at.outer if isinstance(at, InList) else at
        return [element for element in elements if element.outer == outer]

    def _reduce(self, node: n.Reduce, at: Any) -> Any:
        if outer_of(self.axis_of(node.operand)) == n.EVENT:
            at = ()
        if (node, at) not in self._reduced:
            self._reduced[node, at] = self._find_reduced(node, at)
        return self._reduced[node, at]

    def _find_reduced(self, node: n.Reduce, at: Any) -> Any:
        axis = self.axis_of(node.operand)
        elements = self.list_at(axis, at)
        values = [self.value(node.operand, element) for element in elements]
        if node.reduction == "size":
            return len(values)
        if node.reduction in ("any", "all", "count"):
            passed = sum(holds(value) for value in values)
            return {"any": passed > 0, "all": passed == len(values), "count": passed}[
                node.reduction
            ]
        if node.reduction == "sum":
            return as_kind(_sum(values), self.file.kind(node))
        if node.reduction == "first":
            return values[0] if values else None
        place = (smallest if node.reduction in ("min", "argmin") else largest)(values)
        if place is None:
            return None
        if node.reduction in ("min", "max"):
            return values[place]
        return self._index_in_file(axis, elements[place])

    def _index_in_file(self, axis: n.Axis, element: Any) -> int:
        return self.whole.list_at(axis, element).index(element)

    def _position(self, node: n.Position, at: Any) -> int:
        return self._index_in_file(node.on, at)

    def _take(self, node: n.Take, at: Any) -> Any:
        return self.value(node.operand, at)

    def _inner(self, node: n.Inner, at: Any) -> Any:
        return self.value(node.operand, at.own)

    def _member(self, node: n.Member, at: Any) -> Any:
        return self.value(node.operand, at[node.position])

    def _chain(self, node: n.Chain, at: Any) -> Any:
        number, element = at
        value = self.value(node.operands[number], element)
        kind = self.file.kind(node)
        return value if kind == "word" else as_kind(value, kind)

    def _rank(self, node: n.Rank, at: Any) -> int:
        return self._index_in_file(node.order, at)

    def _fromend(self, node: n.FromEnd, at: Any) -> int:
        return len(self.whole.list_at(node.of, at)) - node.number

    def _match(self, node: n.Match, at: Any) -> int | None:
        wanted = [self.value(value, at) for value in node.values]
        if None in wanted:
            return None
        single = [
            self._is_single(k) or self._is_single(v)
            for k, v in zip(node.keys, node.values, strict=True)
        ]
        for place, element in enumerate(self.whole.list_at(node.target, at)):
            keys = [self.whole.value(key, element) for key in node.keys]
            if all(map(_same, keys, wanted, single)):
                return place
        return None

    def _is_single(self, node: n.Node) -> bool:
        """Return whether the values are as the file stores them, in single precision."""
        if isinstance(node, n.Default):
            if self.file.lacks(node.operand):
                return to_single(node.value) == node.value and isinstance(node.value, float)
            return self._is_single(node.operand)
        if isinstance(node, n.Take | n.Member | n.Inner | n.Gather):
            return self._is_single(node.operand)
        if isinstance(node, n.Chain):
            return all(map(self._is_single, node.operands))
        if isinstance(node, n.Reduce) and node.reduction in ("min", "max", "first"):
            return self._is_single(node.operand)
        if isinstance(node, n.Field):
            name = ".".join((*([] if node.on == n.EVENT else [node.on.name]), *node.path))
            branch = BRANCHES[self.file.layout].get(name)
            if branch is None:
                collection, _ = LINKS[f"{node.on.name}.{node.path[0]}"]
                return self._is_single(n.Field(n.CollectionAxis(collection), node.path[1:]))
            return "float32" in self.file.type(branch)
        return isinstance(node, n.Branch) and "float32" in self.file.type(node.branch)

    def _named(self, node: n.Named, at: Any) -> Any:
        return self.value(node.operand, at)

    def _firstcopy(self, node: n.FirstCopy, at: Any) -> int | None:
        passed = [at]
        while True:
            mother = self._pointed_at(node.axis, node.mother, passed[-1])
            if mother is None or mother == passed[-1]:
                return passed[-1]
            mine, its = (self.whole.value(node.label, each) for each in (passed[-1], mother))
            if None in (mine, its) or mine != its:
                return passed[-1]
            if mother in passed:
                return None
            passed.append(mother)

    def _isancestor(self, node: n.IsAncestor, at: Any) -> bool:
        axis = self.axis_of(node.mother)
        above, below = (self._pointed_at(axis, i, at) for i in (node.above, node.below))
        passed: list[Any] = []
        while above is not None and below is not None and below not in passed:
            passed.append(below)
            below = self.whole._pointed_at(axis, node.mother, below)
            if below == above:
                return True
        return False

    def _pointing(self, node: n.Pointing, at: Any) -> int:
        whole, axis = self.whole, self.axis_of(node.index)
        return sum(
            whole._pointed_at(node.target, node.index, element) == at
            and holds(whole.value(node.condition, element))
            for element in whole.elements(axis)
        )

    def _gather(self, node: n.Gather, at: Any) -> Any:
        element = self._pointed_at(node.target, node.index, at)
        return None if element is None else self.whole.value(node.operand, element)

    def _found(self, node: n.Found, at: Any) -> bool:
        return self._pointed_at(node.target, node.index, at) is not None

    def _pointed_at(self, target: n.Axis, index: n.Node, at: Any) -> Any:
        place, elements = self.value(index, at), self.whole.list_at(target, at)
        if place is None or not 0 <= place < len(elements):
            return None
        return elements[int(place)]

    def _callfunction(self, node: n.CallFunction, at: Any) -> Any:
        arguments = [self.value(argument, at) for argument in node.arguments]
        if None in arguments:
            return None
        return node.function.compute(*(np.array([a]) for a in arguments))[0].item()

    def _callcorrection(self, node: n.CallCorrection, at: Any) -> Any:
        arguments = [self.value(argument, at) for argument in node.arguments]
        return None if None in arguments else node.correction.evaluator.evaluate(*arguments)

    def _callmodel(self, node: n.CallModel, at: Any) -> Any:
        arguments = [self.value(argument, at) for argument in node.arguments]
        if None in arguments:
            return None
        return node.model.compute([np.array([a]) for a in arguments])[0].item()

    def _lumilookup(self, node: n.LumiLookup, at: Any) -> Any:
        run, block = self.value(node.run, at), self.value(node.luminosity_block, at)
        if run is None or block is None:
            return None
        if not (0 <= run < 2**32 and 0 <= block < 2**32):
            return False if node.table.values is None else None
        first, last = ([number for (number,) in struct.iter_unpack("=Q", packed)]
                       for packed in (node.table.first, node.table.last))  # fmt: skip
        wanted = int(run) * 2**32 + int(block)
        places = [i for i, low in enumerate(first) if low <= wanted <= last[i]]
        if node.table.values is None:
            return bool(places)
        return struct.unpack_from("=d", node.table.values, 8 * places[0])[0] if places else None


def not_equal(a: Any, b: Any) -> bool:
    return bool(ARITHMETIC["ne"](a, b))


def _same(key: Any, wanted: Any, single: bool) -> bool:
    return to_single(key) == to_single(wanted) if single else key == wanted


# One event through the selection


@dataclass
class State:
    """What is left of an event after some steps; ``event`` sees only the candidates left."""

    event: Event
    lives: bool = True
    weight: float = 1.0
    candidate_weights: dict[Any, float] = field(default_factory=dict)
    weighs_candidates: bool = False
    has_best: bool = False

    @property
    def candidates(self) -> list[Any]:
        return self.event.elements(self.event.candidates) if self.lives else []

    @property
    def event_weight(self) -> float | None:
        """The weight of the event; None where it may have several candidates that weigh."""
        if not self.weighs_candidates:
            return self.weight
        return self.weight * self.candidate_weights[self.candidates[0]] if self.has_best else None

    def weight_of(self, candidate: Any) -> float:
        return self.weight * self.candidate_weights.get(candidate, 1.0)

    def weight_on(self, axis: n.Axis, element: Any) -> float:
        """Return the weight of an element of any axis."""
        if axis == self.event.candidates:
            return self.weight_of(element)
        weight = self.event_weight
        assert weight is not None
        return weight


def play(file: File, number: int, candidates: n.Axis, steps: tuple[Step, ...]) -> list[State]:
    """Return what is left of an event at the start and after each step."""
    everything = Event(file, number, candidates)
    start = State(everything.with_alive(everything.elements(candidates)))
    return list(accumulate(steps, _step, initial=start))


def _step(before: State, step: Step) -> State:
    event, axis = before.event, before.event.axis_of(step.node)
    state = State(**before.__dict__)
    if isinstance(step, Weight):
        state.weighs_candidates = before.weighs_candidates or axis != n.EVENT
    if isinstance(step, Best):
        state.has_best = True
    if not before.lives:
        return state
    if isinstance(step, Weight):
        _weigh(state, step, axis)
    elif isinstance(step, Best):
        _keep(state, [_best(before, step)] if before.candidates else [])
    elif isinstance(step, Cut) and axis == n.EVENT:
        state.lives = holds(event.value(step.node, ()))
    else:
        _keep(state, [c for c in before.candidates if holds(event.value(step.node, c))])
    return state


def _weigh(state: State, step: Weight, axis: n.Axis) -> None:
    if axis == n.EVENT:
        state.weight = state.weight * float(as_number(state.event.value(step.node, ())))
        return
    state.candidate_weights = {
        candidate: state.candidate_weights.get(candidate, 1.0)
        * float(as_number(state.event.value(step.node, candidate)))
        for candidate in state.candidates
    }


def _best(state: State, step: Best) -> Any:
    values = [state.event.value(step.node, candidate) for candidate in state.candidates]
    place = (largest if step.highest else smallest)(values)
    return state.candidates[0 if place is None else place]


def _keep(state: State, candidates: list[Any]) -> None:
    state.event = state.event.with_alive(candidates)
    state.lives = bool(candidates)


# All events


@dataclass
class Row:
    """One row of the cutflow; ``size`` is the sum of absolute weights, to judge rounding by."""

    name: str
    events: int = 0
    candidates: int = 0
    sumw_events: float | None = 0.0
    sumw_candidates: float = 0.0
    sumw2_candidates: float = 0.0
    size: float = 0.0
    categories: tuple[int, ...] = ()


@dataclass
class Bin:
    """One bin: entries, their weights, and the sum of absolute weights."""

    entries: int = 0
    sumw: float = 0.0
    sumw2: float = 0.0
    size: float = 0.0


@dataclass
class Answer:
    """What the oracle says of an analysis: bins by their index on each axis, −1 being underflow."""

    cutflow: list[Row]
    histograms: dict[str, dict[tuple[int, ...], Bin]]
    snapshots: dict[str, dict[str, list[Any]]]


@cache
def open_file(path: str, tree: str | None = None) -> File:
    return File(path, tree)


def evaluate(analysis: Analysis, file: File, start: int = 0, stop: int | None = None) -> Answer:
    """Evaluate an analysis of one region without variations on the events start ≤ i < stop."""
    ((_, region),) = analysis.regions
    category = None if region.by is None else region.by.node
    outputs = {name: _by_category(output, category) for name, output in analysis.outputs}
    answer = _nothing(analysis, outputs)
    stop = file.events if stop is None else stop
    selection = analysis.selection
    for number in range(start, stop):
        states = play(file, number, selection.candidates, selection.steps)
        for row, state in zip(answer.cutflow, states, strict=True):
            _count(row, state)
            if category is not None:
                _count_categories(row, state, category)
        for name, output in outputs.items():
            final = states[-1]
            if isinstance(output, Snapshot):
                _add_rows(answer.snapshots[name], output, final, weighted=selection.is_weighted)
                continue
            if output.without is not None:
                steps = selection.without(output.without).steps
                final = play(file, number, selection.candidates, steps)[-1]
            _fill(answer.histograms[name], output, final)
    return answer


def _by_category(output: Output, category: n.Category | None) -> Output:
    if category is None:
        return output
    if isinstance(output, Snapshot):
        return replace(output, columns=(*output.columns, ("category", category)))
    edges = tuple(map(float, range(len(category.names) + 1)))
    axis = HistogramAxis(category, edges, True, "category", "category")
    return replace(output, axes=(axis, *output.axes))


def _nothing(analysis: Analysis, outputs: Mapping[str, Output]) -> Answer:
    selection = analysis.selection
    answer = Answer([Row("all"), *(Row(step.name) for step in selection.steps)], {}, {})
    for name, output in outputs.items():
        if isinstance(output, Histogram):
            answer.histograms[name] = {}
        else:
            extra = {"weight": []} if selection.is_weighted else {}
            answer.snapshots[name] = {column: [] for column, _ in output.columns} | extra
    return answer


def _count_categories(row: Row, state: State, category: n.Category) -> None:
    """Count the candidates of each category, and at last those that fit several."""
    counts = list(row.categories or (0,) * (len(category.names) + 1))
    for candidate in state.candidates:
        event = state.event
        fitting = [holds(event.value(each, candidate)) for each in category.conditions]
        if any(fitting):
            counts[fitting.index(True)] += 1
        counts[-1] += sum(fitting) > 1
    row.categories = tuple(counts)


def _count(row: Row, state: State) -> None:
    known = state.has_best or not state.weighs_candidates
    if not known:
        row.sumw_events = None
    if not state.lives:
        return
    weights = [state.weight_of(candidate) for candidate in state.candidates]
    row.events += 1
    row.candidates += len(weights)
    row.sumw_candidates += sum(weights)
    row.sumw2_candidates += sum(w * w for w in weights)
    row.size += abs(state.weight) + sum(map(abs, weights))
    if row.sumw_events is not None and state.event_weight is not None:
        row.sumw_events += state.event_weight


def _add_rows(
    table: dict[str, list[Any]], output: Snapshot, state: State, *, weighted: bool
) -> None:
    if not state.lives:
        return
    axis = state.event.join(output.nodes)
    if axis == n.EVENT:
        axis = state.event.candidates
    for element in state.event.elements(axis):
        for column, node in output.columns:
            table[column].append(as_number(state.event.value(node, element)))
        if weighted:
            table["weight"].append(state.weight_on(axis, element))


def _fill(bins: dict[tuple[int, ...], Bin], output: Histogram, state: State) -> None:
    if not state.lives:
        return
    axis = state.event.join(output.nodes)
    for element in state.event.elements(axis):
        values = [float(as_number(state.event.value(a.node, element))) for a in output.axes]
        weight = state.weight_on(axis, element)
        if output.weight is not None:
            weight *= float(as_number(state.event.value(output.weight, element)))
        place = tuple(map(bin_index, output.axes, values))
        entry = bins.setdefault(place, Bin())
        entry.entries += 1
        entry.sumw += weight
        entry.sumw2 += weight * weight
        entry.size += abs(weight)


def bin_index(axis: HistogramAxis, x: float) -> int:
    """Return the bin as boost-histogram counts them: −1 is underflow, and NaN is overflow."""
    count, low, high = len(axis.edges) - 1, axis.edges[0], axis.edges[-1]
    if axis.regular:
        z = (x - low) / (high - low)
        if z < 1:
            return int(z * count) if z >= 0 else -1
        return count
    return count if math.isnan(x) else sum(edge <= x for edge in axis.edges) - 1
