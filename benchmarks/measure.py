"""Time whole processes, as a user waits for them."""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NEEDS = {
    "rdataframe": "ROOT",
    "rdataframe_columns": "ROOT",
    "rdataframe_engine": "ROOT",
    "rdataframe_layouts": "ROOT",
    "rdataframe_nested": "ROOT",
    "rdataframe_snapshot": "ROOT",
    "rdataframe_vary": "ROOT",
    "legacy_loop": "ROOT",
    "coffea_arrays": "coffea",
}
"""What contenders import that may not be installed."""


@dataclass(frozen=True)
class Measured:
    """Wall-clock seconds, peak memory of the process, and the last line that it printed."""

    seconds: float
    peak_gib: float
    output: str


def run(command: tuple[str, ...], files: Sequence[str]) -> Measured:
    """Run a contender on files; raises RuntimeError with its words where it fails."""
    module, *arguments = command
    line = [sys.executable, "-m", f"benchmarks.contenders.{module}", *arguments, *files]
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complaints:
        child = subprocess.Popen(line, stdout=printed, stderr=complaints)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        complaints.seek(0)
        if status != 0:
            raise RuntimeError(f"{' '.join(line[2:5])} failed:\n{complaints.read()}")
        return Measured(seconds, usage.ru_maxrss / 2**20, printed.read().strip().splitlines()[-1])


def available(module: str) -> bool:
    """Return whether what the contender needs is installed."""
    return module not in NEEDS or importlib.util.find_spec(NEEDS[module]) is not None


def import_seconds(rounds: int) -> float:
    """Return the median seconds of ``import flavorframe`` in a new process, Python's own aside."""
    code = "import time; t = time.time(); import flavorframe; print(time.time() - t)"
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(rounds)
    ]
    return statistics.median(times)


def breakdown(file: Path) -> dict[str, float]:
    """Return events/s, MB/s and the share of each stage, of the whole example analysis."""
    import flavorframe as ff
    from dsphi import analysis

    analysis.run(ff.dataset(file), progress=False)
    timing = analysis.run(ff.dataset(file), progress=False).timing
    shares = {f"share_{stage}": share for stage, share in timing.shares().items()}
    return {
        "events_per_second": timing.events_per_second,
        "megabytes_per_second": timing.megabytes_per_second,
        **shares,
    }
