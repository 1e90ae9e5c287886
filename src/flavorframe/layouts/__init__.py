"""Layouts: branch names ↔ field names. A new layout is one new file and one line here."""

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
    """Return the first layout that knows the file; NanoAOD's rule takes every file."""
    return next(layout for layout in LAYOUTS if layout.recognises(schema))
