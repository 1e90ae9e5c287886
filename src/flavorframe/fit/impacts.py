"""Pulls and impacts: what parameters that are known from elsewhere do to a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from flavorframe._display import Group, Items, as_html, as_text
from flavorframe.errors import FitError
from flavorframe.fit._tables import CSS_CLASS, impact_table
from flavorframe.fit.scans import free_parameter

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from flavorframe.fit.fitted import Fitted


class Impact(NamedTuple):
    """What one constrained parameter does.

    Attributes:
        pull: How far the data pull it from what it is constrained to, in errors of the constraint.
        pull_error: Its error after the fit, in errors of the constraint: 1 where the data say
            nothing of it.
        down: The change of the parameter of interest where this one is an error, after the fit,
            lower.
        up: The same where it is an error higher.
    """

    pull: float
    pull_error: float
    down: float
    up: float


@dataclass(frozen=True, eq=False, repr=False)
class Impacts:
    """Pulls of all constrained parameters, and their impacts on one of interest.

    Attributes:
        of: The parameter of interest.
        error: Its error.
        found: The impact of each constrained parameter by its name, the strongest first.
    """

    of: str
    error: float
    found: dict[str, Impact]

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw pulls and impacts side by side.

        Args:
            path: Where to save the figure too; its suffix (.png, .pdf) decides the format.
        """
        from flavorframe.fit._plot_studies import plot_impacts

        return plot_impacts(self, path)

    def __repr__(self) -> str:
        heading = f"Impacts on {self.of}, whose error is {self.error:.4g}"
        return as_text(Group((Items((heading,)), impact_table(self.found)), CSS_CLASS))

    def _repr_html_(self) -> str:
        return as_html(Group((impact_table(self.found),), CSS_CLASS))


def find_impacts(fit: Fitted, of: str) -> Impacts:
    """Find the impacts in a valid fit; arguments and errors are those of `Fitted.impacts`."""
    interest = free_parameter(fit, of)
    likelihood = fit.likelihood
    constraints = {name: c for name, c in likelihood.constraints.items() if name != of}
    if not constraints:
        raise FitError(
            "no parameter is constrained, so none has an impact: "
            "model.change(name, constraint=ff.fit.Constraint(value, error))"
        )
    found = {}
    for name, constraint in constraints.items():
        mine = fit.parameters[name]
        changes = [_refitted(fit, name, mine.value + s * mine.error, of) for s in (-1, 1)]
        low, high = (constraint.pull(mine.value + s * mine.error) for s in (-1, 1))
        down, up = (change - interest.value for change in changes)
        found[name] = Impact(constraint.pull(mine.value), (high - low) / 2, down, up)
    strongest = sorted(found, key=lambda name: -max(abs(found[name].down), abs(found[name].up)))
    return Impacts(of, interest.error, {name: found[name] for name in strongest})


def _refitted(fit: Fitted, name: str, value: float, of: str) -> float:
    """Return the parameter of interest where another has a value."""
    minuit = fit.likelihood.minuit(starts=fit.values)
    minuit.values[name] = value
    minuit.fixed[name] = True
    minuit.migrad()
    if not minuit.valid:
        raise FitError(f"no fit with {name} = {value:g}: its impact on {of} is not known")
    return float(minuit.values[of])
