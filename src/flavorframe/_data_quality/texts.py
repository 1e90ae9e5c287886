"""Small text files that users give, read whole."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from flavorframe.errors import DatasetError, FileError

GZIP_MAGIC = b"\x1f\x8b"


def text_of(path: str | os.PathLike[str], what: str) -> str:
    """Return the text of a file, also of a gzipped one; ``what`` it is, is said in errors.

    Raises FileError where it cannot be read, and DatasetError where it is no text.
    """
    file = Path(path).expanduser()
    try:
        raw = file.read_bytes()
        return (gzip.decompress(raw) if raw[:2] == GZIP_MAGIC else raw).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{file} is no text in UTF-8, so it is no {what}.") from None
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot read the {what} {file}: {reason}.") from None
