"""Models of scikit-learn, from what pickle or joblib has written."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from flavorframe._models import formats
from flavorframe._models.evaluator import Array, Evaluator, named
from flavorframe.errors import ModelError


def opened(content: bytes, path: str) -> Evaluator:
    """Open what was pickled: a model of scikit-learn, or one of those that behave like it."""
    import joblib

    model = joblib.load(io.BytesIO(content))
    kind, _ = formats.of_object(model)
    if kind != "sklearn":
        raise ModelError(
            f"{path} has a model of {formats.FORMATS[kind].package} in it: save it in that "
            "library's own form (save_model), or give ff.model the object."
        )
    inputs = tuple(map(str, getattr(model, "feature_names_in_", ())))
    _take_arrays(model)
    _use_one_thread(model)
    outputs = _outputs(model)
    default = len(outputs) - 1 if len(outputs) <= 2 else None
    return Evaluator(_computing(model), inputs, model.n_features_in_, outputs, default, np.float64)


def _outputs(model: Any) -> tuple[str, ...]:
    """Return a name for each output: the classes, where it says how likely each of them is."""
    if hasattr(model, "predict_proba"):
        return tuple(map(str, model.classes_))
    return named(_computing(model)(np.zeros((1, model.n_features_in_))).shape[1])


def _computing(model: Any) -> Any:
    from threadpoolctl import ThreadpoolController

    libraries = ThreadpoolController()  # those that the model has loaded by now
    methods = ("predict_proba", "decision_function", "predict")
    method = getattr(model, next(name for name in methods if hasattr(model, name)))

    def compute(rows: Array) -> Array:
        with libraries.limit(limits=1, user_api="openmp"):  # in this thread
            return np.asarray(method(rows)).reshape(len(rows), -1)

    return compute


def _take_arrays(model: Any) -> None:
    """Have a model that was trained on a table not warn that arrays have no names."""
    while hasattr(model, "steps"):
        model = model.steps[0][1]
    vars(model).pop("feature_names_in_", None)


def _use_one_thread(model: Any) -> None:
    jobs = [name for name in model.get_params() if name.split("__")[-1] == "n_jobs"]
    model.set_params(**dict.fromkeys(jobs, 1))
