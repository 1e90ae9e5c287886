"""Random trees of generated particles: of one decay, or nearly so, with copies and photons."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

Tree = tuple[list[tuple[int, int]], list[int]]
"""Particles as (pdg_id, mother), and the indices of a triplet's legs."""

CHAIN = ((431, None), (333, 0), (-13, 1), (13, 1), (211, 0))
"""The decay: what each particle is, and which of them its mother."""


def random_tree(rng: random.Random) -> Tree:
    """Return particles as (pdg_id, mother), of the decay or nearly so, and where its legs are."""
    sign = rng.choice((1, -1))
    particles, last = [(2212, -1)], dict[int, int]()
    for place, (usual, mother) in enumerate(CHAIN):
        above = 0 if mother is None else last[mother]
        pdg_id = usual * (1 if usual == 333 else sign)
        if rng.random() < 0.04:
            pdg_id = rng.choice((-pdg_id, 211, 13, 221))
        if rng.random() < 0.04:
            above = rng.randrange(len(particles))
        particles.append((pdg_id, above))
        while rng.random() < 0.3:  # a copy, perhaps since it radiated
            if rng.random() < 0.5:
                particles.append((22, len(particles) - 1))
                above = len(particles) - 2
            else:
                above = len(particles) - 1
            particles.append((pdg_id, above))
        last[place] = len(particles) - 1
    if rng.random() < 0.15:
        particles.append((rng.choice((111, 22)), rng.choice([*last.values()])))
    if rng.random() < 0.08:  # a circle, as in no sound file: of one particle, or of copies
        particles[1] = (particles[1][0], rng.choice((1, last[0])))
    finals = [last[2], last[3], last[4]]
    rng.shuffle(finals)
    for leg in range(3):
        if rng.random() < 0.06:
            finals[leg] = rng.choice((-1, len(particles), *range(len(particles))))
    return particles, finals


def write(path: Path, events: int) -> list[Tree]:
    """Write trees with a triplet each, like NanoAOD, and return them."""
    rng = random.Random(17)
    made = [random_tree(rng) for _ in range(events)]
    content = {
        "event": np.arange(events),
        "GenPart": ak.zip({
            "pdgId": _lists([[p for p, _ in tree] for tree, _ in made], np.int32),
            "genPartIdxMother": _lists([[m for _, m in tree] for tree, _ in made], np.int16),
        }),
        "Muon": ak.zip({"genPartIdx": _lists([legs[:2] for _, legs in made], np.int16)}),
        "Track": ak.zip({"genPartIdx": _lists([legs[2:] for _, legs in made], np.int16)}),
        "triplet": ak.zip({
            name: _lists([[index]] * events, np.int32)
            for name, index in (("mu1_idx", 0), ("mu2_idx", 1), ("track_idx", 0))
        }),
    }  # fmt: skip
    with uproot.recreate(path) as file:
        file.mktree("Events", {name: ak.type(values) for name, values in content.items()})
        file["Events"].extend(content)
    return made


def _lists(values: list[list[int]], dtype: type) -> Any:
    return ak.values_astype(ak.Array(values), dtype)
