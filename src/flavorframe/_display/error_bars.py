"""Error bars of counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ONE_SIDED_TAIL = 0.158655


def poisson_errors(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances from counts to their central 68.3 % intervals, shape (2, bins).

    Source: F. Garwood, Biometrika 28 (1936) 437.

    >>> poisson_errors(np.array([0.0, 100.0])).round(2)
    array([[ 0.  ,  9.98],
           [ 1.84, 11.03]])
    """
    from scipy.special import gammaincinv

    # The formula has no value at zero counts; its limit there is zero.
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1e-9), _ONE_SIDED_TAIL), 0.0)
    return np.stack([counts - low, gammaincinv(counts + 1, 1 - _ONE_SIDED_TAIL) - counts])
