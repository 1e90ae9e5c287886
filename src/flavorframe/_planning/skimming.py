"""What a skim keeps of a file: its branches by patterns, and the counters of new lists."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from flavorframe._expr import nodes as n
from flavorframe._expr.dependence import depending_on_candidates
from flavorframe._expr.formula import brief
from flavorframe._snapshots.formats import counter_of
from flavorframe.errors import AnalysisError, BranchError, did_you_mean
from flavorframe.layouts import BranchInfo, Layout, Schema
from flavorframe.layouts.base import collection_axis, collection_of
from flavorframe.skims import BESIDE, Kept, Skim

SHOWN = 3
"""How many branches a warning lists."""


def bound_skim(skim: Skim, candidates: n.Axis, layout: Layout, schema: Schema) -> Skim:
    """Return a skim, whose columns are bound, with the branches that it keeps of a file.

    Raises BranchError for a pattern that fits nothing, and AnalysisError for a new list that is not
    as long as those of the file, or that depends on which candidates are left.
    """
    rows = None if layout.rows is None else collection_axis(layout.rows.candidates)
    skim = replace(skim, candidate_rows=rows)
    axes = {name: node.axis for name, node in skim.columns if node.axis != n.EVENT}
    if skim.passed is not None:
        axes[skim.passed] = n.lineage(candidates)[0]
    for name, node in skim.columns:
        _require_list_or_value(name, node, candidates)
    _require_rows(axes, rows)
    asked = branches_of(skim, schema)
    kept = tuple(_kept(branch, schema) for branch in asked if can_keep(skim, branch))
    if not kept and not skim.columns:
        raise BranchError(f"keep= and drop= leave nothing of tree {schema.tree} that can be kept.")
    _refuse_counters(skim, kept)
    counters = _counters(kept, layout, schema)
    own = tuple((name, counters.get(axis, "")) for name, axis in axes.items())
    return replace(skim, kept=kept, counters=own)


def _refuse_counters(skim: Skim, kept: Iterable[Kept]) -> None:
    lists = [each for each in kept if each.counter is not None]
    counters = {counter_of(each.branch, each.counter): each.branch for each in lists}
    for name in skim.new_names if skim.format == "ttree" else ():
        if name in counters:
            raise AnalysisError(
                f"a new branch cannot be called {name!r}, which counts the lists of "
                f"{counters[name]} in a TTree."
            )


def branches_of(skim: Skim, schema: Schema) -> list[BranchInfo]:
    """Return the branches that a skim asks for, in the order of the file.

    Raises BranchError for a pattern that fits nothing.
    """
    names = [branch.name for branch in schema.branches]
    for option, patterns in (("keep", skim.keep), ("drop", skim.drop)):
        for pattern in patterns:
            _require_fitting(option, pattern, names, schema.tree)
    return [
        branch
        for branch in schema.branches
        if branch.shape != "group"  # its members are branches of their own
        and _fits(branch.name, skim.keep)
        and not _fits(branch.name, skim.drop)
        and branch.name not in skim.new_names
    ]


def can_keep(skim: Skim, branch: BranchInfo) -> bool:
    """Return whether a skim can hold a branch."""
    return not _reason(skim, branch)


def left_out(name: str, skim: Skim, schema: Schema) -> Iterator[str]:
    """Yield what a skim asks for and cannot keep, a sentence for each reason."""
    names: dict[str, list[str]] = defaultdict(list)
    for branch in branches_of(skim, schema):
        names[_reason(skim, branch)].append(branch.name)
    for reason, found in names.items():
        if reason:
            more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
            yield f"skim {name!r} leaves out {', '.join(found[:SHOWN])}{more}: {reason}"


def require_trees(skim: Skim, found: Iterable[str]) -> None:
    """Raise BranchError where a pattern of the user's fits none of the other trees of a file."""
    for pattern in skim.trees if skim.trees != BESIDE else ():
        if _fits_none(pattern, list(found)):
            raise BranchError(f"trees={pattern!r} fits no other tree of the file.")


def _reason(skim: Skim, branch: BranchInfo) -> str:
    """Return why a branch cannot be kept, if it cannot."""
    if not branch.is_readable:
        return "they do not hold numbers, truth values or strings, one or a list in each event"
    if branch.member:  # not all of which uproot can take apart, which only reading tells
        return "they are members of objects that the file stores whole; events['Name'] reads them"
    is_list = branch.shape == "list" and skim.candidate_rows is None
    if branch.kind == "string" and is_list and skim.format == "ttree":
        return "lists of strings cannot be written to a TTree; format='rntuple' takes them"
    forbidden = "/" if skim.format == "ttree" else "./\\ "
    if any(sign in branch.name for sign in forbidden):
        return f"{'a TTree' if skim.format == 'ttree' else 'an RNTuple'} allows no such names"
    return ""


def _kept(branch: BranchInfo, schema: Schema) -> Kept:
    if branch.shape == "scalar":
        return Kept(branch.name)
    counter = schema.by_name.get(branch.counter or "")
    if counter is None or counter.shape != "scalar" or not branch.is_counted_with_others:
        return Kept(branch.name, "")
    return Kept(branch.name, counter.name)


def _counters(kept: Sequence[Kept], layout: Layout, schema: Schema) -> Mapping[n.Axis, str]:
    """Return the branch that counts the lists of each collection, where they have one in common."""
    return {
        collection_axis(collection_of(schema.by_name[each.branch], layout, schema)): each.counter
        for each in kept
        if each.counter
    }


def _require_fitting(option: str, pattern: str, names: Sequence[str], tree: str) -> None:
    if _fits_none(pattern, names):
        stem = re.split(r"[*?\[]", pattern)[0]
        beginnings = {name[: len(stem)] + "*" for name in names} if stem != pattern else set()
        near = did_you_mean(pattern, sorted({*names, *beginnings}))
        raise BranchError(f"{option}={pattern!r} fits no branch of tree {tree}.{near}")


def _fits_none(pattern: str, names: Iterable[str]) -> bool:
    return not any(fnmatchcase(name, pattern) for name in names)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _require_rows(axes: Mapping[str, n.Axis], rows: n.Axis | None) -> None:
    for name, axis in axes.items():
        if rows not in (None, axis):
            raise AnalysisError(
                f"new branch {name!r} has a value for each {brief(axis)}, and the file one row for "
                f"each {rows.name}, so that a skim of it has values per {rows.name} or event only."
            )


def _require_list_or_value(name: str, node: n.Node, candidates: n.Axis) -> None:
    if node.axis == n.EVENT:
        return
    depending = depending_on_candidates(n.walk(node), candidates)
    for inner in n.walk(node):
        if isinstance(inner, n.Reduce) and inner in depending:
            raise AnalysisError(
                f"new branch {name!r} has a value for each {brief(node.axis)}, also where the "
                f"selection cut it, and {brief(inner)} is of those left: make it a branch of its "
                "own, with one value in each event."
            )
