"""What a run gives back: cutflow, tables, failures and timing, each with text and HTML reprs."""

from flavorframe._snapshots.writing import SnapshotWriter
from flavorframe.result.cutflow import Cutflow, CutRow
from flavorframe.result.efficiency import Efficiency
from flavorframe.result.failures import Failure, Failures
from flavorframe.result.table import Table
from flavorframe.result.timing import Timing

__all__ = [
    "CutRow",
    "Cutflow",
    "Efficiency",
    "Failure",
    "Failures",
    "SnapshotWriter",
    "Table",
    "Timing",
]
