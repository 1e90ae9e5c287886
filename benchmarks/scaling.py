"""Time and memory against the size of the input, from 0.1 to 100 GiB if the disk has room."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from benchmarks.files import copies, make_file
from benchmarks.measure import available, run

GIB = 2**30
SIZES = (0.1, 0.3, 1, 3, 10, 30, 100)
PEER_SIZES = (0.1, 0.3, 1, 3, 10)
"""What the peer is given, which takes several times as long."""


def scale(folder: Path) -> dict[str, object]:
    """Return the straightness of time against size, and the peak memory at the largest size."""
    file = make_file(folder, "zstd", 300_000)
    small = make_file(folder, "zstd", 30_000)
    room = shutil.disk_usage(folder).free / GIB
    ours = [point(("columnar",), file, small, size) for size in SIZES if 1.5 * size < room]
    result: dict[str, object] = {
        "scaling": ours,
        "linearity_r2": r_squared(*np.array([(p["gib"], p["seconds"]) for p in ours]).T),
        "largest_gib": ours[-1]["gib"],
        "peak_rss_gib": ours[-1]["peak_gib"],
    }
    if available("rdataframe"):
        peer = [point(("rdataframe", "2"), file, small, size) for size in PEER_SIZES]
        result["scaling_rdataframe"] = peer
    plot(folder / "scaling.png", result)
    return result


def point(command: tuple[str, ...], file: Path, small: Path, gib: float) -> dict[str, float]:
    """Measure one size: of small files where one large is more than asked for."""
    source = file if file.stat().st_size <= gib * GIB else small
    number = max(1, round(gib * GIB / source.stat().st_size))
    measured = run(command, copies(source, number))
    size = number * source.stat().st_size / GIB
    return {"gib": size, "seconds": measured.seconds, "peak_gib": measured.peak_gib}


def r_squared(x: np.ndarray, y: np.ndarray) -> float:
    """Return R² of the straight line through the points."""
    residuals = y - np.polyval(np.polyfit(x, y, 1), x)
    return float(1 - (residuals**2).sum() / ((y - y.mean()) ** 2).sum())


def plot(path: Path, result: dict[str, object]) -> None:
    """Draw time against size, both on logarithmic axes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, key in (("flavorframe", "scaling"), ("RDataFrame", "scaling_rdataframe")):
        points = result.get(key)
        if isinstance(points, list):
            axes.plot([p["gib"] for p in points], [p["seconds"] for p in points], "o-", label=name)
    axes.set(xscale="log", yscale="log", xlabel="input [GiB]", ylabel="time [s]")
    axes.legend()
    figure.savefig(path, dpi=150)
    plt.close(figure)
