"""The published Ds → φπ spectrum, as a model with known truth, at any sample size."""

import hist
import numpy as np
import pytest

from flavorframe.fit import FitResult, FittedParameter, dsphi
from flavorframe.fit.binned import BinnedData

EDGES = np.linspace(1.65, 2.01, 63)

#: Read off the published plot: background falling from 1250 to 820 a bin, peaks of 980 and 360.
TRUTH = {
    "N(Ds)": 5280.0,
    "N(D+)": 1840.0,
    "N(background)": 63240.0,
    "mean": 1.968,
    "sigma": 0.012,
    "alpha": 2.0,
    "n": 3.0,
    "slope": -1.17,
}


def truth_at(size):
    """Return the true values, in the order of the model, of a sample ``size`` times as large."""
    return [TRUTH[n] * size if n.startswith("N(") else TRUTH[n] for n in dsphi().names]


def spectrum(values, storage="Double"):
    histogram = getattr(hist.Hist.new.Reg(62, 1.65, 2.01, label="m(μμπ) [GeV]"), storage)()
    histogram[...] = values
    return histogram


@pytest.fixture(scope="session")
def expected():
    """Return a function from the size of a sample to its expected histogram."""
    model = dsphi()

    def build(size=1.0):
        return spectrum(np.diff(model.cumulative(EDGES, *truth_at(size))))

    return build


@pytest.fixture(scope="session")
def drawn(expected):
    """Return a function from the size of a sample and a seed to a random histogram."""

    def build(size=1.0, seed=1):
        counts = np.random.default_rng(seed).poisson(expected(size).values())
        return spectrum(counts, "Int64")

    return build


@pytest.fixture(scope="session")
def background():
    """Return a function from the size of a sample to a random histogram without any peak."""
    model = dsphi()

    def build(size=1.0):
        values = [0.0, 0.0, *truth_at(size)[2:]]
        mean = np.diff(model.cumulative(EDGES, *values))
        return spectrum(np.random.default_rng(1).poisson(mean), "Int64")

    return build


@pytest.fixture
def handmade():
    """Return a function to a result with chosen problems, whose numbers do not need a fit."""
    model = dsphi().only("Ds", "background")
    numbers = {
        "N(Ds)": (5279.8, 175.2, (-174.1, 176.4), (-70000.0, 140000.0), "", False),
        "N(background)": (63236.1, 312.0, None, (0.0, 140000.0), "", False),
        "mean": (1.968351, 0.000421, None, (1.94, 2.0), "GeV", False),
        "sigma": (0.0120, 0.00035, None, (0.003, 0.04), "GeV", False),
        "alpha": (2.0, 0.0, None, (0.5, 4.0), "", True),
        "n": (3.0, 0.0, None, (1.01, 50.0), "", True),
        "slope": (-1.171, 0.05, None, (-20.0, 20.0), "1/GeV", False),
    }
    fitted = tuple(FittedParameter(name, *row) for name, row in numbers.items())
    counts = np.diff(model.cumulative(EDGES, *(p.value for p in fitted))).round()

    def build(*problems, **changes):
        fields = {
            "model": model,
            "data": BinnedData(EDGES, counts, axis_label="m(μμπ) [GeV]"),
            "fitted": fitted,
            "covariance": np.diag([p.error**2 for p in fitted]),
            "chi2": 58.31,
            "edm": 3.1e-6,
            "problems": problems,
        }
        return FitResult(**(fields | changes))

    return build
