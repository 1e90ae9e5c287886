"""Several spectra fitted at once: eras, regions, categories, with shared parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from flavorframe._display import Group, Items, Paragraph, as_html, as_text
from flavorframe.errors import FitError, did_you_mean
from flavorframe.fit._tables import (
    CSS_CLASS,
    STYLE,
    TITLE_STYLE,
    fitted_table,
    spectrum_table,
    start_table,
)
from flavorframe.fit.fitted import Fitted
from flavorframe.fit.likelihood import Likelihood, Spectrum
from flavorframe.fit.minimiser import minimise
from flavorframe.fit.model import MassModel
from flavorframe.fit.parameter import FittedParameter, Parameter, Yield
from flavorframe.fit.result import FitResult
from flavorframe.fit.toys import pseudo_data
from flavorframe.fit.unbinned import Data, fit_data_of


@dataclass(frozen=True, repr=False)
class JointModel:
    """Models of several spectra, such as one for each era, region or category.

    A parameter or yield in ``shared`` has one value in all spectra that have it; any other is that
    of its spectrum alone, and called after it: ``mean[2017B]``, ``N(Ds)[2017B]``.

    Args:
        models: The model of each spectrum, by the spectrum's name.
        shared: Names of parameters.

    Raises:
        FitError: For a name that is not in two models at least, or means different parameters.

    Example:
        >>> from flavorframe.fit import dsphi
        >>> model = dsphi().only("Ds", "background")
        >>> joint = JointModel({"2017B": model, "2017C": model}, shared=("mean", "sigma"))
        >>> print(", ".join(joint.parameters))
        mean, sigma, alpha[2017B], n[2017B], slope[2017B], ...
    """

    models: Mapping[str, MassModel]
    shared: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.shared, str):
            raise FitError(f"shared={self.shared!r} is one word; give a list, [{self.shared!r}]")
        if not self.models:
            raise FitError("a joint model needs a model for each spectrum, and has none")
        everywhere = [name for model in self.models.values() for name in model.names]
        for name in self.shared:
            if everywhere.count(name) < 2:
                known = list(dict.fromkeys(n for n in everywhere if everywhere.count(n) > 1))
                raise FitError(
                    f"{name!r} is in fewer than two of the models, so it cannot be shared; there "
                    f"are {', '.join(known)}.{did_you_mean(name, known)}"
                )
            found = [m.parameters[name] for m in self.models.values() if name in m.parameters]
            if any(parameter != found[0] for parameter in found):
                raise FitError(
                    f"the models have different parameters of the name {name!r}: share one "
                    "Parameter, or leave the name out of shared"
                )

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters of all models, by the names that they have in the fit."""
        found: dict[str, Parameter] = {}
        for spectrum, model in self.models.items():
            for name, parameter in model.parameters.items():
                called = self.name_of(spectrum, name)
                found.setdefault(called, replace(parameter, name=called))
        return found

    def name_of(self, spectrum: str, name: str) -> str:
        """Return what a yield or parameter of one spectrum's model is called in the fit.

        Args:
            spectrum: The name of the spectrum.
            name: The name in its model.
        """
        return name if name in self.shared else f"{name}[{spectrum}]"

    def change(self, name: str, **changes: Any) -> JointModel:
        """Return a joint model in which one parameter differs.

        Args:
            name: Its name in the fit, or that in the models to change it in all of them.
            **changes: Fields of `Parameter`.

        Raises:
            FitError: For a name that the model does not have.
        """
        places = {
            spectrum: own
            for spectrum, model in self.models.items()
            for own in model.parameters
            if name in (own, self.name_of(spectrum, own))
        }
        if not places:
            listed = ", ".join(self.parameters)
            near = did_you_mean(name, self.parameters)
            raise FitError(f"no parameter {name!r}; there are {listed}.{near}")
        changed = {s: self.models[s].change(own, **changes) for s, own in places.items()}
        return replace(self, models={**self.models, **changed})

    def fit(
        self,
        data: Mapping[str, Any],
        *,
        weights: Mapping[str, Any] | None = None,
        gaps: Sequence[tuple[float, float]] = (),
        minos: bool = False,
    ) -> JointResult:
        """Fit all spectra at once; histograms and masses of candidates may be mixed.

        Args:
            data: What `MassModel.fit` takes, for each spectrum by its name.
            weights: Weights of candidates, by the names of the spectra that have them.
            gaps: Pairs of masses between which nothing is fitted, in all spectra.
            minos: Whether to find asymmetric errors too.

        Returns:
            The result; of a fit that failed too, with its problems.

        Raises:
            FitError: For data that cannot be fitted, and for other names than those of the models.

        Example:
            >>> from flavorframe.fit import dsphi
            >>> model = dsphi().only("Ds", "background")
            >>> random = np.random.default_rng(1)
            >>> eras = {
            ...     era: [*random.normal(1.968, 0.012, n), *random.uniform(1.65, 2.01, 4 * n)]
            ...     for era, n in {"2017B": 900, "2017C": 1800}.items()
            ... }
            >>> joint = JointModel(dict.fromkeys(eras, model), shared=["mean", "sigma"])
            >>> fit = joint.fit(eras).require_valid()
            >>> fit.parameters["sigma"].error < fit["2017B"].parameters["N(Ds)"].error
            True
        """
        for name in (*data, *(weights or {})):
            if name not in self.models:
                near = did_you_mean(name, self.models)
                raise FitError(f"no model for {name!r}; there are {', '.join(self.models)}.{near}")
        missing = [name for name in self.models if name not in data]
        if missing:
            raise FitError(
                f"no data for {', '.join(missing)}: give a histogram, or masses, for each"
            )
        taken = {
            name: fit_data_of(
                data[name], model.range, model.unit, weights=(weights or {}).get(name), gaps=gaps
            )
            for name, model in self.models.items()
        }
        found = minimise(self.likelihood(taken), minos=minos)
        return JointResult(self, taken, **found._asdict())

    def likelihood(self, data: Mapping[str, Data]) -> Likelihood:
        """Return the likelihood of all spectra with the given data."""
        spectra = tuple(
            Spectrum(s, m, data[s], tuple(self.name_of(s, name) for name in m.names))
            for s, m in self.models.items()
        )
        return Likelihood(spectra, self.parameters)

    def __repr__(self) -> str:
        return as_text(self._description())

    def _repr_html_(self) -> str:
        return as_html(self._description())

    def _description(self) -> Group:
        title = f"JointModel of {', '.join(self.models)}"
        return Group(
            (Paragraph(title, style=TITLE_STYLE), start_table(self.parameters.values())), CSS_CLASS
        )


@dataclass(frozen=True, eq=False, repr=False)
class JointResult(Fitted):
    """What a fit of several spectra found: ``fit["2017B"]`` is the result for one of them.

    Attributes:
        model: What was fitted.
        data: What it was fitted to, by the names of the spectra.
    """

    model: JointModel
    data: Mapping[str, Data]

    @property
    def likelihood(self) -> Likelihood:
        """The likelihood that was maximised: call it with values to get −2 ln L."""
        return self.model.likelihood(self.data)

    @cached_property
    def fits(self) -> dict[str, FitResult]:
        """The result for each spectrum, with all that it has: yields, plot, pulls."""
        return {spectrum.name: self._result_of(spectrum) for spectrum in self.likelihood.spectra}

    def __getitem__(self, spectrum: str) -> FitResult:
        """Return the result for one spectrum."""
        if spectrum not in self.fits:
            near = did_you_mean(spectrum, self.fits)
            raise FitError(f"no spectrum {spectrum!r}; there are {', '.join(self.fits)}.{near}")
        return self.fits[spectrum]

    @property
    def yields(self) -> dict[str, dict[str, Yield]]:
        """The candidates of each component in each spectrum, by the names of both."""
        return {name: fit.yields for name, fit in self.fits.items()}

    @property
    def measured(self) -> dict[str, Yield]:
        """What toy studies compare with the truth: all that is fitted."""
        return {p.name: Yield(p.value, p.error) for p in self.fitted if not p.fixed}

    def pseudo_fit(
        self, random: np.random.Generator, model: JointModel | None = None
    ) -> JointResult:
        """Draw a pseudo-experiment from the fitted model and fit it, by default with that model.

        What constrained parameters are constrained to is drawn, too.

        Args:
            random: Where random numbers come from.
            model: What it is fitted with.
        """
        likelihood = self.likelihood
        drawn = {
            s.name: pseudo_data(s.model, s.data, likelihood.local(s, self.values), random)
            for s in likelihood.spectra
        }
        again: JointModel = model or self.model
        for name, constraint in likelihood.constraints.items():
            if name in again.parameters:
                truth = self.parameters[name].value
                again = again.change(name, constraint=constraint.drawn(truth, random))
        return again.fit(drawn)

    @property
    def _title(self) -> str:
        return f"Fit of {', '.join(self.fits)}"

    def _group(self, *heading: Paragraph | Items) -> Group:
        quality = (
            f"χ²/ndf = {self.chi2:.1f}/{self.ndf}, p = {self.p_value:.2g}, EDM = {self.edm:.1e}"
        )
        if self.unblinded:
            quality += f", unblinded: {self.unblinded}"
        tables = (spectrum_table(self.yields), fitted_table(self.fitted))
        return Group((*heading, Paragraph(quality, style=STYLE), *tables), CSS_CLASS)

    def _result_of(self, spectrum: Spectrum) -> FitResult:
        likelihood, model = self.likelihood, spectrum.model
        places = [likelihood.names.index(name) for name in spectrum.names]
        fitted: tuple[FittedParameter, ...] = tuple(
            replace(self.fitted[place], name=name)
            for place, name in zip(places, model.names, strict=True)
        )
        own = Likelihood.of(model, spectrum.data)
        values = [parameter.value for parameter in fitted]
        return FitResult(
            model=model,
            data=spectrum.data,
            label=spectrum.name,
            fitted=fitted,
            covariance=self.covariance[np.ix_(places, places)],
            chi2=own.chi2(values),
            edm=self.edm,
            minimum=own(*values),
            problems=self.problems,
        )
