"""Corrections of correctionlib files in expressions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._travel.extra_files import by_digest
from flavorframe.errors import CorrectionError, did_you_mean

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Correction:
    """One correction of a correctionlib JSON file (schema 2), usable on expressions.

    The file's digest is part of its identity, so that a changed file is another correction.
    """

    path: str
    name: str
    digest: str

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

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the correction's order."""
        return tuple(variable.name for variable in self.evaluator.inputs)

    @cached_property
    def evaluator(self) -> Any:
        """Correctionlib's own evaluator; see `text`."""
        import correctionlib

        return correctionlib.CorrectionSet.from_string(self.text)[self.name]

    @property
    def text(self) -> str:
        """The content of the file, or of its copy that came with the run where there is one.

        Raises CorrectionError where the file has changed.
        """
        raw = _bytes(by_digest(self.digest) or self.path)
        if sha256(raw).hexdigest() != self.digest:
            raise CorrectionError(
                f"{self.path} is another file than when ff.correction() opened it: open it again."
            )
        return (gzip.decompress(raw) if raw[:2] == GZIP_MAGIC else raw).decode()

    def __getstate__(self) -> dict[str, str]:
        return {"path": self.path, "name": self.name, "digest": self.digest}

    def __repr__(self) -> str:
        return f"<correction {self.name}({', '.join(self.inputs)}) of {self.path}>"

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


def correction(path: str | Path, name: str) -> Correction:
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
    raw = _bytes(str(file))
    corrections = list(_open(str(file)))
    if name not in corrections:
        raise CorrectionError(
            f"{file} has no correction {name!r}: it has {', '.join(corrections)}."
            f"{did_you_mean(name, corrections)}"
        )
    return Correction(str(file), name, sha256(raw).hexdigest())


def _bytes(path: str) -> bytes:
    if not Path(path).is_file():
        raise CorrectionError(f"There is no correction file {path}.")
    return Path(path).read_bytes()


def _open(path: str) -> Any:
    import correctionlib

    try:
        return correctionlib.CorrectionSet.from_file(path)
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
