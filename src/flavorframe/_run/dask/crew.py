"""Who of Dask's workers takes part in a run, and who is left alone, and why."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import islice

from flavorframe.errors import RunError

SILENT_SECONDS = 60.0
"""A worker that has given no sign of life for so long hangs."""
MARKS = 3
"""So many remote files that others could read, and none that it read itself, are a worker's fault.

A server that is down for a moment is not; of local files, which fail fast, one is enough.
"""
NEEDED = (
    "They need the same flavorframe, Python, numpy and correctionlib as here, and every installed "
    "package that the analysis's own functions use."
)
CHOICE = 50
"""Workers that a task may choose from, where it may not go to all."""


class Crew:
    """The workers of a run: who is there, who has read something, who is left alone."""

    def __init__(self) -> None:
        self.left: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.hung: set[str] = set()
        self.silent: dict[str, str] = {}
        self._here: list[str] = []
        self._able: dict[str, None] = {}
        self._marks: Counter[str] = Counter()
        self._heard: dict[str, tuple[float, float]] = {}

    def see(self, workers: Collection[str]) -> None:
        """Note who is there now."""
        self._here = list(workers)

    def hear(self, last_seen: Mapping[str, float], now: float) -> None:
        """Note when the scheduler last heard of each worker, by its clock, and ``now`` by ours."""
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
        """Raise RunError where one may not take part."""
        if self.refused:
            raise RunError(
                f"not all workers can take the analysis: {told(self.refused)}. {NEEDED} Or take "
                "those away, or use engine='columnar', which leaves them alone."
            )

    def require_one(self) -> None:
        """Raise RunError where none of those who are there may take part."""
        if self._here and all(worker in self.refused for worker in self._here):
            raise RunError(f"the workers cannot take the analysis: {told(self.refused)}. {NEEDED}")

    def read(self, worker: str, others: Collection[str], file: str, *, remote: bool) -> None:
        """Note that a worker read what others could not: where that is their fault, leave them."""
        self._able[worker] = None
        for other in others:
            self._marks[other] += 1
            unable = other not in self._able and self._marks[other] >= MARKS
            if (unable or not remote) and self._would_leave_some(other):
                self.left[other] = f"it could not read {file}, which {worker} could"

    def _would_leave_some(self, worker: str) -> bool:
        return any(w != worker for w in self._here if w not in self.left and w not in self.refused)

    def choice(self, tried: Collection[str] = ()) -> tuple[str, ...] | None:
        """Return whom a task may go to that some have tried already; ``None`` for anybody.

        Those come first that have read something, and those that were left alone last. It is empty
        where nobody is there.
        """
        if not (tried or self.left or self.refused or self.hung):
            return None
        may = [w for w in self._here if w not in self.refused and w not in self.hung]
        untried = [w for w in may if w not in tried] or may
        fit = [w for w in untried if w not in self.left] or untried
        able = [w for w in fit if w in self._able] if tried else fit
        return tuple(islice(able or fit, CHOICE if tried else None))

    def tell(self) -> None:
        """Warn of workers that were left alone, if any: there is something wrong with them."""
        reasons = {**self.silent, **self.left, **self.refused}
        if reasons:
            warnings.warn(
                f"what these workers of Dask could not do was left to others: {told(reasons)}.",
                stacklevel=1,
            )

    def others(self, tried: Collection[str]) -> bool:
        """Whether there is somebody who has not tried yet."""
        away = {*tried, *self.refused, *self.hung}
        return any(worker not in away for worker in self._here)


def told(reasons: Mapping[str, str], most: int = 3) -> str:
    """Return which workers there is what to say of, in words.

    >>> told({"tcp://a:1": "it hangs", "tcp://b:1": "it hangs", "tcp://c:1": "it is old"}, most=1)
    'worker tcp://a:1: it hangs; and 2 others'
    """
    first = [f"worker {worker}: {reason}" for worker, reason in islice(reasons.items(), most)]
    rest = len(reasons) - len(first)
    return "; ".join([*first, *([f"and {rest} others"] if rest else [])])
