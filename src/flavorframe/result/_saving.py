"""Results on disk: a folder that people, ROOT and flavorframe itself can read.

``result.json`` holds everything but the snapshots, histograms in the UHI serialisation;
``histograms.root`` holds those of up to three axes once more, for ROOT: TH1, TH2 and TH3 of the
outputs' names, with labels, under- and overflow, and the errors of weighted ones. Snapshots are
files of their own. ``result.json`` has the SHA-256 of these files, and its own: they take their
places together, and what does not belong together is not loaded.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe._files.file_sets import FileSet, locked, sha256_of
from flavorframe._files.writing import file_name, make_folder, writing
from flavorframe._planning.destinations import (
    HISTOGRAMS,
    RESULT,
    UNFINISHED,
    of_result,
    refuse_conflicts,
    result_folder,
)
from flavorframe._shipping.user_code import packed
from flavorframe._snapshots.writing import SnapshotWriter
from flavorframe.errors import AnalysisError
from flavorframe.result import _outputs
from flavorframe.result._histograms import write_histograms
from flavorframe.result._json import dump, signed, to_dict
from flavorframe.result.table import Table
from flavorframe.result.unfinished import Unfinished
from flavorframe.result.written import WrittenSnapshot

if TYPE_CHECKING:
    from flavorframe.result.result import Result


def save(results: Mapping[str, Result], folder: str | os.PathLike[str]) -> Path:
    """Write results to a folder, each to one of its name, and return the path.

    Snapshots that are in memory become ROOT files beside them. Raises RunError where the folder
    cannot be written to, or is just being written to, and AnalysisError where files that were read
    would be written over.
    """
    for name, result in results.items():
        _refuse_conflicts(result, result_folder(folder, name), name)
    for name, result in results.items():
        with writing_to(result_folder(folder, name)) as path, FileSet() as files:
            save_to(result, path, files, str(name))
            files.commit()
    return Path(folder).expanduser()


def folder_of(folder: Path, era: str) -> Path:
    """Return the folder of a result that was saved, in the folder of all results."""
    own = result_folder(folder, era)
    return own if own.is_dir() else Path(folder).expanduser() / era


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[Path]:
    """Lock a folder against others that write results to it; yield its absolute path."""
    make_folder(folder)
    with locked(folder):
        yield folder.absolute()


def _refuse_conflicts(result: Result, folder: Path, name: str) -> None:
    tables = [
        (f"snapshot {output!r} of {name!r}", _table_file(folder, output))
        for output, value in result.outputs.items()
        if isinstance(value, Table)
    ]
    refuse_conflicts([*of_result(folder, name), *tables], result.dataset.places)


def _table_file(folder: Path, output: str) -> Path:
    return folder / f"{file_name(output)}.root"


def save_to(result: Result, folder: Path, files: FileSet, name: str) -> None:
    """Write a result of that name to hidden files that are to take their places in a folder.

    Raises OutputError where they cannot be written.
    """
    make_folder(folder)
    tables = _save_tables(result, folder, files)
    content = {"name": name, "folder": str(folder), **to_dict(result)}
    for output, snapshot in tables.items():
        content["outputs"][output] = _outputs.to_json(snapshot)
    hidden = {HISTOGRAMS: files.new(folder / HISTOGRAMS)}
    with writing(folder / HISTOGRAMS):
        write_histograms(result.outputs, hidden[HISTOGRAMS])
    unfinished = None
    try:
        unfinished = _unfinished(result, tables)
    except AnalysisError as error:  # a function that cannot be saved; the numbers can
        content["not_resumable"] = str(error)
    hidden |= _save_unfinished(unfinished, folder, files)
    with writing(folder):
        content["files"] = {file: sha256_of(path) for file, path in hidden.items()}
    target = files.new(folder / RESULT)
    with writing(folder / RESULT):
        target.write_text(signed(dump(content)), encoding="utf-8")


def _save_tables(result: Result, folder: Path, files: FileSet) -> dict[str, WrittenSnapshot]:
    return {
        output: _save_table(value, _table_file(folder, output), files)
        for output, value in result.outputs.items()
        if isinstance(value, Table)
    }


def _save_unfinished(content: bytes | None, folder: Path, files: FileSet) -> dict[str, Path]:
    """Write what resuming needs; return the hidden file by its name, or none if all is read."""
    if content is None:
        files.remove(folder / UNFINISHED)
        return {}
    hidden = files.new(folder / UNFINISHED, mode=0o600)
    with writing(folder / UNFINISHED):
        hidden.write_bytes(content)
    return {UNFINISHED: hidden}


def remove_from(folder: Path, files: FileSet) -> None:
    """Remove the result of a folder once the files take their places."""
    for name in (RESULT, UNFINISHED, HISTOGRAMS):
        files.remove(folder / name)


def _save_table(table: Table, path: Path, files: FileSet) -> WrittenSnapshot:
    with SnapshotWriter(path, files=files) as writer:
        writer.write(table.columns)
    files.remove(path.with_name(f"{path.name}.manifest.json"))  # of a run that wrote it
    with writing(path):
        return WrittenSnapshot((str(path),), len(table), (sha256_of(writer.hidden),))


def _unfinished(result: Result, rows: Mapping[str, WrittenSnapshot]) -> bytes | None:
    """Return what `Result.resume` needs; rows that were in memory are in files now."""
    kept = result.unfinished
    if isinstance(kept, Unfinished):
        return kept.checked()
    if kept is None:
        return None
    return packed(replace(kept, rows={**kept.rows, **rows}))
