"""NanoAOD and files that follow its naming rule, as TTree or RNTuple.

``Muon_pt`` is a field of the collection whose length is ``nMuon``; ``triplet_mu1_pt`` is
``triplet.mu1.pt``; ``triplet_mu1_idx`` or ``Jet_muonIdx1`` links to an element by its index;
``HLT_…`` and ``L1_…`` are truth values. Case and underscores do not count, so that
``muon.is_global`` is ``Muon_isGlobal``. Source: CMS NanoAOD documentation,
https://cms-nanoaod-integration.web.cern.ch/autoDoc.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from flavorframe._expr import nodes as n
from flavorframe._rootio.schema import BranchInfo, Schema, fold
from flavorframe.errors import BranchError, did_you_mean
from flavorframe.layouts.base import by_folded_name, collections, only

EVENT_NAMES = {
    "luminosity_block": "luminosityBlock",
    "n_primary_vertices": "PV_npvs",
    "n_pileup": "Pileup_nPU",
}

SHORT_NAMES = {"mu": "muon", "trk": "track", "el": "electron", "ele": "electron"}
"""Collections by the names that links to them bear, beside their own."""

PREFIXES = {"hlt": "HLT_", "l1": "L1_"}
SHOWN = 8
"""How many trigger paths a message lists."""


class Nano:
    """NanoAOD's naming rule."""

    name = "nano"

    def recognises(self, schema: Schema) -> bool:
        """Return true: the rule is what remains when no other layout knows the file."""
        return True

    def branch_for(self, schema: Schema, collection: str | None, path: tuple[str, ...]) -> str:
        """Return the branch whose name is the collection's and the path's, joined."""
        if collection is not None:
            return by_folded_name(schema, collection, *path)
        stored = EVENT_NAMES.get(path[0], "") if len(path) == 1 else ""
        return stored if stored in schema.by_name else by_folded_name(schema, *path)

    def link(self, schema: Schema, collection: str, name: str) -> n.Node | None:
        """Return the link by the branch ``<collection>_<target>_idx``, or ``…<target>Idx<which>``.

        ``name`` is the target, and which of several. Raises BranchError where it fits two branches.
        """
        folded = fold(name)
        found = {}
        for end in range(len(folded), 0, -1):
            branch = by_folded_name(schema, collection, folded[:end], "idx", folded[end:])
            if branch:
                found[branch] = folded[:end]
        if not found:
            return None
        branch = only(f"{collection}.{name}", tuple(found))
        target = n.CollectionAxis(self._target(schema, found[branch]))
        index = n.Branch(branch, n.CollectionAxis(collection))
        return n.Gather(n.Field(target, ()), target, index)

    def _target(self, schema: Schema, name: str) -> str:
        """Return the collection so called, or else what a short name or a number stands for."""
        stem = name.rstrip("0123456789")
        names = dict.fromkeys((name, SHORT_NAMES.get(stem, stem)))
        known = {fold(c) for c in collections(self, schema)} if len(names) > 1 else names
        return next((name for name in names if name in known), SHORT_NAMES.get(stem, name))

    def collection_of(self, branch: BranchInfo) -> str:
        """Return what the counter counts, or the name up to the first underscore or point.

        A counter of one branch alone, as uproot writes it, tells nothing. An array of one length in
        all events is a collection of its own.
        """
        if branch.length is not None:
            return branch.name
        if branch.counter and branch.counter.startswith("n") and branch.is_counted_with_others:
            return branch.counter.removeprefix("n") or branch.counter
        return re.split(r"[_.]", branch.name, maxsplit=1)[0]

    def fired(self, schema: Schema, menu: str, patterns: tuple[str, ...]) -> n.Node:
        """Return whether any of the branches that fit a pattern is true.

        The version that NanoAOD strips (``_v*``, ``_v7``) may stand in a pattern. Raises
        BranchError where no branch fits any pattern, for then nothing could ever fire.
        """
        paths = [b for b in schema.by_name if b.startswith(PREFIXES[menu])]
        names = [b for b in paths if _fits(b, patterns)]
        if not names:
            raise BranchError(
                f"No branch of tree {schema.tree} is the trigger path {' or '.join(patterns)}."
                f"{did_you_mean(patterns[0], paths)} {_listed(paths)}"
            )
        return _any([n.Branch(name, n.UNRESOLVED) for name in names])


def _listed(paths: Sequence[str]) -> str:
    if not paths:
        return "It has none of this kind."
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return f"It has {', '.join(sorted(paths)[:SHOWN])}{more}."


def _any(columns: Sequence[n.Node]) -> n.Node:
    """Return a balanced tree of ``or``: a menu may have hundreds of paths."""
    if len(columns) == 1:
        return columns[0]
    middle = len(columns) // 2
    return n.Apply("or", (_any(columns[:middle]), _any(columns[middle:])))


def _fits(branch: str, patterns: tuple[str, ...]) -> bool:
    return any(
        fnmatchcase(branch, form)
        for pattern in patterns
        for form in (pattern, re.sub(r"_v(\*|\d+)$", "", pattern))
    )
