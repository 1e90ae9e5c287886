"""Users' functions, corrections and models in C++."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.called import Correction, Function, Header
from flavorframe._expr.formula import brief
from flavorframe._expr.identity.fingerprints import fingerprint
from flavorframe._expr.lumi_tables import LumiTable
from flavorframe._models.model import AnyModel
from flavorframe.engines._rdataframe.codegen import models
from flavorframe.engines._rdataframe.codegen.literals import floating, text
from flavorframe.errors import AnalysisError, ExpressionError

CASTS = {"real": "double", "int": "int", "string": "std::string"}
TEXTS = """#ifndef flavorframe_texts_
#define flavorframe_texts_
#include <map>
#include <mutex>
#include <string>
namespace flavorframe {
inline std::map<std::string, std::string> texts;
inline std::mutex texts_mutex;
inline void keep_text(const std::string& digest, const std::string& text) {
  std::lock_guard<std::mutex> lock(texts_mutex);
  texts.emplace(digest, text);
}
inline std::string text_of(const std::string& digest) {
  std::lock_guard<std::mutex> lock(texts_mutex);
  return texts.at(digest);
}
}
#endif
"""
"""The content of correction files by digest: C++ does not open the file, which may have changed."""


@dataclass(frozen=True)
class External:
    """C++ to be declared before a program that calls it; ``what`` is its name in messages.

    A model has so many ``inputs``.
    """

    what: str
    code: str
    correction: Correction | None = None
    headers: tuple[Header, ...] = ()
    model: AnyModel | None = None
    inputs: int = 0


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


def look_up(node: n.LumiLookup, arguments: list[str]) -> str:
    """Return the look-up of a lumi section in a table."""
    name, function = namespace_of(node.table), "listed" if node.table.values is None else "value_at"
    return f"flavorframe::{function}({name}::table, {', '.join(arguments)})"


def externals_of(trees: Iterable[n.Node]) -> tuple[External, ...]:
    """Return the functions, corrections, models and tables that the trees ask, each once."""
    found: dict[str, External] = {}
    for tree in trees:
        for node in n.walk(tree):
            if isinstance(node, n.CallFunction) and node.function.code is not None:
                what = f"the C++ function {node.function.name}"
                found[namespace_of(node.function)] = External(
                    what, _declared(node.function), headers=node.function.headers
                )
            elif isinstance(node, n.CallCorrection):
                called = node.correction
                what = f"correction {called.name}"
                found[namespace_of(called)] = External(what, _opened(called), called)
            elif isinstance(node, n.LumiLookup):
                found[namespace_of(node.table)] = External(node.table.name, _filled(node.table))
            elif isinstance(node, n.CallModel):
                found[models.name_of(node.model)] = External(
                    f"the model {node.model.name}", models.declared(node.model),
                    model=node.model, inputs=len(node.arguments),
                )  # fmt: skip
    return tuple(found.values())


def make_ready(module: Any, external: External) -> None:
    """Give the interpreter of ROOT, ``module``, what an external needs before it is declared.

    Raises CorrectionError, ExpressionError or AnalysisError where a file is not what it was.
    """
    for header in external.headers:
        if _COMPILED.get(header.path) != header.digest:
            _check(header)
            _COMPILED[header.path] = header.digest
    if external.model is not None:
        models.make_ready(module, external.model, external.inputs)
    correction = external.correction
    if correction is not None and correction.digest not in _KEPT:
        import correctionlib

        correctionlib.register_pyroot_binding()
        module.gInterpreter.Declare(TEXTS)
        module.flavorframe.keep_text(correction.digest, correction.text)
        _KEPT.add(correction.digest)


_COMPILED: dict[str, str] = {}
"""Digests of headers, by path, as the interpreter of this process includes them: each once."""
_KEPT: set[str] = set()
"""Digests of corrections whose text the interpreter has."""


def _check(header: Header) -> None:
    if header.path in _COMPILED:
        raise AnalysisError(
            f"{header.path} has changed since this process compiled it, and ROOT cannot forget it: "
            "start a new process, or restart the notebook's kernel."
        )
    try:
        found = sha256(Path(header.path).read_bytes()).hexdigest()
    except OSError as error:
        raise ExpressionError(
            f"{header.path}, which C++ includes, cannot be read on this machine: {error.strerror}."
        ) from None
    if found != header.digest:
        raise ExpressionError(
            f"{header.path}, which C++ includes, is another file than when ff.cpp() took it: call "
            "ff.cpp() again."
        )


def namespace_of(external: Function | Correction | LumiTable) -> str:
    """Return the namespace of an external, the same in every process: its content decides it."""
    if isinstance(external, Function):
        identity = " ".join([str(external.code), *(header.digest for header in external.headers)])
    elif isinstance(external, LumiTable):
        identity = fingerprint(external).hex()
    else:
        identity = external.digest
    return f"flavorframe_{sha256(f'{identity} {external.name}'.encode()).hexdigest()[:16]}"


def _declared(function: Function) -> str:
    """Return the user's text in a namespace; lines for the preprocessor stay outside of it."""
    assert function.code is not None
    lines = function.code.splitlines()
    outside = [_with_paths(line, function) for line in lines if line.lstrip().startswith("#")]
    inside = ["" if line.lstrip().startswith("#") else line for line in lines]
    return _once(
        namespace_of(function),
        "\n".join([*outside, f"namespace {namespace_of(function)} {{",
                   f"#line 1 {text(f'the C++ function {function.name}')}", *inside, "}"]),
    )  # fmt: skip


def _with_paths(line: str, function: Function) -> str:
    """Return a line for the preprocessor, with the path of the file that it includes."""
    for header in function.headers:
        line = line.replace(f'"{header.name}"', f'"{header.path}"')
    return line


def _opened(correction: Correction) -> str:
    name = namespace_of(correction)
    compound = correction.is_compound
    kind, found = ("CompoundCorrection", "compound().") if compound else ("Correction", "")
    return _once(
        name,
        f"""{TEXTS}#include "correction.h"
namespace {name} {{
inline const correction::{kind}& correction() {{
  static const auto opened = correction::CorrectionSet::from_string(
      flavorframe::text_of({text(correction.digest)}).c_str())->{found}at({text(correction.name)});
  return *opened;
}}
}}""",
    )


def _filled(table: LumiTable) -> str:
    """Return the arrays of a table in C++."""
    first, last = (", ".join(f"{number}ULL" for number in each.tolist()) for each in table.numbers)
    known = table.value_of_range
    values = "0" if known is None else ", ".join(map(floating, known.tolist()))
    name = namespace_of(table)
    return _once(
        name,
        f"""namespace {name} {{
constexpr unsigned long long first[] = {{{first}}}, last[] = {{{last}}};
constexpr double values[] = {{{values}}};
constexpr struct Table {{
  const unsigned long long *first, *last;
  const double* values;
  long long size;
}} table{{first, last, values, sizeof(first) / sizeof(*first)}};
}}""",
    )


def _once(name: str, code: str) -> str:
    return f"#ifndef {name}_\n#define {name}_\n{code}\n#endif\n"


def _tried(call: str, kind: str, message: str) -> str:
    return (
        f"try {{ return {call}; }} catch (const std::exception& error) "
        f"{{ flavorframe::refuse({text(kind)}, {text(message)} + std::string(error.what())); }}"
    )
