"""Friendly names, made of the names of branches."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from flavorframe._rootio.schema import fold


def prefix(branch: str) -> str:
    """Return the first word of a name, which several branches of one object have in common.

    >>> prefix("Triplet2_Mass"), prefix("MuonPt"), prefix("Jets.fCoordinates.fPt"), prefix("x")
    ('Triplet2', 'Muon', 'Jets', 'x')
    """
    name = branch.lstrip("_")
    if re.search("[_.]", name):
        return re.split("[_.]", name, maxsplit=1)[0]
    found = re.match("[A-Z]+[a-z0-9]+(?=[A-Z])", name)
    return found[0] if found else name


def after_prefix(branch: str) -> str:
    """Return what follows the first word of a name.

    >>> after_prefix("MuonPt"), after_prefix("x")
    ('Pt', '')
    """
    return branch.lstrip("_")[len(prefix(branch)) :].strip("_.")


def snake(name: str) -> str:
    """Return a name as expressions write it.

    >>> snake("isGlobal"), snake("Vertex2D_PVSV"), snake("__run__"), snake("2nd"), snake("pass")
    ('is_global', 'vertex2_d_pvsv', 'run', 'x2nd', 'pass_')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    word = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "x"
    word = f"x{word}" if word[0].isdigit() else word
    return f"{word}_" if keyword.iskeyword(word) else word


def fields(branches: Iterable[str], own: str) -> dict[str, str]:
    """Return names for the branches of a collection, with the branch of each.

    What begins with the prefix ``own`` is a field, and what several others begin with is an object
    that belongs to the candidate.

    >>> fields(["Triplet_Mass", "Mu1_Pt", "Mu1_Eta", "dxy"], "Triplet")
    {'mass': 'Triplet_Mass', 'mu1.pt': 'Mu1_Pt', 'mu1.eta': 'Mu1_Eta', 'dxy': 'dxy'}
    """
    branches = list(branches)
    prefixes = [prefix(branch) for branch in branches]
    named: dict[str, str] = {}
    for branch, first in zip(branches, prefixes, strict=True):
        rest, name = after_prefix(branch), snake(branch)
        if rest and first == own:
            name = snake(rest)
        elif rest and prefixes.count(first) > 1:
            name = f"{snake(first)}.{snake(rest)}"
        named[unused(name if _fits(name, named) else snake(branch), named)] = branch
    return named


def _fits(name: str, others: Iterable[str]) -> bool:
    """Return whether a name is free, also as the object or the field of another one."""
    return not any(
        name == other or other.startswith(f"{name}.") or name.startswith(f"{other}.")
        for other in others
    )


def unused(name: str, others: Iterable[str]) -> str:
    """Return the name, with a number if another one is spelt alike."""
    known = {fold(other) for other in others}
    numbered = (f"{name}_{number}" for number in range(2, len(known) + 3))
    return name if fold(name) not in known else next(n for n in numbered if fold(n) not in known)
