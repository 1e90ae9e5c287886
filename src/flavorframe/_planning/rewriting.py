"""Changes of all expressions in what is made of them: selections, outputs, plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from flavorframe._expr import nodes as n

T = TypeVar("T")


def rewritten(value: T, change: Callable[[n.Part], n.Part]) -> T:
    """Return a value, such as a selection, with ``change`` applied to each tree that it holds."""
    changed: T = _rewritten(value, change)
    return changed


def _rewritten(value: Any, change: Callable[[n.Part], n.Part]) -> Any:
    if isinstance(value, n.Part):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_rewritten(item, change) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        old = {f.name: getattr(value, f.name) for f in fields(value) if f.compare and f.init}
        return replace(value, **{name: _rewritten(each, change) for name, each in old.items()})
    return value


def leaves_changed(top: n.Part, change: Callable[[n.Part], n.Part]) -> n.Part:
    """Return a tree with ``change`` applied to its leaves."""
    return n.rebuilt(top, lambda part, made: part.map(made) if part.inside else change(part))


def trees_in(value: Any) -> Iterator[n.Part]:
    """Yield the nodes and axes that a value, such as a selection, holds."""
    if isinstance(value, n.Part):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from trees_in(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            if each.compare:
                yield from trees_in(getattr(value, each.name))
