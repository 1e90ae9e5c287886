"""Conduct a detached run of this machine: ``python -m flavorframe.run NAME``."""

import sys
from contextlib import suppress

from flavorframe.errors import RunError
from flavorframe.run.board import FolderBoard, this_process
from flavorframe.run.detached import conduct
from flavorframe.travel import unpacked


def main(name: str) -> None:
    """Do the job that lies in the run's folder."""
    board = FolderBoard(name)
    with suppress(RunError):  # who submitted notes it too, and ends this where there is no room
        board.put("process", this_process())
    conduct(board, lambda: unpacked(board.get("job") or b""))


if __name__ == "__main__":
    main(sys.argv[1])
