"""Stages: fits of single components, to find where the full fit starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flavorframe.fit.components import Array
from flavorframe.fit.parameter import yield_name


@dataclass(frozen=True)
class Stage:
    """A fit of one component alone, before the full fit, to find where that starts.

    Args:
        component: Name of the component.
        windows: Pairs of masses, in the unit of the model; a bin takes part if its centre is in one
            of them.
    """

    component: str
    windows: tuple[tuple[float, float], ...]

    @property
    def yield_name(self) -> str:
        """The name of the component's yield among the fitted parameters."""
        return yield_name(self.component)

    def selects(self, masses: Array) -> NDArray[np.bool_]:
        """Return which of the masses are in a window, a boolean array of the same shape."""
        inside = np.zeros(len(masses), dtype=np.bool_)
        for low, high in self.windows:
            inside |= (low <= masses) & (masses < high)
        return inside
