"""How many bytes of a file the fields of an RNTuple take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any


class FieldSizes:
    """The compressed pages of each field, with those of the fields in it."""

    def __init__(self, ntuple: Any) -> None:
        self._ntuple = ntuple
        self._inside: dict[int, list[int]] = defaultdict(list)
        self._columns: dict[int, set[int]] = defaultdict(set)
        for number, record in enumerate(ntuple.field_records):
            if record.parent_field_id != number:
                self._inside[record.parent_field_id].append(number)
        for number, record in enumerate(ntuple.column_records):
            self._columns[record.field_id].add(number)
        for record in ntuple.alias_column_records:  # of a field that stands for another one
            self._columns[record.field_id].add(record.physical_id)

    def of(self, field: Any) -> int:
        """Return how many bytes of the file a field takes."""
        columns = {c for number in self._all_in(field.field_id) for c in self._columns[number]}
        return sum(
            page.locator.num_bytes
            for cluster in self._ntuple.page_link_list
            for column in columns
            if column < len(cluster)  # a column may have been added after a cluster
            for page in cluster[column].pages
        )

    def _all_in(self, number: int) -> Iterator[int]:
        yield number
        for inside in self._inside[number]:
            yield from self._all_in(inside)
