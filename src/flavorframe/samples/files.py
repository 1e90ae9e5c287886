"""Write events to one file, in any layout; the file appears when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

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
    """Write events, or pieces of them one after the other, to a file, and return its path.

    Folders on the way are made. Raises SampleError for an unknown option, where layout ``bph``
    finds no ROOT, and where the file cannot be written.

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

    return write_complete(Path(path), write)


def check_options(layout: Layout, format: Format, compression: Compression) -> None:
    """Raise SampleError for an option that does not exist, or that does not go with the others."""
    _require("layout", layout, Layout)
    _require("format", format, Format)
    _require("compression", compression, Compression)
    if layout == "bph" and format == "rntuple":
        raise SampleError(
            "layout 'bph' is a TTree, as the real ntuples are: format='ttree', or layout='nano'"
        )


def write_complete(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` write a temporary file, and give it its name when that went well.

    Raises SampleError where the system does not let it be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     written = write_complete(Path(folder, "a.txt"), lambda part: part.touch())
    ...     [file.name for file in written.parent.iterdir()]
    ['a.txt']
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        write(part)
        part.replace(path)
    except OSError as error:
        raise SampleError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        _remove(part)
    return path


def _checked(pieces: Iterable[Events]) -> Iterator[Events]:
    remaining = iter(pieces)
    try:
        yield next(remaining)
    except StopIteration:
        raise SampleError("nothing to write: events must be Events, or pieces of them") from None
    yield from remaining


def _remove(part: Path) -> None:
    # A part whose folder could not be made is not there to be removed, and cannot be asked for.
    with suppress(OSError):
        part.unlink()


def _require(option: str, value: str, choices: Any) -> None:
    valid = get_args(choices)
    if value not in valid:
        raise SampleError(
            f"{option}={value!r} must be one of {', '.join(valid)}.{did_you_mean(value, valid)}"
        )
