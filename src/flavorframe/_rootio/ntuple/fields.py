"""What the fields of an RNTuple are, for layouts."""

from __future__ import annotations

from typing import Any

from flavorframe._rootio.schema import BranchInfo

KINDS = {
    "bool": "bool",
    "float": "float",
    "double": "float",
    "std::string": "string",
} | {f"std::{sign}int{bits}_t": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)}
KINDS["std::uint64_t"] = "unsigned"


def info_of(name: str, field: Any) -> BranchInfo:
    """Return what layouts see of a field."""
    typename = field.typename
    for prefix in ("ROOT::VecOps::RVec<", "std::vector<"):
        if typename.startswith(prefix):
            kind = KINDS.get(typename[len(prefix) : -1], "other")
            return BranchInfo(name, typename, kind, "list")
    if typename.startswith("ROOT::RNTupleCardinality<"):
        return BranchInfo(name, typename, "int", "scalar")
    return BranchInfo(name, typename, KINDS.get(typename, "other"), "scalar")


def made_by_importer(field: Any) -> bool:
    """Return whether ROOT's importer of TTrees made the field, to hold others: ``_collection0``."""
    return bool(field.name.startswith("_") and not field.typename)
