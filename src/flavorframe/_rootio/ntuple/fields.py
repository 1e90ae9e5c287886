"""What the fields of an RNTuple are, for layouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from flavorframe._rootio.contents import NO_VALUE, called_in, of_form
from flavorframe._rootio.schema import BranchInfo
from flavorframe._rootio.vectors import is_vector

KINDS = {
    "bool": "bool",
    "char": "int",
    "float": "float",
    "double": "float",
    "std::string": "string",
} | {f"std::{sign}int{bits}_t": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)}
KINDS["std::uint64_t"] = "unsigned"
LISTS = ("ROOT::VecOps::RVec<", "std::vector<")


class Place(NamedTuple):
    """A field, what it is called, and the names that lead to it."""

    name: str
    path: str
    field: Any


def places(
    field: Any, outer: tuple[str, ...] = (), vector: tuple[str, int] = ("", 0)
) -> Iterator[Place]:
    """Yield a field, and all fields in it; ``vector`` as in `contents.of_form`."""
    if not outer and _known(field.typename) is not None:  # as most are
        yield Place(field.name, field.name, field)
        return
    names = (*outer, field.record.field_name)
    yield Place(".".join(called_in(*vector, names)), ".".join(names), field)
    if not vector[0]:
        classname = field.typename.removeprefix("std::vector<")
        classname = classname if classname == field.typename else classname[:-1]
        vector = (classname, len(names)) if is_vector(classname) else vector
    for inner in _inner_fields(field):
        yield from places(inner, names, vector)


def info_of(place: Place) -> BranchInfo:
    """Return what layouts see of a field."""
    name, path, field = place
    known = _plain(name, field.typename) if field.top_level else None
    if known is not None:
        return known
    if _inner_fields(field):
        return BranchInfo(name, field.typename, "other", "group")
    info = _by_form(name, field)
    return info if name == path else replace(info, path=path)


def _inner_fields(field: Any) -> Sequence[Any]:
    """Return the fields in a field; of one that holds other types by turns, none can be told."""
    plain = _known(field.typename) is not None
    inner: Sequence[Any] = () if plain or "std::variant" in field.typename else field.fields
    return inner


def _plain(name: str, typename: str) -> BranchInfo | None:
    """Return what is known by the type alone, as for most fields."""
    known = _known(typename)
    return None if known is None else BranchInfo(name, typename, *known)


@cache
def _known(typename: str) -> tuple[str, str] | None:
    """Return the kind and shape of a type; None where they depend on the fields in it."""
    for prefix in LISTS:
        if typename.startswith(prefix) and typename[len(prefix) : -1] in KINDS:
            return KINDS[typename[len(prefix) : -1]], "list"
    if typename.startswith("ROOT::RNTupleCardinality<"):
        return "int", "scalar"
    return (KINDS[typename], "scalar") if typename in KINDS else None


def _by_form(name: str, field: Any) -> BranchInfo:
    """Return what is known of a field by the lists that uproot puts its values in."""
    form, _ = field.to_akform()
    found = list(of_form(form))
    if not found:
        return BranchInfo(name, field.typename, "other", "group", why=NO_VALUE)
    return replace(found[0], member=()).info(name, field.typename)


def made_by_importer(field: Any) -> bool:
    """Return whether ROOT's importer of TTrees made the field, to hold others: ``_collection0``."""
    return bool(field.name.startswith("_") and not field.typename)
