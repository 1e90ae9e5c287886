"""Values as columns of files hold them: NaN stands for missing."""

from __future__ import annotations

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array, Strings
from flavorframe.engines._columnar.values import Values
from flavorframe.errors import AnalysisError


def stored_column(name: str, node: n.Node, values: Values) -> Array:
    """Return the values of a column; raises AnalysisError for strings."""
    if isinstance(values.data, Strings):
        raise AnalysisError(
            f"Snapshot column {name!r} is a string; snapshots hold numbers and truth values."
        )
    if n.may_be_missing(node):  # NaN stands for missing, in every partition alike
        return values.numbers().astype(np.float64, copy=False)
    return values.numbers()
