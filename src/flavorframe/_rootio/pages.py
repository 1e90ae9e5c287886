"""Read a range of events of an RNTuple: of clusters that go beyond it only the pages that hold it.

uproot reads clusters as a whole, and is left those that lie within the range, and what is unusual.
What is read beyond the range is kept for the partitions that come next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import awkward as ak
import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.baskets import Source, Spent, UnusualError, divided
from flavorframe._rootio.blocks import Blocks, OddBlocksError
from flavorframe._rootio.boundary import DamageError
from flavorframe._rootio.kept import kept, sized


class Pages:
    """The pages of an RNTuple.

    ``edges`` are the events at which clusters begin, and the end; there are none where clusters do
    not follow each other.
    """

    def __init__(self, ntuple: Any, source: Source) -> None:
        self._ntuple = ntuple
        self._source = source
        self.edges = _edges(ntuple)
        self._columns: dict[tuple[int, int], _Column] = {}
        self._name = object()  # of what is kept: the RNTuple itself would stay open

    def read(self, field: Any, start: int, stop: int, spent: Spent) -> Any:
        """Return the events start ≤ i < stop of a field, as awkward has them."""
        parts = [
            self._whole(field, a, b, spent) if cluster is None
            else self._part(field, cluster, a, b, spent)
            for a, b, cluster in divided(self.edges, start, stop)
        ]  # fmt: skip
        return parts[0] if len(parts) == 1 else ak.concatenate(parts)

    def _whole(self, field: Any, start: int, stop: int, spent: Spent) -> Any:
        with spent.on("reading"):
            array = field.array(entry_start=start, entry_stop=stop, array_cache=None, library="ak")
        form, _ = field.to_akform()
        columns = {int(number) for number in re.findall(r"column-(\d+)", form.to_json())}
        clusters = range(*np.searchsorted(self.edges, [start, stop]).tolist())
        lists = [self._ntuple.page_link_list[cluster] for cluster in clusters]
        spent.bytes += sum(
            page.locator.num_bytes
            for pages in lists
            for column in columns
            if column < len(pages)  # clusters may be older than a column
            for page in pages[column].pages
        )
        return array

    def _part(self, field: Any, cluster: int, start: int, stop: int, spent: Spent) -> Any:
        """Return some events of a cluster."""
        first, end = self.edges[cluster : cluster + 2].tolist()
        try:
            return ak.Array(self._events(field, cluster, start - first, stop - first, spent))
        except UnusualError:
            key = (self._name, cluster, field.field_id)
            whole = kept.get(key, lambda: sized(self._whole(field, first, end, spent)))
            return whole[start - first : stop - first]

    def _events(self, field: Any, cluster: int, begin: int, end: int, spent: Spent) -> Any:
        form, _ = field.to_akform()
        (form,) = form.contents
        column = self._column(form, cluster)
        if len(column) != self.edges[cluster + 1] - self.edges[cluster]:
            raise UnusualError("a column of its own number of entries")
        return self._layout(form, cluster, begin, end, spent)

    def _layout(self, form: Any, cluster: int, begin: int, end: int, spent: Spent) -> Any:
        column = self._column(form, cluster)
        if isinstance(form, ak.forms.ListOffsetForm):
            offsets = column.offsets(begin, end, spent)
            inner = self._layout(form.content, cluster, int(offsets[0]), int(offsets[-1]), spent)
            index = ak.index.Index64(offsets - offsets[0])
            return ak.contents.ListOffsetArray(index, inner, parameters=form.parameters)
        if form.form_key.endswith("-cardinality"):
            return ak.contents.NumpyArray(np.diff(column.offsets(begin, end, spent)))
        values = column.elements(begin, end, spent)
        return ak.contents.NumpyArray(values, parameters=form.parameters)

    def _column(self, form: Any, cluster: int) -> _Column:
        """Return the column of a part of a field; raises UnusualError where uproot has to."""
        known = isinstance(form, ak.forms.NumpyForm | ak.forms.ListOffsetForm)
        found = re.fullmatch(r"column-(\d+)(-cardinality)?", str(form.form_key))
        if not known or not found:
            raise UnusualError(str(form))
        number = int(found[1])
        if (cluster, number) not in self._columns:
            column = _Column.of(self._ntuple, self._source, cluster, number)
            self._columns.setdefault((cluster, number), column)  # one for all threads
        return self._columns[cluster, number]


@dataclass(frozen=True, eq=False)
class _Column:
    """A column in a cluster; ``begins`` has the number of each page's first element, with the end.

    ``meta`` is what uproot knows of the column.
    """

    ntuple: Any
    source: Source
    cluster: int
    number: int
    pages: Sequence[Any]
    begins: Array
    meta: Any
    name: object = field(default_factory=object)
    blocks: dict[int, Blocks] = field(default_factory=dict)

    @classmethod
    def of(cls, ntuple: Any, source: Source, cluster: int, number: int) -> _Column:
        lists = ntuple.page_link_list[cluster]
        meta = ntuple.get_field_metadata(number)
        late = ntuple.column_records[number].first_element_index
        if number >= len(lists) or lists[number].suppressed or late:
            raise UnusualError("a column that was added late, or has several representations")
        if meta.dtype != meta.dtype_result:
            raise UnusualError("a column that has several representations")
        pages = lists[number].pages
        begins = np.cumsum([0, *(page.num_elements for page in pages)])
        return cls(ntuple, source, cluster, number, pages, begins, meta)

    def __len__(self) -> int:
        return int(self.begins[-1])

    def offsets(self, begin: int, end: int, spent: Spent) -> Array:
        """Return where some lists begin in what they hold, and the end of the last."""
        ends = self.elements(max(begin - 1, 0), end, spent).astype(np.int64)
        offsets = ends if begin else np.append(0, ends)
        if offsets[0] < 0 or (np.diff(offsets) < 0).any():
            raise DamageError("its lists do not fit its values")
        return offsets

    def elements(self, begin: int, end: int, spent: Spent) -> Array:
        """Return some elements, and keep what else is in their pages."""
        if end > len(self):
            raise DamageError("its lists do not fit its values")
        first = int(np.searchsorted(self.begins, begin, "right")) - 1
        last = int(np.searchsorted(self.begins, end, "left"))
        parts = [np.empty(0, self.meta.dtype)]
        for page in range(first, last):
            start, stop = self.begins[page : page + 2].tolist()
            within = max(begin, start) - start, min(end, stop) - start
            parts.append(self._of_page(page, *within, spent))
        return parts[-1] if len(parts) == 2 else np.concatenate(parts)

    def _of_page(self, number: int, begin: int, end: int, spent: Spent) -> Array:
        page = self.pages[number]
        if end - begin == page.num_elements:
            return self._whole_page(number, spent)
        if self._is_plain and not page.has_checksum:
            try:
                return self._from_blocks(number, begin, end, spent)
            except OddBlocksError:  # read whole, it tells why
                pass
        key = (self.name, number)
        whole: Array = kept.get(key, lambda: sized(self._whole_page(number, spent)))
        return whole[begin:end]

    @property
    def _is_plain(self) -> bool:
        """Whether the bytes of a page are its elements, one after the other."""
        meta = self.meta
        changed = meta.split or meta.zigzag or meta.delta or meta.isbit
        return not changed and meta.dtype_toread == meta.dtype

    def _from_blocks(self, number: int, begin: int, end: int, spent: Spent) -> Array:
        page, itemsize = self.pages[number], self.meta.dtype.itemsize
        with spent.on_blocks(self.source) as fetch:
            if number not in self.blocks:
                place = page.locator.offset
                size = page.num_elements * itemsize
                blocks = Blocks.at(place, place + page.locator.num_bytes, size, fetch)
                self.blocks.setdefault(number, blocks)  # one for all threads
            content = self.blocks[number].read(begin * itemsize, end * itemsize, fetch)
        return np.frombuffer(content, self.meta.dtype)

    def _whole_page(self, number: int, spent: Spent) -> Array:
        values = np.empty(self.pages[number].num_elements, self.meta.dtype)
        with spent.on("reading"):
            self.ntuple.read_page(values, self.cluster, self.number, number, self.meta)
        with spent.on("decoding"):
            self.ntuple.post_process(values, self.meta)
        spent.bytes += self.pages[number].locator.num_bytes
        return values


def _edges(ntuple: Any) -> Array:
    clusters = ntuple.cluster_summaries
    firsts = np.array([c.num_first_entry for c in clusters], np.int64)
    edges = np.cumsum([0, *(c.num_entries for c in clusters)])
    follow = (edges[:-1] == firsts).all() and edges[-1] == ntuple.num_entries
    return edges if follow else edges[:0]
