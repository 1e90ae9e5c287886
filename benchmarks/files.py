"""The files that all contenders read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

CODECS: tuple[Literal["zstd", "zlib", "lz4"], ...] = ("zstd", "zlib", "lz4")


def make_file(folder: Path, codec: Literal["zstd", "zlib", "lz4"], events: int) -> Path:
    """Return a file of so many events in the ``bph`` layout, made at the first call.

    A process of its own makes it: the system counts a parent's memory as its children's peak.
    """
    path = folder / f"bph_{events}_{codec}.root"
    if not path.exists():
        code = (
            "import sys; from flavorframe import samples\n"
            "samples.write_file(sys.argv[1], layout='bph', compression=sys.argv[2],\n"
            "    events=samples.chunks(int(sys.argv[3]), era='2017B', seed=2017))"
        )
        line = [sys.executable, "-c", code, str(path), codec, str(events)]
        subprocess.run(line, check=True)
    return path.resolve()


def copies(file: Path, number: int) -> list[str]:
    """Return so many copies of the file: links to one would be refused as the same file twice."""
    folder = file.parent / f"{file.stem}_copies"
    folder.mkdir(exist_ok=True)
    names = [folder / f"{i}.root" for i in range(number)]
    for name in names:
        if name.is_symlink() or not name.exists():
            name.unlink(missing_ok=True)
            shutil.copyfile(file, name)
    return [str(name) for name in names]
