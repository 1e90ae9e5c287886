"""Which of Dask's workers take part in a run, and which are left out, and why."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import islice

from flavorframe.errors import RunError

SILENT_SECONDS = 60.0
"""Seconds without a sign of life after which a worker counts as hanging."""
FAILED_READS = 3
"""A worker that has read no file is left out when it failed on so many remote files of others.

One such file is not enough, as a server may be down for a moment; one local file is enough.
"""
NEEDED = (
    "They need the same flavorframe, Python, numpy and correctionlib as here, and every installed "
    "package that the analysis's own functions use."
)
CHOICE = 50
"""Most workers that are named for a task that has failed on others."""


class Workers:
    """The workers of a run: which are present, which have read a file, which are left out."""

    def __init__(self) -> None:
        self.left_out: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.hung: set[str] = set()
        self.silent: dict[str, str] = {}
        self._present: list[str] = []
        self._able: dict[str, None] = {}
        self._failed_reads: Counter[str] = Counter()
        self._heard: dict[str, tuple[float, float]] = {}

    def set_present(self, workers: Collection[str]) -> None:
        """Note which workers there are now."""
        self._present = list(workers)

    def note_last_seen(self, last_seen: Mapping[str, float], now: float) -> None:
        """Note when the scheduler last heard of each worker, by its clock; ``now`` is by ours."""
        for worker, seen in last_seen.items():
            if self._heard.get(worker, (None,))[0] != seen:
                self._heard[worker] = seen, now
        self._heard = {worker: self._heard[worker] for worker in last_seen}
        self.hung = {w for w, (_, since) in self._heard.items() if now - since > SILENT_SECONDS}
        for worker in self.hung:
            self.silent[worker] = f"it gave no sign of life for {SILENT_SECONDS:g} s"

    def refuse(self, worker: str, reason: str) -> None:
        """Note that a worker may not take part."""
        self.refused[worker] = reason

    def require_all(self) -> None:
        """Raise RunError if a worker may not take part."""
        if self.refused:
            raise RunError(
                f"not all workers can take the analysis: {described(self.refused)}. {NEEDED} Or "
                "take those away, or use engine='columnar', which leaves them alone."
            )

    def require_one(self) -> None:
        """Raise RunError if there are workers and none of them may take part."""
        if self._present and all(worker in self.refused for worker in self._present):
            raise RunError(
                f"the workers cannot take the analysis: {described(self.refused)}. {NEEDED}"
            )

    def read(self, worker: str, others: Collection[str], file: str, *, remote: bool) -> None:
        """Note that a worker read a file, and leave out others that could not and seem unable."""
        self._able[worker] = None
        for other in others:
            self._failed_reads[other] += 1
            unable = other not in self._able and self._failed_reads[other] >= FAILED_READS
            if (unable or not remote) and self._would_leave_some(other):
                self.left_out[other] = f"it could not read {file}, which {worker} could"

    def _would_leave_some(self, worker: str) -> bool:
        return any(
            w != worker for w in self._present if w not in self.left_out and w not in self.refused
        )

    def choice(self, tried: Collection[str] = ()) -> tuple[str, ...] | None:
        """Return the workers for a task that some have ``tried``; ``None`` if any may take it.

        Workers that have read a file are preferred; those that were left out are taken only if
        there are no others. Without workers it is empty.
        """
        if not (tried or self.left_out or self.refused or self.hung):
            return None
        may = [w for w in self._present if w not in self.refused and w not in self.hung]
        untried = [w for w in may if w not in tried] or may
        fit = [w for w in untried if w not in self.left_out] or untried
        able = [w for w in fit if w in self._able] if tried else fit
        return tuple(islice(able or fit, CHOICE if tried else None))

    def warn_of_left_out(self) -> None:
        """Warn of workers that were left out: something is wrong with them."""
        reasons = {**self.silent, **self.left_out, **self.refused}
        if reasons:
            warnings.warn(
                "what these workers of Dask could not do was left to others: "
                f"{described(reasons)}.",
                stacklevel=1,
            )

    def others(self, tried: Collection[str]) -> bool:
        """Whether there is a worker that has not tried yet."""
        away = {*tried, *self.refused, *self.hung}
        return any(worker not in away for worker in self._present)


def described(reasons: Mapping[str, str], most: int = 3) -> str:
    """Return the workers, each with its reason, as text for a message.

    >>> described({"tcp://a:1": "it hangs", "tcp://b:1": "it hangs", "tcp://c:1": "old"}, most=1)
    'worker tcp://a:1: it hangs; and 2 others'
    """
    first = [f"worker {worker}: {reason}" for worker, reason in islice(reasons.items(), most)]
    rest = len(reasons) - len(first)
    return "; ".join([*first, *([f"and {rest} others"] if rest else [])])
