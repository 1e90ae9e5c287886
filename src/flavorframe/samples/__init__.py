"""Realistic ntuples of Ds⁺ → φ(μμ)π⁺ and τ → 3μ with known truth, in the layouts of real ones.

Collisions are drawn from true decays and from backgrounds, measured by a simple detector, combined
into candidates and triggered on; the numbers are tuned such that the published selection gives
the published mass plot. The same seed gives the same events in every layout.

- ``collisions``, ``kinematics``: true decays and backgrounds, and their momenta.
- ``detector``, ``vertices``: measured tracks, and fitted vertices.
- ``gen_particles``: the true particles as simulation lists them.
- ``candidates``, ``triggers``: combinations of tracks, and trigger decisions.
- ``generate``: all of these in order, in chunks of events. ``eras`` has what differs by year.
- ``record``: the events as arrays, with the truth.
- ``schema``, ``columns``: the branches of ``nano`` and ``bph``, which have an entry an event, and
  what is written into them. A new branch is a line in the schema, and its column.
- ``rows``: one row a candidate, what ``lhcb`` and ``belle2`` have in common. A new branch is a line
  there.
- ``write``, ``files``: all eras as files with a catalogue, and a single file; ``trees`` is how
  uproot writes one.
- ``corner_cases``: small and extreme, but valid events and files, for tests.
"""

from flavorframe.samples.corner_cases import CORNER_CASES, corner_case, write_corner_case
from flavorframe.samples.eras import ERAS
from flavorframe.samples.files import write_file
from flavorframe.samples.generate import chunks, generate
from flavorframe.samples.record import TRUTH, Collection, Events, concatenate
from flavorframe.samples.write import write

__all__ = [
    "CORNER_CASES",
    "ERAS",
    "TRUTH",
    "Collection",
    "Events",
    "chunks",
    "concatenate",
    "corner_case",
    "generate",
    "write",
    "write_corner_case",
    "write_file",
]
