"""Models of XGBoost."""

from __future__ import annotations

import numpy as np

from flavorframe._models.evaluator import Array, Evaluator, named


def opened(content: bytes, path: str) -> Evaluator:
    """Open a model of XGBoost, of JSON or its binary form."""
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    booster.set_param({"nthread": 1})  # which the file may have set otherwise
    trees = (0, 0)
    if booster.attr("best_iteration") is not None:  # training stopped early: what came after is not
        trees = (0, booster.best_iteration + 1)

    def compute(rows: Array) -> Array:
        found: Array = booster.inplace_predict(
            rows, iteration_range=trees, strict_shape=True, validate_features=False
        )
        return found

    count = booster.num_features()
    outputs = compute(np.zeros((1, count), np.float32)).shape[1]
    inputs = tuple(booster.feature_names or ())
    return Evaluator(compute, inputs, count, named(outputs), 0 if outputs == 1 else None)
