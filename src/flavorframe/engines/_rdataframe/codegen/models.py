"""Trained models in C++: functions that ask the library in Python, one element at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._models.model import AnyModel
from flavorframe.engines._rdataframe.codegen.literals import text

MODELS = """#ifndef flavorframe_models_
#define flavorframe_models_
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
namespace flavorframe {
using Model = int (*)(const double* inputs, double* score, char* said, int most);
inline std::map<std::string, Model> models;
inline std::mutex models_mutex;
inline void keep_model(const std::string& name, std::uintptr_t address) {
  std::lock_guard<std::mutex> lock(models_mutex);
  models[name] = reinterpret_cast<Model>(address);
}
inline Model model_of(const std::string& name) {
  std::lock_guard<std::mutex> lock(models_mutex);
  return models.at(name);
}
}
#endif
"""
"""The models of this process, by name."""
LONGEST = 2000
"""Bytes of what a library may say of an error."""
_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_double),
    ctypes.POINTER(ctypes.c_double),
    ctypes.c_void_p,
    ctypes.c_int,
)
_KEPT: dict[str, Any] = {}
"""What C++ calls, by name: it must not be forgotten while C++ has its address."""


def call_model(node: n.CallModel, arguments: list[str]) -> str:
    """Return the call of a model."""
    names = [f"x{i}" for i in range(len(arguments))]
    parameters = ", ".join(f"const auto& {name}" for name in names)
    inputs = ", ".join(f"double({name})" for name in names)
    call = f"{name_of(node.model)}::score(inputs, {text(f'{brief(node)}: ')})"
    body = f"const double inputs[] = {{{inputs}}}; return {call};"
    return f"flavorframe::call([]({parameters}) {{ {body} }}, {', '.join(arguments)})"


def name_of(model: AnyModel) -> str:
    """Return the namespace of a model, the same in every process."""
    digest = sha256(" ".join(model.identity()).encode()).hexdigest()
    return f"flavorframe_model_{digest[:16]}"


def declared(model: AnyModel) -> str:
    """Return the function that evaluates a model."""
    name = name_of(model)
    return f"""{MODELS}#ifndef {name}_
#define {name}_
namespace {name} {{
inline double score(const double* inputs, const char* what) {{
  static const auto model = flavorframe::model_of({text(name)});
  double found = 0;
  char said[{LONGEST}];
  if (model(inputs, &found, said, {LONGEST}) != 0)
    flavorframe::refuse("model", what + std::string(said));
  return found;
}}
}}
#endif
"""


def make_ready(module: Any, model: AnyModel, inputs: int) -> None:
    """Let the interpreter of ROOT, ``module``, call a model with so many inputs."""
    name = name_of(model)
    if name not in _KEPT:
        _KEPT[name] = _SIGNATURE(_evaluating(model, inputs))
        module.gInterpreter.Declare(MODELS)
        address = ctypes.cast(_KEPT[name], ctypes.c_void_p).value
        module.flavorframe.keep_model(name, address)


def _evaluating(model: AnyModel, count: int) -> Callable[..., int]:
    def evaluate(inputs: Any, score: Any, said: int, most: int) -> int:
        try:
            row = np.ctypeslib.as_array(inputs, (count,))
            score[0] = model.compute([row[place : place + 1] for place in range(count)])[0]
        except Exception as error:  # which C++ raises again: none can pass through it
            message = str(error).encode()[: most - 1] + b"\0"
            ctypes.memmove(said, message, len(message))
            return 1
        return 0

    return evaluate
