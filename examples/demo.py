"""The whole Ds⁺ → φ(μμ)π⁺ analysis on generated ntuples: sample, selection, fits, report.

Usage: ``python examples/demo.py FOLDER [FRACTION]``; FRACTION is the size of the sample as a
fraction of the 2017 data. The fitted yields are compared with the generated truth.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import flavorframe as ff
from dsphi import analysis, models, t
from flavorframe.fit import FitResult

FRACTION = 0.1
DS = 1  # how the sample's truth calls a Ds⁺


def main(folder: Path, fraction: float) -> None:
    """Make a sample, analyse it, and leave plots, candidates, results and a report in a folder."""
    began = time.perf_counter()
    eras = tuple(ff.samples.ERAS)
    catalogue = ff.samples.write(folder / "ntuples", eras=eras, fraction=fraction)
    print(f"sample made in {time.perf_counter() - began:.0f} s: {catalogue}")

    truth = ff.hist(
        ff.axis(t.mass, bins=62, range=(1.65, 2.01)), ff.axis(t.truth, bins=4, range=(0, 4))
    )
    results = analysis.with_outputs(truth=truth).run(ff.catalog(catalogue))
    total = results.total
    print(total)

    fits = {
        era: models["mass"].fit(result.mass, luminosity=result.luminosity, label="Simulation")
        for era, result in {**results, "total": total}.items()
    }
    total.candidates.to_root(folder / "candidates.root")
    ff.report.write(
        folder / "report.html", results, fits=fits, analysis=analysis, text=analysis_text()
    )
    fits["total"].plot(path=folder / "mass.png")
    summary = {era: summarise(result, fits[era]) for era, result in results.items()}
    (folder / "result.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False))
    for era, numbers in summary.items():
        print(
            f"{era}: fitted {numbers['yield']:.0f} ± {numbers['error']:.0f} Ds⁺, "
            f"generated {numbers['truth']}"
        )
    print(f"report: {folder / 'report.html'} ({time.perf_counter() - began:.0f} s in all)")


def summarise(result: Any, fit: FitResult) -> dict[str, Any]:
    """Return the numbers of an era: counts after each cut, the yield, and the truth."""
    fitted = fit.yields["Ds"]
    return {
        "events": result.events,
        "candidates": {row.name: row.candidates for row in result.cutflow},
        "yield": fitted.value,
        "error": fitted.error,
        "truth": int(result.truth.values()[:, DS].sum()),
        "valid": fit.valid,
        "chi2_ndf": fit.chi2_ndf,
    }


def analysis_text() -> str:
    """Return the analysis's own description."""
    import dsphi

    return dsphi.__doc__ or ""


if __name__ == "__main__":
    ff.tune_process()
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else FRACTION)
