"""Layouts: which branch of a file stands for a friendly name such as ``muon.pt``.

* `base`: what a layout must do, and finding branches and collections by name.
* `bph`, `nano`: the layouts.
* `binding`, `checks`: from friendly names to columns of a file, and whether their kinds fit.
* `events`: what ``ff.events()`` gives, before any file is open.

A new layout is a file here, and a line in ``LAYOUTS``. Those of its names that have one value per
event are entered in ``VALUES`` or ``OBJECTS`` (`events`).
"""

from __future__ import annotations

from flavorframe._rootio.schema import BranchInfo, Schema
from flavorframe.layouts.base import Layout
from flavorframe.layouts.binding import bind
from flavorframe.layouts.bph import Bph
from flavorframe.layouts.nano import Nano

__all__ = ["BranchInfo", "Layout", "Schema", "bind", "recognise"]

LAYOUTS: tuple[Layout, ...] = (Bph(), Nano())
"""The layouts, the most particular first."""


def recognise(schema: Schema) -> Layout:
    """Return the first layout that knows the file.

    Args:
        schema: The branches of the file.

    Returns:
        Its layout; NanoAOD's, which takes every file, if no other knows it.
    """
    return next(layout for layout in LAYOUTS if layout.recognises(schema))
