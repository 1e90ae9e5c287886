"""Figures as files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe._files.writing import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Dots per inch: a plot of ten inches is sharp at half the width of a page, on dense screens too.
DPI = 100


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; raises RunError with the folder."""
    with replacing(path) as hidden:
        hidden.write_bytes(content)


def image(figure: Figure, format: str = "png") -> bytes:
    """Return a figure as a file of that format, the same bytes for the same figure."""
    stream = io.BytesIO()
    # A PDF would have its date in it.
    metadata = {"CreationDate": None} if format == "pdf" else None
    # A layout engine sees to the margins already, and cutting takes as long as drawing.
    margins = None if figure.get_layout_engine() else "tight"
    figure.savefig(stream, format=format, dpi=DPI, bbox_inches=margins, metadata=metadata)
    return stream.getvalue()
