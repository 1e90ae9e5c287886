"""What others compute on arrays: users' functions, corrections and trained models."""

from __future__ import annotations

from typing import Any

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._rootio.arrays import Array
from flavorframe.errors import AnalysisError, CorrectionError, ExpressionError, ModelError


def call(node: n.CallFunction, arrays: list[Array]) -> Array:
    """Return what a user's function makes of arrays; raises ExpressionError where it cannot."""
    name = node.function.name
    if node.function.compute is None:
        raise AnalysisError(
            f"The function {name} in {brief(node)} is in C++ only: give the same in Python too, "
            "by ff.cpp(..., python=...), or run with engine='rdataframe'."
        )
    try:
        returned = node.function.compute(*arrays)
        result = np.asarray(returned)
    except Exception as error:
        raise ExpressionError(
            f"The function {name} in {brief(node)} failed: {type(error).__name__}: {error}"
        ) from error
    if result.dtype.kind not in "biuf" or hasattr(returned, "mask"):
        kind = "a masked array" if hasattr(returned, "mask") else f"values of type {result.dtype}"
        raise ExpressionError(
            f"The function {name} in {brief(node)} returned {kind}; it must return numbers or "
            "truth values, NaN where there is none."
        )
    if result.shape != arrays[0].shape:
        raise ExpressionError(
            f"The function {name} was given arrays of shape {arrays[0].shape} and returned shape "
            f"{result.shape}; it must return one value per element."
        )
    return result


def score(node: n.CallModel, inputs: list[Array]) -> Array:
    """Return the scores of a model; raises ModelError where it has none."""
    try:
        return node.model.compute(inputs)
    except ModelError as error:
        raise ModelError(f"{brief(node)}: {error}") from error


_CORRECTION_TYPES = {"real": np.float64, "int": np.int64}


def correct(node: n.CallCorrection, data: list[Any]) -> Array:
    """Return the values of a correction; raises CorrectionError where it has none."""
    correction = node.correction
    variables = correction.evaluator.inputs
    arguments = [
        str(d) if v.type == "string" else np.asarray(d).astype(_CORRECTION_TYPES[v.type])
        for d, v in zip(data, variables, strict=True)
    ]
    try:
        return np.asarray(correction.evaluator.evaluate(*arguments))
    except Exception as error:  # correctionlib raises RuntimeError and IndexError
        seen = ", ".join(
            f"{v.name} from {np.min(a):.4g} to {np.max(a):.4g}"
            for a, v in zip(arguments, variables, strict=True)
            if not isinstance(a, str)
        )
        raise CorrectionError(
            f"Correction {correction.name} of {correction.path} has no value for some of the "
            f"inputs ({seen}): {error}. Put the weight after the cuts that keep its inputs in "
            "range."
        ) from None
