"""Conduct a detached run of this machine: ``python -m flavorframe._run.detached NAME``."""

import sys
from contextlib import suppress

from flavorframe._run.detached.conduct import conduct
from flavorframe._run.detached.folder_store import FolderStore, this_process
from flavorframe._shipping.user_code import unpacked
from flavorframe.errors import RunError


def main(name: str) -> None:
    """Do the job that lies in the run's folder."""
    store = FolderStore(name)
    with suppress(RunError):  # the process that submitted it records it as well, or ends this one
        store.put("process", this_process())
    conduct(store, lambda: unpacked(store.get("job") or b""))


if __name__ == "__main__":
    main(sys.argv[1])
