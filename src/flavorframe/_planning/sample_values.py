"""What is known of a dataset in the plan for it: values in the place of `SampleValue` nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from flavorframe._expr import nodes as n
from flavorframe._expr.leaves import IS_SIMULATION
from flavorframe._planning.rewriting import leaves_changed, rewritten, trees_in
from flavorframe.datasets import Dataset
from flavorframe.errors import DatasetError, did_you_mean
from flavorframe.layouts.deciding import decided_for_sample

T = TypeVar("T")


def with_values(content: T, data: Dataset) -> T:
    """Return an analysis's content with what it asks of the sample.

    Raises DatasetError where it needs what the dataset does not have, and gives no default.
    """
    asked = _sample_values(content)
    if not asked:
        return content
    known = _known_of(data)
    if any(node.name not in known for node in asked):
        for name in _needed(content, known):
            if name not in known:
                raise DatasetError(_unknown(name, data, known))

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


def _needed(content: object, values: Mapping[str, n.Value]) -> Iterator[str]:
    """Yield what is asked for, without a default value, where the sample does not decide else."""
    for tree in trees_in(content):
        known = _decided(tree, values)
        waiting, seen = [tree], set[n.Part]()
        while waiting:
            part = waiting.pop()
            if isinstance(part, n.SampleValue):
                yield part.name
            elif part not in seen and part not in known:
                waiting += _inside(part, known)
            seen.add(part)


def _decided(tree: n.Part, values: Mapping[str, n.Value]) -> dict[n.Part, n.Part]:
    """Return the parts of a tree that are constants once the sample is known."""
    known: dict[n.Part, n.Part] = {}
    for part in n.parts(tree):
        found: n.Part | None = None
        if isinstance(part, n.SampleValue) and part.name in values:
            found = n.Constant(n.EVENT, values[part.name])
        elif isinstance(part, n.Default) and isinstance(part.operand, n.SampleValue):
            found = known.get(part.operand, n.Constant(n.EVENT, part.value))
        elif isinstance(part, n.Node):
            found = part if isinstance(part, n.Literal) else decided_for_sample(part, known)
        if isinstance(found, n.Constant | n.Literal):
            known[part] = found
    return known


def _inside(part: n.Part, known: Mapping[n.Part, n.Part]) -> tuple[n.Part, ...]:
    """Return what a part is made of, of a choice only what is chosen for the sample."""
    if isinstance(part, n.Apply) and part.operation == "where":
        condition = known.get(part.arguments[0])
        if isinstance(condition, n.Constant):
            return (part.arguments[1 if condition.value else 2],)
    return part.inside


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
