"""Simulated truth: whether candidates are what a decay made.

`_decay` reads decays as physicists write them, `_matching` makes conditions of them.
"""

from __future__ import annotations

from flavorframe.truth._matching import truth_matched

__all__ = ["truth_matched"]
