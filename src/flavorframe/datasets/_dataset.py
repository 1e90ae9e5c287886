"""The class of datasets: files that belong together, with luminosity, tree and other metadata."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from flavorframe._files.locations import file_key, normalized, refuse_repeats
from flavorframe.datasets._files import (
    PathLike,
    as_entries,
    below,
    expanded,
    files_by_tree,
    of_fileset,
    one_tree,
)
from flavorframe.datasets._friends import Friend, added_friends, checked_friends
from flavorframe.datasets._globs import is_glob
from flavorframe.datasets._left_out import LeftOut, copies_in
from flavorframe.datasets._replicas import Places, all_places, checked_replicas
from flavorframe.errors import DatasetError
from flavorframe.layouts import Layout, find_layout

if TYPE_CHECKING:
    from flavorframe._data_quality.duplicates import Duplicates

Kind = Literal["data", "simulation"]

KINDS: dict[str, Kind] = {"data": "data", "mc": "simulation", "simulation": "simulation"}
# Totals over all files of a dataset: they add up, and mean nothing for some of its files.
TOTALS = ("sumw", "generated_events")


@dataclass(frozen=True, repr=False)
class Dataset:
    """Files that belong together and are analysed as one.

    The length is the number of files.

    Args:
        name: What the dataset is called.
        era: The era of data taking, where there is one.
        files: Full paths or URLs.
        tree: Path of the tree in each file; ``None`` has the layout find it.
        luminosity: Integrated luminosity [fb⁻¹]; ``None`` where it is unknown.
        kind: "data" or "simulation".
        meta: What else is known, such as ``cross_section`` [pb], ``generated_events`` and ``sumw``,
            the sum of generator weights, or where each file has it.
        layout: What the branches of the files are called; ``None`` has it recognised.
        friends: Files that hold more about the same events, by name.
        replicas: Of each file that is in several places, these places in the order in which they
            are tried; the first is the one in ``files``.
        left_out: Events that are not read; see `without`.

    Raises:
        DatasetError: There is no file, a file is named twice, a URL cannot be read, or the
            luminosity is negative.

    Example:
        >>> Dataset("2017B", "2017B", ("/data/Tree_1.root",), luminosity=4.8)
        Dataset '2017B': data, 1 file, 4.8 fb⁻¹
    """

    name: str
    era: str | None
    files: tuple[str, ...]
    tree: str | None = None
    luminosity: float | None = None
    kind: Kind = "data"
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)
    layout: Layout | None = None
    friends: tuple[tuple[str, Friend], ...] = ()
    replicas: tuple[Places, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __post_init__(self) -> None:
        where = f"dataset {self.name!r}"
        _require_some(self.files, where)
        object.__setattr__(self, "files", tuple(map(normalized, self.files)))
        if self.tree is None and self.layout is not None and self.layout.tree:
            object.__setattr__(self, "tree", self.layout.tree)
        object.__setattr__(self, "replicas", checked_replicas(self.replicas, self.files, where))
        refuse_repeats(self.places, where)
        if self.tree == "":
            raise DatasetError(f"{where}: the tree has no name; leave it out to have it found.")
        if self.luminosity is not None and not self.luminosity >= 0:
            raise DatasetError(
                f"{where}: the luminosity should be zero or more, not {self.luminosity} fb⁻¹."
            )

    def __len__(self) -> int:
        return len(self.files)

    @property
    def places(self) -> tuple[str, ...]:
        """The files, and after each its replicas."""
        return all_places(self.files, self.replicas)

    def __add__(self, other: Dataset) -> Dataset:
        """Return one dataset of the files of both; luminosities and generated events add up.

        A total that one of the two does not know is unknown for the sum.

        Raises:
            DatasetError: The two differ in kind, tree or cross section, or share a file.
        """
        _require_alike(self, other)
        name = f"{self.name}+{other.name}"
        refuse_repeats(self.places + other.places, f"dataset {name!r}", file_key)
        return Dataset(
            name=name,
            era=self.era if self.era == other.era else _joined(self.era, other.era),
            files=self.files + other.files,
            tree=self.tree,
            luminosity=_total(self.luminosity, other.luminosity),
            kind=self.kind,
            meta=_common_meta(self.meta, other.meta),
            layout=self.layout,
            friends=added_friends(self.friends, other.friends, name),
            replicas=self.replicas + other.replicas,
            left_out=self.left_out + other.left_out,
        )

    def without(self, duplicates: Duplicates) -> Dataset:
        """Return the dataset without events that are in it twice: the first copy of each is kept.

        Which is the first, files and the events in them decide, in their order. What is left out
        is not read: it counts neither in the cutflow nor as missing. A file that has changed since
        is a failure.

        Args:
            duplicates: What a result has of `flavorframe.duplicates`.

        Returns:
            The dataset of the same files, with the same luminosity.

        Example:
            >>> found = ff.Analysis(selection, twice=ff.duplicates()).run(data)  # doctest: +SKIP
            >>> result = analysis.run(data.without(found.twice))  # doctest: +SKIP
        """
        return replace(self, left_out=copies_in(self.files, self.replicas, duplicates))

    def head(self, n_files: int) -> Dataset:
        """Return the first ``n_files`` files, to try an analysis on.

        The luminosity and generated events of some of the files are unknown, so they are left out.

        Args:
            n_files: How many files.

        Returns:
            The dataset of these files.

        Raises:
            DatasetError: Less than one file is asked for.

        Example:
            >>> dataset(["/data/a.root", "/data/b.root"], luminosity=4.8).head(1)
            Dataset 'dataset': data, 1 file
        """
        if n_files < 1:
            raise DatasetError(
                f"head({n_files}) of dataset {self.name!r}: ask for at least one file."
            )
        if n_files >= len(self):
            return self
        meta = {key: value for key, value in self.meta.items() if not _is_total(key, value)}
        files = self.files[:n_files]
        chosen = set(files)
        kept = tuple(places for places in self.replicas if places[0] in chosen)
        friends = tuple((name, each.head(n_files)) for name, each in self.friends)
        left_out = tuple(each for each in self.left_out if each.file in chosen)
        return replace(
            self, files=files, luminosity=None, meta=meta, replicas=kept, friends=friends,
            left_out=left_out,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Dataset {self.name!r}: {', '.join(facts(self))}"

    def _repr_html_(self) -> str:
        rows = [("files", _counted(self)), ("first file", self.files[0])]
        rows += [(key, str(value)) for key, value in self.meta.items()]
        return html_table("ff-dataset", f"{self.name}: {', '.join(facts(self))}", rows)


def dataset(
    files: PathLike | Iterable[PathLike | Sequence[PathLike]] | Mapping[Any, Any],
    *,
    name: str = "dataset",
    tree: str | None = None,
    luminosity: float | None = None,
    kind: str = "data",
    layout: Layout | PathLike | None = None,
    friends: Mapping[str, Friend] | None = None,
) -> Dataset:
    """Return the dataset of some files: paths, URLs, globs or folders (their ``*.root``).

    The tree may be named as uproot has it: ``"a.root:Events"``, ``{"a.root": "Events"}``, or an
    entry of a fileset of coffea, whose metadata become ``meta``; it is the same in all files.

    Servers list their folders for globs, and for folders whose URL ends with a slash. In URLs
    ``*`` and ``**`` are the only wildcards.

    A file that is in several places, its replicas, is a list of these in the list of files. They
    are tried in this order.

    Args:
        files: One or several files, which need not exist yet, or an entry of a fileset.
        name: What the dataset is called.
        tree: Path of the tree in each file; ``None`` has the layout find it.
        luminosity: Integrated luminosity [fb⁻¹]; ``None`` where it is unknown.
        kind: "data" or "simulation" ("mc" for short).
        layout: What the branches are called, if that is not to be recognised: what `ff.layout`
            returns, a TOML file, or the name of a layout that is known.
        friends: Files that hold more about the same events, by name; see `ff.friend`.

    Returns:
        The dataset; globs and folders are looked up now.

    Raises:
        DatasetError: A glob matches nothing, a name is empty, a file is named twice, also by a
            link or as a replica, trees differ, or the kind is unknown.
        LayoutError: There is no such layout, or it is declared wrongly.
        FileError: A server does not list a folder.

    Example:
        >>> dataset("root://eos.cern.ch//eos/Tree_1.root:Events", luminosity=4.8)
        Dataset 'dataset': data, 1 file, 4.8 fb⁻¹, tree 'Events'
        >>> dataset([["root://eos.cern.ch//eos/a.root", "/backup/a.root"], "/data/b.root"])
        Dataset 'dataset': data, 2 files (1 with replicas)
    """
    where = f"dataset {name!r}"
    if kind not in KINDS:
        raise DatasetError(f"{where}: kind {kind!r} is not 'data' or 'simulation'.")
    given, named, meta = of_fileset(files, where)
    tree = one_tree([("the fileset", named)] if named else [], tree, where)
    if isinstance(given, Mapping):
        given, tree = files_by_tree(given, tree, where)
    here = os.getcwd()
    entries = [tuple(below(here, path) for path in places) for places in as_entries(given, where)]
    found, replicas, tree = expanded(entries, tree, where)
    return Dataset(
        name, None, found, tree, luminosity, KINDS[kind], meta,
        None if layout is None else find_layout(layout),
        checked_friends(friends or {}, found, where), replicas=replicas,
    )  # fmt: skip


def _require_some(files: tuple[str, ...], where: str) -> None:
    if not files:
        raise DatasetError(f"{where} has no files.")


def _require_alike(a: Dataset, b: Dataset) -> None:
    pairs: dict[str, tuple[object, object]] = {
        "kind": (a.kind, b.kind),
        "tree": (a.tree, b.tree),
        "layout": (_layout_name(a), _layout_name(b)),
        "what the layout declares": (a.layout, b.layout),
        "cross section": (a.meta.get("cross_section"), b.meta.get("cross_section")),
    }
    for what, (one, two) in pairs.items():
        if one != two:
            names = f"{a.name!r} and {b.name!r}"
            raise DatasetError(
                f"cannot add datasets {names}: they differ in {what}, {one} and {two}."
            )


def _layout_name(dataset: Dataset) -> str | None:
    return None if dataset.layout is None else dataset.layout.name


def _joined(a: str | None, b: str | None) -> str | None:
    return None if a is None or b is None else f"{a}+{b}"


def _total(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


def _common_meta(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    shared = {key: a[key] for key in a if key in b}
    totals = {key: a[key] + b[key] for key in shared
              if _is_total(key, a[key]) and _is_total(key, b[key])}  # fmt: skip
    return {key: value for key, value in shared.items() if value == b[key]} | totals


def _is_total(key: str, value: object) -> bool:
    return key in TOTALS and isinstance(value, int | float)


def facts(dataset: Dataset) -> Iterator[str]:
    """Yield the items of a dataset's line: its kind, files, luminosity and tree."""
    yield dataset.kind
    yield _counted(dataset)
    if dataset.luminosity is not None:
        yield f"{dataset.luminosity:g} fb⁻¹"
    if dataset.tree is not None:
        yield f"tree {dataset.tree!r}"
    if dataset.left_out:
        yield f"without {sum(map(len, dataset.left_out)):,} copies of events"
    for name, _ in dataset.friends:
        yield f"friend {name!r}"
    if dataset.layout is not None:
        yield f"layout {dataset.layout.name!r}"


def _counted(dataset: Dataset) -> str:
    if any(map(is_glob, dataset.files)):
        return "files by glob"
    replicas = f" ({len(dataset.replicas)} with replicas)" if dataset.replicas else ""
    return f"{len(dataset)} file{'s' if len(dataset) > 1 else ''}{replicas}"


def html_table(style: str, title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return rows of a name and a text as an HTML table."""
    cells = ((html.escape(key), html.escape(value)) for key, value in rows)
    body = "".join(f"<tr><th>{key}</th><td>{value}</td></tr>" for key, value in cells)
    return f'<table class="ff {style}"><caption>{html.escape(title)}</caption>{body}</table>'
