"""Passwords of a workshop: chosen at random, shown once, and kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flavorframe_facility.secret_files import PASSWORD, write_private
from flavorframe_facility.settings import Settings

WORDS = [
    "beam", "bottom", "boson", "calorimeter", "charm", "cluster", "collider", "decay", "detector",
    "flavour", "gluon", "hadron", "jet", "kaon", "lepton", "luminosity", "mass", "meson", "muon",
    "neutrino", "parton", "phi", "photon", "pion", "pixel", "proton", "quark", "silicon", "strange",
    "tau", "tracker", "trigger", "vertex",
]  # fmt: skip

_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and about 50 ms for each attempt


def exists(settings: Settings) -> bool:
    """Whether a password was chosen."""
    return (settings.private / PASSWORD).exists()


def choose(settings: Settings) -> str:
    """Choose a password of 40 bits and keep its hash.

    Returns:
        The password, which cannot be found out later.

    """
    password = "-".join([*(secrets.choice(WORDS) for _ in range(4)), f"{secrets.randbelow(10**6)}"])
    write_private(settings.private / PASSWORD, hash_password(password))
    return password


def hash_password(password: str) -> str:
    """Return salt and scrypt hash (RFC 7914) of a password, in hexadecimal.

    >>> is_password("seven charming muons", hash_password("seven charming muons"))
    True
    """
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def is_password(password: str, hashed: str) -> bool:
    """Return whether a password has a hash; takes the same time for right and wrong ones."""
    salt, _, digest = hashed.partition(":")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
