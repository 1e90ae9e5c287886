"""Corrections of correctionlib files, and of histograms, in expressions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.binned_corrections import (
    AXES,
    NOMINAL,
    SYSTEMATIC,
    binned,
    of_histogram,
    pile_up_text,
    read_histogram,
)
from flavorframe._expr.called import Correction, bytes_of, correctionlib
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._files.writing import replacing
from flavorframe.errors import CorrectionError, did_you_mean


class CallableCorrection(Correction):
    """A correction that takes expressions; made by `correction` and `pile_up_weights`."""

    def __call__(self, *only: Operand, **inputs: Operand) -> Expr:
        """Return the correction at the given inputs.

        Args:
            only: The one input that is not given by name, where there is just one.
            inputs: An expression or constant for each input, by the name that the file gives it.
                That of histograms has ``systematic``, which is ``"nominal"`` where it is not given.

        Returns:
            An expression on the joint axis of the inputs.

        Raises:
            CorrectionError: An input is missing or unknown, or the correction does not have a
                category.
            ExpressionError: The inputs are of two collections.
        """
        if self.content is not None:
            inputs = {SYSTEMATIC: NOMINAL, **inputs}
        open_inputs = [name for name in self.inputs if name not in inputs]
        if only and (len(only), len(open_inputs)) != (1, 1):
            raise CorrectionError(
                f"Correction {self.name} of {self.path} takes {', '.join(self.inputs)}: give them "
                "by name."
            )
        inputs.update(zip(open_inputs, only, strict=False))
        self._check_names(inputs)
        for name, value in inputs.items():
            if isinstance(value, str):
                self._check_category(name, value)
        return Expr(n.CallCorrection(self, tuple(as_node(inputs[name]) for name in self.inputs)))

    def to_json(self, path: str | Path) -> Path:
        """Write the correction, and what is beside it in its file, as correctionlib reads it.

        Args:
            path: The file; it takes the place of one that is there.

        Returns:
            Its path.

        Raises:
            OutputError: It cannot be written.
        """
        with replacing(Path(path)) as new:
            new.write_text(self.text)
        return Path(path)

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


def correction(
    path: Any, name: str, *, inputs: Sequence[str] | None = None, flow: float | str = "error"
) -> CallableCorrection:
    """Open one correction of a correctionlib file, or make one of a histogram.

    Args:
        path: A JSON file of correctionlib's schema 2, also gzipped; a ROOT file; or a histogram.
        name: The name of the correction in the file, also of a compound one, or the place of the
            histogram in the ROOT file. Of a histogram in memory, what formulas call it.
        inputs: Of a histogram, names for its axes, instead of those that they have; in a ROOT file
            they are ``x``, ``y`` and ``z``.
        flow: Of a histogram, what holds outside of its bins: ``"error"`` ends the run,
            ``"clamp"`` takes the nearest bin, and a number is the value there.

    Returns:
        A function of expressions or constants by input name, which gives an expression, to be used
        as a value or as a weight. That of a histogram takes ``systematic=`` as well: ``"up"`` and
        ``"down"`` are the content with the bin's error added and taken away.

    Raises:
        CorrectionError: The file cannot be read, or has no such correction or histogram.

    Example:
        >>> import hist, flavorframe as ff
        >>> measured = hist.Hist(hist.axis.Variable([2, 5, 10], name="pt"))
        >>> measured.view()[:] = [0.9, 0.95]
        >>> t = ff.events().triplet
        >>> ff.correction(measured, "muon_id")(t.mu1.pt)
        <muon_id(pt = triplet.mu1.pt, systematic = 'nominal'), one value per triplet>
    """
    if not isinstance(path, str | os.PathLike) or Path(path).suffix == ".root":
        return _of_histogram(path, name, inputs, flow)
    if inputs is not None or flow != "error":
        raise CorrectionError(
            f"{path}: inputs= and flow= are for histograms; a correctionlib file says both itself."
        )
    file = Path(path).expanduser().resolve()
    raw = bytes_of(str(file))
    known = _open(str(file))
    corrections = [*known, *known.compound]
    if name not in corrections:
        raise CorrectionError(
            f"{file} has no correction {name!r}: it has {', '.join(corrections)}."
            f"{did_you_mean(name, corrections)}"
        )
    return CallableCorrection(str(file), name, sha256(raw).hexdigest())


def pile_up_weights(
    *,
    data: Any,
    simulation: Any,
    up: Any = None,
    down: Any = None,
    flow: float | str = "error",
) -> CallableCorrection:
    """Make weights that give simulation the pile-up of the data.

    Args:
        data: The profile of the data: a histogram of the number of interactions, or
            ``"FILE.root:HISTOGRAM"``. How many events it has does not matter.
        simulation: The same of all generated events, in the same bins.
        up: The data's profile for a larger cross-section of inelastic collisions.
        down: The same for a smaller one.
        flow: What holds outside of the bins, as for `correction`.

    Returns:
        A function of the number of interactions, which gives the weight; over the generated events
        its mean is 1. With ``systematic="up"`` or ``"down"`` it is that of the other profiles.

    Raises:
        CorrectionError: A profile cannot be read, has a negative bin, or other bins.

    Warns:
        UserWarning: Some of the data are in bins for which nothing was generated.

    Example:
        >>> import hist, flavorframe as ff
        >>> axis = hist.axis.Regular(4, 0, 40)
        >>> data, simulation = hist.Hist(axis), hist.Hist(axis)
        >>> data.view()[:], simulation.view()[:] = [1, 2, 1, 0], [5, 5, 5, 5]
        >>> ff.pile_up_weights(data=data, simulation=simulation)(ff.events().n_pileup)
        <pile_up(interactions = n_pileup, systematic = 'nominal'), one value per event>
    """
    given = {NOMINAL: data, "up": up, "down": down}
    profiles = {name: profile for name, profile in given.items() if profile is not None}
    text = pile_up_text(profiles, simulation, "pile_up", flow)
    return made_of(text, "two pile-up profiles", "pile_up")


def made_of(text: str, source: str, name: str) -> CallableCorrection:
    """Return the correction that a text of correctionlib's form has."""
    return CallableCorrection(source, name, sha256(text.encode()).hexdigest(), text)


def _of_histogram(
    given: Any, name: str, inputs: Sequence[str] | None, flow: float | str
) -> CallableCorrection:
    if not isinstance(given, str | os.PathLike):
        text = of_histogram(binned(given, "The given histogram", inputs), name, flow)
        return made_of(text, "a histogram", name)
    file = str(Path(given).expanduser().resolve())
    bytes_of(file)
    histogram = read_histogram(file, name)
    names = AXES[: len(histogram.axes)] if inputs is None else inputs
    short = name.rpartition("/")[2]
    return made_of(
        of_histogram(binned(histogram, f"{file}:{name}", names), short, flow), file, short
    )


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
    compounds = content.get("compound_corrections") or []
    stack = next((c["stack"] for c in compounds if c["name"] == correction_name), [correction_name])
    known = [
        keys
        for each in content["corrections"]
        if each["name"] in stack and (keys := _keys(each["data"], variable))
    ]
    return set.intersection(*known) if known else set()


def _keys(data: Any, variable: str) -> set[str]:
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
