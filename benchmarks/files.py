"""The files that all contenders read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from flavorframe import samples

CODECS: tuple[Literal["zstd", "zlib", "lz4"], ...] = ("zstd", "zlib", "lz4")


def make_file(folder: Path, codec: Literal["zstd", "zlib", "lz4"], events: int) -> Path:
    """Return a file of so many events in the ``bph`` layout, made at the first call."""
    path = folder / f"bph_{events}_{codec}.root"
    if not path.exists():
        pieces = samples.chunks(events, era="2017B", seed=2017)
        samples.write_file(path, events=pieces, layout="bph", compression=codec)
    return path.resolve()


def copies(file: Path, number: int) -> list[str]:
    """Return so many names of the file: no contender knows that they are the same bytes."""
    folder = file.parent / f"{file.stem}_copies"
    folder.mkdir(exist_ok=True)
    names = [folder / f"{i}.root" for i in range(number)]
    for name in names:
        if not name.is_symlink():
            name.symlink_to(file)
    return [str(name) for name in names]
