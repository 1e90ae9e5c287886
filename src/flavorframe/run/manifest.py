"""The manifest beside a snapshot: what is in it, from which inputs, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from flavorframe.result.result import WrittenSnapshot
from flavorframe.run.executor import Outcome
from flavorframe.writing import replacing

PIECE = 1 << 22


def write_manifests(outcome: Outcome) -> None:
    """Write ``NAME.manifest.json`` beside each snapshot that went to a file."""
    for name, stored in outcome.rows.items():
        if isinstance(stored, WrittenSnapshot):
            path = Path(stored.paths[0])
            with replacing(path.with_name(f"{path.name}.manifest.json")) as hidden:
                content = json.dumps(manifest(name, stored, outcome), indent=1, ensure_ascii=False)
                hidden.write_text(content, encoding="utf-8")


def manifest(name: str, stored: WrittenSnapshot, outcome: Outcome) -> dict[str, Any]:
    """Return what a snapshot's manifest says."""
    path = Path(stored.paths[0])
    return {
        "snapshot": name,
        "file": path.name,
        "sha256": sha256_of(path),
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
