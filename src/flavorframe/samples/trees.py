"""What uproot writes: columns as a TTree or an RNTuple, a piece after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

#: Algorithm → setting, with the levels of the ``bph`` layout.
COMPRESSION = {"zstd": uproot.ZSTD(2), "zlib": uproot.ZLIB(1), "lz4": uproot.LZ4(4)}

#: Numpy or awkward arrays of equal length by the name of their branch.
Columns = dict[str, Any]


def write_tree(
    path: Path,
    name: str,
    pieces: Iterable[Columns],
    *,
    rntuple: bool,
    compression: str,
    entries_per_cluster: int | None,
) -> None:
    """Write pieces of columns one after the other into the tree ``name`` of a new file.

    Each ``entries_per_cluster`` entries, or each piece, are a basket of every branch of a TTree,
    or a cluster of an RNTuple.
    """
    tree: Any = None
    with uproot.recreate(path, compression=COMPRESSION[compression]) as file:
        create = file.mkrntuple if rntuple else file.mktree
        for piece in pieces:
            for cluster in _clusters(piece, entries_per_cluster):
                if tree is None:
                    tree = create(name, cluster)
                else:
                    tree.extend(cluster)


def _clusters(columns: Columns, entries: int | None) -> Iterator[Columns]:
    length = len(next(iter(columns.values())))
    if entries is None or entries >= length:
        yield columns
        return
    for start in range(0, length, entries):
        # Packed, for uproot writes the whole of what a part of a list refers to.
        yield {
            name: ak.to_packed(values[start : start + entries])
            if isinstance(values, ak.Array)
            else values[start : start + entries]
            for name, values in columns.items()
        }
