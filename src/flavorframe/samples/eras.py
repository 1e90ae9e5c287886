"""The data-taking periods that can be generated, and how many events each has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe.errors import SampleError, did_you_mean
from flavorframe.samples.record import Array

#: Events on file in 1 fb^-1 of data, with or without a candidate; sets the scale of everything.
EVENTS_PER_FB = 300_000

#: Runs in an era; the first, a short one, is taken while the trigger is still being set up.
RUNS = 12
FIRST_RUN_SHARE = 0.02


@dataclass(frozen=True)
class Era:
    """A data-taking period: luminosity [fb^-1], run numbers, mean number of interactions."""

    number: int
    lumi: float
    first_run: int
    last_run: int
    pileup: float

    @property
    def runs(self) -> Array:
        """The run numbers, shape (RUNS,)."""
        return np.linspace(self.first_run, self.last_run, RUNS).astype(np.uint32)


#: Luminosities of the published analysis; run ranges of the CMS 2017 data taking.
ERAS = {
    "2017B": Era(0, 4.8, 297047, 299329, 29.0),
    "2017C": Era(1, 9.6, 299368, 302029, 31.0),
    "2017D": Era(2, 4.2, 302031, 302663, 30.0),
    "2017E": Era(3, 9.3, 303825, 304797, 38.0),
    "2017F": Era(4, 10.0, 305045, 306460, 40.0),
}


def era_named(name: str) -> Era:
    """Look an era up; raises SampleError that lists the eras.

    >>> era_named("2017B").lumi
    4.8
    """
    if name not in ERAS:
        raise SampleError(
            f"era={name!r} must be one of {', '.join(ERAS)}.{did_you_mean(name, ERAS)}"
        )
    return ERAS[name]


def draw_runs(rng: np.random.Generator, era: Era, sections: int) -> Array:
    """The run of each of so many luminosity sections of an era."""
    share = np.full(RUNS, (1 - FIRST_RUN_SHARE) / (RUNS - 1))
    share[0] = FIRST_RUN_SHARE
    return rng.choice(era.runs, sections, p=share)
