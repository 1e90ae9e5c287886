"""Conduct a detached run of this machine: ``python -m flavorframe._run.detached NAME``."""

import sys
from contextlib import suppress

from flavorframe._run.detached.run import conduct
from flavorframe._run.detached.store import FolderBoard, this_process
from flavorframe._travel.user_code import unpacked
from flavorframe.errors import RunError


def main(name: str) -> None:
    """Do the job that lies in the run's folder."""
    board = FolderBoard(name)
    with suppress(RunError):  # who submitted notes it too, and ends this where there is no room
        board.put("process", this_process())
    conduct(board, lambda: unpacked(board.get("job") or b""))


if __name__ == "__main__":
    main(sys.argv[1])
