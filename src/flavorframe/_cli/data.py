"""The datasets that a command line names: files, or eras of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flavorframe.errors import DatasetError

if TYPE_CHECKING:
    from flavorframe.datasets import Dataset


def datasets_of(
    files: list[str], catalog: str | None, eras: list[str], base: str | None
) -> Mapping[str, Dataset]:
    """Return the datasets by name; raises DatasetError where options contradict each other."""
    import flavorframe as ff

    if bool(files) == bool(catalog):
        raise DatasetError("give either files or --catalog, to say what to run on.")
    for option, value in {"--era": eras, "--base": base}.items():
        if catalog is None and value:
            raise DatasetError(f"{option} is about a catalogue: give --catalog, or leave it out.")
    if catalog is None:
        return {"files": ff.dataset(files, name="files")}
    return ff.catalog(catalog, base=base).select(*eras)
