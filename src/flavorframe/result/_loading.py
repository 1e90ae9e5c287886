"""Reading results from the folder that `_saving` wrote them to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flavorframe._data_quality.generated import Generated
from flavorframe._files.file_sets import settle, sha256_of
from flavorframe._files.trust import read_own
from flavorframe._files.writing import file_name
from flavorframe._planning.destinations import HISTOGRAMS, UNFINISHED
from flavorframe.datasets import Dataset, Friend
from flavorframe.datasets._left_out import from_dict as left_out_from
from flavorframe.errors import FileError, RunError
from flavorframe.layouts.declaring import declared
from flavorframe.result import _outputs
from flavorframe.result._json import VERSION, is_signed, parsed
from flavorframe.result.cutflow import Cutflow, CutRow
from flavorframe.result.failures import Failure, Failures
from flavorframe.result.links import Link
from flavorframe.result.provenance import Provenance
from flavorframe.result.replicas import Replica
from flavorframe.result.result import Result
from flavorframe.result.results import Results
from flavorframe.result.timing import Timing
from flavorframe.result.unfinished import Unfinished
from flavorframe.result.written import WrittenSnapshot

READABLE = (1, 2)
"""Versions that can be loaded; the first had no SHA-256."""
MOST_BYTES_CHECKED = 1 << 28
"""Size of the largest snapshots whose SHA-256 is compared when a result is loaded [bytes]."""
ATTEMPTS = 5
"""How often a result is read that others replace while it is read."""


def load(folder: str | os.PathLike[str]) -> Results:
    """Return the results that a folder holds; snapshots stay in their files.

    Args:
        folder: The folder that results were saved to.

    Raises:
        FileError: Where the folder holds none, or of a version that this flavorframe does not know,
            and where its files do not belong together.
    """
    place = Path(folder).expanduser()
    for each in filter(Path.is_dir, place.glob("*")):
        settle(each)
    files = sorted(place.glob("*/result.json"))
    if not files:
        raise FileError(f"{folder} holds no results: there is no <era>/result.json in it.")
    return Results(dict(map(_load_one, files)))


def _load_one(file: Path) -> tuple[str, Result]:
    """Load a result and its name; anew where another was saved in its place meanwhile."""
    for _ in range(ATTEMPTS):
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
    content, result = _parsed(file)
    hashes = content.get("files", {})
    _require_same(file.with_name(HISTOGRAMS), hashes.get(HISTOGRAMS), file)
    for value in result.outputs.values():
        if isinstance(value, WrittenSnapshot) and value.sha256:
            _require_snapshot(value, file)
    name = str(content.get("name", result.dataset.name))
    name = name if file_name(name) == file.parent.name else file.parent.name
    path, reason = file.with_name(UNFINISHED), content.get("not_resumable")
    unfinished = (
        Unfinished(path, b"", refused=reason)
        if reason
        else _load_unfinished(path, hashes.get(UNFINISHED, ""))
    )
    return name, replace(result, unfinished=unfinished)


def _parsed(file: Path) -> tuple[Mapping[str, Any], Result]:
    """Return the content of a file, and the result in it; raises FileError if it is none."""
    try:
        text = file.read_text("utf-8")
        content = parsed(text)
        if content["version"] not in READABLE:
            raise FileError(f"{file} has version {content['version']}, and {VERSION} is known.")
        if content["version"] > 1:
            _require_signed(text, file)
        result = _from_dict(content)
        return content, _relocated(file.parent.absolute(), result, content.get("folder"))
    except FileError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{file} is not a result of flavorframe: {error}") from error


def _relocated(folder: Path, result: Result, old: str | None) -> Result:
    """Return a result with the paths of its snapshots in a folder that may have been moved."""
    if old is None or Path(old) == folder:
        return result
    outputs = {
        name: value.moved(Path(old), folder) if isinstance(value, WrittenSnapshot) else value
        for name, value in result.outputs.items()
    }
    return replace(result, outputs=outputs)


def _load_unfinished(path: Path, known: str) -> Unfinished | None:
    """Return what resuming needs; the file of another user is not read, and refused on resuming."""
    try:
        return Unfinished(path, read_own(path), known)
    except FileNotFoundError:
        return Unfinished(path, b"", known) if known else None
    except RunError as error:
        return Unfinished(path, b"", known, str(error))


def _require_signed(text: str, file: Path) -> None:
    if not is_signed(text):
        raise FileError(
            f"{file} is not as it was written: its numbers do not have the SHA-256 that it tells. "
            "It is damaged, or somebody edited it: run the analysis anew."
        )


def _require_snapshot(stored: WrittenSnapshot, file: Path) -> None:
    for path, known in zip(map(Path, stored.paths), stored.sha256, strict=True):
        if path.exists() and path.stat().st_size <= MOST_BYTES_CHECKED:
            _require_same(path, known, file)


def _require_same(path: Path, known: str | None, file: Path) -> None:
    if known and path.exists() and sha256_of(path) != known:
        raise FileError(
            f"{path} is not the file that {file} tells of: it is of another run, or was changed. "
            f"Run the analysis anew, or move {path.name} away to load the rest."
        )


def _friend(content: Mapping[str, Any]) -> Friend:
    lists = {key: tuple(content[key]) for key in ("files", "on")}
    return Friend(**{**content, **lists})


def _cutflow(rows: Iterable[Mapping[str, Any]], categories: Iterable[str]) -> Cutflow:
    counted = (CutRow(**{**row, "categories": tuple(row.get("categories", ()))}) for row in rows)
    return Cutflow(tuple(counted), tuple(categories))


def _from_dict(content: Mapping[str, Any]) -> Result:
    dataset = dict(content["dataset"])
    dataset["files"] = tuple(dataset["files"])
    friends = dataset.get("friends", {}).items()
    dataset["friends"] = tuple((name, _friend(each)) for name, each in friends)
    dataset["left_out"] = tuple(map(left_out_from, dataset.get("left_out", ())))
    if dataset.get("layout") is not None:
        dataset["layout"] = declared(dataset["layout"])
    failures = content["failures"]
    return Result(
        Dataset(**dataset),
        _cutflow(content["cutflow"], content.get("categories", ())),
        {name: _outputs.from_json(value) for name, value in content["outputs"].items()},
        Failures(tuple(Failure(**item) for item in failures["items"]), failures["files"]),
        Timing.from_dict(content["timing"]),
        {name: Link(**link) for name, link in content["links"].items()},
        Provenance(**content["provenance"]),
        content["fraction"],
        content.get("stopped", ""),
        unwritten=content.get("unwritten", {}),
        warnings=tuple(content.get("warnings", ())),
        replicas=tuple(Replica(**each) for each in content.get("replicas", ())),
        regions={
            name: _cutflow(flow["rows"], flow["categories"])
            for name, flow in content.get("regions", {}).items()
        },
        generated=Generated(**content["generated"]) if content.get("generated") else None,
    )
