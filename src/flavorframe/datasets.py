"""Datasets: which files belong together, told by a catalogue, a list of files or a folder."""

from __future__ import annotations

import bisect
import fnmatch
import functools
import glob
import html
import itertools
import operator
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from flavorframe._files.places import identity, is_url, named_tree, refuse_repeats, spelt
from flavorframe.errors import DatasetError, did_you_mean

if TYPE_CHECKING:
    from flavorframe._files.versions import Version

Kind = Literal["data", "simulation"]
PathLike = str | os.PathLike[str]
T = TypeVar("T")

KINDS: dict[str, Kind] = {"data": "data", "mc": "simulation", "simulation": "simulation"}
# Keys of an entry of a fileset; those after the third describe branches, and choose nothing.
_FILESET = ("files", "treename", "metadata", "form", "format", "compressed_form", "did")
# Totals over all files of a dataset: they add up, and mean nothing for some of its files.
TOTALS = ("sumw", "generated_events")


@dataclass(frozen=True, repr=False)
class Dataset:
    """Files that belong together and are analysed as one.

    ``files`` are full paths or URLs; ``tree`` is the path of the tree in each of them (``None``:
    the layout finds it); ``luminosity`` is in fb⁻¹ (``None``: unknown); ``meta`` holds what else
    is known, such as ``cross_section`` (pb), ``sumw`` (sum of generator weights) and
    ``generated_events``. The length is the number of files. Raises ``DatasetError`` without files,
    for a file named twice, for a URL that cannot be read and for a negative luminosity.

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

    def __post_init__(self) -> None:
        where = f"dataset {self.name!r}"
        _require_some(self.files, where)
        object.__setattr__(self, "files", tuple(map(spelt, self.files)))
        refuse_repeats(self.files, where)
        if self.tree == "":
            raise DatasetError(f"{where}: the tree has no name; leave it out to have it found.")
        if self.luminosity is not None and not self.luminosity >= 0:
            raise DatasetError(
                f"{where}: the luminosity should be zero or more, not {self.luminosity} fb⁻¹."
            )

    def __len__(self) -> int:
        return len(self.files)

    def __add__(self, other: Dataset) -> Dataset:
        """Return one dataset of the files of both; luminosities and generated events add up.

        A total that one of the two does not know is unknown for the sum. Raises ``DatasetError``
        when the two differ in kind, tree or cross section, or share a file.
        """
        _require_alike(self, other)
        name = f"{self.name}+{other.name}"
        refuse_repeats(self.files + other.files, f"dataset {name!r}", identity)
        return Dataset(
            name=name,
            era=self.era if self.era == other.era else _joined(self.era, other.era),
            files=self.files + other.files,
            tree=self.tree,
            luminosity=_total(self.luminosity, other.luminosity),
            kind=self.kind,
            meta=_common_meta(self.meta, other.meta),
        )

    def head(self, n_files: int) -> Dataset:
        """Return the first ``n_files`` files, to try an analysis on.

        The luminosity and generated events of some of the files are unknown, so they are left out.
        Raises ``DatasetError`` for less than one file.

        >>> dataset(["/data/a.root", "/data/b.root"], luminosity=4.8).head(1)
        Dataset 'dataset': data, 1 file
        """
        if n_files < 1:
            raise DatasetError(
                f"head({n_files}) of dataset {self.name!r}: ask for at least one file."
            )
        if n_files >= len(self):
            return self
        meta = {key: value for key, value in self.meta.items() if key not in TOTALS}
        return replace(self, files=self.files[:n_files], luminosity=None, meta=meta)

    def __repr__(self) -> str:
        return f"Dataset {self.name!r}: {', '.join(_facts(self))}"

    def _repr_html_(self) -> str:
        rows = [("files", _counted(self.files)), ("first file", self.files[0])]
        rows += [(key, str(value)) for key, value in self.meta.items()]
        return _html_table("ff-dataset", f"{self.name}: {', '.join(_facts(self))}", rows)


@dataclass(frozen=True, repr=False, eq=False)
class Catalog(Mapping[str, Dataset]):
    """Datasets by name, as a catalogue file lists them.

    Globs and folders are looked up when a dataset is asked for, so an era whose files are
    elsewhere does not stand in the way of the others. ``catalog[name]`` raises ``DatasetError``
    for an unknown name, with the nearest ones, and for a glob that matches no file.
    """

    datasets: Mapping[str, Dataset]
    source: str

    def __getitem__(self, name: str) -> Dataset:
        if name not in self.datasets:
            near = did_you_mean(str(name), self) or f" It has {', '.join(map(repr, self))}."
            raise DatasetError(f"{self.source} has no dataset {name!r}.{near}")
        dataset, where = self.datasets[name], f"{self.source}, era {name!r}"
        files, tree = _expanded(dataset.files, dataset.tree, where)
        return replace(dataset, files=files, tree=tree)

    def __iter__(self) -> Iterator[str]:
        return iter(self.datasets)

    def __len__(self) -> int:
        return len(self.datasets)

    def __contains__(self, name: object) -> bool:
        return name in self.datasets

    @overload
    def get(self, key: str, default: None = None, /) -> Dataset | None: ...
    @overload
    def get(self, key: str, default: Dataset | T, /) -> Dataset | T: ...
    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the dataset of that name, or ``default`` where the catalogue has none."""
        return self[key] if key in self.datasets else default

    def select(self, *patterns: str, kind: Kind | None = None) -> Catalog:
        """Return the datasets whose name or era matches a pattern (``2017*``), of one kind or any.

        Without patterns every name matches. Raises ``DatasetError`` when nothing is left.

        >>> from flavorframe.catalogue import catalog
        >>> eras = {"2017B": {"type": "data", "files": "b.root"},
        ...         "DsPhiPi": {"type": "mc", "files": "m.root"}}
        >>> list(catalog(eras).select("2017*"))
        ['2017B']
        """
        chosen = {
            name: dataset
            for name, dataset in self.datasets.items()
            if kind in (None, dataset.kind) and _matches(dataset, patterns or ("*",))
        }
        if not chosen:
            asked = ", ".join(map(repr, patterns)) or f"kind {kind!r}"
            raise DatasetError(f"{self.source} has nothing for {asked}: it has {', '.join(self)}.")
        return Catalog(chosen, self.source)

    def combine(self, name: str) -> Dataset:
        """Return all datasets as one, called ``name``; see adding two of them for what adds up.

        >>> from flavorframe.catalogue import catalog
        >>> eras = {"B": {"type": "data", "files": "b.root", "lumi": 4.8},
        ...         "C": {"type": "data", "files": "c.root", "lumi": 9.6}}
        >>> catalog(eras).combine("2017")
        Dataset '2017': data, 2 files, 14.4 fb⁻¹
        """
        return replace(functools.reduce(operator.add, self.values()), name=name)

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        lines = [
            f"  {name:{width}}  {', '.join(_facts(dataset))}"
            for name, dataset in self.datasets.items()
        ]
        return "\n".join([f"Catalog {self.source!r}:", *lines])

    def _repr_html_(self) -> str:
        rows = [(name, ", ".join(_facts(dataset))) for name, dataset in self.datasets.items()]
        return _html_table("ff-catalog", self.source, rows)


@dataclass(frozen=True)
class Partition:
    """A range of events of one file, the unit of work: events ``start`` up to but without ``stop``.

    ``index`` orders the partitions of a dataset, and ``version`` is that of the file that is meant.
    The length is the number of events.

    >>> len(Partition("Tree_1.root", "Tree3Mu/ntuple", start=1000, stop=1500, index=2))
    500
    """

    file: str
    tree: str
    start: int
    stop: int
    index: int
    version: Version | None = None

    def __len__(self) -> int:
        return self.stop - self.start


def fraction_read(read: int, known: int, opened: int, files: int) -> float:
    """Estimate which fraction of the events was read, files not ``opened`` as the mean of those.

    ``known`` is the number of events in the files that were.

    >>> fraction_read(50, known=100, opened=1, files=2)
    0.25
    """
    if not opened:
        return 0.0
    if opened == files:
        return read / known if known else 1.0
    total = known * files / opened
    return read / total if total else opened / files


def split(entries: int, size: int, edges: Sequence[int] = ()) -> list[tuple[int, int]]:
    """Return ranges (start, stop) that cover ``entries``, none longer than ``size``.

    They are near-equal, or end at some of the ``edges``, rising numbers of events at which a file
    is cut well, where there are such within the size. Raises ``DatasetError`` unless ``size`` is
    at least one event.

    >>> split(10, 4)
    [(0, 3), (3, 6), (6, 10)]
    >>> split(10, 4, edges=[3, 9])
    [(0, 3), (3, 7), (7, 9), (9, 10)]
    """
    if size < 1:
        raise DatasetError(f"a partition of {size} events: ask for at least one.")
    if not edges:
        count = -(-entries // size)
        return list(
            itertools.pairwise(entries * i // count for i in range(count + 1 if count else 0))
        )
    stops = [0]
    while stops[-1] < entries:
        furthest = stops[-1] + size
        edge = edges[max(bisect.bisect_right(edges, furthest) - 1, 0)]
        stops.append(min(edge if stops[-1] < edge <= furthest else furthest, entries))
    return list(itertools.pairwise(stops))


def dataset(
    files: PathLike | Iterable[PathLike] | Mapping[str, Any],
    *,
    name: str = "dataset",
    tree: str | None = None,
    luminosity: float | None = None,
    kind: str = "data",
) -> Dataset:
    """Return the dataset of some files: paths, URLs, globs or folders (their ``*.root``).

    The tree may be named as uproot has it: ``"a.root:Events"``, ``{"a.root": "Events"}``, or an
    entry of a fileset of coffea, whose metadata become ``meta``; it is the same in all files.
    ``luminosity`` is in fb⁻¹, ``kind`` is "data" or "simulation" ("mc" for short). Files need not
    exist yet. Raises ``DatasetError`` for a glob that matches nothing, a name that is empty, a file
    named twice, also by a link, trees that differ and an unknown kind.

    >>> dataset("root://eos.cern.ch//eos/Tree_1.root:Events", luminosity=4.8)
    Dataset 'dataset': data, 1 file, 4.8 fb⁻¹, tree 'Events'
    """
    where = f"dataset {name!r}"
    if kind not in KINDS:
        raise DatasetError(f"{where}: kind {kind!r} is not 'data' or 'simulation'.")
    given, named, meta = _of_fileset(files, where)
    tree = _one_tree([("the fileset", named)] if named else [], tree, where)
    if isinstance(given, Mapping):
        given, tree = files_by_tree(given, tree, where)
    here = os.getcwd()
    paths = [below(here, path) for path in _as_paths(given, where)]
    found, tree = _expanded(paths, tree, where)
    return Dataset(name, None, found, tree, luminosity, KINDS[kind], meta)


# Notations


def _of_fileset(files: Any, where: str) -> tuple[Any, str | None, Mapping[str, Any]]:
    """Return the files, the tree and the metadata of an entry of a fileset; of others, the files.

    Raises ``DatasetError`` for a key that could mean something else.
    """
    if not isinstance(files, Mapping) or isinstance(files.get("files"), str | None):
        return files, None, {}
    unknown = [key for key in files if key not in _FILESET]
    if unknown:
        raise DatasetError(
            f"{where}: unknown key {unknown[0]!r} in an entry of a fileset: it has "
            f"{', '.join(_FILESET)}."
        )
    meta = files.get("metadata") or {}
    if not isinstance(meta, Mapping):
        raise DatasetError(f"{where}: the metadata should be a dictionary, not {meta!r}.")
    return files["files"], files.get("treename"), dict(meta)


def files_by_tree(
    files: Mapping[Any, Any], tree: str | None, where: str
) -> tuple[list[Any], str | None]:
    """Return the files of ``{file: tree}`` and their tree, which is also ``tree`` if that is given.

    Raises ``DatasetError`` where it is not the same for all of them.
    """
    named = [(file, _tree_of(value, f"{where}, file {file}")) for file, value in files.items()]
    return [file for file, _ in named], _one_tree(named, tree, where)


def _tree_of(value: Any, where: str) -> str | None:
    if isinstance(value, Mapping) and "files" in value:
        raise DatasetError(f"{where}: this is a fileset of several datasets; give one of them.")
    if isinstance(value, Mapping):
        if value.get("steps") is not None:
            raise DatasetError(
                f"{where}: ranges of events ('steps') are not taken; give the file and its tree, "
                "as {file: tree}."
            )
        value = value.get("object_path")
    if value is not None and not isinstance(value, str):
        raise DatasetError(f"{where}: the tree should be named by text, not {value!r}.")
    return value


def _one_tree(named: Iterable[tuple[str, str | None]], tree: str | None, where: str) -> str | None:
    """Return the tree of all files; raises DatasetError where they differ."""
    first = {asked: file for file, asked in reversed(list(named))}
    trees = set(first) - {None} | ({tree} if tree is not None else set())
    if len(trees) > 1 or (trees and tree is None and None in first):
        told = [f"{asked or 'none'} for {file}" for asked, file in first.items()]
        told += [] if tree is None else [f"{tree} for all"]
        raise DatasetError(
            f"{where}: a dataset has one tree, and these are named: {', '.join(sorted(told))}. "
            "Make a dataset for each tree, or name it once, with tree=."
        )
    return next(iter(trees), None)


def _as_paths(files: Any, where: str) -> list[str]:
    """Return files as text; raises DatasetError for one that is no path, or an empty one."""
    single = isinstance(files, str | os.PathLike)
    if not single and not isinstance(files, Iterable):
        raise DatasetError(f"{where}: files are paths, URLs, or a list of them, not {files!r}.")
    paths = [files] if single else list(files)
    for number, path in enumerate(paths):
        if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
            raise DatasetError(f"{where}: a file is named by text or a path, not {path!r}.")
        refuse_empty(os.fspath(path), f"{where}, file {number + 1} of {len(paths)}")
    return [os.fspath(path) for path in paths]


def refuse_empty(path: str, where: str) -> None:
    """Raise DatasetError for a name without a letter: it would mean a whole folder."""
    if not path.strip():
        raise DatasetError(
            f"{where}: the name is empty. Where names are read from a text, str.split() leaves "
            "empty lines out; the current folder is '.'."
        )
    if "\0" in path:
        raise DatasetError(f"{where}: {path!r} holds a zero byte, which no name can.")


# Paths


def one_file(file: PathLike, tree: str | None) -> tuple[str, str | None]:
    """Return a file, in its one spelling, and its tree, which may be named behind it."""
    (path,) = _as_paths(file, "the file")
    found, named = named_tree(spelt(path))
    return found, _one_tree([(found, named)], tree or None, path)


def below(folder: str, path: str) -> str:
    """Return ``path`` as seen from ``folder``; URLs and absolute paths stand for themselves."""
    path = spelt(path)
    if is_url(path):
        return path
    folder = spelt(folder)
    if is_url(folder) and not os.path.isabs(path):
        return spelt(f"{folder}{'' if folder.endswith('/') or not path else '/'}{path}")
    # Absolute, because workers may run in another folder.
    return _absolute(os.path.join(os.path.expanduser(folder), os.path.expanduser(path)))


def _absolute(path: str) -> str:
    """Return an absolute path; what ``..`` is above of, behind a link, only the system knows."""
    folders, dots, rest = path.rpartition(f"{os.sep}..{os.sep}")
    return os.path.abspath(os.path.join(os.path.realpath(folders + dots), rest) if dots else path)


def _expanded(
    paths: Iterable[str], tree: str | None, where: str
) -> tuple[tuple[str, ...], str | None]:
    """Return the files that paths and globs stand for, and the tree that they name."""
    named = [named_tree(path) for path in paths]
    files = tuple(file for path, _ in named for file in _matching(path, where))
    if files:
        refuse_repeats(files, where, identity)
    return files, _one_tree(named, tree, where)


def _matching(path: str, where: str) -> list[str]:
    if is_url(path):
        if "*" in path:
            raise DatasetError(
                f"{where}: {path} is a glob, which only local paths can be; list them."
            )
        return [path]
    if os.path.isdir(path):
        path = os.path.join(glob.escape(path), "*.root")
    elif not _is_glob(path) or os.path.exists(path):
        return [path]
    matches = sorted(glob.glob(path, recursive=True))
    if not matches:
        raise DatasetError(f"{where}: no file matches {path}.")
    return matches


def _is_glob(path: str) -> bool:
    return any(character in path for character in "*?[")


# Checks and descriptions


def _require_some(files: tuple[str, ...], where: str) -> None:
    if not files:
        raise DatasetError(f"{where} has no files.")


def _require_alike(a: Dataset, b: Dataset) -> None:
    pairs = {
        "kind": (a.kind, b.kind),
        "tree": (a.tree, b.tree),
        "cross section": (a.meta.get("cross_section"), b.meta.get("cross_section")),
    }
    for what, (one, two) in pairs.items():
        if one != two:
            names = f"{a.name!r} and {b.name!r}"
            raise DatasetError(
                f"cannot add datasets {names}: they differ in {what}, {one} and {two}."
            )


def _joined(a: str | None, b: str | None) -> str | None:
    return None if a is None or b is None else f"{a}+{b}"


def _total(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


def _common_meta(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    shared = {key: a[key] for key in a if key in b}
    totals = {key: a[key] + b[key] for key in TOTALS if key in shared}
    return {key: value for key, value in shared.items() if value == b[key]} | totals


def _html_table(style: str, title: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = ((html.escape(key), html.escape(value)) for key, value in rows)
    body = "".join(f"<tr><th>{key}</th><td>{value}</td></tr>" for key, value in cells)
    return f'<table class="ff {style}"><caption>{html.escape(title)}</caption>{body}</table>'


def _matches(dataset: Dataset, patterns: Iterable[str]) -> bool:
    names = (dataset.name, dataset.era or "")
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _facts(dataset: Dataset) -> Iterator[str]:
    yield dataset.kind
    yield _counted(dataset.files)
    if dataset.luminosity is not None:
        yield f"{dataset.luminosity:g} fb⁻¹"
    if dataset.tree is not None:
        yield f"tree {dataset.tree!r}"


def _counted(files: tuple[str, ...]) -> str:
    if any(not is_url(file) and _is_glob(file) for file in files):
        return "files by glob"
    return f"{len(files)} file{'s' if len(files) > 1 else ''}"
