"""Models of LightGBM."""

from __future__ import annotations

import numpy as np

from flavorframe._models.evaluator import Array, Evaluator, named


def opened(content: bytes, path: str) -> Evaluator:
    """Open a model of LightGBM's text form."""
    import lightgbm

    booster = lightgbm.Booster(model_str=content.decode())
    outputs = booster.num_model_per_iteration()

    def compute(rows: Array) -> Array:
        return np.asarray(booster.predict(rows, num_threads=1)).reshape(len(rows), -1)

    names = tuple(booster.feature_name())
    unnamed = names == tuple(f"Column_{place}" for place in range(len(names)))
    return Evaluator(
        compute, () if unnamed else names, booster.num_feature(), named(outputs),
        0 if outputs == 1 else None, np.float64,
    )  # fmt: skip
