"""Models in ONNX, evaluated by onnxruntime."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from flavorframe._models.evaluator import Array, Evaluator
from flavorframe.errors import ModelError

NUMBERS: dict[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
}
LABELS = ("tensor(int64)", "tensor(string)")
"""The types of the classes that a classifier names beside how likely they are."""


def opened(content: bytes, path: str) -> Evaluator:
    """Open a model whose inputs are one array of shape (rows, inputs), or one for each input."""
    session = session_of(content)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    precision = _precision(inputs, path)
    separate = len(inputs) > 1
    names = tuple(each.name for each in inputs) if separate else ()
    count = len(inputs) if separate else _width(inputs[0], path)
    numbers = [each.name for each in outputs if each.type in NUMBERS]
    if not numbers:
        raise ModelError(
            f"{path} gives no array of numbers. Where it was made of a classifier of scikit-learn, "
            "convert it with options={'zipmap': False}."
        )
    tried = _run(session, numbers, np.zeros((1, count), precision))
    columns = [_names(name, array.shape[1]) for name, array in zip(numbers, tried, strict=True)]
    of_classes = len(numbers) == 1 and any(each.type in LABELS for each in outputs)
    last = len(columns[0]) - 1
    default = last if len(numbers) == 1 and last <= of_classes else None

    def compute(rows: Array) -> Array:
        found = _run(session, numbers, rows)
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)

    return Evaluator(compute, names, count, tuple(chain(*columns)), default, precision)


def session_of(content: bytes) -> Any:
    """Return onnxruntime's session, which computes in the thread that asks."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _precision(inputs: list[Any], path: str) -> type[np.floating[Any]]:
    kinds = {each.type for each in inputs}
    if len(kinds) > 1 or not kinds <= NUMBERS.keys():
        raise ModelError(
            f"{path} takes inputs of {', '.join(sorted(kinds))}: only decimal numbers of one type "
            "can be given."
        )
    if any(isinstance(each.shape[0], int) for each in inputs):
        raise ModelError(
            f"{path} was exported for {inputs[0].shape[0]} rows at a time: export it with a first "
            "dimension that may vary."
        )
    return NUMBERS[inputs[0].type]


def _width(given: Any, path: str) -> int:
    """Return how many numbers a row has."""
    if len(given.shape) != 2 or not isinstance(given.shape[1], int):
        raise ModelError(
            f"{path} takes an array of shape {given.shape}: export it for rows with a fixed number "
            "of inputs."
        )
    return given.shape[1]


def _run(session: Any, outputs: list[str], rows: Array) -> list[Array]:
    inputs = session.get_inputs()
    if len(inputs) == 1:
        given = {inputs[0].name: rows}
    else:
        shapes = [(len(rows), 1)[: len(each.shape)] for each in inputs]
        columns = [column.reshape(shape) for column, shape in zip(rows.T, shapes, strict=True)]
        given = {each.name: column for each, column in zip(inputs, columns, strict=True)}
    return [each.reshape(len(rows), -1) for each in session.run(outputs, given)]


def _names(name: str, width: int) -> list[str]:
    return [name] if width == 1 else [f"{name} {place}" for place in range(width)]
