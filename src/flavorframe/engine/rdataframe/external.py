"""Users' functions and corrections in C++."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from flavorframe.engine.rdataframe.literals import text
from flavorframe.errors import AnalysisError
from flavorframe.expr import nodes as n
from flavorframe.expr.external import Correction, Function
from flavorframe.expr.formula import brief

CASTS = {"real": "double", "int": "int", "string": "std::string"}


def call_function(node: n.CallFunction, arguments: list[str]) -> str:
    """Return the call of a user's C++ function; raises AnalysisError where it has none."""
    function = node.function
    if function.code is None:
        raise AnalysisError(
            f"The function {function.name} in {brief(node)} is in Python only, and the engine "
            "'rdataframe' runs C++: give it in C++ too, by ff.cpp('double f(double x) {...}', "
            "python=f), or use engine='columnar'."
        )
    call = f"{namespace_of(function)}::{function.name}(flavorframe::number(x)...)"
    tried = _tried(call, "function", f"The function {function.name} in {brief(node)} failed: ")
    return f"flavorframe::call([](const auto&... x) {{ {tried} }}, {', '.join(arguments)})"


def call_correction(node: n.CallCorrection, arguments: list[str]) -> str:
    """Return the evaluation of a correction by correctionlib's C++ evaluator."""
    correction = node.correction
    names = [f"x{i}" for i in range(len(arguments))]
    kinds = [variable.type for variable in correction.evaluator.inputs]
    values = [f"{CASTS[kind]}({name})" for kind, name in zip(kinds, names, strict=True)]
    call = f"{namespace_of(correction)}::correction().evaluate({{{', '.join(values)}}})"
    tried = _tried(
        call, "correction",
        f"Correction {correction.name} of {correction.path} has no value for some of the inputs. "
        "Put the weight after the cuts that keep its inputs in range. It says: ",
    )  # fmt: skip
    parameters = ", ".join(f"const auto& {name}" for name in names)
    return f"flavorframe::call([]({parameters}) {{ {tried} }}, {', '.join(arguments)})"


def declarations(trees: Iterable[n.Node]) -> dict[str, str]:
    """Return what the trees call, as C++ to be declared before them, by what messages call it."""
    found: dict[str, str] = {}
    for tree in trees:
        for node in n.walk(tree):
            if isinstance(node, n.CallFunction) and node.function.code is not None:
                found[f"the C++ function {node.function.name}"] = _declared(node.function)
            elif isinstance(node, n.CallCorrection):
                name = f"correction {node.correction.name}"
                found[name] = _opened(node.correction)
    return found


def namespace_of(external: Function | Correction) -> str:
    """Return a namespace of its own, the same in every process."""
    identity = external.code if isinstance(external, Function) else repr(external)
    return f"flavorframe_{sha256(f'{identity} {external.name}'.encode()).hexdigest()[:16]}"


def _declared(function: Function) -> str:
    """Return the user's text in a namespace; lines for the preprocessor stay outside of it."""
    assert function.code is not None
    lines = function.code.splitlines()
    outside = [line for line in lines if line.lstrip().startswith("#")]
    inside = ["" if line.lstrip().startswith("#") else line for line in lines]
    return _once(
        namespace_of(function),
        "\n".join([*outside, f"namespace {namespace_of(function)} {{",
                   f"#line 1 {text(f'the C++ function {function.name}')}", *inside, "}"]),
    )  # fmt: skip


def _opened(correction: Correction) -> str:
    name = namespace_of(correction)
    return _once(
        name,
        f"""#include "correction.h"
namespace {name} {{
inline const correction::Correction& correction() {{
  static const auto opened =
      correction::CorrectionSet::from_file({text(correction.path)})->at({text(correction.name)});
  return *opened;
}}
}}""",
    )


def _once(name: str, code: str) -> str:
    return f"#ifndef {name}_\n#define {name}_\n{code}\n#endif\n"


def _tried(call: str, kind: str, complaint: str) -> str:
    return (
        f"try {{ return {call}; }} catch (const std::exception& error) "
        f"{{ flavorframe::refuse({text(kind)}, {text(complaint)} + std::string(error.what())); }}"
    )
