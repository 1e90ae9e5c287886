"""Blind fits: what is to be measured has a hidden offset until all else is settled."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from flavorframe._display import Group, Items, as_text
from flavorframe.errors import FitError, did_you_mean
from flavorframe.fit._tables import CSS_CLASS, fitted_table
from flavorframe.fit.components import Array
from flavorframe.fit.fitted import Fitted
from flavorframe.fit.parameter import FittedParameter

Result = TypeVar("Result", bound=Fitted)
Result_co = TypeVar("Result_co", bound=Fitted, covariant=True)


class Fittable(Protocol[Result_co]):
    """A `MassModel`, or a `JointModel`."""

    def fit(self, data: Any, /, **options: Any) -> Result_co:
        """Fit the model, as `MassModel.fit` does."""


@dataclass(frozen=True)
class BlindModel(Generic[Result]):
    """A model whose fits do not tell what they measure.

    All yields have hidden offsets, for the sum of them is known: background tells signal. So have
    the parameters in expressions of candidates. Errors and all other parameters are as they are.
    Fits with one phrase have the same offsets, so that their differences can be seen, those of
    systematic studies.

    Args:
        model: A `MassModel` or `JointModel`.
        phrase: Any words; they choose the offsets.
        spread: The offsets of yields are between minus and plus this number of candidates.
        also: Other parameters that are hidden. Their offsets, and those of parameters in
            expressions of candidates, are up to half the distance of their limits.

    Raises:
        FitError: For a spread that is not above zero.

    Example:
        >>> from flavorframe.fit import dsphi
        >>> random = np.random.default_rng(1)
        >>> masses = [*random.normal(1.968, 0.012, 2000), *random.uniform(1.65, 2.01, 9000)]
        >>> model = dsphi().only("Ds", "background")
        >>> fit = BlindModel(model, "Ds in 2017", spread=500).fit(masses)
        >>> round(fit.parameters["mean"].value, 2)
        1.97
        >>> abs(fit.parameters["N(Ds)"].value - 2000) > fit.parameters["N(Ds)"].error
        True
        >>> round(fit.unblind("the selection is frozen").yields["Ds"].value, -2)
        2000.0
    """

    model: Fittable[Result]
    phrase: str
    spread: float
    also: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.spread > 0:
            raise FitError(
                f"spread={self.spread:g} hides nothing; give a few times the error that you expect"
            )

    def fit(self, data: Any, **options: Any) -> BlindResult[Result]:
        """Fit the model, and hide what is to be hidden.

        Args:
            data: As for the model's own ``fit``.
            **options: Those of the model's own ``fit``.

        Raises:
            FitError: As the model's own ``fit``, and for names in ``also`` that it does not have.
        """
        found = self.model.fit(data, **options)
        for name in self.also:
            if name not in found.parameters:
                near = did_you_mean(name, found.parameters)
                raise FitError(f"no parameter {name!r} to hide.{near}")
        likelihood = found.likelihood
        yields = [name for name in likelihood.names if name not in likelihood.parameters]
        counting = [
            spectrum.called(leaf.name)
            for spectrum in likelihood.spectra
            for component in spectrum.model.components
            if component.candidates is not None
            for leaf in component.candidates.leaves
        ]
        offsets = {name: self.spread * self._share(name) for name in yields}
        for name in (*counting, *self.also):
            low, high = found.parameters[name].limits
            offsets[name] = (high - low) / 2 * self._share(name)
        return BlindResult(found, offsets)

    def _share(self, name: str) -> float:
        """Return a number between −1 and 1 that phrase and name choose."""
        digest = hashlib.sha256(f"{self.phrase}\n{name}".encode()).digest()
        return float(np.random.default_rng([*digest]).uniform(-1, 1))


@dataclass(frozen=True, eq=False, repr=False)
class BlindResult(Generic[Result]):
    """What a blind fit tells: whether it is valid, errors, and values with hidden offsets."""

    _found: Result
    _offsets: dict[str, float] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether the numbers can be used; if not, ``problems`` says why."""
        return self._found.valid

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the fit, but for what would tell a hidden number."""
        words = "|".join(re.escape(word) for word in self._words)
        telling = re.compile(rf"(?<!\w)(?:{words})(?!\w)")
        return tuple(
            "a problem that tells a hidden number" if telling.search(problem) else problem
            for problem in self._found.problems
        )

    @property
    def fitted(self) -> tuple[FittedParameter, ...]:
        """All that was fitted, hidden values with their offsets."""
        return tuple(
            replace(p, value=p.value + self._offsets.get(p.name, 0.0)) for p in self._found.fitted
        )

    @property
    def parameters(self) -> dict[str, FittedParameter]:
        """All that was fitted by name, hidden values with their offsets."""
        return {parameter.name: parameter for parameter in self.fitted}

    @property
    def correlation(self) -> Array:
        """The correlation matrix, in the order of ``fitted``."""
        return self._found.correlation

    @property
    def chi2(self) -> float:
        """χ² of the fit."""
        return self._found.chi2

    @property
    def ndf(self) -> int:
        """Degrees of freedom."""
        return self._found.ndf

    @property
    def p_value(self) -> float:
        """The probability of a χ² at least as large, if the model is right; NaN without ndf."""
        return self._found.p_value

    def unblind(self, why: str) -> Result:
        """Return the result without offsets, with all that it can do.

        Args:
            why: The reason, which the result keeps as ``unblinded``.

        Raises:
            FitError: Without a reason.
        """
        if not why.strip():
            raise FitError("to unblind a fit, give the reason: fit.unblind('approved on 3 May')")
        return replace(self._found, unblinded=why)

    def __repr__(self) -> str:
        verdict = "valid" if self.valid else "NOT VALID, do not use these numbers"
        heading = f"Blind fit: {verdict}; hidden offsets in {', '.join(self._offsets)}"
        quality = f"χ²/ndf = {self.chi2:.1f}/{self.ndf}, p = {self.p_value:.2g}"
        problems = [f"  ✗ {problem}" for problem in self.problems]
        return as_text(
            Group((Items((heading, *problems, quality)), fitted_table(self.fitted)), CSS_CLASS)
        )

    @property
    def _words(self) -> set[str]:
        """Names of what is hidden, and of the components whose yields are."""
        return {
            w for name in self._offsets for w in (name, name.partition("(")[2].partition(")")[0])
        } - {""}
