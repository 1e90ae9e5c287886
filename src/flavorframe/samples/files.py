"""Write events to one file, in any layout; the file appears when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from flavorframe._files.writing import replacing, writing
from flavorframe.errors import SampleError, did_you_mean
from flavorframe.samples import belle2, bph, lhcb, nano
from flavorframe.samples.record import Decay, Events
from flavorframe.samples.trees import Columns, write_tree

Layout = Literal["nano", "bph", "lhcb", "belle2"]
Format = Literal["ttree", "rntuple"]
Compression = Literal["zstd", "zlib", "lz4"]

#: The tree of each layout.
TREES: dict[Layout, str] = {
    "nano": nano.TREE,
    "bph": bph.TREE,
    "lhcb": lhcb.TREE,
    "belle2": belle2.TREE,
}

#: Rows of a basket of ROOT's usual size, 32 kB, of decimal numbers.
ROWS_PER_CLUSTER = 4000


def write_file(
    path: str | PathLike[str],
    *,
    events: Events | Iterable[Events],
    layout: Layout = "nano",
    format: Format = "ttree",
    compression: Compression = "zstd",
    entries_per_cluster: int | None = None,
) -> Path:
    """Write events to a file, and return its path.

    Layouts "nano" and "bph" have an entry for each event, with lists. "lhcb" and "belle2" have one
    for each candidate, so that an event without candidates has none, and one with several may
    have them in two clusters.

    Args:
        path: The file; folders on the way are made.
        events: Events, or pieces of them, which are written one after the other.
        layout: How branches are laid out: "nano"; "bph", which needs ROOT and is a TTree;
            "lhcb", in MeV and mm; or "belle2".
        format: "ttree" or "rntuple".
        compression: "zstd", "zlib" or "lz4".
        entries_per_cluster: After how many entries all branches begin a new basket, or an RNTuple a
            new cluster. By default a piece of events is a cluster in "nano", 4000 rows are one in
            "lhcb" and "belle2", and ROOT decides in "bph".

    Raises:
        SampleError: For an unknown option, where layout "bph" finds no ROOT, and where the file
            cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from flavorframe.samples import generate
        >>> with TemporaryDirectory() as folder:
        ...     write_file(f"{folder}/sample.root", events=generate(10)).name
        'sample.root'
    """
    check_options(layout, format, compression)
    if entries_per_cluster is not None and entries_per_cluster < 1:
        raise SampleError(f"entries_per_cluster={entries_per_cluster} must be at least 1")
    pieces = _checked([events] if isinstance(events, Events) else events, layout)

    def write(part: Path) -> None:
        if layout == "bph":
            bph.write_bph(
                part, pieces, compression=compression, entries_per_cluster=entries_per_cluster
            )
        else:
            columns_of, usual = _by_uproot(layout, format)
            write_tree(
                part,
                TREES[layout],
                map(columns_of, pieces),
                rntuple=format == "rntuple",
                compression=compression,
                entries_per_cluster=entries_per_cluster or usual,
            )

    return written(Path(path), write)


def _by_uproot(layout: Layout, format: Format) -> tuple[Callable[[Events], Columns], int | None]:
    """What makes the columns of a layout, and how many entries a cluster usually has."""
    if layout == "nano":
        return (nano.fields if format == "rntuple" else nano.branches), None
    return (lhcb.branches if layout == "lhcb" else belle2.branches), ROWS_PER_CLUSTER


def written(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` write a file, whole or not at all, and return its path.

    Raises SampleError where the system does not let it be written.
    """
    with writing(path, error=SampleError):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, error=SampleError) as hidden:
        write(hidden)
    return path


def check_decay_fits(layout: Layout, decay: Decay) -> None:
    """Raise SampleError for a decay that is not written in a layout."""
    if decay == "tau3mu" and layout in ("lhcb", "belle2"):
        raise SampleError(
            f"layout {layout!r} has no candidates of three muons: decay='dsphipi', or layout='bph'"
            " or 'nano'"
        )


def check_options(layout: Layout, format: Format, compression: Compression) -> None:
    """Raise SampleError for an option that does not exist, or that does not go with the others."""
    _require("layout", layout, Layout)
    _require("format", format, Format)
    _require("compression", compression, Compression)
    if layout == "bph" and format == "rntuple":
        raise SampleError(
            "layout 'bph' is a TTree, as the real ntuples are: format='ttree', or layout='nano'"
        )


def _checked(pieces: Iterable[Events], layout: Layout) -> Iterator[Events]:
    none = True
    for piece in pieces:
        check_decay_fits(layout, piece.decay)
        none = False
        yield piece
    if none:
        raise SampleError("nothing to write: events must be Events, or pieces of them")


def _require(option: str, value: str, choices: Any) -> None:
    valid = get_args(choices)
    if value not in valid:
        raise SampleError(
            f"{option}={value!r} must be one of {', '.join(valid)}.{did_you_mean(value, valid)}"
        )
