"""Which library a model is for, by its file's name or by what it is made of."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from flavorframe._models.evaluator import Evaluator
from flavorframe.errors import ModelError, needs


@dataclass(frozen=True)
class Format:
    """A kind of models.

    Attributes:
        module: The module of this package that opens them.
        library: What Python imports to evaluate them.
        package: What is installed for that.
        title: What people call it.
    """

    module: str
    library: str
    package: str
    title: str

    def open(self, content: bytes, path: str) -> Evaluator:
        """Return the model with this content, of the file ``path``."""
        opened = importlib.import_module(f"flavorframe._models.{self.module}").opened
        try:
            evaluator: Evaluator = opened(content, path)
        except ModelError:
            raise
        except Exception as error:  # whatever libraries raise for what they cannot read
            said = str(error).partition("\n")[0]
            raise ModelError(f"{path} cannot be read as a model of {self.title}: {said}") from error
        return evaluator


FORMATS = {
    "onnx": Format("onnx", "onnxruntime", "onnxruntime", "ONNX"),
    "tmva": Format("tmva", "onnxruntime", "onnxruntime", "TMVA"),
    "xgboost": Format("xgboost", "xgboost", "xgboost", "XGBoost"),
    "lightgbm": Format("lightgbm", "lightgbm", "lightgbm", "LightGBM"),
    "sklearn": Format("sklearn", "sklearn", "scikit-learn", "scikit-learn"),
}
SUFFIXES = {
    ".onnx": "onnx",
    ".xml": "tmva",
    ".json": "xgboost",
    ".ubj": "xgboost",
    ".txt": "lightgbm",
    ".joblib": "sklearn",
    ".pkl": "sklearn",
}
EXTRA = frozenset({"onnxruntime"})
"""Packages of the extra ``models``; of the others people have the one that they train with."""


def format_of_file(path: str) -> str:
    """Return the format of a file; raises ModelError where its name does not say one."""
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        raise ModelError(
            f"{path}: which library this model is for is known by the end of its name: "
            f"{', '.join(SUFFIXES)} (ONNX, TMVA's boosted trees, XGBoost, LightGBM, scikit-learn)."
        )
    return SUFFIXES[suffix]


def of_object(model: Any) -> tuple[str, bytes]:
    """Return the format of a model in memory, and its content.

    Raises ModelError for anything else.
    """
    for kind, pack in _PACKING.items():
        try:
            content = pack(model)
        except Exception as error:  # whatever libraries raise for what was not trained
            said = str(error).partition("\n")[0]
            raise ModelError(f"ff.model cannot take {type(model).__name__}: {said}") from error
        if content is not None:
            return kind, content
    raise ModelError(
        "ff.model takes a file, or a trained model of XGBoost, LightGBM or scikit-learn, not "
        f"{model!r}."
    )


def _xgboost(model: Any) -> bytes | None:
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    return bytes(booster.save_raw("ubj")) if hasattr(booster, "save_raw") else None


def _lightgbm(model: Any) -> bytes | None:
    booster = getattr(model, "booster_", model)
    return booster.model_to_string().encode() if hasattr(booster, "model_to_string") else None


def _sklearn(model: Any) -> bytes | None:
    if not hasattr(model, "n_features_in_") or not hasattr(model, "predict"):
        return None
    import cloudpickle

    return bytes(cloudpickle.dumps(model))


_PACKING: dict[str, Callable[[Any], bytes | None]] = {
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "sklearn": _sklearn,
}


def library_of(kind: str, path: str) -> str:
    """Return the library that evaluates a model, with its version.

    Raises ModelError where it is not installed.
    """
    chosen = FORMATS[kind]
    try:
        module: ModuleType = importlib.import_module(chosen.library)
    except ImportError as error:
        what = f"ff.model of {path}"
        if chosen.package in EXTRA:
            text = needs(what, chosen.package, "models")
        else:
            text = f"{what} needs {chosen.package}: run pip install {chosen.package}."
        raise ModelError(text) from error
    return f"{chosen.package} {module.__version__}"
