"""Corrections of correctionlib files in expressions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.called import Correction, bytes_of, correctionlib
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe.errors import CorrectionError, did_you_mean


class CallableCorrection(Correction):
    """A correction that takes expressions; made by `correction`."""

    def __call__(self, **inputs: Operand) -> Expr:
        """Return the correction at the given inputs.

        Args:
            inputs: An expression or constant for each input, by the name that the file gives it.

        Returns:
            An expression on the joint axis of the inputs.

        Raises:
            CorrectionError: An input is missing or unknown, or the correction does not have a
                category.
            ExpressionError: The inputs are of two collections.
        """
        self._check_names(inputs)
        for name, value in inputs.items():
            if isinstance(value, str):
                self._check_category(name, value)
        return Expr(n.CallCorrection(self, tuple(as_node(inputs[name]) for name in self.inputs)))

    def _check_names(self, given: dict[str, Operand]) -> None:
        for name in given:
            if name not in self.inputs:
                raise CorrectionError(
                    f"Correction {self.name} of {self.path} has no input {name!r}: it takes "
                    f"{', '.join(self.inputs)}.{did_you_mean(name, self.inputs)}"
                )
        missing = [name for name in self.inputs if name not in given]
        if missing:
            raise CorrectionError(
                f"Correction {self.name} of {self.path} needs {', '.join(missing)} as well: it "
                f"takes {', '.join(self.inputs)}."
            )

    def _check_category(self, name: str, value: str) -> None:
        known = _categories(self.text, self.name, name)
        if known and value not in known:
            raise CorrectionError(
                f"Correction {self.name} of {self.path} has no {name}={value!r}: it knows "
                f"{', '.join(sorted(known))}.{did_you_mean(value, known)}"
            )


def correction(path: str | Path, name: str) -> CallableCorrection:
    """Open one correction of a correctionlib file.

    Args:
        path: A JSON file of schema 2, also gzipped.
        name: The name of the correction in it.

    Returns:
        A function of expressions or constants by input name, which gives an expression, to be used
        as a value or as a weight.

    Raises:
        CorrectionError: The file cannot be read, or has no such correction.
    """
    file = Path(path).expanduser().resolve()
    raw = bytes_of(str(file))
    corrections = list(_open(str(file)))
    if name not in corrections:
        raise CorrectionError(
            f"{file} has no correction {name!r}: it has {', '.join(corrections)}."
            f"{did_you_mean(name, corrections)}"
        )
    return CallableCorrection(str(file), name, sha256(raw).hexdigest())


def _open(path: str) -> Any:
    library = correctionlib()
    try:
        return library.CorrectionSet.from_file(path)
    except Exception as error:  # correctionlib raises bare RuntimeError for anything wrong inside
        raise CorrectionError(
            f"{path} is not a correctionlib file of schema 2: {str(error).splitlines()[0]}"
        ) from None


def _categories(text: str, correction_name: str, variable: str) -> set[str]:
    """Return the keys that a correction knows for a string input; empty where any is allowed."""
    content = json.loads(text)
    data = next(c["data"] for c in content["corrections"] if c["name"] == correction_name)
    categories = [node for node in _nodes(data) if node.get("input") == variable]
    if any(node.get("default") is not None for node in categories):
        return set()
    return {str(item["key"]) for node in categories for item in node["content"]}


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the category nodes of a correction of schema 2, wherever they are nested."""
    if isinstance(data, list):
        for item in data:
            yield from _nodes(item)
    elif isinstance(data, dict):
        if data.get("nodetype") == "category":
            yield data
        for item in data.values():
            yield from _nodes(item)
