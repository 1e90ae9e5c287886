"""What a run gives back: cutflow, outputs, failures and timing, and the folder they are saved to.

- ``result``, ``results``: the result of a dataset, and those of several; they add up.
- ``cutflow``, ``efficiency``: ``cutflow`` says what to do for a new number in its rows.
- ``mean``, ``averages``: means, of all candidates and by bin.
- ``table``, ``written``: candidates in memory, and snapshots that are in files.
- ``failures``, ``replicas``, ``links``, ``timing``, ``provenance``: what is needed to trust a
  result.
- ``scaling``: simulation in the luminosity of data; ``_stacking``, ``_drawing``: both in a plot.
- ``_outputs``, ``_histograms``: what depends on the kind of an output; a new kind goes there.
- ``_summary``: the first line of a result, and the notes below its cutflow.
- ``_preview``: the first rows of a table, as notebooks show them.
- ``_json``, ``_saving``, ``_loading``: results in a folder. A new field of a result is written in
  ``_json.to_dict`` and read in ``_loading._from_dict``.
- ``unfinished``: what it takes to go on with a result.

Text and HTML are made by `flavorframe._display`.
"""

from flavorframe._snapshots.writing import SnapshotWriter
from flavorframe.result.cutflow import Cutflow, CutRow
from flavorframe.result.efficiency import Efficiency
from flavorframe.result.failures import Failure, Failures
from flavorframe.result.links import Link
from flavorframe.result.mean import Mean
from flavorframe.result.provenance import Provenance
from flavorframe.result.replicas import Replica, added_replicas
from flavorframe.result.result import Result
from flavorframe.result.results import Results
from flavorframe.result.table import Table
from flavorframe.result.timing import Timing
from flavorframe.result.written import WrittenSnapshot

__all__ = [
    "CutRow",
    "Cutflow",
    "Efficiency",
    "Failure",
    "Failures",
    "Link",
    "Mean",
    "Provenance",
    "Replica",
    "Result",
    "Results",
    "SnapshotWriter",
    "Table",
    "Timing",
    "WrittenSnapshot",
    "added_replicas",
]
