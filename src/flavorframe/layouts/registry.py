"""The layouts that are known: those of this package, and those of others, by an entry point."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from flavorframe._rootio.schema import Schema
from flavorframe.errors import BranchError, LayoutError, did_you_mean
from flavorframe.layouts.bph import BPH, BPH_TAU3MU
from flavorframe.layouts.candidate_rows import BELLE2, LHCB, LHCB_RUN3
from flavorframe.layouts.declared import Layout
from flavorframe.layouts.nano import NANO

GROUP = "flavorframe.layouts"
"""The group of entry points by which packages add layouts."""

BUILT_IN: tuple[Layout, ...] = (BPH, BPH_TAU3MU, BELLE2, NANO, LHCB, LHCB_RUN3)


@lru_cache(maxsize=32)  # asked for each partition
def recognise(schema: Schema, asked: Layout | None = None) -> Layout:
    """Return the layout of a file.

    Args:
        schema: The branches of the file.
        asked: The layout that the user says it has, if any.

    Returns:
        That layout; or else the first that knows the file, installed ones before NanoAOD's, whose
        names other files have as well; and NanoAOD's if none does.

    Raises:
        BranchError: The file does not have the branches that tell the layout that was asked for.
    """
    if asked is not None:
        _require(schema, asked)
        return asked
    known = next((each for each in BUILT_IN if each is not NANO and each.recognises(schema)), None)
    return known or next((each for each in _installed() if each.recognises(schema)), NANO)


def _require(schema: Schema, asked: Layout) -> None:
    missing = asked.missing(schema) if asked is not NANO else []
    if missing:
        raise BranchError(
            f"Tree {schema.tree} is not of layout {asked.name}, which is recognised by the branch "
            f"{missing[0]}: the tree does not have it.{did_you_mean(missing[0], schema.by_name)}"
        )


def find_layout(asked: Layout | str | os.PathLike[str]) -> Layout:
    """Return a layout by its name or the TOML file that declares it; a layout is itself.

    Raises LayoutError where there is none.
    """
    if isinstance(asked, Layout):
        return asked
    if not isinstance(asked, str | os.PathLike):
        raise LayoutError(
            f"layout={asked!r} is no layout: give what ff.layout() returns, a TOML file, or a name."
        )
    if os.fspath(asked).endswith(".toml"):
        from flavorframe.layouts.files import read_layout

        return read_layout(asked)
    known = {layout.name: layout for layout in BUILT_IN}
    if asked not in known:  # other packages are looked for only then
        known = {layout.name: layout for layout in _installed()} | known
    if asked not in known:
        raise LayoutError(
            f"There is no layout {str(asked)!r}.{did_you_mean(str(asked), known)} Known are "
            f"{', '.join(sorted(known))}; a layout of one's own is a file that ends with .toml, or "
            "what ff.layout() returns."
        )
    return known[str(asked)]


@lru_cache(maxsize=1)
def _installed() -> tuple[Layout, ...]:
    return tuple(map(_loaded, entry_points(group=GROUP)))


def _loaded(entry: EntryPoint) -> Layout:
    try:
        found: Layout = entry.load()
    except Exception as error:  # whatever the package of somebody else does
        raise LayoutError(
            f"Layout {entry.name!r} of {entry.value} cannot be loaded: {error!r}. Mend or remove "
            "the package that brings it."
        ) from error
    if not isinstance(found, Layout):
        raise LayoutError(
            f"Layout {entry.name!r} of {entry.value} is {found!r}: it should be what ff.layout() "
            "returns."
        )
    return found
