"""Run the benchmarks: ``python -m benchmarks [--quick]``.

Every contender makes the same histogram from the same files, as a whole process, all of them in
turn, round after round. Written to ``build/bench``: the files, ``summary.json`` and ``table.md``.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from benchmarks import (
    distributed,
    fit_speed,
    large_baskets,
    layouts,
    models,
    nested_lists,
    one_pass,
    skimming,
)
from benchmarks.files import CODECS, copies, make_file
from benchmarks.measure import Measured, available, breakdown, import_seconds, run
from benchmarks.rdataframe_overhead import overhead
from benchmarks.recut import recut
from benchmarks.scaling import scale

FOLDER = Path("build/bench")
FURTHER = 3
"""How many more files the second run of each contender reads, to learn the time of one more."""

CONTENDERS = {
    "columnar": ("columnar",),
    "rdataframe2": ("rdataframe", "2"),
    "rdataframe1": ("rdataframe", "1"),
    "coffea": ("coffea_arrays",),
    "legacy_loop": ("legacy_loop",),
}


def main() -> None:
    """Measure everything that can be measured here, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, and no scaling study")
    parser.add_argument("--events", type=int, default=300_000)
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else 3
    FOLDER.mkdir(parents=True, exist_ok=True)
    summary: dict[str, object] = {"import_seconds": import_seconds(rounds)}
    lines = ["| codec | contender | first plot [s] | each further [s] | peak memory [GiB] |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for codec in CODECS:
        file = make_file(FOLDER, codec, arguments.events)
        first, further, memory, limit = measure(file, rounds)
        lines += [row(codec, name, first, further, memory) for name in first]
        lines.append(f"| {codec} | decompression alone | | {limit:.3f} | |")
        ratios = compare(first, further, limit)
        summary |= {f"{key}_{codec}": value for key, value in ratios.items()}
        if codec == "zstd":
            summary |= ratios
            summary |= recut(file)
            summary |= overhead(file, rounds)
            summary |= skimming.measure(file, rounds)
    if not arguments.quick:
        summary |= scale(FOLDER)
        summary |= large_baskets.measure(FOLDER, rounds)
        summary |= layouts.measure(FOLDER, rounds)
        summary |= nested_lists.measure(FOLDER, rounds)
        summary |= one_pass.measure(make_file(FOLDER, "zstd", arguments.events), rounds)
    # What is measured in this process comes last: a child is told to have had its parent's memory.
    summary |= breakdown(make_file(FOLDER, "zstd", arguments.events))
    summary |= fit_speed.measure()
    summary |= models.measure(make_file(FOLDER, "zstd", arguments.events), rounds)
    if not arguments.quick:
        summary |= distributed.measure(FOLDER)
    (FOLDER / "summary.json").write_text(json.dumps(summary, indent=2))
    (FOLDER / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    print(json.dumps(summary, indent=2))


def measure(
    file: Path, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, float], float]:
    """Return, by contender, the seconds to the first plot, those of each further file, and memory.

    Raises ValueError where two contenders select different numbers of candidates.
    """
    names = [name for name, (module, *_) in CONTENDERS.items() if available(module)]
    first: dict[str, list[float]] = {name: [] for name in names}
    further: dict[str, list[float]] = {name: [] for name in names}
    memory: dict[str, float] = {}
    expected: dict[str, int] = {}
    limits = []
    files = copies(file, 1 + FURTHER)
    for number in range(rounds + 1):
        limits.append(float(run(("decompression",), files[:1]).output))
        for name in names:
            one, more = run(CONTENDERS[name], files[:1]), run(CONTENDERS[name], files)
            check_same(name, one, more, expected)
            if number == 0:  # the first round fills the caches of the system and of compilers
                continue
            first[name].append(one.seconds)
            further[name].append((more.seconds - one.seconds) / FURTHER)
            memory[name] = max(memory.get(name, 0), more.peak_gib)
    return first, further, memory, statistics.median(limits)


def check_same(name: str, one: Measured, more: Measured, expected: dict[str, int]) -> None:
    """Raise ValueError where a contender selects other candidates than the ones before it."""
    candidates = expected.setdefault("candidates", int(one.output))
    if (int(one.output), int(more.output)) != (candidates, (1 + FURTHER) * candidates):
        raise ValueError(f"{name} selects {one.output} candidates, and the others {candidates}")


def row(
    codec: str,
    name: str,
    first: dict[str, list[float]],
    further: dict[str, list[float]],
    memory: dict[str, float],
) -> str:
    """Return a row of the table: medians, with the smallest and largest in brackets."""
    cells = [spread(first[name]), spread(further[name]), f"{memory[name]:.2f}"]
    return f"| {codec} | {name} | {' | '.join(cells)} |"


def spread(values: list[float]) -> str:
    """Return median [smallest, largest]."""
    return f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def compare(
    first: dict[str, list[float]], further: dict[str, list[float]], limit: float
) -> dict[str, float]:
    """Return the ratios of the peers' medians to ours."""
    once = {name: statistics.median(values) for name, values in first.items()}
    again = {name: statistics.median(values) for name, values in further.items()}
    ratios = {"over_decompression_limit": again["columnar"] / limit}
    if "rdataframe2" in once:
        ratios["first_plot_vs_rdataframe"] = once["rdataframe2"] / once["columnar"]
        ratios["steady_vs_rdataframe"] = again["rdataframe2"] / again["columnar"]
        ratios["steady_vs_legacy_loop"] = again["legacy_loop"] / again["columnar"]
    if "coffea" in again:
        ratios["steady_vs_coffea"] = again["coffea"] / again["columnar"]
    return ratios


if __name__ == "__main__":
    main()
