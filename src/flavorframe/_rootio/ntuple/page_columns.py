"""The columns of an RNTuple, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.compressed_blocks import BlocksMismatchError, CompressedBlocks
from flavorframe._rootio.piece_cache import pieces, with_size
from flavorframe._rootio.read_errors import DamageError, LeftToUprootError
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.source import Source


@dataclass(frozen=True, eq=False)
class PageColumn:
    """A column in a cluster; ``begins`` has the number of each page's first element, with the end.

    ``meta`` is uproot's description of the column. ``key`` stands for the column in the cache.
    """

    ntuple: Any
    source: Source
    cluster: int
    number: int
    pages: Sequence[Any]
    begins: Array
    meta: Any
    key: object = field(default_factory=object)
    blocks: dict[int, CompressedBlocks] = field(default_factory=dict)

    @classmethod
    def of(cls, ntuple: Any, source: Source, cluster: int, number: int) -> PageColumn:
        """Return a column; raises LeftToUprootError for one that was added late, and the like."""
        lists = ntuple.page_link_list[cluster]
        meta = ntuple.get_field_metadata(number)
        late = ntuple.column_records[number].first_element_index
        if number >= len(lists) or lists[number].suppressed or late:
            raise LeftToUprootError("a column that was added late, or has several representations")
        if meta.dtype != meta.dtype_result:
            raise LeftToUprootError("a column that has several representations")
        pages = lists[number].pages
        begins = np.cumsum([0, *(page.num_elements for page in pages)])
        return cls(ntuple, source, cluster, number, pages, begins, meta)

    def __len__(self) -> int:
        return int(self.begins[-1])

    def offsets(self, begin: int, end: int, stats: ReadStats) -> Array:
        """Return where some lists begin in what they hold, and the end of the last."""
        ends = self.elements(max(begin - 1, 0), end, stats).astype(np.int64)
        offsets = ends if begin else np.append(0, ends)
        if offsets[0] < 0 or (np.diff(offsets) < 0).any():
            raise DamageError("its lists do not fit its values")
        return offsets

    def elements(self, begin: int, end: int, stats: ReadStats) -> Array:
        """Return some elements, and keep the others of their pages in the cache."""
        if end > len(self):
            raise DamageError("its lists do not fit its values")
        first = int(np.searchsorted(self.begins, begin, "right")) - 1
        last = int(np.searchsorted(self.begins, end, "left"))
        parts = [np.empty(0, self.meta.dtype)]
        for page in range(first, last):
            start, stop = self.begins[page : page + 2].tolist()
            within = max(begin, start) - start, min(end, stop) - start
            parts.append(self._of_page(page, *within, stats))
        return parts[-1] if len(parts) == 2 else np.concatenate(parts)

    def _of_page(self, number: int, begin: int, end: int, stats: ReadStats) -> Array:
        page = self.pages[number]
        if end - begin == page.num_elements:
            return self._whole_page(number, stats)
        if self._is_plain and not page.has_checksum:
            try:
                return self._from_blocks(number, begin, end, stats)
            except BlocksMismatchError:  # reading the whole page tells why
                pass
        key = (self.key, number)
        whole: Array = pieces.get(key, lambda: with_size(self._whole_page(number, stats)))
        return whole[begin:end]

    @property
    def _is_plain(self) -> bool:
        """Whether the bytes of a page are its elements, one after the other."""
        meta = self.meta
        changed = meta.split or meta.zigzag or meta.delta or meta.isbit
        return not changed and meta.dtype_toread == meta.dtype

    def _from_blocks(self, number: int, begin: int, end: int, stats: ReadStats) -> Array:
        page, itemsize = self.pages[number], self.meta.dtype.itemsize
        with stats.timed_blocks(self.source) as fetch:
            if number not in self.blocks:
                place = page.locator.offset
                size = page.num_elements * itemsize
                blocks = CompressedBlocks.at(place, place + page.locator.num_bytes, size, fetch)
                self.blocks.setdefault(number, blocks)  # one for all threads
            content = self.blocks[number].read(begin * itemsize, end * itemsize, fetch)
        return np.frombuffer(content, self.meta.dtype)

    def _whole_page(self, number: int, stats: ReadStats) -> Array:
        values = np.empty(self.pages[number].num_elements, self.meta.dtype)
        with stats.timed("reading"):
            self.ntuple.read_page(values, self.cluster, self.number, number, self.meta)
        with stats.timed("decoding"):
            self.ntuple.post_process(values, self.meta)
        stats.bytes += self.pages[number].locator.num_bytes
        return values
