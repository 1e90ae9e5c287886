"""What is known of a dataset, as expressions: `sample` and `is_simulation`."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr
from flavorframe._expr.leaves import IS_SIMULATION
from flavorframe.errors import ExpressionError

is_simulation = Expr(n.SampleValue(IS_SIMULATION))
"""Whether the dataset that is read is simulation."""


def sample(name: str) -> Expr:
    """Return what the catalogue says of the dataset that is read, as one value for each event.

    So one analysis runs on data and simulation, and on samples with different cross-sections.

    Args:
        name: A key of the dataset's entry, such as ``"cross_section"`` [pb], or one of your own
            with a number, truth value or text; or ``"name"``, ``"era"`` or ``"luminosity"``
            [fb⁻¹]. Where a dataset does not have it, ``.default(value)`` gives the value there.

    Returns:
        An expression with one value per event.

    Raises:
        ExpressionError: ``name`` is no text. That a dataset does not have it is told by the run,
            before anything is read.

    Example:
        >>> import flavorframe as ff
        >>> ff.where(ff.is_simulation, ff.sample("cross_section"), 1.0)
        <(sample('cross_section') if is_simulation else 1), one value per event>
    """
    if not isinstance(name, str) or not name:
        raise ExpressionError(f"ff.sample() takes the name of a key of catalogues, not {name!r}.")
    return Expr(n.SampleValue(name))
