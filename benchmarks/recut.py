"""Change one cut and look again: the second run of an analysis, in a process that ran it before.

``python -m benchmarks.recut FILE...`` prints the medians. RDataFrame builds its graph anew with
another threshold in the fifth cut, compiles what is new in it, and loops.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.files import copies

NAME = "flight significance"
TIGHTER = (2.1, 2.9, 3.7, 2.4, 4.2)
LOOSER = (1.9, 1.5, 1.2, 0.8, 0.5)


def recut(file: Path, names: int = 1) -> dict[str, float]:
    """Return seconds and ratios for so many names of a file."""
    files = copies(file, names)
    with tempfile.TemporaryDirectory() as folder:
        ours = _measured("ours", files, folder)
        began = time.perf_counter()
        _measured("once", files, folder)
        process = time.perf_counter() - began
    found = {
        "recut_seconds": ours["tighter"],
        "recut_looser_seconds": ours["looser"],
        "recut_new_process_seconds": process,
    }
    if importlib.util.find_spec("ROOT") is not None:
        theirs = _measured("rdataframe", files, "")
        if theirs["candidates"] != ours["candidates"]:
            raise ValueError(f"{theirs['candidates']} and {ours['candidates']} candidates")
        found["recut_rdataframe_seconds"] = theirs["tighter"]
        found["recut_vs_rdataframe"] = theirs["tighter"] / ours["tighter"]
    return found


def _measured(who: str, files: Sequence[str], folder: str) -> dict[str, float]:
    line = [sys.executable, "-m", "benchmarks.recut", who, *files]
    environment = {**os.environ, "FLAVORFRAME_CACHE": folder}
    printed = subprocess.run(line, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(printed.stdout.splitlines()[-1])
    return found


def _ours(threshold: float, files: Sequence[str]) -> int:
    import flavorframe as ff
    from dsphi import analysis, t

    cut = ff.Selection(t).cut(NAME, t.flight_significance > threshold).steps[0]
    steps = tuple(cut if step.name == NAME else step for step in analysis.selection.steps)
    only = ff.Analysis(
        replace(analysis.selection, steps=steps), mass=dict(analysis.outputs)["mass"]
    )
    return int(only.run(ff.dataset(files), cache=True, progress=False).mass.sum(flow=True))


def _rdataframe(threshold: float, files: Sequence[str]) -> int:
    import ROOT

    from benchmarks.contenders import rdataframe

    if not hasattr(ROOT, "pair_mass"):
        ROOT.EnableImplicitMT(2)
        ROOT.gInterpreter.Declare(rdataframe.CPP)
    first = "FlightDistBS_SV_Significance > 2"
    changed = first.replace("2", str(threshold))
    steps = tuple(changed if step == first else step for step in rdataframe.STEPS)
    frame = ROOT.RDataFrame("Tree3Mu/ntuple", list(files))
    return int(rdataframe.book(frame, steps).GetEntries())


def main(who: str, files: Sequence[str]) -> None:
    """Print the medians of one contender; ``once`` is a single run in a new process."""
    run: Any = _rdataframe if who == "rdataframe" else _ours
    if who == "once":
        print(json.dumps({"candidates": run(2.05, files)}))
        return
    candidates = run(2, files)
    times: dict[str, list[float]] = {"tighter": [], "looser": []}
    for kind, thresholds in (("tighter", TIGHTER), ("looser", LOOSER)):
        for threshold in thresholds:
            began = time.perf_counter()
            run(threshold, files)
            times[kind].append(time.perf_counter() - began)
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    print(json.dumps({"candidates": candidates, **medians}))


if __name__ == "__main__":
    if sys.argv[1] in ("ours", "once", "rdataframe"):
        main(sys.argv[1], sys.argv[2:])
    else:
        print(json.dumps(recut(Path(sys.argv[1]), int((sys.argv[2:] or ["1"])[0])), indent=2))
