"""What the names of CMS's datasets say: /primary/era-processing-version/tier."""

from __future__ import annotations

import re

_NAME = re.compile(r"/(?P<primary>[^/#]+)/(?P<processed>[^/#]+)/(?P<tier>[^/#]+)")


def is_dataset(name: str) -> bool:
    """Return whether a name is that of a dataset of CMS."""
    return _NAME.fullmatch(name) is not None


def is_simulation(name: str) -> bool:
    """Return whether a dataset of CMS is simulation, by its data tier."""
    return name.endswith("SIM") and is_dataset(name)


def is_of_users(name: str) -> bool:
    """Return whether a dataset was published by a user."""
    return name.endswith("/USER") and is_dataset(name)


def era_of(name: str) -> str:
    """Return what an era is called if the user does not say: the era, or the simulated process.

    >>> era_of("/Charmonium/Run2017C-UL2017_MiniAODv2-v1/MINIAOD")
    'Run2017C'
    >>> era_of("/DsToPhiPi_TuneCP5/RunIISummer20UL17-v2/NANOAODSIM")
    'DsToPhiPi_TuneCP5'
    >>> era_of("user.name.ntuples")
    'user.name.ntuples'
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return name.strip("/")
    return found["primary"] if is_simulation(name) else found["processed"].partition("-")[0]
