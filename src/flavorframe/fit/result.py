"""The result of a fit: numbers, what is wrong with them, and the ways to show them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._display import Group, Items, Paragraph
from flavorframe._files.writing import replacing
from flavorframe.fit._plot import plot_fit
from flavorframe.fit._tables import (
    CSS_CLASS,
    STYLE,
    fitted_table,
)
from flavorframe.fit.binned import BinnedData, with_unit
from flavorframe.fit.components import Array
from flavorframe.fit.control import ControlWeights, sideband_weights, sweights
from flavorframe.fit.fitted import Fitted
from flavorframe.fit.hs3 import hs3
from flavorframe.fit.likelihood import Likelihood
from flavorframe.fit.parameter import Yield
from flavorframe.fit.toys import pseudo_data
from flavorframe.fit.unbinned import Data, UnbinnedData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from flavorframe.fit.model import MassModel


@dataclass(frozen=True, eq=False, repr=False)
class FitResult(Fitted):
    """What a fit found. Look at ``valid`` and ``problems`` before anything else.

    Attributes:
        model: What was fitted.
        data: What it was fitted to.
        luminosity: Luminosity of the data [fb⁻¹], if it is known.
        label: What the data are called.

    Example:
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
    data: Data
    luminosity: float | None = None
    label: str = ""

    @property
    def yields(self) -> dict[str, Yield]:
        """Candidates of each component in the fit range, by the component's name.

        In the whole range, also where it has gaps.
        """
        errors = [parameter.error for parameter in self.fitted]
        return self.model.yields(self.values, errors, self.covariance)

    @property
    def bins(self) -> BinnedData:
        """The data in bins: those that were fitted, or candidates in bins made for them."""
        return self.data.bins

    @property
    def expected(self) -> Array:
        """The candidates that the fitted model expects in each of the bins, shape (bins,)."""
        return np.diff(self.model.cumulative(self.bins.edges, *self.values))

    @property
    def pulls(self) -> Array:
        """(data − expected) / expected error in each of the bins, shape (bins,).

        NaN where nothing is expected, and in gaps.
        """
        variance = np.maximum(self.expected, 0.0) / self.bins.scale
        distance = self.bins.values - self.expected
        nothing = np.full_like(distance, np.nan)
        looked_at = (variance > 0) & self.bins.used
        return np.divide(distance, np.sqrt(variance), out=nothing, where=looked_at)

    @property
    def likelihood(self) -> Likelihood:
        """The likelihood that was maximised: call it with values to get −2 ln L."""
        return Likelihood.of(self.model, self.data)

    @property
    def measured(self) -> dict[str, Yield]:
        """What toy studies compare with the truth: the yields."""
        return self.yields

    def pseudo_fit(self, random: np.random.Generator, model: MassModel | None = None) -> FitResult:
        """Draw a pseudo-experiment from the fitted model and fit it, by default with that model.

        What constrained parameters are constrained to is drawn, too.

        Args:
            random: Where random numbers come from.
            model: What it is fitted with.
        """
        drawn = pseudo_data(self.model, self.data, self.values, random)
        again: MassModel = model or self.model
        truth = {parameter.name: parameter.value for parameter in self.fitted}
        for name, constraint in self.likelihood.constraints.items():
            if name in again.parameters:
                again = again.change(name, constraint=constraint.drawn(truth[name], random))
        return again.fit(drawn)

    def plot(
        self,
        ax: Axes | None = None,
        path: str | Path | None = None,
        *,
        label: str | None = None,
        energy: float | None = None,
        experiment: str = "flavorframe",
    ) -> Figure:
        """Draw data, model, components and pulls in CMS style.

        A fit that is not valid is stamped so.

        Args:
            ax: Where to draw; a panel for the pulls is split off it. By default a new figure.
            path: Where to save the figure too; its suffix (.png, .pdf) decides the format.
            label: Stands beside ``experiment``, such as "Simulation" or "Preliminary"; by default
                that of the fit.
            energy: Collision energy [TeV].
            experiment: Whose data they are.
        """
        return plot_fit(
            self,
            ax,
            path,
            label=self.label if label is None else label,
            energy=energy,
            experiment=experiment,
        )

    def sweights(self, masses: Any, *, control: Mapping[str, Any] | None = None) -> ControlWeights:
        """Return weights by which each component's distribution of another variable is seen.

        Fill that variable with ``weight=weights["Ds"]``, into a storage that keeps squares,
        ``hist.storage.Weight()``. The sum of the weights is the yield. They hold for variables that
        the mass is independent of, in each component.

        Args:
            masses: The masses of the candidates that were fitted, in histogram or array, in the
                unit of the model, shape (n,); those out of range get zero.
            control: Other variables of the same candidates, by name: whether the shapes in mass
                depend on them is tested, and told among the problems.

        Raises:
            FitError: If the fit is not valid, the masses are not those that were fitted, or the
                package ``sweights`` is not installed.
        """
        return sweights(self, masses, control or {})

    def sideband_weights(
        self,
        masses: Any,
        signal: tuple[float, float],
        sidebands: Sequence[tuple[float, float]],
        *,
        control: Mapping[str, Any] | None = None,
    ) -> ControlWeights:
        """Return weights that subtract the background below a peak, as the sidebands have it.

        ``weights["signal"]`` is 1 in the signal window, in the sidebands minus the ratio of the
        backgrounds that the fit expects in window and sidebands, and elsewhere 0.

        Args:
            masses: The masses of the candidates that were fitted, shape (n,).
            signal: The window of the peak.
            sidebands: Windows without a peak.
            control: Other variables of the same candidates, by name, as for `sweights`.

        Raises:
            FitError: If the fit is not valid, or the windows overlap or leave its range.
        """
        return sideband_weights(self, masses, signal, sidebands, control or {})

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
            "unblinded": self.unblinded,
            "bins": len(self.bins.values),
            "gaps": [list(gap) for gap in self.data.gaps],
            "range": list(self.model.range),
        }
        return {key: _for_json(value) for key, value in numbers.items()}

    def to_hs3(self, path: str | Path) -> Path:
        """Write model, data, limits and fitted values as HS3 JSON, and return the path.

        ROOT makes a workspace of it, ``ROOT.RooJSONFactoryWSTool(workspace).importJSON(path)``, in
        which ``model`` is the pdf, ``data`` the histogram, ``mass`` the observable, and
        ``N_Ds`` a yield. RooFit evaluates a pdf in the middle of a bin unless it is told to
        integrate, and HS3 cannot tell it. The likelihood that is maximised here is that of
        ``model.fitTo(data, Extended(), IntegrateBins(1e-9))``; with a precision much worse RooFit's
        errors are a few per cent off. Of weighted bins the file has the errors, but ROOT does not
        read them, nor has it the scaled Poisson likelihood by which they are fitted here.

        Args:
            path: The file to write.

        Raises:
            FitError: For a component that HS3 has no name for, and for a fitted value that is not
                finite, which JSON cannot hold.
            RunError: Where the file cannot be written.
        """
        target = Path(path)
        content = json.dumps(hs3(self), indent=1, allow_nan=False)
        with replacing(target) as hidden:
            hidden.write_text(content, encoding="utf-8")
        return target

    def _group(self, *heading: Paragraph | Items) -> Group:
        quality = Paragraph(self._quality, style=STYLE)
        return Group((*heading, quality, fitted_table(self.fitted)), CSS_CLASS)

    @property
    def _title(self) -> str:
        low, high = self.model.range
        name = f" {self.label}" if self.label else ""
        masses = with_unit(f"{low:g}–{high:g}", self.model.unit)
        if isinstance(self.data, UnbinnedData):
            what = f"{self.data.counted} candidates"
        else:
            what = f"{int(self.bins.used.sum())} bins"
        ends = ", ".join(f"{begin:g}–{end:g}" for begin, end in self.data.gaps)
        return f"Fit{name}: {what}, {masses}{f' without {ends}' if ends else ''}"

    @property
    def _quality(self) -> str:
        parts = [
            f"χ²/ndf = {self.chi2:.1f}/{self.ndf} = {self.chi2_ndf:.2f}",
            f"p = {self.p_value:.2g}",
            f"EDM = {self.edm:.1e}",
        ]
        if self.luminosity is not None:
            parts.append(f"{self.luminosity:g} fb⁻¹")
        if self.unblinded:
            parts.append(f"unblinded: {self.unblinded}")
        return ", ".join(parts)


def _for_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _for_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
