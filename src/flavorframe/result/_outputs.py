"""The outputs of a result, of every kind: how they add up, read in a line, and go to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flavorframe._data_quality.duplicates import Duplicates
from flavorframe._data_quality.sections import LumiSections
from flavorframe._data_quality.tallies import TALLIED
from flavorframe._display.numbers import plural
from flavorframe._expr.variations import NOMINAL
from flavorframe.errors import AnalysisError
from flavorframe.outputs import VARIATION
from flavorframe.result import _histograms
from flavorframe.result.averages import added_means
from flavorframe.result.mean import DEVIATIONS, Mean
from flavorframe.result.table import Table
from flavorframe.result.written import WrittenSnapshot


def added(a: Any, b: Any) -> Any:
    """Return the same output of two results together.

    Raises AnalysisError for rows of which some are in memory and others in files.
    """
    if isinstance(a, WrittenSnapshot) != isinstance(b, WrittenSnapshot):
        written = a if isinstance(a, WrittenSnapshot) else b
        where = ", ".join(written.paths) or "no file, for they were not saved"
        raise AnalysisError(
            "Results cannot be added: rows of a snapshot are in memory in one of them, and in the "
            f"other in {where}. Run both with path= or output=, or neither."
        )
    if isinstance(a, WrittenSnapshot):
        return WrittenSnapshot(a.paths + b.paths, a.rows + b.rows, a.sha256 + b.sha256)
    if isinstance(a, (Table, Mean, *TALLIED)):
        return a + b
    if a.kind == "MEAN":
        return added_means(a, b)
    return _histograms.added(a, b)


def summary(value: Any) -> str:
    """Return what an output holds, in a line."""
    if isinstance(value, WrittenSnapshot):
        return f"{value.rows:,} rows in {', '.join(value.paths)}"
    if isinstance(value, Table):
        return f"{len(value):,} rows of {', '.join(value.columns)}"
    if isinstance(value, TALLIED):
        return repr(value)
    if isinstance(value, Mean):
        return f"mean {value!r}"
    if value.kind == "MEAN":
        return f"means by {', '.join(a.label for a in value.axes)}"
    nominal = _histograms.varied(value, NOMINAL)
    inside = nominal.sum()
    total = getattr(inside, "value", inside)
    axes = ", ".join(axis.label for axis in nominal.axes)
    variations = _histograms.labels_of(value, VARIATION)[1:]
    varied = f", {len(variations)} {plural(len(variations), 'variation')}" if variations else ""
    return f"histogram of {axes}, {total:,.6g} entries in range{varied}"


def to_json(value: Any) -> dict[str, Any]:
    """Return an output as JSON has it; `_json.dump` writes the histogram in it."""
    if isinstance(value, WrittenSnapshot):
        return {
            "snapshot": list(value.paths), "rows": value.rows, "sha256": list(value.sha256)
        }  # fmt: skip
    if isinstance(value, Table):
        return {"snapshot": [], "rows": len(value)}
    if isinstance(value, Mean):
        return {"mean": asdict(value)}
    if isinstance(value, LumiSections):
        return {"lumi_sections": [list(section) for section in value.sections]}
    if isinstance(value, Duplicates):
        return {"duplicates": value.to_dict()}
    if value.kind == "MEAN":  # its variances alone are kept of a histogram, NaN below two entries
        return {"histogram": value, "deviations": value.view(flow=True)[DEVIATIONS].tolist()}
    return {"histogram": value}


def from_json(value: Mapping[str, Any]) -> Any:
    """Return the output that `to_json` made an object of."""
    import hist

    if "snapshot" in value:
        hashes = tuple(value.get("sha256", ()))
        return WrittenSnapshot(tuple(value["snapshot"]), value["rows"], hashes)
    if "mean" in value:
        return Mean(**value["mean"])
    if "lumi_sections" in value:
        return LumiSections.of(map(tuple, value["lumi_sections"]))
    if "duplicates" in value:
        return Duplicates.from_dict(value["duplicates"])
    histogram = hist.Hist(value["histogram"])
    if "deviations" in value:
        histogram.view(flow=True)[DEVIATIONS] = value["deviations"]
    return histogram
