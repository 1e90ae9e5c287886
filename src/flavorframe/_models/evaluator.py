"""What evaluates an opened model, whichever library it is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe.errors import ModelError, did_you_mean

Array = np.ndarray[Any, np.dtype[Any]]

BATCH = 16_384
"""How many rows are evaluated at once: their inputs are copied side by side, as libraries want."""


@dataclass(frozen=True)
class Evaluator:
    """A model, opened.

    Attributes:
        compute: Returns an array of shape (rows, outputs) for one of shape (rows, inputs).
        inputs: The names of the inputs, none where the model has none.
        count: How many inputs it takes.
        outputs: The names of the outputs.
        default: Which output is meant where none is named; None where one must be.
        precision: The type in which the model takes its inputs.
    """

    compute: Callable[[Array], Array]
    inputs: tuple[str, ...]
    count: int
    outputs: tuple[str, ...]
    default: int | None = 0
    precision: type[np.floating[Any]] = np.float32

    def position(self, output: int | str | None, what: str) -> int:
        """Return which output is meant; ``what`` names the model in errors."""
        many = len(self.outputs)
        if output is None and self.default is not None:
            return self.default
        if isinstance(output, str) and self.outputs.count(output) == 1:
            return self.outputs.index(output)
        if isinstance(output, int) and 0 <= output < many:
            return output
        listed = ", ".join(
            name if name == str(place) else f"{place} ({name})"
            for place, name in enumerate(self.outputs)
        )
        if output is None:
            raise ModelError(
                f"{what} has {many} outputs, {listed}: say which one is meant, ff.model(..., "
                f"output={many - 1})."
            )
        near = did_you_mean(output, self.outputs) if isinstance(output, str) else ""
        raise ModelError(f"{what} has no output {output!r}: it has {listed}.{near}")

    def column(self, inputs: Sequence[Array], output: int) -> Array:
        """Return one output, of shape (rows,), for inputs of that shape; constants are numbers."""
        size = max(np.size(values) for values in inputs)
        found = np.empty(size)
        matrix = np.empty((min(size, BATCH), len(inputs)), self.precision)
        for start in range(0, size, BATCH):
            rows = matrix[: min(BATCH, size - start)]
            for place, values in enumerate(inputs):
                rows[:, place] = values[start : start + BATCH] if np.ndim(values) else values
            found[start : start + BATCH] = self.compute(rows)[:, output]
        return found


def named(count: int) -> tuple[str, ...]:
    """Return names for outputs that have none: their numbers."""
    return tuple(map(str, range(count)))
