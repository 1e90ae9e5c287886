"""Friendly names, made of the names of branches."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flavorframe._rootio.schema import fold
from flavorframe.layouts.naming import snake


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


def fields(branches: Iterable[str], own: str) -> dict[str, str]:
    """Return names for the branches of a collection, with the branch of each.

    What begins with the prefix ``own`` is a field, and what several others begin with is an object
    that belongs to the candidate; so is what has a pt of its own.

    >>> fields(["B_mass", "B_mu1_pt", "B_mu1_eta", "B_vertex_x", "Tr_Pt", "Tr_x", "dxy"], "B")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'mass': 'B_mass', 'mu1.pt': 'B_mu1_pt', 'mu1.eta': 'B_mu1_eta', 'vertex_x': 'B_vertex_x',
     'tr.pt': 'Tr_Pt', 'tr.x': 'Tr_x', 'dxy': 'dxy'}
    """
    named: dict[str, str] = {}
    within = {branch: _within(branch, own) for branch in branches}
    firsts = [prefix(rest) for rest in within.values()]
    for branch, rest in within.items():
        first, last = prefix(rest), after_prefix(rest)
        is_object = f"{first}_pt".lower() in {r.lower() for r in within.values()} or rest == branch
        name = snake(rest)
        if last and is_object and firsts.count(first) > 1:
            name = f"{snake(first)}.{snake(last)}"
        named[unused(name if _fits(name, named) else snake(branch), named)] = branch
    return named


def _within(branch: str, own: str) -> str:
    """Return the name of a branch without the prefix of its collection, and of ROOT's vectors."""
    rest = after_prefix(branch) if prefix(branch) == own else ""
    return re.sub("fCoordinates[.]f(?=[A-Z])", "", rest or branch)


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
