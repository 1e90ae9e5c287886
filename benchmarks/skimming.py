"""A skim beside RDataFrame's ``Snapshot`` of the same columns of the same events."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.files import make_file
from benchmarks.measure import available, run

CONTENDERS = {"skim": ("skim", "2"), "rdataframe": ("rdataframe_snapshot", "2")}


def measure(file: Path, rounds: int) -> dict[str, float]:
    """Return how many times as long RDataFrame takes, whole processes on two threads.

    Raises ValueError where the two write different numbers of events. Empty where ROOT is not
    installed.
    """
    if not available("rdataframe_snapshot"):
        return {}
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    counted = set()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for name, command in CONTENDERS.items():
                found = run((*command, f"{folder}/{name}.root"), [str(file)])
                counted.add(int(found.output))
                if number > 0:  # the first round fills the caches of the system
                    seconds[name].append(found.seconds)
    if len(counted) > 1:
        raise ValueError(f"they write {counted} events")
    ours, theirs = (statistics.median(seconds[name]) for name in CONTENDERS)
    return {"skim_seconds": ours, "skim_vs_rdataframe_snapshot": theirs / ours}


if __name__ == "__main__":
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    where = Path("build/bench")
    where.mkdir(parents=True, exist_ok=True)
    print(measure(make_file(where, "zstd", events), rounds=3))
