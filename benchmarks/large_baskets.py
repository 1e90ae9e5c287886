"""Files with one basket a branch, or one cluster, beside the same events in many small baskets.

``python -m benchmarks.large_baskets`` writes them as uproot does with each ``extend``, and prints
the seconds of whole processes that fill a histogram of four columns on two threads, and their
peak memory in GiB.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import available, run

EVENTS = 5_000_000
COLUMNS = "abcd"
STEPS = {"small_baskets": 100_000, "one_basket": EVENTS, "one_cluster": EVENTS}
"""Events of each ``extend``."""
CONTENDERS = {"flavorframe": ("columns",), "rdataframe": ("rdataframe_columns", "2")}


def make_files(folder: Path) -> dict[str, str]:
    """Return files of the same events by what is special of each, made by a process of its own."""
    files = {kind: str(folder / f"{kind}.root") for kind in STEPS}
    subprocess.run([sys.executable, "-m", "benchmarks.large_baskets", *files.values()], check=True)
    return files


def write(path: str) -> None:
    import numpy as np
    import uproot

    random = np.random.default_rng(1)
    values = {name: random.normal(size=EVENTS).astype(np.float32) for name in COLUMNS}
    types = dict.fromkeys(COLUMNS, "float32")
    kind = Path(path).stem
    with uproot.recreate(path) as file:
        made = (file.mkrntuple if kind == "one_cluster" else file.mktree)("Events", types)
        for start in range(0, EVENTS, STEPS[kind]):
            stop = start + STEPS[kind]
            made.extend({name: column[start:stop] for name, column in values.items()})


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds and the memory of each contender with each file.

    Raises ValueError where two of them count different numbers of events.
    """
    files = make_files(folder)
    seconds: dict[str, list[float]] = {}
    summary: dict[str, float] = {}
    counted = set()
    for number in range(rounds + 1):
        for kind, path in files.items():
            for name, command in CONTENDERS.items():
                if not available(command[0]):
                    continue
                found = run(command, [path])
                counted.add(int(found.output))
                if number > 0:  # the first round fills the caches of the system
                    seconds.setdefault(f"{kind}_{name}", []).append(found.seconds)
                    summary[f"{kind}_{name}_gib"] = found.peak_gib
    if len(counted) > 1:
        raise ValueError(f"they count {counted}")
    return summary | {f"{key}_seconds": statistics.median(of) for key, of in seconds.items()}


def main(files: list[str]) -> None:
    """Write the files that are named, or measure."""
    for path in files:
        write(path)
    if not files:
        folder = Path("build/bench")
        folder.mkdir(parents=True, exist_ok=True)
        for key, value in sorted(measure(folder, rounds=3).items()):
            print(f"{key}: {value:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
