"""What tests of jobs share: their folders, and cuts that do something once."""

import json
import os
from pathlib import Path

import numpy as np

import flavorframe as ff
from flavorframe._run.batch.collect import Parts
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.records import records
from flavorframe._run.batch.shares import divide
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import FileRange
from flavorframe.engines import get_engine


def run_folder(site):
    (folder,) = Path(site.folder).iterdir()
    return folder


def submissions(site):
    content = json.loads((run_folder(site) / "submissions.json").read_text())
    return [[number for number, _ in submission["jobs"]] for submission in content]


def in_jobs(plan, data, jobs, folder):
    """Return the outcome of a plan in so many batch jobs, which this process does itself."""
    shares = tuple(divide([FileRange(file) for file in data.files], jobs))
    work = Work(plan, None, "columnar", 2, 1, 0, {}, shares)
    written = RunFolder.make(Sent(work, data, ff.Slurm(folder=folder), RunOptions(), None))
    with Accumulator(plan, data, get_engine("columnar"), RunOptions()) as accumulator:
        parts = Parts(written, work, accumulator)
        for number, job in enumerate(shares):
            written.write_part(number, records(work, job))
            parts.take(number, None)
        parts.end()
    return accumulator.outcome(1)


def once(marker, act):
    """Return a function of arrays that acts in the first process that comes to it."""
    marker = str(marker)

    @ff.function
    def function(x):

        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return np.ones(len(x), bool)
        act()
        return np.ones(len(x), bool)

    return function
