"""Variations and regions beside the same job without them, and beside RDataFrame's ``Vary``.

``python -m benchmarks.one_pass`` prints how many times as long ten and a hundred variations of
weights, ten regions and a shifted momentum take as none, on two threads.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import flavorframe as ff
from benchmarks.files import copies, make_file
from benchmarks.measure import available, run
from flavorframe._expr import nodes as n
from flavorframe._planning.rewriting import rewritten
from flavorframe.averages import Declared

FURTHER = 3


def jobs() -> dict[str, ff.Analysis]:
    """Return the analyses by the keys of their times."""
    from dsphi import analysis

    mass = dict(analysis.outputs)["mass"]
    selection, t = analysis.selection, ff.events().triplet
    weighted = selection.weight("efficiency", 1 - 0.01 * abs(t.eta))
    one = ff.Region(selection, mass=mass)
    return {
        "no_variation": ff.Analysis(weighted, mass=mass),
        "ten_weight_variations": ff.Analysis(_weighted(selection, 10), mass=mass),
        "hundred_weight_variations": ff.Analysis(_weighted(selection, 100), mass=mass),
        "one_region": ff.Analysis(one=one),
        "ten_regions": ff.Analysis(**_regions(selection, mass)),
        "shifted_quantity": shifted(),
    }


def shifted() -> ff.Analysis:
    """Return the example analysis with the first muon's momentum one per cent up and down."""
    from dsphi import analysis

    pt = ff.events().triplet.mu1.pt
    varied = ff.vary("momentum", pt, up=1.01 * pt, down=0.99 * pt)

    def change(part: n.Part, made: Callable[[n.Part], n.Part]) -> n.Part:
        return varied.node if part is pt.node else part.map(made)

    selection = rewritten(analysis.selection, lambda tree: n.rebuilt(tree, change))
    return ff.Analysis(selection, mass=dict(analysis.outputs)["mass"])


def _weighted(selection: ff.Selection, number: int) -> ff.Selection:
    t = ff.events().triplet
    nominal = 1 - 0.01 * abs(t.eta)
    replicas = [1 - (0.01 + 0.001 * i) * abs(t.eta) for i in range(number)]
    return selection.weight("efficiency", ff.vary("efficiency", nominal, replicas=replicas))


def _regions(selection: ff.Selection, mass: Declared) -> dict[str, ff.Region]:
    *first, best = selection.steps
    base, t = replace(selection, steps=tuple(first)), ff.events().triplet
    regions = {}
    for number in range(10):
        own = base.cut("far", t.flight_significance > 2 + number)
        chosen = replace(own, steps=(*own.steps, best))
        regions[f"region{number}"] = ff.Region(chosen, mass=mass)
    return regions


def measure(file: Path, rounds: int) -> dict[str, float]:
    """Return the ratios; raises ValueError where RDataFrame selects others than we do."""
    seconds: dict[str, list[float]] = {}
    dataset, analyses = ff.dataset(copies(file, 1 + FURTHER)), jobs()
    for number in range(rounds + 1):
        for name, analysis in analyses.items():
            began = time.perf_counter()
            analysis.run(dataset, threads=2, cache=False, progress=False)
            if number > 0:  # the first round fills the caches of the system
                seconds.setdefault(name, []).append(time.perf_counter() - began)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    ratios = {
        name: median[name] / median["no_variation"]
        for name in ("ten_weight_variations", "hundred_weight_variations")
    }
    ratios |= {n: median[n] / median["one_region"] for n in ("ten_regions", "shifted_quantity")}
    return ratios | _beside_rdataframe(file, rounds)


def _beside_rdataframe(file: Path, rounds: int) -> dict[str, float]:
    """Return how many times as long RDataFrame takes for each further file, momentum shifted."""
    if not available("rdataframe_vary"):
        return {}
    files = copies(file, 1 + FURTHER)
    further: dict[str, list[float]] = {"columnar_vary": [], "rdataframe_vary": []}
    counted = set()
    for number in range(rounds + 1):
        for name, times in further.items():
            one, more = run((name, "2"), files[:1]), run((name, "2"), files)
            counted.add(one.output)
            if number > 0:
                times.append((more.seconds - one.seconds) / FURTHER)
    if len(counted) > 1:
        raise ValueError(f"they select {counted} candidates")
    ours, theirs = (statistics.median(times) for times in further.values())
    return {"vary_vs_rdataframe": theirs / ours}


if __name__ == "__main__":
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    where = Path("build/bench")
    where.mkdir(parents=True, exist_ok=True)
    for key, ratio in measure(make_file(where, "zstd", events), rounds=3).items():
        print(f"{key:28}{ratio:.2f}")
