"""Totals that files have: the sum of a branch of any tree, or of the bins of a histogram."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flavorframe._rootio.opening.trees import get_tree, tree_names

HISTOGRAMS = ("TH1", "TH2", "TH3")


def total_in(path: str, file: Any, name: str) -> float | None:
    """Return a total of an open file; None where it has neither such a branch nor histogram.

    ``name`` is the path of a tree and a branch of it with one number an entry, or of a histogram.
    Under- and overflow count as well.
    """
    if file.classnames(cycle=False).get(name, "").startswith(HISTOGRAMS):
        return math.fsum(np.ravel(file[name].values(flow=True)).tolist())
    folder, _, branch = name.rpartition("/")
    if folder not in tree_names(file):
        return None
    tree = get_tree(path, file, folder)
    if branch not in tree.keys(recursive=False):
        return None
    values = tree.arrays([branch], library="np")[branch] if hasattr(tree, "branches") else (
        tree.arrays([branch], library="ak")[branch].to_numpy()
    )  # fmt: skip
    return math.fsum(values.astype(float).tolist())
