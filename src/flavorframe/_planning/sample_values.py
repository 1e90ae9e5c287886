"""What is known of a dataset in the plan for it: values in the place of `SampleValue` nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from flavorframe._expr import nodes as n
from flavorframe._expr.leaves import IS_SIMULATION
from flavorframe._planning.rewriting import leaves_changed, rewritten, trees_in
from flavorframe.datasets import Dataset
from flavorframe.errors import DatasetError, did_you_mean

T = TypeVar("T")


def with_values(content: T, data: Dataset) -> T:
    """Return an analysis's content with what it asks of the sample.

    Raises DatasetError where it asks for what the dataset does not have, and gives no default.
    """
    asked = _sample_values(content)
    if not asked:
        return content
    known = _known_of(data)
    for node in _required(content):
        if node.name not in known:
            raise DatasetError(_unknown(node.name, data, known))

    def change(part: n.Part) -> n.Part:
        if isinstance(part, n.SampleValue):
            return n.SampleValue(part.name, known.get(part.name))
        return part

    return rewritten(content, lambda tree: leaves_changed(tree, change))


def without_values(content: T) -> T:
    """Return an analysis's content as the user wrote it, whatever dataset it is for."""
    if not any(node.value is not None for node in _sample_values(content)):
        return content

    def change(part: n.Part) -> n.Part:
        return n.SampleValue(part.name) if isinstance(part, n.SampleValue) else part

    return rewritten(content, lambda tree: leaves_changed(tree, change))


def weights_in(data: Dataset) -> str:
    """Return where files have their sums of generator weights: see `Plan`."""
    told = data.meta.get("sumw")
    if isinstance(told, str):
        return told
    return "usual" if data.kind == "simulation" and told is None else ""


def _sample_values(content: object) -> list[n.SampleValue]:
    found = (part for tree in trees_in(content) for part in n.parts(tree))
    return [part for part in found if isinstance(part, n.SampleValue)]


def _required(content: object) -> Iterator[n.SampleValue]:
    """Yield what is asked for without a default value."""
    for tree in trees_in(content):
        if isinstance(tree, n.SampleValue):
            yield tree
        for part in n.parts(tree):
            if not isinstance(part, n.Default):
                yield from (each for each in part.inside if isinstance(each, n.SampleValue))


def _known_of(data: Dataset) -> dict[str, n.Value]:
    """Return what is known of a dataset, as far as expressions can take it."""
    own = {"name": data.name, "era": data.era, "luminosity": data.luminosity}
    told: Mapping[str, object] = {**data.meta, **own, IS_SIMULATION: data.kind == "simulation"}
    return {
        name: bool(value) if name.startswith("is_") else value
        for name, value in told.items()
        if isinstance(value, bool | int | float | str)
    }


def _unknown(name: str, data: Dataset, known: Mapping[str, object]) -> str:
    if name in data.meta:
        why = f"is {data.meta[name]!r}, and expressions take a number, a truth value or a text"
    else:
        why = "is not there"
    return (
        f"dataset {data.name!r}: ff.sample({name!r}) {why}.{did_you_mean(name, known)} It has "
        f"{', '.join(sorted(known))}: add it to the catalogue, or say what it is elsewhere by "
        f"ff.sample({name!r}).default(value)."
    )
