"""The names that analyses start from: what ``ff.events()`` knows before a file is open.

Expressions are checked where they are written: a cut on the wrong collection, or a condition on an
object instead of a value, is an error there. So it must be known which names have one value an
event before any file says so. These are the names that the layouts give to such values and that
NanoAOD uses; where one of them is a list in a file, the file is refused when it is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flavorframe._expr.event import Event, Menu
from flavorframe._expr.expression import Expr
from flavorframe._expr.objects import offer_fields
from flavorframe.layouts.declared import Layout
from flavorframe.layouts.registry import find_layout

VALUES = ("run", "luminosity_block", "event", "n_primary_vertices", "n_pileup", "experiment")
"""Names with one value an event."""

OBJECTS = ("met", "puppi_met", "raw_met", "calo_met", "tk_met", "gen_met", "pv", "pileup",
           "generator", "beam_spot", "flag")  # fmt: skip
"""Objects of which NanoAOD has one an event: ``events.met.pt`` has one value per event."""

COLLECTIONS = ("triplet", "muon", "track")
"""Collections that tab completion offers; there may be any other."""

FIELDS = {
    "triplet": (
        "mass", "pt", "eta", "phi", "charge", "vertex_chi2", "vertex_x", "vertex_y", "vertex_z",
        "pv_x", "pv_y", "pv_z", "pv_ntracks", "flight_distance", "flight_error",
        "flight_significance", "mu1", "mu2", "track", "refit1", "refit2", "refit3",
    ),
    "muon": ("pt", "eta", "phi", "charge", "is_global", "is_pf", "is_soft", "is_tracker"),
    "track": ("pt", "eta", "phi", "charge", "dz", "dxy"),
    "mu1": ("pt", "eta", "phi", "trigger_dr", "is_global", "is_pf"),
    "mu2": ("pt", "eta", "phi", "trigger_dr", "is_global", "is_pf"),
}  # fmt: skip
"""Common fields of objects, for tab completion; a layout may know more."""

offer_fields(FIELDS)


class Events(Event):
    """The names of a file's contents; a file itself is opened by ``run``.

    ``events.triplet`` is a collection, ``events.run`` a value per event, and
    ``events["AnyBranch"]`` a branch by its name in the file.
    """

    _names_of_values = frozenset((*VALUES, *OBJECTS))
    _offered: tuple[str, ...] = ("hlt", "l1", *VALUES, *COLLECTIONS)
    hlt = Menu("hlt")
    l1 = Menu("l1")
    if TYPE_CHECKING:
        run: Expr
        luminosity_block: Expr
        event: Expr
        n_primary_vertices: Expr
        n_pileup: Expr

    def __dir__(self) -> list[str]:
        return list(self._offered)

    def __repr__(self) -> str:
        return "<events: .triplet, .muon, .track, .hlt, .l1, or ['AnyBranch']>"


def events(
    layout: Layout | str | os.PathLike[str] | None = None, *, friends: Iterable[str] = ()
) -> Events:
    """Return the names from which expressions are built.

    Args:
        layout: A layout of one's own, as for `flavorframe.dataset`. Then its names of the event's
            values are known, beside the usual ones, and tab completion offers what it declares.
        friends: The names of friends that have one entry an event, so that ``events.scores.bdt`` is
            a value of the event. Others are collections.

    Returns:
        An object whose attributes are the event's values and collections, whatever they are called.

    Raises:
        LayoutError: There is no such layout, or it is declared wrongly.

    Example:
        >>> import flavorframe as ff
        >>> ff.events().triplet.mu1.pt
        <triplet.mu1.pt, one value per triplet>
        >>> mine = ff.layout("mine", event={"polarity": "Polarity"})
        >>> ff.events(mine).polarity > 0
        <polarity > 0, one value per event>
    """
    known = Events()
    names = (friends,) if isinstance(friends, str) else tuple(friends)
    _offer(known, names)
    if layout is not None:
        _offer_layout(known, find_layout(layout))
    return known


def _offer(known: Events, values: Iterable[str], others: Iterable[str] = ()) -> None:
    known._names_of_values = known._names_of_values | frozenset(values)
    known._offered = tuple(dict.fromkeys((*known._offered, *values, *others)))


def _offer_layout(known: Events, layout: Layout) -> None:
    _offer(known, [name.partition(".")[0] for name in layout.event], layout.collections)
    for name, rule in layout.collections.items():
        fields = dict.fromkeys(path.partition(".")[0] for path in (*rule.fields, *rule.links))
        offer_fields({name: tuple(dict.fromkeys((*FIELDS.get(name, ()), *fields)))})
