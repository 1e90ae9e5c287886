"""A trained model in a selection beside its library alone, on the same candidates.

``python -m benchmarks.models FILE`` prints the numbers; `measure` returns them. A boosted decision
tree of XGBoost, 500 trees of ten inputs, gives each candidate that survives a score, on one thread.
What it costs is the time of a run with it less that of a run which histograms its inputs alone; of
the processor, which other work on the machine changes little.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import flavorframe as ff

TREES, DEPTH = 500, 4
ROWS = 20_000
"""Of which the model is trained: what it says does not matter."""

t = ff.events().triplet
INPUTS = {
    "pt": t.pt, "eta": t.eta, "chi2": t.vertex_chi2, "significance": t.flight_significance,
    "pt1": t.mu1.pt, "pt2": t.mu2.pt, "pt3": t.track.pt, "eta1": t.mu1.eta, "eta2": t.mu2.eta,
    "eta3": t.track.eta,
}  # fmt: skip
SELECTION = ff.Selection(t).cut("mass", t.mass.between(1.6, 2.1))


def measure(file: Path, rounds: int) -> dict[str, float]:
    """Return the model's time over the library's; empty where XGBoost is not installed."""
    if importlib.util.find_spec("xgboost") is None:
        return {}
    data = ff.dataset(file)
    rows = _run(ff.Analysis(SELECTION, rows=ff.snapshot(**INPUTS)), data).rows
    matrix = np.column_stack([rows[name] for name in INPUTS]).astype(np.float32)
    booster = _trained(matrix[:ROWS])
    alone = seconds(lambda: booster.inplace_predict(matrix), rounds)
    with tempfile.TemporaryDirectory() as folder:
        booster.save_model(Path(folder) / "bdt.ubj")
        score = ff.model(Path(folder) / "bdt.ubj")(*INPUTS.values())
        inputs = {name: ff.hist(x, bins=10, range=(0, 10)) for name, x in INPUTS.items()}
        without = ff.Analysis(SELECTION, **inputs)
        scored = ff.Analysis(SELECTION, score=ff.hist(score, bins=10, range=(0, 1)), **inputs)
        with_model = seconds(lambda: _run(scored, data), rounds)
        ours = with_model - seconds(lambda: _run(without, data), rounds)
    return {
        "model_over_library": ours / alone,
        "model_microseconds_per_candidate": 1e6 * ours / len(matrix),
    }


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of the processor for a call, after one that fills caches."""
    work()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def _run(analysis: ff.Analysis, data: ff.Dataset) -> Any:
    return analysis.run(data, threads=1, progress=False)


def _trained(matrix: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    import xgboost

    classes = np.random.default_rng(1).integers(2, size=len(matrix))
    settings = {"objective": "binary:logistic", "max_depth": DEPTH, "nthread": 1}
    return xgboost.train(settings, xgboost.DMatrix(matrix, classes), TREES)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), rounds=3), indent=2))
