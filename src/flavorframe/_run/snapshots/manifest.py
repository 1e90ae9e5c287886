"""The manifest beside a snapshot: what is in it, from which inputs, and its hash."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from flavorframe._files.writing import writing
from flavorframe._run.core.executor import Outcome
from flavorframe._run.snapshots.earlier_rows import manifest_path
from flavorframe._run.snapshots.rows import Rows
from flavorframe.outputs import Snapshot
from flavorframe.result import WrittenSnapshot


def write_manifest(name: str, outcome: Outcome, rows: Rows) -> None:
    """Write ``NAME.manifest.json`` of a snapshot that went to files, for it to be placed with them.

    Raises OutputError where it cannot be written.
    """
    stored, spec = outcome.rows[name], dict(outcome.plan.outputs)[name]
    if isinstance(stored, WrittenSnapshot) and isinstance(spec, Snapshot):
        path = manifest_path(stored, spec)
        content = manifest(name, stored, outcome) | {"earlier": rows.earlier(name)}
        hidden = outcome.written.new(path)
        try:
            with writing(path):
                text = json.dumps(content, indent=1, ensure_ascii=False)
                hidden.write_text(text, encoding="utf-8")
        except BaseException:
            outcome.written.drop(hidden)
            raise


def manifest(name: str, stored: WrittenSnapshot, outcome: Outcome) -> dict[str, Any]:
    """Return what a snapshot's manifest says."""
    names = [Path(path).name for path in stored.paths]
    files = [{"file": f, "sha256": s} for f, s in zip(names, stored.sha256, strict=True)]
    return {
        "snapshot": name,
        **(files[0] if len(files) == 1 else {"files": files}),
        "rows": stored.rows,
        "events": outcome.partial.cutflow[0].events,
        "candidates": outcome.partial.cutflow[-1].candidates,
        "complete": not outcome.gaps,
        "dataset": outcome.dataset.name,
        "plan": outcome.plan.digest,
        "inputs": _inputs(outcome),
    }


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
