"""Layouts as data: what `flavorframe.layout` and layout files declare, and what names mean by it.

What is declared comes first; what is not is found by NanoAOD's naming rule: ``Muon_pt`` is a field
of the collection that ``nMuon`` counts, ``triplet_mu1_pt`` is ``triplet.mu1.pt``, and
``triplet_mu1_idx`` or ``Jet_muonIdx1`` links to an element by its index. Case, underscores and
points do not count, so that ``muon.is_global`` is ``Muon_isGlobal``.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._rootio.schema import BranchInfo, Schema, fold
from flavorframe.errors import BranchError, did_you_mean
from flavorframe.layouts.base import RowsRule, Units, by_folded_name, collections, only
from flavorframe.layouts.triggers import Trigger

SHORT_NAMES = {"mu": "muon", "trk": "track", "el": "electron", "ele": "electron"}
"""Collections by the names that links to them bear, beside their own."""


@dataclass(frozen=True)
class Link:
    """What a link leads to: an element by its index, or the one whose values are equal.

    Attributes:
        to: The collection of the elements.
        index: The branch with the index, or an empty string.
        equal: Pairs of names that must be equal: of the element, and of what links to it.
    """

    to: str
    index: str = ""
    equal: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CollectionRule:
    """A collection: the branches that belong to it, by shell patterns; names of fields; links."""

    branches: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)

    @property
    def declaration(self) -> dict[str, Any]:
        """The rule as values for JSON."""
        links = {
            name: _filled({"to": link.to, "index": link.index, "equal": dict(link.equal)})
            for name, link in self.links.items()
        }
        return _filled({"branches": self.branches, "fields": dict(self.fields), "links": links})


@dataclass(frozen=True, eq=False, repr=False)
class Layout:
    """A layout that is declared by data; see `flavorframe.layout`.

    Attributes:
        name: What the layout is called.
        recognised_by: Branches that tell a file of this layout, or shell patterns of them; without
            any the layout must be named.
        tree: The tree to read where none is named, or an empty string.
        event: Branches by their friendly names, of the event.
        collections: Collections by name; a list belongs to the first that has a pattern for it.
        triggers: How decisions are kept, by the name of the menu ("hlt", "l1").
        units: The units of the file.
        rows: How rows are events, where a row is a candidate.
        lists_stand_alone: Whether each list that no pattern names is a collection of its own;
            otherwise the counter tells the collection, or the name up to the first underscore.
        places: Where each item was declared, for messages: ``"mine.toml, line 12"`` by its key.
    """

    name: str
    recognised_by: tuple[str, ...] = ()
    tree: str = ""
    event: Mapping[str, str] = field(default_factory=dict)
    collections: Mapping[str, CollectionRule] = field(default_factory=dict)
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    units: Units = field(default_factory=Units)
    rows: RowsRule | None = None
    lists_stand_alone: bool = False
    places: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def declaration(self) -> Mapping[str, Any]:
        """What `flavorframe.layout` would take to return this layout, as values for JSON."""
        given = {
            "name": self.name,
            "recognised_by": list(self.recognised_by),
            "tree": self.tree,
            "event": dict(self.event),
            "collections": {name: rule.declaration for name, rule in self.collections.items()},
            "triggers": {menu: _filled(asdict(each)) for menu, each in self.triggers.items()},
            "units": asdict(self.units),
            "rows": None if self.rows is None else _filled(asdict(self.rows)),
            "lists": "alone" if self.lists_stand_alone else "",
        }
        return _filled(given)

    @cached_property
    def digest(self) -> str:
        """A text that is equal for layouts that are alike, in every process."""
        in_order = list(self.declaration.get("collections", {}))  # the first takes a branch
        return json.dumps([self.declaration, in_order], sort_keys=True)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Layout) and self.digest == other.digest)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        known = {"event": self.event, "collections": self.collections, "triggers": self.triggers}
        told = [f"{what} {', '.join(names)}" for what, names in known.items() if names]
        told.append(f"{self.units.energy}, {self.units.length}")
        return f"Layout {self.name!r}: {'; '.join(told)}"

    def __reduce__(self) -> tuple[object, ...]:  # what is cached is of this process
        return Layout, tuple(getattr(self, name) for name in self.__match_args__)

    def recognises(self, schema: Schema) -> bool:
        """Return whether the file has the branches that tell this layout."""
        return bool(self.recognised_by) and not self.missing(schema)

    def missing(self, schema: Schema) -> list[str]:
        """Return which of the branches that tell this layout are not in the file."""
        return [each for each in self.recognised_by if not self._has(schema, each)]

    def _has(self, schema: Schema, wanted: str) -> bool:
        names = [wanted] if wanted in schema.by_name else fnmatch.filter(schema.by_name, wanted)
        return any(self.rows is None or schema.by_name[b].shape == "scalar" for b in names)

    def branch_for(self, schema: Schema, collection: str | None, path: tuple[str, ...]) -> str:
        """Return the branch that is declared for a name, or whose name is that of the parts."""
        declared = self._declared(collection, path)
        if declared in schema.by_name:
            return declared
        found = by_folded_name(schema, *(() if collection is None else (collection,)), *path)
        if not found and collection is not None and self._is_of_rows(collection):
            return by_folded_name(schema, *path)
        return found

    def _declared(self, collection: str | None, path: tuple[str, ...]) -> str:
        table = self.event if collection is None else self.fields_of(collection)
        return table.get(".".join(path), "")

    def fields_of(self, collection: str) -> Mapping[str, str]:
        """Return the branches of a collection that are declared, by the names of its fields."""
        return self._rule(collection).fields

    def _rule(self, collection: str) -> CollectionRule:
        return self.collections.get(self._spelt(collection), CollectionRule())

    def _spelt(self, collection: str) -> str:
        """Return a collection as it is declared: case and underscores do not count."""
        return self._spellings.get(fold(collection), collection)

    @cached_property
    def _spellings(self) -> Mapping[str, str]:
        return {fold(name): name for name in self.collections}

    def _is_of_rows(self, collection: str) -> bool:
        return self.rows is not None and fold(collection) == fold(self.rows.candidates)

    def explain(self, schema: Schema, collection: str | None, path: tuple[str, ...]) -> str:
        """Return a sentence on a declared branch that the file does not have, if that is why."""
        declared = self._declared(collection, path)
        if not declared or declared in schema.by_name:
            return ""
        section = "event" if collection is None else self._section(collection, "fields")
        near = did_you_mean(declared, schema.by_name)
        return (
            f" By {self._place(section, path)} it is branch {declared}, which the tree does not "
            f"have.{near}"
        )

    def explain_link(self, collection: str, name: str) -> str:
        """Return a sentence that says where a link is declared, or nothing if it is not."""
        if name not in self._rule(collection).links:
            return ""
        place = self._place(self._section(collection, "links"), (name,))
        return f" The link {collection}.{name} is declared by {place}."

    def _section(self, collection: str, table: str) -> str:
        return f"collections.{self._spelt(collection)}.{table}"

    def _place(self, section: str, path: tuple[str, ...]) -> str:
        return self.places.get(".".join((section, *path)), f"layout {self.name}")

    def link(self, schema: Schema, collection: str, name: str) -> n.Node | None:
        """Return the link that is declared, or one by an index branch that is named for it."""
        declared = self._rule(collection).links.get(name)
        if declared is None:
            return self._link_by_name(schema, collection, name)
        target, start = n.CollectionAxis(declared.to), n.CollectionAxis(collection)
        if declared.index:
            index: n.Node = n.Branch(declared.index, start)
        else:
            theirs, ours = zip(*declared.equal, strict=True)
            index = n.Match(
                target,
                tuple(_quantity(schema, target, each) for each in theirs),
                tuple(_quantity(schema, start, each) for each in ours),
            )
        return n.Gather(n.Field(target, ()), target, index)

    def _link_by_name(self, schema: Schema, collection: str, name: str) -> n.Node | None:
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
        """Return the collection of a list: the one that has it as a field, or a pattern for it.

        Of other lists the counter or the name tells. A counter of one branch alone, as uproot
        writes it, tells nothing; an array of one length in all events is a collection of its own.
        """
        if self.rows is not None:
            return self.rows.candidates
        if branch.name in self._owners:
            return self._owners[branch.name]
        for collection, pattern in self._patterns:
            if pattern.match(branch.name):
                return collection
        if self.lists_stand_alone or branch.length is not None:
            return branch.name
        if branch.counter and branch.counter.startswith("n") and branch.is_counted_with_others:
            return branch.counter.removeprefix("n") or branch.counter
        return re.split(r"[_.]", branch.name, maxsplit=1)[0]

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        """The collections of the branches that are declared as fields."""
        rules = self.collections.items()
        return {branch: name for name, rule in rules for branch in rule.fields.values()}

    @cached_property
    def _patterns(self) -> Sequence[tuple[str, re.Pattern[str]]]:
        return [
            (name, re.compile("|".join(map(fnmatch.translate, rule.branches))))
            for name, rule in self.collections.items()
            if rule.branches
        ]

    def fired(self, schema: Schema, menu: str, patterns: tuple[str, ...]) -> n.Node:
        """Return the tree that says whether a trigger path fired; see `Trigger`."""
        if menu not in self.triggers:
            raise BranchError(
                f"Layout {self.name} does not say how decisions of {menu} are kept: declare "
                f"triggers.{menu}, or test the branches, such as events['HLT_Mu8']."
            )
        return self.triggers[menu].fired(schema, patterns)


def _filled(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a table is not empty, with lists for tuples as JSON has them."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in table.items()
        if value
    }


def _quantity(schema: Schema, axis: n.CollectionAxis, name: str) -> n.Node:
    """Return a branch of the file, or what a friendly name stands for."""
    return n.Branch(name, axis) if name in schema.by_name else n.Field(axis, tuple(name.split(".")))
