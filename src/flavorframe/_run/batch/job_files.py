"""Job files: credentials, corrections and files that jobs read, in the folder of the run."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from flavorframe._files.remote.credentials import USUAL, credentials_for
from flavorframe._planning.plan import Plan
from flavorframe._run.batch.request import seconds
from flavorframe._run.batch.site import Site
from flavorframe._run.core.options import RunOptions
from flavorframe._run.delivery.delivery import Delivery
from flavorframe._run.delivery.work_folder import (
    CORRECTIONS,
    FILES,
    PROXY,
    S3_KEYS,
    S3_SETTINGS,
    TOKEN,
    Payload,
)
from flavorframe.datasets import Dataset
from flavorframe.errors import CredentialError


def delivery_for(plan: Plan, dataset: Dataset, site: Site, options: RunOptions) -> Delivery:
    """Return what the jobs need, checked against the time that they may take.

    Raises CredentialError for credentials that will not do.
    """
    needed = USUAL if site.time is None else timedelta(seconds=seconds(site.time))
    return Delivery.of(plan, dataset, options.files, needed)


def renewable(dataset: Dataset) -> Delivery:
    """Return the credentials to renew while the jobs run: none where none is valid now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user was warned when the run was sent
        try:
            return Delivery(credentials_for(dataset.files))
        except CredentialError:
            return Delivery()


def present(folder: Path, *, proxy: bool) -> list[str]:
    """Return the names of what lies in the folder for its jobs, with the proxy or without."""
    names = [TOKEN, S3_KEYS, S3_SETTINGS, FILES, CORRECTIONS, *([PROXY] if proxy else [])]
    return [name for name in names if (folder / name).exists()]


def remove(folder: Path) -> None:
    """Remove it, once no job needs it any more."""
    for name in present(folder, proxy=True):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@dataclass
class Renewal:
    """Hands on credentials that the user has renewed to the jobs of a run."""

    folder: Path
    delivery: Delivery
    _sent: dict[str, bytes] = field(default_factory=dict, repr=False)

    def look(self) -> None:
        """Write renewed credentials; the old ones stay while there are no valid new ones."""
        if not self.delivery.credentials:
            return
        try:
            self.delivery.current()
            secrets = self.delivery.secrets()
        except CredentialError:
            return
        if secrets != self._sent:
            Payload(secrets).write(self.folder)
            self._sent = secrets
