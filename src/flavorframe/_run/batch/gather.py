"""Gather a batch run that was sent earlier, from any process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flavorframe._run.batch.collect import collect, threads_of
from flavorframe._run.batch.folder import RunFolder
from flavorframe._run.core import interrupts
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.ending import result_of, saving_to
from flavorframe.engines import get_engine
from flavorframe.result import Result


def gather(path: Path, options: Mapping[str, Any]) -> Result:
    """Return the result of a run that was sent earlier; see `flavorframe.Slurm.gather`.

    ``options`` replace those that the run was sent with.
    """
    folder = RunFolder.open(path)
    sent = folder.sent
    plan, dataset, engine = sent.work.plan, sent.dataset, get_engine(sent.work.engine)
    chosen = replace(sent.options, **options)
    with interrupts.deferred(), saving_to(sent.saved):
        with Accumulator(plan, dataset, engine, chosen, sent.earlier) as accumulator:
            collect(folder, sent, chosen, accumulator)
        outcome = accumulator.outcome(threads_of(sent))
        outcome.folder, outcome.name = sent.saved, sent.name
        return result_of(outcome)
