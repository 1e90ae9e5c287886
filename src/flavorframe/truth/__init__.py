"""Simulated truth: whether candidates are what a decay made, and what generated particles are of.

`_decay` reads decays as physicists write them, `_matching` makes conditions of them; `_family` has
what is above and below generated particles.
"""

from __future__ import annotations

from flavorframe.truth._family import ancestors, children
from flavorframe.truth._matching import truth_matched

__all__ = ["ancestors", "children", "truth_matched"]
