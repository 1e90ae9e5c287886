"""``ff.layout``: layouts from what users declare, in Python or in TOML, each item checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from flavorframe._expr.units import ENERGIES, LENGTHS
from flavorframe._rootio.schema import fold
from flavorframe.errors import LayoutError, did_you_mean
from flavorframe.layouts.base import RowsRule, Units
from flavorframe.layouts.declared import CollectionRule, Layout, Link
from flavorframe.layouts.triggers import Trigger

KEYS = {
    "the layout": ("name", "recognised_by", "tree", "event", "collections", "triggers", "units",
                   "rows", "lists"),
    "a collection": ("branches", "fields", "links"),
    "a link": ("to", "index", "equal"),
    "a trigger menu": ("branches", "names", "decisions"),
    "the units": ("energy", "length"),
    "the rows": ("key", "candidates", "event"),
}  # fmt: skip
"""The keys of each table of a layout."""

MENUS = ("hlt", "l1")
LISTS = ("by prefix", "alone")


def layout(
    name: str,
    *,
    recognised_by: Iterable[str] = (),
    tree: str = "",
    event: Mapping[str, str] | None = None,
    collections: Mapping[str, Mapping[str, Any]] | None = None,
    triggers: Mapping[str, Mapping[str, Any]] | None = None,
    units: Mapping[str, str] | None = None,
    rows: Mapping[str, Any] | None = None,
    lists: Literal["by prefix", "alone"] = "by prefix",
) -> Layout:
    """Return a layout: which branch of a file stands for which name of an analysis.

    What is not declared is found by its name, as in NanoAOD: ``muon.pt`` is ``Muon_pt``,
    ``triplet.mu1.pt`` is ``triplet_mu1_pt``, and ``Jet_muonIdx1`` links ``jet.muon1``. The same can
    be written as a TOML file, with the same keys.

    Args:
        name: What the layout is called.
        recognised_by: Branches that together only files of this layout have, or shell patterns.
        tree: The tree to read where none is named.
        event: Branches with one value an event, by their friendly names.
        collections: By name, each with ``branches`` (shell patterns of the branches that belong to
            it), ``fields`` (branches by friendly name) and ``links``. A link says ``to`` which
            collection it leads, and ``index``, a branch with the number of the element, or
            ``equal``, names of values of the element with those they equal.
        triggers: For ``hlt`` and ``l1``: ``branches`` (shell patterns of one branch a path), or
            ``names`` and ``decisions`` (branches with lists of them).
        units: ``energy`` (MeV, GeV, TeV; also of momenta and masses) and ``length`` (um, mm, cm,
            m); GeV and cm without it.
        rows: For files with one row a candidate: ``key`` (branches that tell events apart),
            ``candidates`` (what the collection is called) and ``event`` (shell patterns of
            branches with one value an event).
        lists: What becomes of lists that no collection names: they belong together "by prefix",
            the name up to the first underscore, or each is "alone".

    Returns:
        The layout, for ``ff.dataset(..., layout=)`` and catalogues.

    Raises:
        LayoutError: Something in it is wrong; the message says what and where.

    Example:
        >>> import flavorframe as ff
        >>> mine = ff.layout(
        ...     "mine",
        ...     event={"run": "RunNumber"},
        ...     collections={"triplet": {"branches": ["cand_*"], "fields": {"mass": "cand_m3mu"}}},
        ... )
        >>> ff.dataset("ntuple.root", layout=mine)
        Dataset 'dataset': data, 1 file, layout 'mine'
    """
    given = {
        "name": name, "recognised_by": as_texts(recognised_by), "tree": tree, "event": event,
        "collections": collections, "triggers": triggers, "units": units, "rows": rows,
        "lists": lists,
    }  # fmt: skip
    return declared({key: value for key, value in given.items() if value})


def as_texts(given: Any) -> Any:
    """Return an iterable of names as a list; one name as it is."""
    return given if isinstance(given, str) or not isinstance(given, Iterable) else list(given)


def declared(
    given: Mapping[str, Any],
    where: Callable[[str], str] | None = None,
    places: Mapping[str, str] | None = None,
) -> Layout:
    """Return the layout of a mapping; ``where`` gives the place of a key such as "event.run"."""
    named = f"layout {given.get('name', '')!r}"
    return _Reader(where or (lambda key: f"{named}, {key}")).layout(given, places or {})


class _Reader:
    """Reads a mapping into a layout; ``where`` tells where a key stands, for messages."""

    def __init__(self, where: Callable[[str], str]) -> None:
        self._where = where

    def refuse(self, key: str, problem: str) -> LayoutError:
        return LayoutError(f"{self._where(key)}: {problem}")

    def layout(self, given: Mapping[str, Any], places: Mapping[str, str]) -> Layout:
        self._check_keys(given, "the layout", "")
        name = self._text(given.get("name", ""), "name")
        if not name.strip():
            raise self.refuse("name", "a layout has a name, such as name = 'mine'.")
        rules = {
            each: self._collection(value, f"collections.{each}")
            for each, value in self._table(given.get("collections", {}), "collections").items()
        }
        self._refuse_repeats(rules)
        lists = given.get("lists", LISTS[0])
        rows = given.get("rows")
        return Layout(
            name,
            self._texts(given.get("recognised_by", ()), "recognised_by"),
            self._text(given.get("tree", ""), "tree"),
            self._names(given.get("event", {}), "event"),
            rules,
            self._triggers(given.get("triggers", {})),
            self._units(given.get("units", {})),
            None if rows is None else self._rows(rows),
            self._one_of(lists, LISTS, "lists") == "alone",
            places,
        )

    def _collection(self, given: Any, key: str) -> CollectionRule:
        self._check_keys(given, "a collection", key)
        links = self._table(given.get("links", {}), f"{key}.links")
        return CollectionRule(
            self._texts(given.get("branches", ()), f"{key}.branches"),
            self._names(given.get("fields", {}), f"{key}.fields"),
            {name: self._link(value, f"{key}.links.{name}") for name, value in links.items()},
        )

    def _link(self, given: Any, key: str) -> Link:
        self._check_keys(given, "a link", key)
        to, index = (self._text(given.get(part, ""), f"{key}.{part}") for part in ("to", "index"))
        equal = self._names(given.get("equal", {}), f"{key}.equal")
        if not to:
            raise self.refuse(key, "say to which collection the link leads, such as to = 'muon'.")
        if bool(index) == bool(equal):
            raise self.refuse(
                key,
                "a link is made by index = 'branch with the number of the element', or by "
                "equal = {'pt': 'mu1.pt'}, names of the element's values and what they equal; "
                f"{'both are' if index else 'neither is'} given.",
            )
        return Link(to, index, tuple(equal.items()))

    def _triggers(self, given: Any) -> dict[str, Trigger]:
        menus = self._table(given, "triggers")
        for menu in menus:
            self._one_of(menu, MENUS, f"triggers.{menu}")
        return {menu: self._trigger(value, f"triggers.{menu}") for menu, value in menus.items()}

    def _trigger(self, given: Any, key: str) -> Trigger:
        self._check_keys(given, "a trigger menu", key)
        branches = self._texts(given.get("branches", ()), f"{key}.branches")
        names, decisions = (
            self._text(given.get(part, ""), f"{key}.{part}") for part in ("names", "decisions")
        )
        if bool(names) != bool(decisions) or bool(names) == bool(branches):
            raise self.refuse(
                key,
                "decisions are kept in branches of their own, branches = ['HLT_*'], or in two "
                "lists, names = '…' and decisions = '…'.",
            )
        return Trigger(branches, names, decisions)

    def _units(self, given: Any) -> Units:
        self._check_keys(given, "the units", "units")
        default = Units()
        return Units(
            self._one_of(given.get("energy", default.energy), (*ENERGIES,), "units.energy"),
            self._one_of(given.get("length", default.length), (*LENGTHS,), "units.length"),
        )

    def _rows(self, given: Any) -> RowsRule:
        self._check_keys(given, "the rows", "rows")
        key = self._texts(given.get("key", ()), "rows.key")
        if not key:
            raise self.refuse(
                "rows", "say which branches tell events apart, such as key = ['run', 'event']."
            )
        candidates = self._text(given.get("candidates", "candidate"), "rows.candidates")
        return RowsRule(key, candidates, self._texts(given.get("event", ()), "rows.event"))

    def _refuse_repeats(self, rules: Mapping[str, CollectionRule]) -> None:
        """Refuse two collections of one name, and a branch that two claim by its name."""
        owners: dict[str, str] = {}
        spelt: dict[str, str] = {}
        for name, rule in rules.items():
            other = spelt.setdefault(fold(name), name)
            if other != name:
                raise self.refuse(
                    f"collections.{name}",
                    f"{name} and {other} are one name: case and underscores do not count.",
                )
            for branch in dict.fromkeys((*rule.branches, *rule.fields.values())):
                first = owners.setdefault(branch, name)
                if first != name:
                    key = "branches" if branch in rule.branches else "fields"
                    raise self.refuse(
                        f"collections.{name}.{key}",
                        f"branch {branch} belongs to {first} already: a list is of one collection.",
                    )

    # Values

    def _check_keys(self, given: Any, table: str, key: str) -> None:
        allowed = KEYS[table]
        for name in self._table(given, key):
            if name not in allowed:
                near = did_you_mean(name, allowed, cutoff=0.5)
                raise self.refuse(
                    f"{key}.{name}" if key else name,
                    f"unknown key {name!r}.{near} {table.capitalize()} can have "
                    f"{', '.join(allowed)}.",
                )

    def _table(self, given: Any, key: str) -> Mapping[str, Any]:
        if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
            raise self.refuse(key, f"should be a table of names, not {given!r}.")
        return given

    def _names(self, given: Any, key: str, prefix: str = "") -> dict[str, str]:
        """Return friendly names with their branches; ``mu1 = {pt = …}`` is ``mu1.pt``."""
        names: dict[str, str] = {}
        for name, value in self._table(given, key).items():
            if isinstance(value, Mapping):
                inner = self._names(value, f"{key}.{name}", f"{prefix}{name}.")
            else:
                inner = {prefix + name: self._text(value, f"{key}.{name}")}
            for each in names.keys() & inner.keys():
                raise self.refuse(f"{key}.{name}", f"{each} stands there twice.")
            names |= inner
        return names

    def _text(self, given: Any, key: str) -> str:
        if not isinstance(given, str):
            raise self.refuse(key, f"should be text, not {given!r}.")
        return given

    def _texts(self, given: Any, key: str) -> tuple[str, ...]:
        texts = (given,) if isinstance(given, str) else given
        if not isinstance(texts, Iterable) or isinstance(texts, Mapping):
            raise self.refuse(key, f"should be a list of names, not {given!r}.")
        found = tuple(self._text(text, key) for text in texts)
        twice = next((text for i, text in enumerate(found) if text in found[:i]), None)
        if twice is not None:
            raise self.refuse(key, f"{twice!r} stands there twice.")
        return found

    def _one_of(self, given: Any, allowed: tuple[str, ...], key: str) -> str:
        text = self._text(given, key)
        if text not in allowed:
            raise self.refuse(key, f"{text!r} is not one of {', '.join(allowed)}.")
        return text
