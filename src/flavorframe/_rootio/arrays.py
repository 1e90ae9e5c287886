"""Columns as they are read: a value or a list of values for each event, numbers or strings.

All are indexed by positions, never by masks: ``take`` is faster than brackets, and would read a
mask as positions 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flavorframe._rootio.list_indices import ranges

Array = NDArray[Any]
"""An array of one dimension, of whatever type the file has."""


@dataclass(frozen=True)
class Strings:
    """Strings, each different one stored once: element i is ``categories[codes[i]]``.

    So a test of strings runs once for each category, not once for each element.
    """

    codes: Array
    categories: tuple[str, ...]

    def __getitem__(self, places: Array) -> Strings:
        return Strings(self.codes.take(places), self.categories)

    def __len__(self) -> int:
        return len(self.codes)


Content = Array | Strings
"""The elements of a column."""


def taken(content: Content, places: Array) -> Content:
    """Return the elements at some positions."""
    return content[places] if isinstance(content, Strings) else content.take(places)


@dataclass(frozen=True)
class Lists:
    """A list in each event: event i has ``content[starts[i]:starts[i] + sizes[i]]``.

    ``placed`` has the starts where several events share a list; otherwise it is None, and the lists
    lie one after the other.
    """

    content: Content
    sizes: Array
    placed: Array | None = None

    @cached_property
    def starts(self) -> Array:
        """Where each list starts."""
        starts: Array = np.cumsum(self.sizes) - self.sizes if self.placed is None else self.placed
        return starts

    def __getitem__(self, rows: Array) -> Lists:
        return Lists(self.content, self.sizes.take(rows), self.starts.take(rows))

    def taken(self, places: Array) -> Content:
        """Return some elements of lists that lie one after the other."""
        return taken(self.content, places)

    def at(self, event: Array, local: Array) -> Content:
        """Return some elements, each the ``local`` one in the list of its event."""
        return taken(self.content, self.starts.take(event) + local)

    @property
    def elements(self) -> Content:
        """The elements, one event after the other."""
        if self.placed is None:
            return self.content
        return taken(self.content, ranges(self.starts, self.sizes))


Column = Content | Lists
"""A column as it is read: scalars or lists."""


@dataclass(frozen=True)
class Nested:
    """Lists of lists: event i has the next ``sizes[i]`` of the lists of ``inner``."""

    inner: Lists | Nested
    sizes: Array

    def __getitem__(self, rows: Array) -> Nested:
        starts = np.cumsum(self.sizes) - self.sizes
        sizes = self.sizes.take(rows)
        return Nested(self.inner[ranges(starts.take(rows), sizes)], sizes)


AnyColumn = Column | Nested
"""A column of any depth."""
