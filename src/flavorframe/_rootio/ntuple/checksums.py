"""RNTuples as uproot reads them, and with their checksums compared, which uproot does not do.

The header, the footer and the lists of pages have a checksum each, after their content. Pages may
have one: those that ROOT writes do, those that uproot writes do not.
"""

from __future__ import annotations

from typing import Any

import uproot
import xxhash
from uproot.models.RNTuple import Model_ROOT_3a3a_RNTuple as NTuple

from flavorframe._rootio.read_errors import DamageError

CHECKSUM = 8
"""Bytes of a checksum (XXH3 of 64 bits, little-endian)."""


class CheckedNTuple(NTuple):  # type: ignore[misc]
    """An RNTuple whose bytes are compared with their checksum before they are used."""

    _checked_pages: frozenset[int] | None = None
    """Where the pages lie that have a checksum, once the lists of pages have been read."""

    @classmethod
    def of(cls, ntuple: Any) -> CheckedNTuple:
        """Make uproot's RNTuple a checked one; raises DamageError where its lists are damaged."""
        ntuple.__class__ = cls
        checked: CheckedNTuple = ntuple
        lists = (column.pages for cluster in checked.page_link_list for column in cluster)
        checked._checked_pages = frozenset(
            page.locator.offset for pages in lists for page in pages if page.has_checksum
        )
        return checked

    def _prepare_header_chunk(self) -> None:
        super()._prepare_header_chunk()
        _compare(self._header_chunk.raw_data, "the header")

    def _prepare_footer_chunk(self) -> None:
        super()._prepare_footer_chunk()
        _compare(self._footer_chunk.raw_data, "the footer")

    def read_locator(self, loc: Any, uncomp_size: int) -> tuple[Any, Any]:
        """Return the decompressed bytes at a place of the file, and a cursor at their beginning.

        Raises DamageError where they do not match their checksum or size.
        """
        has_checksum = self._checked_pages is not None and loc.offset in self._checked_pages
        end = loc.offset + loc.num_bytes + (CHECKSUM if has_checksum else 0)
        chunk = self.file.source.chunk(loc.offset, end)
        if has_checksum:
            _compare(chunk.raw_data, f"the page at byte {loc.offset}")
        cursor = uproot.source.cursor.Cursor(loc.offset)
        if loc.num_bytes < uncomp_size:
            chunk = _decompressed(chunk, cursor, loc.num_bytes, uncomp_size)
            cursor = uproot.source.cursor.Cursor(0)
        if self._checked_pages is None:
            _compare(chunk.raw_data, "a list of pages")
        return chunk, cursor


def _decompressed(chunk: Any, cursor: Any, compressed: int, size: int) -> Any:
    blocks: list[tuple[str, int, int]] = []
    found = uproot.compression.decompress(chunk, cursor, {}, compressed, size, block_info=blocks)
    filled = sum(block for _, _, block in blocks)
    if filled != size:
        raise DamageError(f"its blocks hold {filled} bytes instead of {size}")
    return found


def _compare(content: Any, what: str) -> None:
    stored = int.from_bytes(content[-CHECKSUM:].tobytes(), "little")
    if xxhash.xxh3_64_intdigest(content[:-CHECKSUM]) != stored:
        raise DamageError(f"the checksum of {what} is wrong")
