"""The password that a workshop shares: chosen by chance, shown once, kept as a hash."""

from __future__ import annotations

import secrets

from flavorframe.facility.login_secrets import PASSWORD, write_private
from flavorframe.facility.settings import Settings

WORDS = [
    "beam", "bottom", "boson", "calorimeter", "charm", "cluster", "collider", "decay", "detector",
    "flavour", "gluon", "hadron", "jet", "kaon", "lepton", "luminosity", "mass", "meson", "muon",
    "neutrino", "parton", "phi", "photon", "pion", "pixel", "proton", "quark", "silicon", "strange",
    "tau", "tracker", "trigger", "vertex",
]  # fmt: skip


def has_password(settings: Settings) -> bool:
    """Whether a password was chosen."""
    return (settings.private / PASSWORD).exists()


def new_password(settings: Settings) -> str:
    """Choose a password of 40 bits, keep its hash, and return it: nobody can see it later."""
    from flavorframe.facility.login_workshop import hash_password

    password = "-".join([*(secrets.choice(WORDS) for _ in range(4)), f"{secrets.randbelow(10**6)}"])
    write_private(settings.private / PASSWORD, hash_password(password))
    return password
