"""The result of a fit: numbers, what is wrong with them, and the ways to show them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.binned import BinnedData
from flavorframe.fit.components import Array
from flavorframe.fit.model import MassModel, yield_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from flavorframe.fit.toys import ToyStudy


class Yield(NamedTuple):
    """A number of candidates in the fit range, and its error."""

    value: float
    error: float


@dataclass(frozen=True)
class FittedParameter:
    """A parameter after the fit: value, HESSE error, MINOS errors (lower < 0 < upper) if asked for.

    A fixed one has no error. ``unit`` is empty for plain numbers.
    """

    name: str
    value: float
    error: float
    minos: tuple[float, float] | None
    limits: tuple[float, float]
    unit: str
    fixed: bool


@dataclass(frozen=True, eq=False, repr=False)
class FitResult:
    """What a fit found. Look at ``valid`` and ``problems`` before anything else.

    ``fitted`` follows ``model.names``, and so do the rows of ``covariance``, which are zero for
    fixed parameters. ``chi2`` is the likelihood ratio to the data themselves, 2 ln(L_data / L),
    which is distributed as χ² where bins hold more than a few candidates. Source: S. Baker,
    R. Cousins, NIM 221 (1984) 437. ``edm`` is Minuit's estimated distance to the minimum;
    ``luminosity`` in fb^-1.

    >>> import hist
    >>> from flavorframe.fit import dsphi
    >>> masses = hist.Hist.new.Reg(62, 1.65, 2.01, label="m(μμπ) [GeV]").Int64()
    >>> masses[...] = 100
    >>> result = dsphi().fit(masses)
    >>> result.valid
    False
    >>> result.require_valid()
    Traceback (most recent call last):
    flavorframe.errors.FitError: the fit is not valid: no significant Ds peak ...
    """

    model: MassModel
    data: BinnedData
    fitted: tuple[FittedParameter, ...]
    covariance: Array
    chi2: float
    edm: float
    problems: tuple[str, ...] = ()
    luminosity: float | None = None
    label: str = ""

    @property
    def valid(self) -> bool:
        """Whether the numbers can be used; if not, ``problems`` says why."""
        return not self.problems

    def require_valid(self) -> FitResult:
        """Return this result if it is valid; raises FitError with the problems if not."""
        if self.valid:
            return self
        raise FitError(
            f"the fit is not valid: {'; '.join(self.problems)}. Look at .plot(); then fit more "
            "data, move or widen a parameter's limits, or fix it: model.change(name, fixed=True)"
        )

    @property
    def parameters(self) -> dict[str, FittedParameter]:
        """All that was fitted, by name: the yields N(...) and the shapes."""
        return {parameter.name: parameter for parameter in self.fitted}

    @property
    def values(self) -> tuple[float, ...]:
        """The fitted values, in the order of ``model.names``."""
        return tuple(parameter.value for parameter in self.fitted)

    @property
    def yields(self) -> dict[str, Yield]:
        """Candidates of each component in the fit range, by the component's name."""
        found = self.parameters
        names = [component.name for component in self.model.components]
        return {n: Yield(found[yield_name(n)].value, found[yield_name(n)].error) for n in names}

    @property
    def expected(self) -> Array:
        """The candidates that the fitted model expects in each bin, shape (bins,)."""
        return np.diff(self.model.cumulative(self.data.edges, *self.values))

    @property
    def pulls(self) -> Array:
        """(data − expected) / expected error in each bin, shape (bins,); NaN if none expected."""
        variance = np.maximum(self.expected, 0.0) / self.data.scale
        distance = self.data.values - self.expected
        nothing = np.full_like(distance, np.nan)
        return np.divide(distance, np.sqrt(variance), out=nothing, where=variance > 0)

    @property
    def nll(self) -> float:
        """Minus the logarithm of the likelihood, relative to that of the data themselves: χ²/2.

        Between models fitted to the same bins it differs as the full one does.
        """
        return self.chi2 / 2

    @property
    def ndf(self) -> int:
        """Degrees of freedom: bins less free parameters."""
        return len(self.data.values) - sum(not parameter.fixed for parameter in self.fitted)

    @property
    def chi2_ndf(self) -> float:
        """χ² per degree of freedom; NaN if there is none."""
        return self.chi2 / self.ndf if self.ndf else math.nan

    @property
    def p_value(self) -> float:
        """The probability of a χ² at least as large, if the model is right; NaN without ndf."""
        from scipy.special import chdtrc

        return float(chdtrc(self.ndf, self.chi2)) if self.ndf else math.nan

    def plot(
        self,
        ax: Axes | None = None,
        path: str | Path | None = None,
        *,
        label: str | None = None,
        energy: float | None = None,
        experiment: str = "flavorframe",
    ) -> Figure:
        """Draw data, model, components and pulls in CMS style, and save to ``path`` if given.

        Drawn into ``ax``, a panel for the pulls is split off it; otherwise into a new figure.
        ``label`` ("Simulation", "Preliminary") stands beside ``experiment`` and defaults to that of
        the fit; ``energy`` is the collision energy [TeV]. The suffix of ``path`` (.png, .pdf)
        decides the format. A fit that is not valid is stamped so.
        """
        from flavorframe.fit._plot import plot_fit

        return plot_fit(
            self,
            ax,
            path,
            label=self.label if label is None else label,
            energy=energy,
            experiment=experiment,
        )

    def toys(self, count: int = 500, *, seed: int = 1) -> ToyStudy:
        """Fit ``count`` pseudo-experiments drawn from the fitted model, to test the fit itself.

        Raises FitError if this fit is not valid, or if hardly any of the toys' fits are.
        """
        from flavorframe.fit.toys import run_toys

        return run_toys(self.require_valid(), count, seed=seed)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; None stands for NaN."""
        numbers = {
            "valid": self.valid,
            "problems": list(self.problems),
            "yields": {name: found._asdict() for name, found in self.yields.items()},
            "parameters": {p.name: asdict(p) for p in self.fitted},
            "covariance": self.covariance.tolist(),
            "nll": self.nll,
            "chi2": self.chi2,
            "ndf": self.ndf,
            "p_value": self.p_value,
            "edm": self.edm,
            "luminosity": self.luminosity,
            "label": self.label,
            "bins": len(self.data.values),
            "range": list(self.model.range),
        }
        return {key: _for_json(value) for key, value in numbers.items()}

    def to_hs3(self, path: str | Path) -> Path:
        """Write model, data, limits and fitted values as HS3 JSON, and return the path.

        ROOT makes a workspace of it, ``ROOT.RooJSONFactoryWSTool(workspace).importJSON(path)``, in
        which ``model`` is the pdf, ``data`` the histogram, ``mass`` the observable [GeV], and
        ``N_Ds`` a yield. RooFit evaluates a pdf in the middle of a bin unless it is told to
        integrate, and HS3 cannot tell it. The likelihood that is maximised here is that of
        ``model.fitTo(data, Extended(), IntegrateBins(1e-9))``; with a precision much worse RooFit's
        errors are a few per cent off. Of weighted bins the file has the errors, but ROOT does not
        read them, nor has it the scaled Poisson likelihood by which they are fitted here.

        Raises FitError for a component that HS3 has no name for, RunError where the file cannot be
        written.
        """
        from flavorframe._files.writing import replacing
        from flavorframe.fit.hs3 import hs3

        target = Path(path)
        content = json.dumps(hs3(self), indent=1)
        with replacing(target) as hidden:
            hidden.write_text(content, encoding="utf-8")
        return target

    def __repr__(self) -> str:
        from flavorframe.fit._repr_text import fit_text

        return fit_text(self)

    def _repr_html_(self) -> str:
        from flavorframe.fit._repr_html import fit_html

        return fit_html(self)


def _for_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _for_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
