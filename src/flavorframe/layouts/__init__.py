"""Layouts: which branch of a file stands for a friendly name such as ``muon.pt``.

* `base`: units, rows, and finding branches and collections by name.
* `declared`: layouts as data; `declaring` reads them from what users write, `files` from TOML.
* `bph`, `nano`, `candidate_rows`: the layouts of this package; `triggers`: how decisions are kept.
* `registry`: which layout a file has.
* `binding`, `checks`: from friendly names to columns of a file, and whether their kinds fit;
  `momenta`: parts of momenta that follow from others.
* `events`: what ``ff.events()`` gives, before any file is open.
* `naming`: from branches back to friendly names; `drafting`: a layout made from a file.

A new layout is a file here, and a name in ``BUILT_IN`` (`registry`). Those of its names that have
one value per event are entered in ``VALUES`` or ``OBJECTS`` (`events`).
"""

from __future__ import annotations

from flavorframe._rootio.schema import BranchInfo, Schema
from flavorframe.layouts.base import Units
from flavorframe.layouts.binding import bind
from flavorframe.layouts.declared import Layout
from flavorframe.layouts.registry import find_layout, recognise

__all__ = ["BranchInfo", "Layout", "Schema", "Units", "bind", "find_layout", "recognise"]
