"""A batch job: ``python -m flavorframe._run.batch.job FOLDER NUMBER [PART]`` evaluates its share.

It reads its work from the run's folder, and writes its part there, or to the path in the third
argument. An error of the analysis itself is written as the part. Where anything else stops a job,
there is no part, and the job is submitted again.
"""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from flavorframe._rootio import own_process
from flavorframe._run.batch.folder import RunFolder
from flavorframe._run.batch.records import is_of_the_analysis, records, stopped
from flavorframe._run.delivery.work_folder import in_use
from flavorframe._shipping.user_code import environment


def main(arguments: Sequence[str]) -> None:
    """Do the work of a job and write its part."""
    own_process.tune_process()
    folder, number = RunFolder(Path(arguments[0]).absolute()), int(arguments[1])
    part = Path(arguments[2]).absolute() if arguments[2:] else None
    print(f"job {number} on {platform.node()}, Python {platform.python_version()}", flush=True)
    _require_same_versions(folder.description)
    work = folder.work
    try:
        with in_use(folder.path):
            folder.write_part(number, records(work, work.jobs[number]), part)
    except Exception as error:
        if not is_of_the_analysis(error):
            raise
        traceback.print_exc()
        folder.write_part(number, [stopped(error)], part)
    print(f"job {number} is done", flush=True)


def _require_same_versions(sent: dict[str, str]) -> None:
    """Exit where this Python or flavorframe differs from the one that sent the job."""
    for name, version in environment().items():
        if version != sent.get(name):
            sys.exit(
                f"the job runs {name} {version} ({sys.executable}), but was sent from {name} "
                f"{sent.get(name)}: name the same one with python= or setup="
            )


if __name__ == "__main__":
    main(sys.argv[1:])
