"""What each difference between the published notebook and the selection it means costs, alone.

Usage: ``python examples/published_differences.py FOLDER [FRACTION]``. A sample of 2017B is made in
FOLDER in the published layout (which needs ROOT), FRACTION being its size relative to the data;
the table of ``docs/published-analysis.md`` is printed.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import flavorframe as ff
import published_notebook as published
from dsphi import events, models, selection, t
from flavorframe import Expr
from flavorframe.selection import Cut

FRACTION = 0.5
DS = 1  # how the sample's truth calls a Ds⁺
CUTS = {step.name: Expr(step.node) for step in selection.steps if isinstance(step, Cut)}


class Variant(NamedTuple):
    """A selection, and the triplet of each selected event."""

    selection: ff.Selection
    chosen: Any


def with_cuts(**changed: Expr) -> Variant:
    """The example's selection with other conditions for some cuts (``_`` for a space)."""
    conditions = CUTS | {name.replace("_", " "): condition for name, condition in changed.items()}
    result = ff.Selection(t)
    for name, condition in conditions.items():
        result = result.cut(name, condition)
    return Variant(result.best(lowest=t.vertex_chi2), t)


def separate_masks() -> Variant:
    """Each cut is passed by some triplet; the best is one that passes all, where there is one."""
    result = ff.Selection(events).cut("HLT", CUTS["HLT"]).cut("L1", CUTS["L1"])
    for names in (("2μ+track mass", "PV tracks", "flight significance"), ("acceptance",), ("ΔR",),
                  ("muon ID", "track IP"), ("φ mass",), ("trigger match",)):  # fmt: skip
        result = result.cut(names[0], all_of(names).any())
    penalty = ff.where(all_of(CUTS), 0, 1e9)
    return Variant(result, t.at((t.vertex_chi2 + penalty).argmin()))


def best_of_all() -> Variant:
    """Some triplet passes every cut, and the one of the lowest χ² of all is taken."""
    return Variant(ff.Selection(events).cut("all", all_of(CUTS).any()), published.best)


def all_of(names: Iterable[str]) -> Expr:
    """Whether a triplet passes all of these cuts."""
    passes: Expr = functools.reduce(operator.and_, (CUTS[name] for name in names))
    return passes


def acceptance_without_brackets() -> Expr:
    """``A || B && C || D && E``, where ``(A || B) && (C || D) && E`` is meant."""
    (barrel1, endcap1), (barrel2, endcap2) = map(barrel_and_endcap, (t.mu1, t.mu2))
    passes: Expr = barrel1 | (endcap1 & barrel2) | (endcap2 & (t.track.pt > 1.2))
    return passes


def barrel_and_endcap(muon: Expr) -> tuple[Expr, Expr]:
    """The two parts of the acceptance of a muon."""
    eta = abs(muon.eta)
    return (eta < 1.2) & (muon.pt > 3.5), eta.between(1.2, 2.4) & (muon.pt > 2.0)


def identified(muon: Any) -> Expr:
    """The muon identification."""
    both: Expr = muon.is_global & muon.is_pf
    return both


def from_beam(track: Any) -> Expr:
    """The track's distance from the beam, as it is meant."""
    near: Expr = (abs(track.dz) < 20) & (abs(track.dxy) < 0.3)
    return near


muon, track = published.muon, published.track
of_same_number = identified(muon) & from_beam(track.at(muon.index))
pairs = [(t.mu1, t.mu2), (t.mu1, t.track), (t.mu2, t.track)]
single = [published.single_delta_r(a.eta, a.phi, b.eta, b.phi) for a, b in pairs]
in_single = [dr.between(published.single(1e-4), published.single(0.8)) for dr in single]
short_mass = ff.mass(t.refit1, t.refit2, masses=published.single(0.10566))

VARIANTS = {
    "as it is meant": with_cuts(),
    "masks asked separately": separate_masks(),
    "best χ² of all triplets": best_of_all(),
    "`match` swapped, index ignored": with_cuts(
        muon_ID=of_same_number.any(), track_IP=of_same_number.any()
    ),
    "index ignored, `match` right": with_cuts(
        muon_ID=identified(muon.at(t.index)), track_IP=from_beam(track.at(t.index))
    ),
    "track matched to muons": with_cuts(
        track_IP=CUTS["track IP"] & muon.match(pt=t.track.pt).found
    ),
    "impact parameter signed": with_cuts(track_IP=(t.track.dz < 20) & (t.track.dxy < 0.3)),
    "brackets missing": with_cuts(acceptance=acceptance_without_brackets()),
    "trigger name anywhere": with_cuts(
        HLT=events.hlt.fired("*HLT_DoubleMu3_Trk_Tau3mu_v*"),
        L1=events.l1.fired("*L1_DoubleMu*", "*L1_TripleMu*"),
    ),
    "single precision, short mass": with_cuts(
        ΔR=in_single[0] & in_single[1] & in_single[2], φ_mass=short_mass.between(1.0, 1.04)
    ),
    "all of it, as published": Variant(published.selection, published.best),
}
"""What is measured, by its name in the table; the first is what the others are compared with."""


def main(folder: Path, fraction: float) -> None:
    """Make the sample, run every variant on it, and print the table."""
    catalogue = ff.samples.write(folder, fraction=fraction, layout="bph")
    print("\n".join(table(ff.catalog(catalogue)["2017B"])))


def table(data: ff.Dataset) -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| difference | events | lost | extra | other triplet | true Ds⁺ filled | fitted Ds⁺ |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    reference: dict[Any, float] = {}
    for name, variant in VARIANTS.items():
        result = run(variant, data)
        chosen = by_event(result.rows)
        reference = reference or chosen
        common = reference.keys() & chosen.keys()
        counts = (
            len(chosen),
            len(reference) - len(common),
            len(chosen) - len(common),
            sum(reference[event] != chosen[event] for event in common),
            int(((result.rows["truth"] == DS) & in_range(result.rows["mass"])).sum()),
        )
        cells = [name, *(f"{count:,}" for count in counts), fitted(result.mass)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def run(variant: Variant, data: ff.Dataset) -> ff.Result:
    """Run a variant with the histogram of the mass and the rows that tell events apart."""
    chosen = variant.chosen
    analysis = ff.Analysis(
        variant.selection,
        mass=ff.hist(chosen.mass, bins=62, range=(1.65, 2.01)),
        rows=ff.snapshot(
            chosen.mass, chosen.truth, events.run, events.luminosity_block, events.event
        ),
    )
    return analysis.run(data, progress=False)


def by_event(rows: Any) -> dict[Any, float]:
    """Return the mass of the triplet of each event."""
    keys = zip(rows["run"], rows["luminosity_block"], rows["event"], strict=True)
    return dict(zip(keys, rows["mass"], strict=True))


def in_range(mass: Any) -> Any:
    """Return which masses the histogram holds."""
    return (mass >= 1.65) & (mass < 2.01)


def fitted(mass: Any) -> str:
    """Return the fitted yield of Ds⁺, or why there is none."""
    if not mass.sum():
        return "nothing to fit"
    fit = models["mass"].fit(mass)
    if not fit.valid:
        return "fit not valid"
    found = fit.yields["Ds"]
    return f"{found.value:.0f} ± {found.error:.0f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else FRACTION)
