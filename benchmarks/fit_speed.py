"""The fit of the example analysis beside RooFit's, of the same histogram and the same likelihood.

``python -m benchmarks.fit_speed`` prints the numbers; `measure` returns them. Both fit the
published spectrum, generated, with MIGRAD and HESSE, and neither prints.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hist
import numpy as np

from flavorframe.fit import FitResult, dsphi

PUBLISHED = (5280, 1840, 63240, 1.968, 0.012, 2.0, 3.0, -1.17)
"""Yields of Ds, D+ and background, mean, sigma, alpha, n, slope of the published plot."""

START = {"N_Ds": 3500.0, "N_Dp": 1400.0, "N_background": 56000.0, "mean": 1.97, "sigma": 0.02,
         "slope": -1.0}  # fmt: skip
"""Where RooFit starts, as in the published notebook; `dsphi` finds its start by itself."""

PRECISION = 1e-9


def measure(rounds: int = 10) -> dict[str, float]:
    """Return how often faster our fit is than RooFit's, and how the two agree.

    ``fit_speed_vs_roofit`` is the ratio of the median times for the same likelihood, integrated
    over each bin; ``fit_speed_vs_roofit_centres`` has RooFit evaluate the middle of each bin only.
    Empty where ROOT is not installed.
    """
    if importlib.util.find_spec("ROOT") is None:
        return {}
    histogram = published_spectrum()
    ours = seconds(lambda: dsphi().fit(histogram), rounds)
    fit = dsphi().fit(histogram).require_valid()
    roofit = RooFit(fit)
    centres = seconds(lambda: roofit.fit(integrate=False), rounds)
    theirs = seconds(lambda: roofit.fit(integrate=True), rounds)
    return {
        "fit_milliseconds": 1000 * ours,
        "fit_speed_vs_roofit": theirs / ours,
        "fit_speed_vs_roofit_centres": centres / ours,
        **roofit.differences(),
    }


def published_spectrum(seed: int = 1) -> Any:
    """Return a random histogram with the published expectation."""
    histogram = hist.Hist.new.Reg(62, 1.65, 2.01).Int64()
    expected = np.diff(dsphi().cumulative(histogram.axes[0].edges, *PUBLISHED))
    histogram[...] = np.random.default_rng(seed).poisson(expected)
    return histogram


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of a call, after one that fills caches."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


class RooFit:
    """The same model and data in RooFit, from the HS3 file of our fit."""

    def __init__(self, fit: FitResult) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import ROOT
        ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.WARNING)
        self._root, self._ours = ROOT, fit
        self.workspace = ROOT.RooWorkspace("workspace")
        with tempfile.TemporaryDirectory() as folder:
            path = fit.to_hs3(Path(folder) / "fit.json")
            ROOT.RooJSONFactoryWSTool(self.workspace).importJSON(str(path))
        self.model, self.data = self.workspace.pdf("model"), self.workspace.data("data")
        integrate = ROOT.RooFit.IntegrateBins(PRECISION)
        self._nll = self.model.createNLL(self.data, ROOT.RooFit.Extended(), integrate)
        self.nll_at_ours = self._nll.getVal()

    def fit(self, *, integrate: bool) -> Any:
        """Fit from the start; integrated over each bin, or in the middle of it."""
        for name, value in START.items():
            self.workspace.var(name).setVal(value)
            self.workspace.var(name).setError(0.1 * abs(value))
        roofit = self._root.RooFit
        options = [roofit.Extended(), roofit.PrintLevel(-1), roofit.PrintEvalErrors(-1)]
        if integrate:
            options.append(roofit.IntegrateBins(PRECISION))
        return self.model.fitTo(self.data, *options)

    def differences(self) -> dict[str, float]:
        """Return ΔNLL at the two minima, and the largest relative differences, yield and error."""
        self.fit(integrate=True)
        ours = self._ours.yields
        theirs = {"Ds": "N_Ds", "D+": "N_Dp", "background": "N_background"}
        found = {name: self.workspace.var(word) for name, word in theirs.items()}
        yields = [abs(found[n].getVal() / ours[n].value - 1) for n in theirs]
        errors = [abs(found[n].getError() / ours[n].error - 1) for n in theirs]
        return {
            "fit_nll_vs_roofit": self.nll_at_ours - self._nll.getVal(),
            "fit_yield_vs_roofit": max(yields),
            "fit_error_vs_roofit": max(errors),
        }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
