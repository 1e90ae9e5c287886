"""Files of other layouts beside RDataFrame: NanoAOD as TTree and RNTuple, one row a candidate.

``python -m benchmarks.layouts`` writes them and prints, for each kind of file, the seconds to the
first plot and of each further file, on two threads.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Literal

from benchmarks.files import copies
from benchmarks.measure import available, run

EVENTS = 300_000
FURTHER = 3
KINDS = ("nano", "rntuple", "rows")


def make_files(folder: Path) -> dict[str, Path]:
    """Return a file of each kind with the same candidates, made at the first call."""
    files = {kind: folder / f"layout_{kind}_{EVENTS}.root" for kind in KINDS}
    for kind, file in files.items():
        if not file.exists():
            line = [sys.executable, "-m", "benchmarks.layouts", kind, str(file), str(files["nano"])]
            subprocess.run(line, check=True)
    return {kind: file.resolve() for kind, file in files.items()}


def write(kind: str, path: str, nano: str) -> None:
    """Write a file; the one with rows has what the one in the layout ``nano`` has."""
    from flavorframe import samples

    if kind == "rows":
        _write_rows(path, nano)
        return
    events = samples.chunks(EVENTS, era="2017B", seed=2017)
    form: Literal["rntuple", "ttree"] = "rntuple" if kind == "rntuple" else "ttree"
    samples.write_file(path, layout="nano", format=form, compression="zstd", events=events)


def _write_rows(path: str, nano: str) -> None:
    import awkward as ak
    import uproot

    with uproot.recreate(path, compression=uproot.ZSTD(5)) as file:
        tree = None
        for events in uproot.iterate({nano: "Events"}, step_size=100_000):
            mass = events["triplet_mass"]
            names = [name for name in events.fields if name.startswith("triplet_")]
            columns = {
                name: ak.to_numpy(ak.flatten(ak.broadcast_arrays(events[name], mass)[0]))
                for name in ("run", "event", *names)
            }
            if tree is None:
                tree = file.mktree("DecayTree", {k: v.dtype for k, v in columns.items()})
            tree.extend(columns)


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """Return the ratios of RDataFrame's medians to ours, and ours to decompression alone.

    Raises ValueError where the two select different numbers of candidates.
    """
    summary: dict[str, float] = {}
    for kind, file in make_files(folder).items():
        summary |= {f"{kind}_{key}": value for key, value in _compared(kind, file, rounds).items()}
    return summary


def _compared(kind: str, file: Path, rounds: int) -> dict[str, float]:
    contenders = {"flavorframe": ("layouts", kind), "rdataframe": ("rdataframe_layouts", kind, "2")}
    files = copies(file, 1 + FURTHER)
    first: dict[str, list[float]] = {}
    further: dict[str, list[float]] = {}
    counted = set()
    for number in range(rounds + 1):
        for name, command in contenders.items():
            if not available(command[0]):
                continue
            one, more = run(command, files[:1]), run(command, files)
            counted |= {int(one.output), int(more.output) // (1 + FURTHER)}
            if number > 0:  # the first round fills the caches of the system and of compilers
                first.setdefault(name, []).append(one.seconds)
                further.setdefault(name, []).append((more.seconds - one.seconds) / FURTHER)
    if len(counted) > 1:
        raise ValueError(f"of a file of kind {kind} they select {counted}")
    once, again = (
        {name: statistics.median(values) for name, values in each.items()}
        for each in (first, further)
    )
    found = {"first_plot_seconds": once["flavorframe"], "steady_seconds": again["flavorframe"]}
    if "rdataframe" in once:
        found["first_plot_vs_rdataframe"] = once["rdataframe"] / once["flavorframe"]
        found["steady_vs_rdataframe"] = again["rdataframe"] / again["flavorframe"]
    if kind != "rntuple":
        limit = float(run(("layout_decompression", kind), [files[0]]).output)
        found["over_decompression_limit"] = again["flavorframe"] / limit
    return found


def main(arguments: list[str]) -> None:
    """Write the file that is named, or measure."""
    if arguments:
        write(*arguments)
        return
    folder = Path("build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    for key, value in sorted(measure(folder, rounds=3).items()):
        print(f"{key}: {value:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
