"""What an expression evaluates to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe._rootio.arrays import Array, Content, Strings, taken


@dataclass(frozen=True)
class Values:
    """What an expression evaluates to; ``valid`` is False where a link points to nothing.

    ``data`` is of shape (values,), or zero-dimensional for a constant.
    """

    data: Content
    valid: Array | None = None

    @property
    def array(self) -> Array:
        """The data of numbers and truth values."""
        assert not isinstance(self.data, Strings), "strings where numbers are computed with"
        return self.data

    def __getitem__(self, places: Array) -> Values:
        if not isinstance(self.data, Strings) and np.ndim(self.data) == 0:
            return self
        valid = None if self.valid is None else self.valid.take(places)
        return Values(taken(self.data, places), valid)

    def truth(self) -> Array:
        """Return where a condition holds: a missing value fulfils none."""
        data = np.asarray(self.data)
        holds: Array = data if data.dtype.kind == "b" else data != 0
        return holds if self.valid is None else holds & self.valid

    def numbers(self) -> Array:
        """Return the values as numbers, NaN where missing."""
        data = np.asarray(self.data)
        if self.valid is None or self.valid.all():
            return data
        return np.where(self.valid, data.astype(np.float64), np.nan)
