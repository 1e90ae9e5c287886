"""The outputs of a result, of every kind: how they add up, read in a line, and go to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flavorframe.result import _histograms
from flavorframe.result.table import Table
from flavorframe.result.written import WrittenSnapshot


def added(a: Any, b: Any) -> Any:
    """Return the same output of two results together."""
    if isinstance(a, WrittenSnapshot):
        return WrittenSnapshot(a.paths + b.paths, a.rows + b.rows, a.sha256 + b.sha256)
    if isinstance(a, Table):
        return a + b
    return _histograms.added(a, b)


def summary(value: Any) -> str:
    """Return what an output holds, in a line."""
    if isinstance(value, WrittenSnapshot):
        return f"{value.rows:,} rows in {', '.join(value.paths)}"
    if isinstance(value, Table):
        return f"{len(value):,} rows of {', '.join(value.columns)}"
    inside = value.sum()
    total = getattr(inside, "value", inside)
    return f"histogram of {', '.join(a.label for a in value.axes)}, {total:,.6g} entries in range"


def to_json(value: Any) -> dict[str, Any]:
    """Return an output as JSON has it; `_json.dump` writes the histogram in it."""
    if isinstance(value, WrittenSnapshot):
        return {
            "snapshot": list(value.paths), "rows": value.rows, "sha256": list(value.sha256)
        }  # fmt: skip
    if isinstance(value, Table):
        return {"snapshot": [], "rows": len(value)}
    return {"histogram": value}


def from_json(value: Mapping[str, Any]) -> Any:
    """Return the output that `to_json` made an object of."""
    import hist

    if "snapshot" in value:
        hashes = tuple(value.get("sha256", ()))
        return WrittenSnapshot(tuple(value["snapshot"]), value["rows"], hashes)
    return hist.Hist(value["histogram"])
