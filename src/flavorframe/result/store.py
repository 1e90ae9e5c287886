"""Results on disk: a folder that people, ROOT and flavorframe itself can read.

``result.json`` holds everything but the snapshots, histograms in the UHI serialisation;
``histograms.root`` holds those of up to three axes once more, for ROOT: TH1, TH2 and TH3 of the
outputs' names, with labels, under- and overflow, and the errors of weighted ones. Snapshots are
files of their own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from flavorframe.datasets import Dataset
from flavorframe.destinations import HISTOGRAMS, RESULT, UNFINISHED, of_result, refuse_conflicts
from flavorframe.errors import FileError
from flavorframe.result.cutflow import Cutflow, CutRow
from flavorframe.result.failures import Failure, Failures
from flavorframe.result.result import Link, Provenance, Result, Results, WrittenSnapshot
from flavorframe.result.table import Table
from flavorframe.result.timing import Timing
from flavorframe.travel import packed
from flavorframe.trust import read_own
from flavorframe.writing import file_name, make_folder, replacing, write_private

VERSION = 1
MOST_AXES = 3
"""Of a histogram that has a form in ROOT: TH1, TH2 or TH3."""


def save(results: Result | Results, folder: str | os.PathLike[str]) -> Path:
    """Write results to a folder, each dataset's in a folder of its name, and return the path.

    Snapshots that are in memory become ROOT files beside them. Raises RunError where the folder
    cannot be written to, and AnalysisError where files that were read would be written over.
    """
    path = Path(folder)
    named = {results.dataset.name: results} if isinstance(results, Result) else dict(results)
    for name, result in named.items():
        _refuse_conflicts(result, path / file_name(str(name)), name)
    for name, result in named.items():
        _save_one(result, path / file_name(str(name)), str(name))
    return path


def folder_of(folder: Path, era: str) -> Path:
    """Return the folder of a result that was saved, below that of all."""
    own = folder / file_name(era)
    return own if own.is_dir() else folder / era


def load(folder: str | os.PathLike[str]) -> Results:
    """Return the results that a folder holds; snapshots stay in their files.

    Raises FileError where the folder holds none, or of a version that this flavorframe does not
    know.
    """
    files = sorted(Path(folder).glob("*/result.json"))
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
    }


def dump(content: Any) -> str:
    """Return JSON text of what `to_dict` gives, histograms included."""
    import uhi.io.json

    return json.dumps(content, default=uhi.io.json.default, indent=1, ensure_ascii=False)


def _refuse_conflicts(result: Result, folder: Path, name: str) -> None:
    tables = [
        (f"snapshot {output!r} of {name!r}", _table_file(folder, output))
        for output, value in result.outputs.items()
        if isinstance(value, Table)
    ]
    refuse_conflicts([*of_result(folder, name), *tables], result.dataset.files)


def _table_file(folder: Path, output: str) -> Path:
    return folder / f"{file_name(output)}.root"


def _save_one(result: Result, folder: Path, name: str) -> None:
    make_folder(folder)
    content = {"name": name, **to_dict(result)}
    written: dict[str, WrittenSnapshot] = {}
    for output, value in result.outputs.items():
        if isinstance(value, Table):
            path = value.to_root(_table_file(folder, output))
            written[output] = WrittenSnapshot((str(path),), len(value))
            content["outputs"][output] = _output(written[output])
    _save_histograms(result, folder / HISTOGRAMS)
    with replacing(folder / RESULT) as hidden:
        hidden.write_text(dump(content), encoding="utf-8")
    _save_unfinished(result, written, folder / UNFINISHED)


def _save_unfinished(result: Result, rows: Mapping[str, WrittenSnapshot], path: Path) -> None:
    """Save what `Result.resume` needs; rows that were in memory are in files now."""
    if result.unfinished is None:
        path.unlink(missing_ok=True)
    elif isinstance(result.unfinished, Path):
        write_private(path, read_own(result.unfinished))
    else:
        outcome = replace(result.unfinished, rows={**result.unfinished.rows, **rows})
        write_private(path, packed(outcome))


def _save_histograms(result: Result, path: Path) -> None:
    import hist
    import uproot

    with replacing(path) as hidden, uproot.recreate(hidden) as file:
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
        return {"snapshot": list(value.paths), "rows": value.rows}
    if isinstance(value, Table):
        return {"snapshot": [], "rows": len(value)}
    return {"histogram": value}


def _load_one(file: Path) -> tuple[str, Result]:
    """Return a result and its name: that of its folder, if somebody gave it another."""
    import uhi.io.json

    try:
        content = json.loads(file.read_text("utf-8"), object_hook=uhi.io.json.object_hook)
        if content["version"] != VERSION:
            raise FileError(f"{file} has version {content['version']}, and {VERSION} is known.")
        result = _from_dict(content)
        name = str(content.get("name", result.dataset.name))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{file} is not a result of flavorframe: {error}") from error
    unfinished = file.with_name(UNFINISHED)
    name = name if file_name(name) == file.parent.name else file.parent.name
    return name, replace(result, unfinished=unfinished) if unfinished.exists() else result


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
    )


def _load_output(value: Mapping[str, Any]) -> Any:
    import hist

    if "snapshot" in value:
        return WrittenSnapshot(tuple(value["snapshot"]), value["rows"])
    return hist.Hist(value["histogram"])
