"""Write events to one file, in any layout; the file appears when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from flavorframe._files.writing import replacing, writing
from flavorframe.errors import SampleError, did_you_mean
from flavorframe.samples.bph import write_bph
from flavorframe.samples.nano import write_nano
from flavorframe.samples.record import Events

Layout = Literal["nano", "bph"]
Format = Literal["ttree", "rntuple"]
Compression = Literal["zstd", "zlib", "lz4"]


def write_file(
    path: str | PathLike[str],
    *,
    events: Events | Iterable[Events],
    layout: Layout = "nano",
    format: Format = "ttree",
    compression: Compression = "zstd",
) -> Path:
    """Write events to a file, and return its path.

    Args:
        path: The file; folders on the way are made.
        events: Events, or pieces of them, which are written one after the other.
        layout: How branches are laid out: "nano", or "bph", which needs ROOT and is a TTree.
        format: "ttree" or "rntuple".
        compression: "zstd", "zlib" or "lz4".

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
    pieces = _checked([events] if isinstance(events, Events) else events)

    def write(part: Path) -> None:
        if layout == "bph":
            write_bph(part, pieces, compression=compression)
        else:
            write_nano(part, pieces, rntuple=format == "rntuple", compression=compression)

    return written(Path(path), write)


def written(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` write a file, whole or not at all, and return its path.

    Raises SampleError where the system does not let it be written.
    """
    with writing(path, error=SampleError):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, error=SampleError) as hidden:
        write(hidden)
    return path


def check_options(layout: Layout, format: Format, compression: Compression) -> None:
    """Raise SampleError for an option that does not exist, or that does not go with the others."""
    _require("layout", layout, Layout)
    _require("format", format, Format)
    _require("compression", compression, Compression)
    if layout == "bph" and format == "rntuple":
        raise SampleError(
            "layout 'bph' is a TTree, as the real ntuples are: format='ttree', or layout='nano'"
        )


def _checked(pieces: Iterable[Events]) -> Iterator[Events]:
    remaining = iter(pieces)
    try:
        yield next(remaining)
    except StopIteration:
        raise SampleError("nothing to write: events must be Events, or pieces of them") from None
    yield from remaining


def _require(option: str, value: str, choices: Any) -> None:
    valid = get_args(choices)
    if value not in valid:
        raise SampleError(
            f"{option}={value!r} must be one of {', '.join(valid)}.{did_you_mean(value, valid)}"
        )
