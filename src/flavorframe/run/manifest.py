"""The manifest beside a snapshot: what is in it, from which inputs, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from flavorframe.outputs import Snapshot
from flavorframe.plan import Plan
from flavorframe.result.result import WrittenSnapshot
from flavorframe.run.executor import Outcome
from flavorframe.writing import replacing

PIECE = 1 << 22


def write_manifests(outcome: Outcome) -> None:
    """Write ``NAME.manifest.json`` beside each snapshot that went to files."""
    for name, stored in outcome.rows.items():
        if isinstance(stored, WrittenSnapshot):
            with replacing(manifest_path(outcome.plan, name, stored)) as hidden:
                content = json.dumps(manifest(name, stored, outcome), indent=1, ensure_ascii=False)
                hidden.write_text(content, encoding="utf-8")


def manifest_path(plan: Plan, name: str, stored: WrittenSnapshot) -> Path:
    """Return where the manifest is: beside the file, or under the name that several have in common.

    For ``rows.root`` that is ``rows.root.manifest.json``, also where its rows are in several files.
    """
    named = dict(plan.outputs)[name]
    whole = (
        Path(named.path) if isinstance(named, Snapshot) and named.path else Path(stored.paths[0])
    )
    return Path(stored.paths[0]).with_name(f"{whole.name}.manifest.json")


def manifest(name: str, stored: WrittenSnapshot, outcome: Outcome) -> dict[str, Any]:
    """Return what a snapshot's manifest says."""
    paths = [Path(path) for path in stored.paths]
    files = [{"file": path.name, "sha256": sha256_of(path)} for path in paths]
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


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
