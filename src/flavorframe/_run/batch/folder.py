"""The folder of a batch run: what its jobs need, and what gathering its result needs."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flavorframe._files.trust import read_own
from flavorframe._files.writing import file_name, make_folder, write_private
from flavorframe._planning.plan import Plan
from flavorframe._run.batch.parts import fault, read_part, write_part
from flavorframe._run.batch.request import one_line
from flavorframe._run.batch.shares import Share
from flavorframe._run.core.options import RunOptions
from flavorframe._run.outcome import Outcome
from flavorframe._shipping.user_code import environment, packed, unpacked
from flavorframe.datasets import Dataset
from flavorframe.engines import Engine, FileInfo
from flavorframe.errors import FileError

if TYPE_CHECKING:
    from flavorframe._run.batch.system import BatchSystem

DEFAULT = "flavorframe-runs"
"""Where run folders are made, below the current folder, unless the batch system says."""


@dataclass(frozen=True)
class Work:
    """What every job of a run gets: the plan, how to evaluate it, and the shares of all jobs.

    ``known`` has the files that an earlier run has read, where this run completes that one.
    """

    plan: Plan
    tree: str | None
    engine: str | Engine
    partition_size: int
    threads: int
    retries: int
    known: Mapping[str, FileInfo]
    jobs: tuple[tuple[Share, ...], ...]


@dataclass(frozen=True)
class Sent:
    """What gathering a run needs beside its parts: the batch system, the dataset, the options."""

    work: Work
    dataset: Dataset
    system: BatchSystem
    options: RunOptions
    earlier: Outcome | None
    saved: Path | None = None
    name: str = ""


@dataclass(frozen=True)
class RunFolder:
    """The folder of a batch run.

    ``run.json`` says what it is, ``work.pickle`` is for the jobs and ``sent.pickle`` for gathering;
    ``submissions.json`` has the identifier of each attempt. ``parts/`` and ``logs/``
    fill as the jobs run.
    """

    path: Path

    @classmethod
    def make(cls, sent: Sent) -> RunFolder:
        """Make the folder of a new run, for its owner alone, and write the run into it."""
        contents = {"work.pickle": packed(sent.work), "sent.pickle": packed(sent)}
        below = Path(sent.system.folder or DEFAULT).expanduser().absolute()
        one_line("folder", str(below))  # it stands in scripts
        made = cls(_free(below, sent.dataset.name))
        make_folder(made.path)
        made.path.chmod(0o700)  # jobs run what lies here
        for name in ("parts", "logs"):
            make_folder(made.path / name)
        for name, content in contents.items():
            made._write(name, content)
        text = json.dumps(_description(sent), indent=1, ensure_ascii=False)
        made._write("run.json", text.encode())
        return made

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Return the folder of an earlier run; raises FileError if it is none."""
        folder = cls(path.expanduser().absolute())
        if not (folder.path / "run.json").is_file():
            raise FileError(f"{path} is not the folder of a batch run: it holds no run.json.")
        return folder

    @property
    def description(self) -> dict[str, Any]:
        """The description of the run: for people, and to check that jobs have the same versions."""
        return dict(self._read_json("run.json"))

    @property
    def work(self) -> Work:
        """What the jobs get."""
        work: Work = unpacked(read_own(self.path / "work.pickle"))
        return work

    @property
    def sent(self) -> Sent:
        """What the run was made from."""
        sent: Sent = unpacked(read_own(self.path / "sent.pickle"))
        return sent

    # Parts and logs

    def part(self, number: int) -> Path:
        """Return where a job's part is, or will be."""
        return self.path / "parts" / part_name(number)

    def label(self, number: int) -> str:
        """Return the label of a job's part, which no job of another run shares."""
        return f"job {number} of run {self._run}"

    @cached_property
    def _run(self) -> str:
        return str(self.description.get("run"))

    def write_part(self, number: int, records: Iterable[Any], path: Path | None = None) -> None:
        """Write a job's part, by default where it is looked for."""
        write_part(path or self.part(number), self.label(number), records)

    def read_part(self, number: int) -> Generator[Any, None, None]:
        """Return the records of a job's part; raises FileError if it is faulty."""
        return read_part(self.part(number), self.label(number))

    def fault(self, number: int) -> str | None:
        """Return what is wrong with a job's part, if anything; None if there is no part."""
        return fault(self.part(number), self.label(number))

    def tidy(self) -> None:
        """Remove files that killed jobs left half written, once all jobs have ended."""
        for begun in (self.path / "parts").glob(".*"):
            begun.unlink(missing_ok=True)

    def log(self, job_id: str) -> Path:
        """Return where the output of an attempt goes."""
        return self.path / "logs" / f"{job_id}.log"

    # Attempts

    @property
    def attempts(self) -> dict[int, list[str]]:
        """The batch system's identifiers of the attempts at each job, the latest last."""
        found: dict[int, list[str]] = {}
        for submission in self._read_json("submissions.json"):
            for number, job_id in submission["jobs"]:
                found.setdefault(number, []).append(job_id)
        return found

    def add_submission(self, jobs: Sequence[tuple[int, str]]) -> None:
        """Note the numbers of submitted jobs, each with its identifier in the batch system."""
        known = self._read_json("submissions.json")
        text = json.dumps([*known, {"time": _now(), "jobs": jobs}])
        self._write("submissions.json", text.encode())

    @contextlib.contextmanager
    def submitting(self) -> Iterator[bool]:
        """Yield whether this process may submit: of those that watch a run, one at a time may."""
        import fcntl

        with open(self.path / "lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            except OSError:
                pass  # without locks, two processes that watch one run both submit
            yield True

    def _write(self, name: str, content: bytes) -> None:
        write_private(self.path / name, content)

    def _read_json(self, name: str) -> Any:
        path = self.path / name
        return json.loads(path.read_text("utf-8")) if path.exists() else []


def part_name(number: int | str) -> str:
    """Return the name of a job's part.

    >>> part_name(17)
    '00017.part'
    """
    return f"{number:05d}.part" if isinstance(number, int) else f"{number}.part"


def _free(folder: Path, name: str) -> Path:
    """Return a folder that does not exist yet, named after the dataset and the time."""
    stem = f"{file_name(name)}-{datetime.now():%Y%m%d-%H%M%S}"
    return folder / (f"{stem}-{secrets.token_hex(2)}" if (folder / stem).exists() else stem)


def _description(sent: Sent) -> dict[str, Any]:
    return {
        "run": secrets.token_hex(8),
        "time": _now(),
        "dataset": sent.dataset.name,
        "files": len(sent.dataset.files),
        "jobs": len(sent.work.jobs),
        "plan": sent.work.plan.digest,
        "site": repr(sent.system),
        **environment(),
    }


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
