"""The manifest beside a snapshot: what is in it, from which inputs, and its hash."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flavorframe._files.writing import writing
from flavorframe._planning.plan import region_of
from flavorframe._run.outcome import Outcome
from flavorframe.outputs import Snapshot
from flavorframe.result import Cutflow, WrittenSnapshot

Lineage = Sequence[dict[str, object]]
"""Which rows are those of earlier files: their SHA-256 and ranges of rows."""


def manifest_path(stored: WrittenSnapshot, spec: Snapshot) -> Path:
    """Return where the manifest is: beside the file, or under the name that several have in common.

    For ``rows.root`` that is ``rows.root.manifest.json``, also where its rows are in several files.
    """
    whole = Path(spec.path or stored.paths[0])
    return Path(stored.paths[0]).with_name(f"{whole.name}.manifest.json")


def read_manifest(stored: WrittenSnapshot, spec: Snapshot) -> dict[str, Any]:
    """Return what the manifest of a snapshot says; nothing where there is none."""
    try:
        manifest = json.loads(manifest_path(stored, spec).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def hashes_in(manifest: dict[str, Any]) -> list[str]:
    """Return the SHA-256 of each of the files that a manifest is of."""
    files = manifest.get("files", [manifest])
    return [file.get("sha256", "") for file in files]


def write_manifest(name: str, outcome: Outcome, lineage: Lineage) -> None:
    """Write ``NAME.manifest.json`` of a snapshot that went to files, for it to be placed with them.

    Raises OutputError where it cannot be written.
    """
    stored, spec = outcome.rows[name], dict(outcome.plan.outputs)[name]
    if isinstance(stored, WrittenSnapshot) and isinstance(spec, Snapshot):
        path = manifest_path(stored, spec)
        content = _content(name, stored, outcome) | {"earlier": lineage}
        hidden = outcome.written.new(path)
        try:
            with writing(path):
                text = json.dumps(content, indent=1, ensure_ascii=False)
                hidden.write_text(text, encoding="utf-8")
        except BaseException:
            outcome.written.drop(hidden)
            raise


def _content(name: str, stored: WrittenSnapshot, outcome: Outcome) -> dict[str, Any]:
    names = [Path(path).name for path in stored.paths]
    files = [{"file": f, "sha256": s} for f, s in zip(names, stored.sha256, strict=True)]
    return {
        "snapshot": name,
        **(files[0] if len(files) == 1 else {"files": files}),
        "rows": stored.rows,
        "events": outcome.events,
        "candidates": _cutflow(name, outcome)[-1].candidates,
        "complete": not outcome.gaps,
        "dataset": outcome.dataset.name,
        "plan": outcome.plan.digest,
        "inputs": _inputs(outcome),
    }


def _cutflow(snapshot: str, outcome: Outcome) -> Cutflow:
    """Return the cutflow of the region that a snapshot belongs to."""
    regions = outcome.partial.regions
    return regions.get(region_of(snapshot, regions), outcome.partial.cutflow)


def _inputs(outcome: Outcome) -> list[dict[str, Any]]:
    """Return each file with its events (``null`` where it was not opened) and what is missing."""
    events = {info.file: info.events for info in outcome.files}
    missing: dict[str, list[list[int | None]]] = defaultdict(list)
    for gap in outcome.gaps:
        missing[gap.file].append([gap.start, gap.stop])
    return [
        {"file": file, "events": events.get(file), "missing": missing.get(file, [])}
        for file in outcome.dataset.files
    ]
