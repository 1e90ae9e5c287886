"""Files that jobs read from the folder of the run: credentials, corrections, the user's files."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe._files.remote.credentials import USUAL, credentials_for
from flavorframe._planning.plan import Plan
from flavorframe._run.batch.request import seconds
from flavorframe._run.core.options import RunOptions
from flavorframe._run.delivery.delivery import Delivery, telling_of_strangers
from flavorframe._run.delivery.work_folder import (
    CORRECTIONS,
    FILES,
    MODELS,
    PROXY,
    S3_KEYS,
    S3_SETTINGS,
    TOKEN,
    Payload,
)
from flavorframe.datasets import Dataset
from flavorframe.errors import CredentialError

if TYPE_CHECKING:
    from flavorframe._run.batch.system import BatchSystem


def delivery_for(
    plan: Plan, dataset: Dataset, system: BatchSystem, options: RunOptions
) -> Delivery:
    """Return what the jobs need; credentials must last as long as the jobs may take.

    Raises CredentialError for credentials that are missing or end too early.
    """
    needed = USUAL if system.time is None else timedelta(seconds=seconds(system.time))
    return Delivery.of(plan, dataset, options.files, needed)


def renewable(dataset: Dataset) -> Delivery:
    """Return the credentials to renew while the jobs run; none if none is valid now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user was warned when the run was sent
        try:
            return Delivery(credentials_for(dataset.places))
        except CredentialError:
            return Delivery()


def present(folder: Path, *, proxy: bool) -> list[str]:
    """Return the names of the files that are in the folder for its jobs."""
    names = [TOKEN, S3_KEYS, S3_SETTINGS, FILES, CORRECTIONS, MODELS, *([PROXY] if proxy else [])]
    return [name for name in names if (folder / name).exists()]


def remove(folder: Path) -> None:
    """Remove the files for jobs, once all jobs have ended."""
    for name in present(folder, proxy=True):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@dataclass
class Renewal:
    """Gives credentials that the user has renewed to the jobs of a run."""

    folder: Path
    delivery: Delivery
    _sent: dict[str, bytes] = field(default_factory=dict, repr=False)
    _told: set[str] = field(default_factory=set)

    def renew(self) -> None:
        """Write credentials that have changed; the old ones stay until the new ones are valid."""
        if not self.delivery.credentials:
            return
        try:
            with telling_of_strangers(self._told):
                self.delivery.current()
                secrets = self.delivery.secrets()
        except CredentialError:
            return
        if secrets != self._sent:
            Payload(secrets).write(self.folder)
            self._sent = secrets
