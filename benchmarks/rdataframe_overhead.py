"""What our generated graph costs beside the same analysis written by hand in RDataFrame."""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks.files import copies
from benchmarks.measure import available, run

FURTHER = 3
"""How many more files the second run reads, to learn the time of one more."""

CONTENDERS = {"hand": ("rdataframe", "2"), "ours": ("rdataframe_engine", "2")}


def overhead(file: Path, rounds: int) -> dict[str, float]:
    """Return the ratios of our engine's time to the hand-written graph's, whole processes.

    ``rdataframe_engine_overhead`` is that of several files, compilation included; the others are of
    the first plot, and of each further file. Empty where ROOT is not installed.
    """
    if not available("rdataframe"):
        return {}
    files = copies(file, 1 + FURTHER)
    first: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    all_: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for number in range(rounds + 1):
        for name, command in CONTENDERS.items():
            one, more = run(command, files[:1]), run(command, files)
            if number == 0:  # the first round fills the caches of the system
                continue
            first[name].append(one.seconds)
            all_[name].append(more.seconds)
    once = {name: statistics.median(values) for name, values in first.items()}
    whole = {name: statistics.median(values) for name, values in all_.items()}
    steady = {name: whole[name] - once[name] for name in CONTENDERS}
    return {
        "rdataframe_engine_overhead": whole["ours"] / whole["hand"],
        "rdataframe_engine_overhead_first_plot": once["ours"] / once["hand"],
        "rdataframe_engine_overhead_further": steady["ours"] / steady["hand"],
    }
