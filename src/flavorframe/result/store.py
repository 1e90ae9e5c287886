"""Results on disk: a folder that people, ROOT and flavorframe itself can read.

``result.json`` holds everything but the snapshots, histograms in the UHI serialisation;
``histograms.root`` holds those of up to three axes once more, for ROOT: TH1, TH2 and TH3 of the
outputs' names, with labels, under- and overflow, and the errors of weighted ones. Snapshots are
files of their own. ``result.json`` has the SHA-256 of these files, and its own: they take their
places together, and what does not belong together is not loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from flavorframe._files.file_sets import FileSet, locked, settle, sha256_of
from flavorframe._files.json_numbers import decoded, encoded
from flavorframe._files.trust import read_own
from flavorframe._files.writing import file_name, make_folder, writing
from flavorframe._planning.destinations import (
    HISTOGRAMS,
    RESULT,
    UNFINISHED,
    of_result,
    refuse_conflicts,
    result_folder,
)
from flavorframe._snapshots.writing import SnapshotWriter
from flavorframe._travel.user_code import packed
from flavorframe.datasets import Dataset
from flavorframe.errors import AnalysisError, FileError, RunError
from flavorframe.result.cutflow import Cutflow, CutRow
from flavorframe.result.failures import Failure, Failures
from flavorframe.result.result import (
    Link,
    Provenance,
    Result,
    Results,
    Unfinished,
    WrittenSnapshot,
)
from flavorframe.result.table import Table
from flavorframe.result.timing import Timing

VERSION = 2
READABLE = (1, 2)
"""Versions that can be loaded; the first had no SHA-256."""
MOST_AXES = 3
"""Of a histogram that has a form in ROOT: TH1, TH2 or TH3."""
QUICK = 1 << 28
"""Bytes of the largest snapshots whose SHA-256 is compared already when a result is loaded."""
LOOKS = 5
"""How often a result is read that is replaced while it is read."""


def save(results: Result | Results, folder: str | os.PathLike[str]) -> Path:
    """Write results to a folder, each dataset's in a folder of its name, and return the path.

    Snapshots that are in memory become ROOT files beside them. Raises RunError where the folder
    cannot be written to, or is just being written to, and AnalysisError where files that were read
    would be written over.
    """
    named = {results.dataset.name: results} if isinstance(results, Result) else dict(results)
    for name, result in named.items():
        _refuse_conflicts(result, result_folder(folder, name), name)
    for name, result in named.items():
        with writing_to(result_folder(folder, name)) as path, FileSet() as files:
            save_to(result, path, files, str(name))
            files.commit()
    return Path(folder).expanduser()


def folder_of(folder: Path, era: str) -> Path:
    """Return the folder of a result that was saved, below that of all."""
    own = result_folder(folder, era)
    return own if own.is_dir() else Path(folder).expanduser() / era


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[Path]:
    """Have nobody else write the results of a folder in the block; yield its whole path."""
    make_folder(folder)
    with locked(folder):
        yield folder.absolute()


def load(folder: str | os.PathLike[str]) -> Results:
    """Return the results that a folder holds; snapshots stay in their files.

    Raises FileError where the folder holds none, or of a version that this flavorframe does not
    know.
    """
    place = Path(folder).expanduser()
    for each in filter(Path.is_dir, place.glob("*")):
        settle(each)
    files = sorted(place.glob("*/result.json"))
    if not files:
        raise FileError(f"{folder} holds no results: there is no <era>/result.json in it.")
    return Results(dict(map(_load_one, files)))


def to_dict(result: Result) -> dict[str, Any]:
    """Return a result as JSON can hold it."""
    return {
        "version": VERSION,
        "dataset": {**asdict(result.dataset), "meta": dict(result.dataset.meta)},
        "events": result.events,
        "fraction": result.fraction,
        "stopped": result.stopped,
        "luminosity": result.luminosity,
        "cutflow": result.cutflow.to_dict(),
        "outputs": {name: _output(value) for name, value in result.outputs.items()},
        "failures": {"files": result.failures.files, "items": [asdict(f) for f in result.failures]},
        "links": {name: asdict(link) for name, link in result.links.items()},
        "timing": asdict(result.timing),
        "provenance": asdict(result.provenance),
        "unwritten": dict(result.unwritten),
    }


def dump(content: Any) -> str:
    """Return JSON text of what `to_dict` gives, histograms included."""
    import uhi.io.json

    def default(value: Any) -> Any:
        return encoded(uhi.io.json.default(value))

    plain = encoded(content)
    return json.dumps(plain, default=default, indent=1, ensure_ascii=False, allow_nan=False)


def _refuse_conflicts(result: Result, folder: Path, name: str) -> None:
    tables = [
        (f"snapshot {output!r} of {name!r}", _table_file(folder, output))
        for output, value in result.outputs.items()
        if isinstance(value, Table)
    ]
    refuse_conflicts([*of_result(folder, name), *tables], result.dataset.files)


def _table_file(folder: Path, output: str) -> Path:
    return folder / f"{file_name(output)}.root"


def save_to(result: Result, folder: Path, files: FileSet, name: str) -> None:
    """Write a result of that name to hidden files that are to take their places in a folder.

    Raises OutputError where they cannot be written.
    """
    make_folder(folder)
    content = {"name": name, "folder": str(folder), **to_dict(result)}
    written: dict[str, WrittenSnapshot] = {}
    for output, value in result.outputs.items():
        if isinstance(value, Table):
            written[output] = _save_table(value, _table_file(folder, output), files)
            content["outputs"][output] = _output(written[output])
    hidden = {HISTOGRAMS: files.new(folder / HISTOGRAMS)}
    with writing(folder / HISTOGRAMS):
        _write_histograms(result, hidden[HISTOGRAMS])
    unfinished = None
    try:
        unfinished = _unfinished(result, written)
    except AnalysisError as error:  # a function that cannot be saved; the numbers can
        content["not_resumable"] = str(error)
    if unfinished is None:
        files.remove(folder / UNFINISHED)
    else:
        hidden[UNFINISHED] = files.new(folder / UNFINISHED, mode=0o600)
        with writing(folder / UNFINISHED):
            hidden[UNFINISHED].write_bytes(unfinished)
    with writing(folder):
        content["files"] = {file: sha256_of(path) for file, path in hidden.items()}
    target = files.new(folder / RESULT)
    with writing(folder / RESULT):
        target.write_text(_signed(dump(content)), encoding="utf-8")


def remove_from(folder: Path, files: FileSet) -> None:
    """Have a result that is in a folder go when the files take their places."""
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


def _signed(text: str) -> str:
    """Return the text of a JSON object with its own SHA-256 as the last entry."""
    return f'{text[:-2]},\n "sha256": "{_sha256(text)}"\n}}'


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write_histograms(result: Result, hidden: Path) -> None:
    import hist
    import uproot

    with uproot.recreate(hidden) as file:
        for name, value in result.outputs.items():
            if isinstance(value, hist.Hist) and len(value.axes) <= MOST_AXES:
                file[name] = _as_root(value, name)


def _as_root(histogram: Any, title: str) -> Any:
    """Return the histogram in a storage that ROOT knows: whole numbers become doubles."""
    import hist

    counts = histogram.storage_type is hist.storage.Int64
    storage = hist.storage.Double() if counts else histogram.storage_type()
    copy = hist.Hist(*histogram.axes, storage=storage, name=histogram.name or title)
    copy.view(flow=True)[...] = histogram.view(flow=True)
    return copy


def _output(value: Any) -> Any:
    if isinstance(value, WrittenSnapshot):
        return {
            "snapshot": list(value.paths), "rows": value.rows, "sha256": list(value.sha256)
        }  # fmt: skip
    if isinstance(value, Table):
        return {"snapshot": [], "rows": len(value)}
    return {"histogram": value}


def _load_one(file: Path) -> tuple[str, Result]:
    """Load a result and its name; anew where another was saved in its place meanwhile."""
    for _ in range(LOOKS):
        before = _inode(file)
        try:
            return _loaded(file)
        except FileError:
            settle(file.parent)
            if _inode(file) == before:
                raise
    raise FileError(f"{file} is saved again and again while it is read.")


def _inode(file: Path) -> int:
    return os.stat(file).st_ino if file.exists() else 0


def _loaded(file: Path) -> tuple[str, Result]:
    """Return a result and its name: that of its folder, if somebody gave it another."""
    import uhi.io.json

    def hook(value: dict[str, Any]) -> Any:
        return decoded(uhi.io.json.object_hook(value))

    try:
        text = file.read_text("utf-8")
        content = json.loads(text, object_hook=hook)
        if content["version"] not in READABLE:
            raise FileError(f"{file} has version {content['version']}, and {VERSION} is known.")
        if content["version"] > 1:
            _require_signed(text, file)
        result = _in(file.parent.absolute(), _from_dict(content), content.get("folder"))
        name = str(content.get("name", result.dataset.name))
    except FileError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{file} is not a result of flavorframe: {error}") from error
    hashes = content.get("files", {})
    _require_same(file.with_name(HISTOGRAMS), hashes.get(HISTOGRAMS), file)
    for value in result.outputs.values():
        if isinstance(value, WrittenSnapshot) and value.sha256:
            _require_snapshot(value, file)
    name = name if file_name(name) == file.parent.name else file.parent.name
    path, reason = file.with_name(UNFINISHED), content.get("not_resumable")
    unfinished = (
        Unfinished(path, b"", refused=reason)
        if reason
        else _load_unfinished(path, hashes.get(UNFINISHED, ""))
    )
    return name, replace(result, unfinished=unfinished)


def _in(folder: Path, result: Result, old: str | None) -> Result:
    """Return a result with the snapshots that are beside it, also where its folder was moved."""
    if old is None or Path(old) == folder:
        return result
    outputs = {
        name: value.moved(Path(old), folder) if isinstance(value, WrittenSnapshot) else value
        for name, value in result.outputs.items()
    }
    return replace(result, outputs=outputs)


def _load_unfinished(path: Path, known: str) -> Unfinished | None:
    """Return what going on takes, as it is now; another user's is not read, but told of then."""
    try:
        return Unfinished(path, read_own(path), known)
    except FileNotFoundError:
        return Unfinished(path, b"", known) if known else None
    except RunError as error:
        return Unfinished(path, b"", known, str(error))


def _require_signed(text: str, file: Path) -> None:
    content = json.loads(text)
    known = content.pop("sha256", "")
    if _sha256(json.dumps(content, indent=1, ensure_ascii=False)) != known:
        raise FileError(
            f"{file} is not as it was written: its numbers do not have the SHA-256 that it tells. "
            "It is damaged, or somebody edited it: run the analysis anew."
        )


def _require_snapshot(stored: WrittenSnapshot, file: Path) -> None:
    for path, known in zip(map(Path, stored.paths), stored.sha256, strict=True):
        if path.exists() and path.stat().st_size <= QUICK:
            _require_same(path, known, file)


def _require_same(path: Path, known: str | None, file: Path) -> None:
    if known and path.exists() and sha256_of(path) != known:
        raise FileError(
            f"{path} is not the file that {file} tells of: it is of another run, or was changed. "
            f"Run the analysis anew, or move {path.name} away to load the rest."
        )


def _from_dict(content: Mapping[str, Any]) -> Result:
    dataset = dict(content["dataset"])
    dataset["files"] = tuple(dataset["files"])
    failures = content["failures"]
    return Result(
        Dataset(**dataset),
        Cutflow(tuple(CutRow(**row) for row in content["cutflow"])),
        {name: _load_output(value) for name, value in content["outputs"].items()},
        Failures(tuple(Failure(**item) for item in failures["items"]), failures["files"]),
        Timing.from_dict(content["timing"]),
        {name: Link(**link) for name, link in content["links"].items()},
        Provenance(**content["provenance"]),
        content["fraction"],
        content.get("stopped", ""),
        unwritten=content.get("unwritten", {}),
    )


def _load_output(value: Mapping[str, Any]) -> Any:
    import hist

    if "snapshot" in value:
        hashes = tuple(value.get("sha256", ()))
        return WrittenSnapshot(tuple(value["snapshot"]), value["rows"], hashes)
    return hist.Hist(value["histogram"])
