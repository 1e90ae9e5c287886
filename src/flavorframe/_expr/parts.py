"""The parts that trees of expressions are made of. Equal parts are one object.

Trees may be thousands of parts deep: a list of runs joined by ``|`` is. Whatever is to be known of
a tree is found part by part, in the order of `parts`, and never by recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import RLock
from typing import Any, ClassVar, TypeVar
from weakref import WeakValueDictionary

from flavorframe._expr.texts import Text


class _Unique(type):
    """Makes one object stand for all that are equal, so that none is ever compared in depth."""

    def __call__(cls, *values: Any, **named: Any) -> Any:
        made = super().__call__(*values, **named)
        key = (cls, *made.key())
        known = _UNIQUE.get(key)
        if known is None:
            made.settle()
            with _MAKING:
                known = _UNIQUE.setdefault(key, made)
        return known


_UNIQUE: WeakValueDictionary[tuple[Any, ...], Part] = WeakValueDictionary()
_MAKING = RLock()


class Part(metaclass=_Unique):
    """A node or an axis: an immutable value made of plain values and other parts.

    ``inside`` are the parts that it is directly made of, ``height`` is how many levels of parts
    there are from the leaves up to it.
    """

    inside: tuple[Part, ...]
    height: int
    is_spelled_out: ClassVar[bool] = False
    """Whether the formula of an outer part may spell out what is inside this one, as for axes."""

    def key(self) -> tuple[Any, ...]:
        """Return what equal parts of a class have in common."""
        return self.content()

    def content(self) -> tuple[Any, ...]:
        """Return the values of all fields."""
        names: Mapping[str, Any] = self.__dataclass_fields__  # type: ignore[attr-defined]
        return tuple([getattr(self, name) for name in names])

    def settle(self) -> None:
        """Derive what follows from the parts inside; called once, when the part is new."""
        inside = tuple(part for value in self.content() for part in _parts_in(value))
        object.__setattr__(self, "inside", inside)
        object.__setattr__(self, "height", 1 + max((part.height for part in inside), default=0))

    def map(self: P, change: Callable[[Part], Part]) -> P:
        """Return this part with ``change`` applied to each part inside."""
        if not self.inside:
            return self
        changed = (_map_in(value, change) for value in self.content())
        return type(self)(*changed)

    def text(self, texts: Texts) -> Text:
        """Return the formula; ``texts`` are the formulas of the parts inside."""
        raise NotImplementedError(type(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_flat, (_flat(self),)


P = TypeVar("P", bound=Part)
Texts = Mapping[Part, Text]


def parts(top: Part) -> Iterator[Part]:
    """Yield everything that a node or axis is made of, each part once, and at last itself.

    What a part is made of comes before it.
    """
    found: dict[Part, None] = {}
    waiting = [top]
    while waiting:
        current = waiting[-1]
        new = () if current in found else [part for part in current.inside if part not in found]
        if new:
            waiting.extend(reversed(new))
        else:
            found[waiting.pop()] = None
    return iter(found)


def rebuilt(top: Part, change: Callable[[Part, Callable[[Part], Part]], Part]) -> Part:
    """Return what ``change`` makes of a part; it gets each and what was made of those inside it.

    ``part.map(made)`` is the part with these in it.
    """
    found: dict[Part, Part] = {}
    for part in parts(top):
        found[part] = change(part, found.__getitem__)
    return found[top]


def _parts_in(value: Any) -> tuple[Part, ...]:
    if isinstance(value, Part):
        return (value,)
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, Part))
    return ()


def _map_in(value: Any, change: Callable[[Part], Any]) -> Any:
    if isinstance(value, Part):
        return change(value)
    if isinstance(value, tuple):
        return tuple(change(item) if isinstance(item, Part) else item for item in value)
    return value


class _Place(int):
    """Where a part stands in a flat tree."""


Flat = tuple[tuple[type[Part], tuple[Any, ...]], ...]
"""A tree as a list of its parts, in which parts refer to those before them by place.

Pickled like this, a tree needs no recursion, and a part that is used twice is stored once.
"""


def _flat(top: Part) -> Flat:
    places: dict[Part, Part | _Place] = {}
    flat = []
    for place, part in enumerate(parts(top)):
        values = tuple(_map_in(value, places.__getitem__) for value in part.content())
        flat.append((type(part), values))
        places[part] = _Place(place)
    return tuple(flat)


def _from_flat(flat: Flat) -> Part:
    made: list[Part] = []
    for kind, values in flat:
        made.append(kind(*(_place_in(value, made) for value in values)))
    return made[-1]


def _place_in(value: Any, made: list[Part]) -> Any:
    if isinstance(value, _Place):
        return made[value]
    if isinstance(value, tuple):
        return tuple(made[item] if isinstance(item, _Place) else item for item in value)
    return value
