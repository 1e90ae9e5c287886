"""Isolation of each candidate, from all tracks of its event, beside RDataFrame with loops by hand.

``python -m benchmarks.nested_lists [EVENTS]`` prints the medians of whole processes on two threads.
An event has four triplets and sixty tracks, and so 240 pairs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.files import copies
from benchmarks.measure import available, run

CONTENDERS = {"ours": ("nested", "2"), "rdataframe": ("rdataframe_nested", "2")}
FURTHER = 3
"""How many more files are read to learn the time of one more."""


def measure(folder: Path, rounds: int, events: int = 60_000) -> dict[str, float]:
    """Return seconds, peak memory, and how many times as long RDataFrame takes.

    Raises ValueError where the two do not agree. Empty where ROOT is not installed.
    """
    if not available("rdataframe_nested"):
        return {}
    files = copies(make_file(folder, events), 1 + FURTHER)
    first: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    further: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    peak, sums = 0.0, set()
    for number in range(rounds + 1):
        for name, command in CONTENDERS.items():
            one, more = run(command, files[:1]), run(command, files)
            sums.add(int(one.output))
            if number > 0:  # the first round fills the caches of the system
                first[name].append(one.seconds)
                further[name].append((more.seconds - one.seconds) / FURTHER)
            peak = max(peak, more.peak_gib) if name == "ours" else peak
    if len(sums) > 1:
        raise ValueError(f"they add up to {sums}")
    once, again = (
        {name: statistics.median(values) for name, values in times.items()}
        for times in (first, further)
    )
    return {
        "nested_seconds": once["ours"],
        "nested_peak_gib": peak,
        "nested_vs_rdataframe": once["rdataframe"] / once["ours"],
        "nested_steady_vs_rdataframe": again["rdataframe"] / again["ours"],
    }


def make_file(folder: Path, events: int) -> Path:
    """Return a file of so many events, made at the first call in a process of its own."""
    path = folder / f"nested_{events}.root"
    if not path.exists():
        line = [sys.executable, "-m", "benchmarks.nested_lists", "write", str(path), str(events)]
        subprocess.run(line, check=True)
    return path.resolve()


def write(path: str, events: int) -> None:
    """Write tracks and triplets, all over the detector."""
    import awkward as ak
    import numpy as np
    import uproot

    rng = np.random.default_rng(1)

    def objects(mean: float) -> ak.Array:
        counts = rng.poisson(mean, events)
        total = counts.sum()
        fields = {
            "pt": 0.5 + rng.exponential(2, total),
            "eta": rng.uniform(-2.4, 2.4, total),
            "phi": rng.uniform(-np.pi, np.pi, total),
        }
        return ak.zip(
            {name: ak.unflatten(x.astype(np.float32), counts) for name, x in fields.items()}
        )

    content = {"Track": objects(60), "triplet": objects(4), "run": np.ones(events, np.uint32)}
    with uproot.recreate(path, compression=uproot.ZSTD(5)) as file:
        file.mktree("Events", {name: ak.type(values) for name, values in content.items()})
        file["Events"].extend(content)


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(sys.argv[2], int(sys.argv[3]))
    else:
        where = Path("build/bench")
        where.mkdir(parents=True, exist_ok=True)
        print(measure(where, rounds=2, events=int((sys.argv[1:] or ["60000"])[0])))
