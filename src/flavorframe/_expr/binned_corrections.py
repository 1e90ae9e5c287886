"""Corrections made of histograms: those of ROOT files and of results, and pile-up weights."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe._expr.called import correctionlib
from flavorframe.errors import CorrectionError, did_you_mean

SYSTEMATIC = "systematic"
"""The input that says which of the values is meant."""
NOMINAL = "nominal"
AXES = ("x", "y", "z")

Array = np.ndarray[Any, np.dtype[Any]]
Flow = str | float
"""What holds outside of the bins: "error", "clamp" (the nearest bin), or a value."""


@dataclass(frozen=True)
class Binned:
    """What a histogram says: its axes' names and edges, contents and their variances."""

    where: str
    names: tuple[str, ...]
    edges: tuple[Array, ...]
    values: Array
    variances: Array | None


def binned(histogram: Any, where: str, names: Sequence[str] | None = None) -> Binned:
    """Return what a histogram says, of any library that follows the same protocol as ``hist``.

    Raises CorrectionError for anything else, axes without edges, and names that are too many.
    """
    try:
        axes = list(histogram.axes)
        edges = [axis.edges() if callable(axis.edges) else axis.edges for axis in axes]
        variances = histogram.variances()
        values = np.asarray(histogram.values(), float)
    except (AttributeError, TypeError):
        raise CorrectionError(f"{where} is not a histogram of one to three axes.") from None
    own = [getattr(axis, "name", "") or AXES[place] for place, axis in enumerate(axes[:3])]
    chosen = own if names is None else list(names)
    if len(chosen) != len(axes):
        raise CorrectionError(
            f"{where} has {len(axes)} axes: inputs= needs a name for each, not {', '.join(chosen)}."
        )
    ordered = [getattr(axis.traits, "ordered", True) for axis in axes]
    if not all(ordered):
        one = [":" if o else repr(next(iter(x), 0)) for o, x in zip(ordered, axes, strict=True)]
        raise CorrectionError(
            f"{where} has an axis of categories: choose one first, as in "
            f"histogram[{', '.join(one)}]."
        )
    errors = None if variances is None else np.asarray(variances, float)
    return Binned(where, tuple(chosen), tuple(map(np.asarray, edges)), values, errors)


def read_histogram(file: str, name: str) -> Any:
    """Return a histogram of a ROOT file; raises CorrectionError where there is none."""
    import uproot

    try:
        with uproot.open(file) as content:
            kinds = content.classnames(cycle=False)
            if not kinds.get(name, "").startswith(("TH1", "TH2", "TH3")):
                known = [each for each, kind in kinds.items() if kind.startswith("TH")]
                raise CorrectionError(
                    f"{file} has no histogram {name!r}: it has {', '.join(known) or 'none'}."
                    f"{did_you_mean(name, known)}"
                )
            return content[name]
    except CorrectionError:
        raise
    except (OSError, ValueError) as error:
        said = str(error).strip().partition("\n")[0]
        raise CorrectionError(f"{file} cannot be read as a ROOT file: {said}") from None


def of_histogram(histogram: Binned, name: str, flow: Flow) -> str:
    """Return the correction as text: contents, and contents with the error added and taken away."""
    if histogram.variances is None:
        return as_text(histogram, name, {NOMINAL: histogram.values}, flow)
    error = np.sqrt(histogram.variances)
    values = histogram.values
    shifted = {NOMINAL: values, "up": values + error, "down": values - error}
    return as_text(histogram, name, shifted, flow)


def as_text(shape: Binned, name: str, contents: Mapping[str, Array], flow: Flow) -> str:
    """Return a correctionlib file with one correction, whose values depend on the systematic.

    Raises CorrectionError where a value is not a number.
    """
    correctionlib()
    import correctionlib.schemav2 as schema

    if flow not in ("error", "clamp") and not isinstance(flow, int | float):
        raise CorrectionError(f"flow={flow!r}: it is 'error', 'clamp' or a number.")
    for systematic, values in contents.items():
        if not np.isfinite(values).all():
            raise CorrectionError(f"{shape.where} has a {systematic} value that is not a number.")
    items = [
        {"key": systematic, "value": _table(shape, values, flow)}
        for systematic, values in contents.items()
    ]
    correction = schema.Correction.model_validate({
        "name": name,
        "version": 1,
        "inputs": [
            *({"name": each, "type": "real"} for each in shape.names),
            {"name": SYSTEMATIC, "type": "string"},
        ],
        "output": {"name": name, "type": "real"},
        "data": {"nodetype": "category", "input": SYSTEMATIC, "content": items},
    })  # fmt: skip
    whole = schema.CorrectionSet(schema_version=2, corrections=[correction])
    text: str = whole.model_dump_json(exclude_unset=True)
    return text


def _table(shape: Binned, values: Array, flow: Flow) -> dict[str, Any]:
    edges = [each.tolist() for each in shape.edges]
    content, names = values.ravel().tolist(), list(shape.names)
    if len(edges) == 1:
        return {"nodetype": "binning", "input": names[0], "edges": edges[0], "content": content,
                "flow": flow}  # fmt: skip
    return {"nodetype": "multibinning", "inputs": names, "edges": edges, "content": content,
            "flow": flow}  # fmt: skip


# Pile-up


def pile_up_text(data: Mapping[str, Any], simulation: Any, name: str, flow: Flow) -> str:
    """Return the weights as text: of each profile of the data, by the systematic's name."""
    generated = _profile(simulation, "simulation")
    profiles = {systematic: _profile(given, systematic) for systematic, given in data.items()}
    for profile in profiles.values():
        _check_bins(profile, generated)
    _tell_of_empty_bins(profiles[NOMINAL], generated)
    weights = {
        systematic: np.divide(
            profile.values, generated.values, out=np.zeros_like(profile.values),
            where=generated.values > 0,
        )
        for systematic, profile in profiles.items()
    }  # fmt: skip
    return as_text(generated, name, weights, flow)


def _profile(given: Any, what: str) -> Binned:
    """Return a profile whose sum is 1."""
    where = f"the pile-up profile of {what}"
    if isinstance(given, str | os.PathLike):
        file, _, name = str(given).rpartition(":")
        if not file:
            raise CorrectionError(f"{where}: write 'FILE.root:HISTOGRAM', not {str(given)!r}.")
        given, where = read_histogram(file, name), f"{where}, {given},"
    found = binned(given, where, ["interactions"])
    total = found.values.sum()
    if not (total > 0 and (found.values >= 0).all()):
        raise CorrectionError(f"{where} has a negative bin or is empty.")
    return Binned(where, found.names, found.edges, found.values / total, None)


def _check_bins(profile: Binned, generated: Binned) -> None:
    ours, theirs = profile.edges[0], generated.edges[0]
    if ours.shape != theirs.shape or not np.allclose(ours, theirs):
        raise CorrectionError(
            f"{profile.where} has {len(ours) - 1} bins from {ours[0]:g} to {ours[-1]:g}, and "
            f"{generated.where} {len(theirs) - 1} from {theirs[0]:g} to {theirs[-1]:g}: make both "
            "with the same bins."
        )


def _tell_of_empty_bins(profile: Binned, generated: Binned) -> None:
    """Warn of data in bins for which nothing was generated: no weight can make up for it."""
    lost = profile.values[generated.values == 0]
    if lost.any():
        edges = generated.edges[0][:-1][(generated.values == 0) & (profile.values > 0)]
        starts = ", ".join(f"{edge:g}" for edge in edges[:5])
        warnings.warn(
            f"{100 * lost.sum():.2g} % of the data are in bins of pile-up without simulation "
            f"(from {starts}{', …' if len(edges) > 5 else ''}): the weights leave them out.",
            stacklevel=4,
        )
