"""The legacy loop as an engine, so that it runs wherever analyses do: as batch jobs, for example.

``analysis.run(data, engine=LegacyLoop(), on=ff.Slurm(...))`` runs it over partitions as Slurm jobs
and adds their counts up, and ``ff.certify(analysis, data, engines=["columnar", LegacyLoop()])``
compares it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.contenders.legacy_loop import STEPS, loop
from flavorframe._planning.plan import Plan
from flavorframe.datasets import Partition
from flavorframe.engines import FileInfo, Partial, get_engine
from flavorframe.errors import AnalysisError
from flavorframe.result import Cutflow, Timing


class LegacyLoop:
    """Runs the compiled loop, which has one selection: the steps of the example, and its mass."""

    name = "legacy loop"

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file; raises AnalysisError for another analysis than the loop's."""
        names = tuple(row.name for row in self.empty(plan).cutflow)
        outputs = [name for name, _ in plan.outputs]
        if names != STEPS or outputs != ["mass"]:
            raise AnalysisError(
                f"The legacy loop has the steps {', '.join(STEPS)} and the output mass, and the "
                f"analysis has {', '.join(names)} and {', '.join(outputs)}."
            )
        return get_engine("columnar").prepare(plan, file, tree)

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Run the loop over a range of events of one file."""
        found = loop([partition.file], partition.start, partition.stop)
        empty = self.empty(plan)
        counts = zip(empty.cutflow, found["events"], found["candidates"], strict=True)
        rows = tuple(replace(row, events=e, candidates=c) for row, e, c in counts)
        empty.histograms["mass"].view(flow=True)[...] = np.array(found["mass"])
        timing = Timing(events=len(partition))
        return replace(empty, cutflow=Cutflow(rows), timing=timing)

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        return get_engine("columnar").empty(plan)
