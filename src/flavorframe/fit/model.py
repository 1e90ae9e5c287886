"""Mass models: components with yields, fitted together to a spectrum."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from flavorframe._display import Group, Paragraph, as_html, as_text
from flavorframe.errors import FitError, did_you_mean
from flavorframe.fit._tables import CSS_CLASS, TITLE_STYLE, component_table, start_table
from flavorframe.fit.binned import with_unit
from flavorframe.fit.components import Array, Component
from flavorframe.fit.formula import Term
from flavorframe.fit.likelihood import Likelihood
from flavorframe.fit.minimiser import minimise
from flavorframe.fit.parameter import Parameter, Yield, yield_name
from flavorframe.fit.result import FitResult
from flavorframe.fit.stage import Stage
from flavorframe.fit.unbinned import fit_data_of


@dataclass(frozen=True, repr=False)
class MassModel:
    """The sum of components on a range of masses, each with a yield: its candidates in range.

    Args:
        components: Peaks and backgrounds, each with a name of its own.
        range: Lowest and highest mass, in the unit of the parameters.
        stages: Fits of single components before the full fit, in order.

    Raises:
        FitError: For components of one name, or different parameters of one name.

    Example:
        >>> from flavorframe.fit import Exponential, Gaussian, MassModel, Parameter
        >>> model = MassModel(
        ...     components=(
        ...         Gaussian(
        ...             "phi",
        ...             mean=Parameter("mean", 1.019, limits=(1.01, 1.03), unit="GeV"),
        ...             sigma=Parameter("sigma", 0.008, limits=(0.002, 0.02), unit="GeV"),
        ...         ),
        ...         Exponential("background", slope=Parameter("slope", 0, limits=(-20, 20))),
        ...     ),
        ...     range=(0.96, 1.08),
        ... )
        >>> model.names
        ('N(phi)', 'N(background)', 'mean', 'sigma', 'slope')
    """

    components: tuple[Component, ...]
    range: tuple[float, float]
    stages: tuple[Stage, ...] = ()

    def __post_init__(self) -> None:
        names = [component.name for component in self.components]
        if len(set(names)) < len(names) or not names:
            raise FitError(f"a model needs components of different names, not {names}")
        for stage in self.stages:
            _require_known(stage.component, names, "component")
        for parameter in self._all_parameters:
            _require_same(parameter, self.parameters[parameter.name])
        for component in self.components:
            component.require_covers(self.range)
            if component.candidates is None and yield_name(component.name) in self.parameters:
                raise FitError(
                    f"{yield_name(component.name)} is a parameter, and also how many candidates "
                    f"{component.name!r} has: give it to that too, candidates=parameter"
                )

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters that shape the components, by name; a shared one is there once."""
        unique: dict[str, Parameter] = {}
        for parameter in self._all_parameters:
            unique.setdefault(parameter.name, replace(parameter, factor=1.0))
        return unique

    @property
    def unit(self) -> str:
        """The unit of masses: that of the first parameter that has one; empty if none has."""
        units = (parameter.unit for parameter in self.parameters.values())
        return next((unit for unit in units if unit and "/" not in unit), "")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all that is fitted: yields of components, then the parameters.

        A component whose ``candidates`` are an expression has no yield of its own among them.
        """
        return (*self.yield_names, *self.parameters)

    @property
    def yield_names(self) -> tuple[str, ...]:
        """The names of the yields that are fitted by themselves."""
        return tuple(yield_name(c.name) for c in self.components if c.candidates is None)

    def names_of(self, component: str) -> set[str]:
        """Return the names of one component's yield, if it has one of its own, and parameters."""
        shapes = (c.parameters for c in self.components if c.name == component)
        own = {yield_name(component)} & {*self.yield_names}
        return own | {p.name for parameters in shapes for p in parameters}

    def change(self, name: str, **changes: Any) -> MassModel:
        """Return a model in which one parameter differs, in every component that has it.

        Args:
            name: Name of the parameter.
            **changes: Fields of `Parameter`.

        Raises:
            FitError: For a name that the model does not have.

        Example:
            >>> from flavorframe.fit import dsphi
            >>> dsphi().change("alpha", start=1.8).parameters["alpha"].start
            1.8
        """
        _require_known(name, self.parameters, "parameter")
        changed = tuple(component.change(name, **changes) for component in self.components)
        return replace(self, components=changed)

    def only(self, *components: str) -> MassModel:
        """Return a model of some of the components, say to fit a simulation of one signal.

        Args:
            *components: Their names.

        Raises:
            FitError: For a name that the model does not have.

        Example:
            >>> from flavorframe.fit import dsphi
            >>> dsphi().only("Ds").names
            ('N(Ds)', 'mean', 'sigma', 'alpha', 'n')
        """
        for name in components:
            _require_known(name, [component.name for component in self.components], "component")
        return replace(
            self,
            components=tuple(c for c in self.components if c.name in components),
            stages=tuple(stage for stage in self.stages if stage.component in components),
        )

    def expected(self, edges: Array, values: Sequence[float]) -> dict[str, Array]:
        """Return the expected candidates of each component in each bin.

        Args:
            edges: Bin edges from one end of the fit range to the other, shape (bins + 1,).
            values: Yields and parameters, in the order of ``names``.

        Returns:
            An array of shape (bins,) by the name of the component.
        """
        curves = self._curves(edges, values)
        return {c.name: np.diff(y) for c, y in zip(self.components, curves, strict=True)}

    def cumulative(self, edges: Array, *values: float) -> Array:
        """Return the expected candidates below each edge: the function that is fitted.

        Args:
            edges: Bin edges from one end of the fit range to the other, shape (bins + 1,).
            *values: Yields and parameters, in the order of ``names``.

        Returns:
            An array of shape (bins + 1,).
        """
        return sum(self._curves(edges, values), start=np.zeros_like(edges))

    def density(self, masses: Array, *values: float) -> Array:
        """Return the expected candidates per mass, at each mass in the range.

        Args:
            masses: Masses, shape (n,).
            *values: Yields and parameters, in the order of ``names``.

        Returns:
            An array of shape (n,).
        """
        return sum(
            (
                number * component.density(masses, self.range, *arguments)
                for component, number, arguments in self.evaluated(values)
            ),
            start=np.zeros_like(masses),
        )

    def bin_variances(self, edges: Array, *values: float) -> Array | None:
        """Return the variances of the expectation in each bin, shape (bins,); None if exact.

        They are those of templates, which have errors of their own.
        """
        found = [
            number**2 * variances
            for component, number, _ in self.evaluated(values)
            if (variances := component.bin_variances(edges)) is not None
        ]
        return sum(found[1:], start=found[0]) if found else None

    def yields(
        self, values: Sequence[float], errors: Sequence[float], covariance: Array
    ) -> dict[str, Yield]:
        """Return the candidates of each component, by its name; errors of expressions propagated.

        Args:
            values: Yields and parameters, in the order of ``names``.
            errors: Their errors.
            covariance: Their covariance matrix, shape (names, names).
        """
        found = {}
        for component, number, _ in self.evaluated(values):
            term = component.candidates
            if term is None:
                own = self.names.index(yield_name(component.name))
                found[component.name] = Yield(values[own], errors[own])
            else:
                found[component.name] = Yield(number, self._propagated(term, values, covariance))
        return found

    def _propagated(self, term: Term, values: Sequence[float], covariance: Array) -> float:
        slopes = np.zeros(len(values))
        for leaf in term.leaves:
            place = self.names.index(leaf.name)
            step = 1e-4 * (float(covariance[place, place]) ** 0.5 or 1.0)
            sides = [[*values], [*values]]
            sides[0][place] -= step
            sides[1][place] += step
            low, high = (term.at(dict(zip(self.names, side, strict=True))) for side in sides)
            slopes[place] = (high - low) / (2 * step)
        return math.sqrt(max(float(slopes @ covariance @ slopes), 0.0))

    def fit(
        self,
        data: Any,
        *,
        weights: Any = None,
        gaps: Sequence[tuple[float, float]] = (),
        minos: bool = False,
        luminosity: float | None = None,
        label: str = "",
    ) -> FitResult:
        """Fit the model by extended maximum likelihood: to a histogram, or to single candidates.

        A bin's expectation is the integral over the bin. Weighted histograms are fitted with the
        scaled Poisson likelihood; the errors of weighted candidates are corrected for the weights
        (C. Langenbruch, EPJC 82 (2022) 393).

        Args:
            data: A one-dimensional ``hist.Hist``, a TH1 of ROOT or as uproot reads it from a file,
                ``uproot.open(file)["h_mass"]``, for a binned fit; or the masses of candidates in
                the unit of the model, shape (n,), for an unbinned one.
            weights: The weights of the candidates, shape (n,).
            gaps: Pairs of masses between which nothing is fitted. Yields are of the whole range
                nevertheless. In a histogram they begin and end at edges of bins.
            minos: Whether to find asymmetric errors too.
            luminosity: Luminosity of the data [fb⁻¹], for the result and its plots.
            label: What the data are called, for the result and its plots.

        Returns:
            The result; of a fit that failed too, with `FitResult.problems`.

        Raises:
            FitError: For data that cannot be fitted.

        Example:
            >>> from flavorframe.fit import dsphi
            >>> random = np.random.default_rng(1)
            >>> masses = [*random.normal(1.968, 0.012, 2000), *random.uniform(1.65, 2.01, 9000)]
            >>> fit = dsphi().only("Ds", "background").fit(masses)
            >>> fit.valid
            True
        """
        taken = fit_data_of(data, self.range, self.unit, weights=weights, gaps=gaps)
        found = minimise(Likelihood.of(self, taken), minos=minos)
        return FitResult(
            model=self, data=taken, luminosity=luminosity, label=label, **found._asdict()
        )

    def __repr__(self) -> str:
        return as_text(self._description())

    def _repr_html_(self) -> str:
        return as_html(self._description())

    def _description(self) -> Group:
        low, high = self.range
        return Group(
            (
                Paragraph(
                    f"MassModel on {with_unit(f'{low:g}–{high:g}', self.unit)}", style=TITLE_STYLE
                ),
                component_table(self.components),
                start_table(self.parameters.values()),
            ),
            CSS_CLASS,
        )

    @cached_property
    def _all_parameters(self) -> tuple[Parameter, ...]:
        return tuple(p for component in self.components for p in component.parameters)

    @cached_property
    def _terms(self) -> list[tuple[Component, Term, tuple[Term, ...]]]:
        """Each component with what says how many candidates it has, and what shapes it."""
        return [
            (c, c.candidates or Parameter(yield_name(c.name), 0.0, (0.0, 0.0)), c.arguments)
            for c in self.components
        ]

    def evaluated(self, values: Sequence[float]) -> Iterator[tuple[Component, float, list[float]]]:
        """Yield each component with its candidates and the values of its arguments.

        Args:
            values: Yields and parameters, in the order of ``names``.
        """
        known = dict(zip(self.names, values, strict=True))
        for component, number, arguments in self._terms:
            yield component, number.at(known), [term.at(known) for term in arguments]

    def _curves(self, edges: Array, values: Sequence[float]) -> list[Array]:
        return [
            number * component.cumulative(edges, *arguments)
            for component, number, arguments in self.evaluated(values)
        ]


def _require_known(name: str, known: Any, what: str) -> None:
    if name not in known:
        listed = ", ".join(known)
        raise FitError(f"no {what} {name!r}; there are {listed}.{did_you_mean(name, known)}")


def _require_same(parameter: Parameter, first: Parameter) -> None:
    if replace(parameter, factor=1.0) != first:
        raise FitError(
            f"two components have different parameters of the name {parameter.name!r}: share one "
            "Parameter, or give them different names"
        )
