"""A result as JSON: valid for everybody, and every bit of a number kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from flavorframe._files.json_numbers import decoded, encoded
from flavorframe.datasets import Dataset
from flavorframe.result import _outputs
from flavorframe.result.cutflow import Cutflow

if TYPE_CHECKING:
    from flavorframe.result.result import Result

VERSION = 2
"""The version that is written."""


def to_dict(result: Result) -> dict[str, Any]:
    """Return a result as JSON can hold it."""
    return {
        "version": VERSION,
        "dataset": _dataset(result.dataset),
        "events": result.events,
        "fraction": result.fraction,
        "stopped": result.stopped,
        "luminosity": result.luminosity,
        "cutflow": result.cutflow.to_dict(),
        "outputs": {name: _outputs.to_json(value) for name, value in result.outputs.items()},
        "failures": {"files": result.failures.files, "items": [asdict(f) for f in result.failures]},
        "links": {name: asdict(link) for name, link in result.links.items()},
        "timing": asdict(result.timing),
        "provenance": asdict(result.provenance),
        "unwritten": dict(result.unwritten),
        "warnings": list(result.warnings),
        "regions": {name: _cutflow(flow) for name, flow in result.regions.items()},
        "categories": list(result.cutflow.categories),
        "replicas": [asdict(each) for each in result.replicas],
        "generated": None if result.generated is None else asdict(result.generated),
    }


def _cutflow(flow: Cutflow) -> dict[str, Any]:
    return {"rows": flow.to_dict(), "categories": list(flow.categories)}


def _dataset(dataset: Dataset) -> dict[str, Any]:
    values = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
    layout = None if dataset.layout is None else dict(dataset.layout.declaration)
    friends = {name: asdict(each) for name, each in dataset.friends}
    left_out = [asdict(each) for each in dataset.left_out]
    return values | {
        "meta": dict(dataset.meta), "layout": layout, "friends": friends, "left_out": left_out
    }  # fmt: skip


def dump(content: Any) -> str:
    """Return JSON text of what `to_dict` gives, histograms included."""
    import uhi.io.json

    def default(value: Any) -> Any:
        return encoded(uhi.io.json.default(value))

    plain = encoded(content)
    return json.dumps(plain, default=default, indent=1, ensure_ascii=False, allow_nan=False)


def parsed(text: str) -> Any:
    """Return the content of JSON text that `dump` made, histograms included."""
    import uhi.io.json

    def hook(value: dict[str, Any]) -> Any:
        return decoded(uhi.io.json.object_hook(value))

    return json.loads(text, object_hook=hook)


def signed(text: str) -> str:
    """Return the text of a JSON object with its own SHA-256 as the last entry."""
    return f'{text[:-2]},\n "sha256": "{_sha256(text)}"\n}}'


def is_signed(text: str) -> bool:
    """Return whether the text has the SHA-256 that it had when it was written."""
    content = json.loads(text)
    known = content.pop("sha256", "")
    return _sha256(json.dumps(content, indent=1, ensure_ascii=False)) == str(known)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
