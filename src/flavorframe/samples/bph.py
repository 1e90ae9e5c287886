"""The ``bph`` layout: ``std::vector`` branches as in the real ntuples, written by ROOT."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flavorframe.errors import SampleError
from flavorframe.samples.record import Array, Collection, Events
from flavorframe.samples.schema import COLLECTIONS, SCALARS, Branches
from flavorframe.samples.triggers import Menu, menu, prescale

TREE = "Tree3Mu/ntuple"

#: Algorithm → ROOT's compression setting (100 · algorithm + level). With zstd at ROOT's default
#: level, 5, writing takes more than twice the time for files that are 7 % smaller.
COMPRESSION = {"zstd": 502, "zlib": 101, "lz4": 404}

_NUMPY = {"int": "int32", "unsigned int": "uint32", "float": "float32", "double": "float64"}


def write_bph(
    path: Path,
    pieces: Iterable[Events],
    *,
    compression: str,
    entries_per_cluster: int | None = None,
) -> None:
    """Write pieces of events one after the other into ``Tree3Mu/ntuple`` of a new file.

    All branches begin a basket after ``entries_per_cluster`` events, or where ROOT thinks best.

    Raises SampleError where ROOT is not installed, OSError where it cannot write.
    """
    root = import_root()
    file = root.TFile(str(path), "RECREATE", "", COMPRESSION[compression])
    folder, _, name = TREE.partition("/")
    tree = root.TTree(name, "LFVTau ntuple", 99, file.mkdir(folder))
    if entries_per_cluster is not None:
        tree.SetAutoFlush(entries_per_cluster)
    filler = root.FlavorframeFiller(tree)
    try:
        written = all(_fill(_Columns(filler), events) for events in pieces)
        file.Write()
        if not written or file.TestBit(root.TFile.kWriteError):
            raise OSError("ROOT could not write all of it; is the disk full?")
    finally:
        file.Close()


@functools.cache
def import_root() -> Any:
    """Import ROOT and compile the C++ helper; raises SampleError that says how to install it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel greets with a warning
            import ROOT
    except ImportError as error:
        raise SampleError("layout 'bph' needs ROOT: pip install 'flavorframe[root]'") from error
    ROOT.gInterpreter.Declare(Path(__file__).with_name("filler.h").read_text())
    return ROOT


class _Columns:
    """Hands arrays to the C++ helper in its types, and keeps them while it may read them."""

    def __init__(self, filler: Any) -> None:
        self._filler = filler
        self._held: list[Array] = []

    def add_scalar(self, branch: str, ctype: str, values: Array) -> None:
        self._filler.scalar[ctype](branch, self._hold(values, _NUMPY[ctype]))

    def add_list(self, branch: str, ctype: str, values: Array, counts: Array) -> None:
        offsets = self._hold(np.concatenate([[0], np.cumsum(counts)]), "long")
        self._filler.list[ctype](branch, self._hold(values, _NUMPY[ctype]), offsets)

    def add_names(self, branch: str, lists: Sequence[Sequence[str]], which: Array) -> None:
        self._filler.names(branch, lists, self._hold(which, "long"))

    def fill(self, events: int) -> bool:
        return bool(self._filler.fill(events))

    def _hold(self, values: Array, dtype: str) -> Array:
        if not len(values):
            values = np.zeros(1)  # an empty array has no address to hand over
        self._held.append(np.ascontiguousarray(values, dtype))
        return self._held[-1]


def _fill(columns: _Columns, events: Events) -> bool:
    for field in SCALARS:
        if field.name in events.scalars:
            columns.add_scalar(field.bph, field.bph_type, events.scalars[field.name])
    for name, collection in events.collections.items():
        _add_collection(columns, COLLECTIONS[events.decay][name], collection)
    runs, which = np.unique(events.scalars["run"], return_inverse=True)
    _add_trigger(columns, events, [menu(int(run)) for run in runs], which)
    return columns.fill(len(events))


def _add_collection(columns: _Columns, branches: Branches, collection: Collection) -> None:
    fields, counter = branches
    if counter:
        columns.add_scalar(counter, "int", collection.counts)
    for field in fields:
        if field.bph:
            values = collection.fields[field.name]
            columns.add_list(field.bph, field.bph_type, values, collection.counts)


def _add_trigger(columns: _Columns, events: Events, menus: list[Menu], which: Array) -> None:
    prescales = {seed: np.full(len(events), prescale(seed)) for seed in events.l1}
    for name, of_seed in (("decision", events.l1), ("prescale", prescales)):
        columns.add_list(
            f"Trigger_l1{name}", "int", *_listed(of_seed, [m.l1 for m in menus], which)
        )
    columns.add_names("Trigger_l1name", [m.l1 for m in menus], which)
    decisions = _listed(events.hlt, [m.hlt for m in menus], which)
    columns.add_list("Trigger_hltdecision", "int", *decisions)
    columns.add_names("Trigger_hltname", [m.versioned for m in menus], which)


def _listed(
    values: dict[str, Array], lists: Sequence[Sequence[str]], which: Array
) -> tuple[Array, Array]:
    """Each event's values in the order of its list of names, one after the other, and counts."""
    position = {name: column for column, name in enumerate(values)}
    chosen = np.full((len(lists), len(values)), -1)
    for row, names in zip(chosen, lists, strict=True):
        row[: len(names)] = [position[name] for name in names]
    columns = chosen[which]
    table = np.stack(list(values.values()), axis=1)
    return np.take_along_axis(table, columns, axis=1)[columns >= 0], (columns >= 0).sum(axis=1)
