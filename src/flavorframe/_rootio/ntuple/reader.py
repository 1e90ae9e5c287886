"""Read the columns of an RNTuple."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from flavorframe._rootio.arrays import AnyColumn, Array, Strings
from flavorframe._rootio.from_awkward import put_into, taken_apart
from flavorframe._rootio.ntuple.clusters import Clusters
from flavorframe._rootio.ntuple.field_sizes import FieldSizes
from flavorframe._rootio.read_errors import DamageError, file_errors
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import Schema
from flavorframe._rootio.source import Range, Source

CHAR = re.compile(r"\bchar\b")


class NTupleReader:
    """Reads columns of an RNTuple, by page or by uproot."""

    def __init__(
        self, path: str, ntuple: Any, schema: Schema, fields: Mapping[str, Any], source: Source
    ) -> None:
        self._path = path
        self._ntuple = ntuple
        self._schema = schema
        self._fields = fields
        self._source = source

    def read(self, field: str, start: int, stop: int, rows: Array, stats: ReadStats) -> AnyColumn:
        """Return a column at the events start + ``rows``."""
        info = self._schema.by_name[field]
        array = self.clusters.read(self._fields[field], start, stop, stats)
        if len(array) != stop - start:
            raise DamageError(f"it has values of {len(array)} events")
        with stats.timed("decoding"):
            lists, content = taken_apart(array, info)
            if CHAR.search(info.typename) and not isinstance(content, Strings):
                content = content.view(np.int8)  # uproot takes them for numbers without sign
            column = put_into(lists, content)
        return column[rows]

    def edges(self, fields: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which clusters begin, and the end."""
        return tuple(self.clusters.edges.tolist())

    def places(self, field: str, start: int, stop: int) -> list[Range]:
        """Return nothing: pages are asked for when they are read."""
        return []

    def compressed_bytes(self, field: str) -> int:
        """Return how many bytes of the file a field takes."""
        return self._sizes.of(self._fields[field])

    @cached_property
    def clusters(self) -> Clusters:
        """The clusters; raises FileError where they cannot be found."""
        with file_errors(self._path, "its clusters cannot be found"):
            return Clusters(self._ntuple, self._source)

    @cached_property
    def _sizes(self) -> FieldSizes:
        return FieldSizes(self._ntuple)
