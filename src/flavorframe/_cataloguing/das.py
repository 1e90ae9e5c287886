"""Datasets of CMS, as its Data Aggregation Service knows them: by ``dasgoclient``.

The form of the answers: https://github.com/dmwm/dasgoclient.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from flavorframe._cataloguing import cms
from flavorframe._cataloguing.making import Era
from flavorframe._files.locations import normalized
from flavorframe.errors import DatasetError, FileError

PROGRAM = "dasgoclient"
SERVERS = ("root://cms-xrd-global.cern.ch/",)
"""Where the files are by default: the redirector that knows all sites."""
_MISSING = (
    f"{PROGRAM} is not installed: it is in /cvmfs/cms.cern.ch/common, which "
    "/cvmfs/cms.cern.ch/cmsset_default.sh puts on the PATH."
)


def of_das(dataset: str, servers: Sequence[str], tree: str | None) -> Era:
    """Return an era of the valid files of a dataset, which each of the servers has.

    Raises DatasetError for a dataset without files, FileError where DAS cannot be asked.
    """
    if not cms.is_dataset(dataset):
        raise DatasetError(
            f"--das {dataset}: datasets of CMS are named /PRIMARY/ERA-PROCESSING-VERSION/TIER."
        )
    records = {record["name"]: record for record in _files(_answer(dataset), dataset)}
    valid = [records[name] for name in sorted(records) if records[name].get("is_file_valid", 1)]
    if not valid:
        raise DatasetError(f"--das {dataset}: DAS knows no valid file of it: is its name right?")
    files = tuple(_places(record["name"], servers) for record in valid)
    counts: list[Any] = [record.get("nevents") for record in valid]
    events = None if None in counts else sum(map(int, counts))
    return Era(files, tree, events, cms.is_simulation(dataset), {"das": dataset})


def _places(name: str, servers: Sequence[str]) -> tuple[str, ...]:
    return tuple(normalized(f"{server.rstrip('/')}/{name}") for server in servers)


def _answer(dataset: str) -> str:
    """Return what the program prints for the files of a dataset; it explains errors there too."""
    instance = " instance=prod/phys03" if cms.is_of_users(dataset) else ""
    query = f"file dataset={dataset}{instance}"
    command = [PROGRAM, "-query", query, "-json", "-limit", "0"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise FileError(f"--das {dataset}: {_MISSING}") from None
    except OSError as error:
        raise FileError(f"--das {dataset}: {PROGRAM} does not start: {error}") from None
    if done.returncode != 0:
        said = " ".join(f"{done.stdout} {done.stderr}".split())
        code = f"exit code {done.returncode}"
        raise FileError(f"--das {dataset}: {PROGRAM} failed ({code}): {said[:500] or 'no reason'}")
    return done.stdout


def _files(answer: str, dataset: str) -> list[dict[str, Any]]:
    """Return the records of files; each service that DAS asks gives records of its own."""
    try:
        records = json.loads(answer or "[]")
        files = [file for record in records for file in record.get("file") or ()]
        return [file for file in files if file.get("name")]
    except (ValueError, AttributeError, TypeError):
        raise FileError(
            f"--das {dataset}: {PROGRAM} answers something else than records: {answer[:200]!r}"
        ) from None
