"""Read a range of events of an RNTuple; of clusters that go beyond it, only the pages that hold it.

uproot reads clusters as a whole. It reads those that lie within the range, and whatever the reading
of single pages does not know. What is read beyond the range is kept for the partitions that come
next.
"""

from __future__ import annotations

import re
from typing import Any

import awkward as ak
import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.event_ranges import split_at_edges
from flavorframe._rootio.ntuple.page_columns import PageColumn
from flavorframe._rootio.piece_cache import pieces, with_size
from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.source import Source


class Clusters:
    """The clusters of an RNTuple.

    ``edges`` are the events at which clusters begin, and the end; there are none where clusters do
    not follow each other.
    """

    def __init__(self, ntuple: Any, source: Source) -> None:
        self._ntuple = ntuple
        self._source = source
        self.edges = _edges(ntuple)
        self._columns: dict[tuple[int, int], PageColumn] = {}
        self._key = object()  # in the cache; the RNTuple itself would stay open

    def read(self, field: Any, start: int, stop: int, stats: ReadStats) -> Any:
        """Return the events start ≤ i < stop of a field, as an awkward array."""
        parts = [
            self._whole(field, a, b, stats) if cluster is None
            else self._part(field, cluster, a, b, stats)
            for a, b, cluster in split_at_edges(self.edges, start, stop)
        ]  # fmt: skip
        return parts[0] if len(parts) == 1 else ak.concatenate(parts)

    def _whole(self, field: Any, start: int, stop: int, stats: ReadStats) -> Any:
        with stats.timed("reading"):
            array = field.array(entry_start=start, entry_stop=stop, array_cache=None, library="ak")
        form, _ = field.to_akform()
        columns = {int(number) for number in re.findall(r"column-(\d+)", form.to_json())}
        clusters = range(*np.searchsorted(self.edges, [start, stop]).tolist())
        lists = [self._ntuple.page_link_list[cluster] for cluster in clusters]
        stats.bytes += sum(
            page.locator.num_bytes
            for pages in lists
            for column in columns
            if column < len(pages)  # a column may have been added after a cluster
            for page in pages[column].pages
        )
        return array

    def _part(self, field: Any, cluster: int, start: int, stop: int, stats: ReadStats) -> Any:
        """Return some events of a cluster."""
        first, end = self.edges[cluster : cluster + 2].tolist()
        try:
            return ak.Array(self._events(field, cluster, start - first, stop - first, stats))
        except LeftToUprootError:
            key = (self._key, cluster, field.field_id)
            whole = pieces.get(key, lambda: with_size(self._whole(field, first, end, stats)))
            return whole[start - first : stop - first]

    def _events(self, field: Any, cluster: int, begin: int, end: int, stats: ReadStats) -> Any:
        form = _without_records(field.to_akform()[0])
        column = self._column(form, cluster)
        if len(column) != self.edges[cluster + 1] - self.edges[cluster]:
            raise LeftToUprootError("a column of its own number of entries")
        return self._layout(form, cluster, begin, end, stats)

    def _layout(self, form: Any, cluster: int, begin: int, end: int, stats: ReadStats) -> Any:
        column = self._column(form, cluster)
        if isinstance(form, ak.forms.ListOffsetForm):
            offsets = column.offsets(begin, end, stats)
            content = _without_records(form.content)
            inner = self._layout(content, cluster, int(offsets[0]), int(offsets[-1]), stats)
            index = ak.index.Index64(offsets - offsets[0])
            return ak.contents.ListOffsetArray(index, inner, parameters=form.parameters)
        if form.form_key.endswith("-cardinality"):
            return ak.contents.NumpyArray(np.diff(column.offsets(begin, end, stats)))
        values = column.elements(begin, end, stats)
        return ak.contents.NumpyArray(values, parameters=form.parameters)

    def _column(self, form: Any, cluster: int) -> PageColumn:
        """Return the column of a part of a field; raises LeftToUprootError where uproot has to."""
        known = isinstance(form, ak.forms.NumpyForm | ak.forms.ListOffsetForm)
        found = re.fullmatch(r"column-(\d+)(-cardinality)?", str(form.form_key))
        if not known or not found:
            raise LeftToUprootError(str(form))
        number = int(found[1])
        if (cluster, number) not in self._columns:
            column = PageColumn.of(self._ntuple, self._source, cluster, number)
            self._columns.setdefault((cluster, number), column)  # one for all threads
        return self._columns[cluster, number]


def _without_records(form: Any) -> Any:
    """Return what is in records that have one field: those that lead to the field that is read."""
    while isinstance(form, ak.forms.RecordForm) and len(form.contents) == 1:
        (form,) = form.contents
    return form


def _edges(ntuple: Any) -> Array:
    clusters = ntuple.cluster_summaries
    firsts = np.array([c.num_first_entry for c in clusters], np.int64)
    edges = np.cumsum([0, *(c.num_entries for c in clusters)])
    follow = (edges[:-1] == firsts).all() and edges[-1] == ntuple.num_entries
    return edges if follow else edges[:0]
