"""Read columns of a ROOT file with uproot, TTree or RNTuple."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Content, Jagged, Names
from flavorframe.errors import FileError
from flavorframe.layout.schema import BranchInfo, Schema

KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}
TREES = ("Events", "Tree3Mu/ntuple")
"""Where trees are looked for when none is named."""


class RootFile:
    """An open tree: its schema, the number of events, and its columns."""

    def __init__(self, path: str, tree: str | None = None) -> None:
        """Open the file; raises FileError where it or the tree cannot be read."""
        self.path = path
        self._file = _open(path)
        self.tree = tree or _find_tree(path, self._file)
        self._tree = _get_tree(path, self._file, self.tree)
        self.events = int(self._tree.num_entries)
        self._branches = dict(_branches(self._tree))
        self.schema = Schema(self.tree, tuple(_info(*item) for item in self._branches.items()))

    def read(self, branch: str, start: int, stop: int, spent: dict[str, float]) -> Array | Jagged:
        """Return one column of the events start ≤ i < stop.

        Adds the seconds spent to ``spent``, by stage, and the compressed bytes read. Raises
        FileError where the bytes are damaged.
        """
        began = time.perf_counter()
        info = self.schema.by_name[branch]
        try:
            array, staged = _array(self._branches[branch], start, stop)
            column = _jagged(array.layout, info) if info.shape == "list" else _flat(array, info)
        except Exception as error:  # whatever a library meets in damaged bytes
            raise FileError(
                f"{self.path}: branch {branch} of tree {self.tree} cannot be read in events "
                f"{start} to {stop}: {_reason(error)}"
            ) from error
        spent["decompressing"] += staged
        spent["reading"] += time.perf_counter() - began - staged
        spent["bytes"] += _compressed_bytes(self._branches[branch], start, stop, self.events)
        return column

    def compressed_bytes(self, branch: str) -> int:
        """Return how many bytes of the file the branch takes."""
        return _compressed_bytes(self._branches[branch], 0, self.events, self.events)


def _open(path: str) -> Any:
    import uproot

    try:
        return uproot.open(path)
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file.") from None
    except PermissionError:
        raise FileError(f"{path}: no permission to read the file.") from None
    except Exception as error:
        reason = _reason(error).removeprefix("not a ROOT file: ")
        raise FileError(f"{path}: not a readable ROOT file: {reason}") from error


def _find_tree(path: str, file: Any) -> str:
    trees = _trees(file)
    known = [tree for tree in TREES if tree in trees]
    if known or len(trees) == 1:
        return (known or trees)[0]
    if not trees:
        raise FileError(f"{path}: the file holds neither a TTree nor an RNTuple.")
    raise FileError(f"{path}: the file holds the trees {', '.join(trees)}: say which with tree=.")


def _trees(file: Any) -> list[str]:
    names = file.classnames(cycle=False)
    return [name for name, cls in names.items() if cls == "TTree" or cls.endswith("RNTuple")]


def _get_tree(path: str, file: Any, tree: str) -> Any:
    from flavorframe.errors import did_you_mean

    try:
        found = file[tree]
        found.num_entries  # noqa: B018 - what is no tree has none
    except (KeyError, AttributeError):
        trees = _trees(file)
        listed = f" It holds {', '.join(trees)}." if trees else " It holds no tree at all."
        raise FileError(
            f"{path}: the file has no tree {tree!r}.{listed}{did_you_mean(tree, trees)}"
        ) from None
    except Exception as error:
        raise FileError(f"{path}: tree {tree} cannot be read: {_reason(error)}") from error
    return found


def _branches(tree: Any) -> list[tuple[str, Any]]:
    if hasattr(tree, "branches"):
        return [(branch.name, branch) for branch in tree.itervalues(recursive=True)]
    return [(field.name, field) for field in tree.fields if not field.name.startswith("_")]


def _info(name: str, branch: Any) -> BranchInfo:
    if hasattr(branch, "interpretation"):
        return _tree_info(name, branch)
    return _ntuple_info(name, branch)


def _tree_info(name: str, branch: Any) -> BranchInfo:
    import uproot

    interpretation = branch.interpretation
    typename = getattr(interpretation, "typename", branch.typename)
    counter = branch.count_branch.name if branch.count_branch is not None else None
    shape = "scalar"
    if isinstance(interpretation, uproot.AsJagged):
        shape, interpretation = "list", interpretation.content
    if isinstance(interpretation, uproot.AsDtype) and not interpretation.inner_shape:
        kind = KINDS.get(interpretation.to_dtype.kind, "other")
        return BranchInfo(name, branch.typename, kind, shape, counter)
    if isinstance(interpretation, uproot.AsStrings):
        return BranchInfo(name, typename, "string", "scalar")
    if branch.typename.replace(" ", "") in ("std::vector<std::string>", "vector<string>"):
        return BranchInfo(name, branch.typename, "string", "list")
    return BranchInfo(name, branch.typename, "other", "other")


_NTUPLE_KINDS = {
    "bool": "bool",
    "float": "float",
    "double": "float",
    "std::string": "string",
} | {f"std::{sign}int{bits}_t": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)}


def _ntuple_info(name: str, field: Any) -> BranchInfo:
    typename = field.typename
    for prefix in ("ROOT::VecOps::RVec<", "std::vector<"):
        if typename.startswith(prefix):
            kind = _NTUPLE_KINDS.get(typename[len(prefix) : -1], "other")
            return BranchInfo(name, typename, kind, "list")
    if typename.startswith("ROOT::RNTupleCardinality<"):
        return BranchInfo(name, typename, "int", "scalar")
    return BranchInfo(name, typename, _NTUPLE_KINDS.get(typename, "other"), "scalar")


class _Timed:
    """An executor, as uproot wants it, that runs at once and adds up the seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def submit(self, task: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
        began = time.perf_counter()
        future: Future[Any] = Future()
        try:
            future.set_result(task(*arguments, **named))
        except Exception as error:  # handed to whoever asks for the result
            future.set_exception(error)
        self.seconds += time.perf_counter() - began
        return future


def _array(branch: Any, start: int, stop: int) -> tuple[Any, float]:
    """Return the awkward array and the seconds spent in decompression."""
    timed = _Timed()
    if hasattr(branch, "interpretation"):
        array = branch.array(
            entry_start=start, entry_stop=stop, decompression_executor=timed, library="ak"
        )
    else:
        array = branch.array(entry_start=start, entry_stop=stop)
    return array, timed.seconds


def _flat(array: Any, info: BranchInfo) -> Array:
    import awkward as ak

    if info.kind == "string":
        return _names(ak.to_list(array))  # type: ignore[return-value]
    return ak.to_numpy(array)  # type: ignore[no-any-return]


def _jagged(layout: Any, info: BranchInfo) -> Jagged:
    layout = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(layout.offsets.data)
    content: Content
    if info.kind == "string":
        content = encode(layout.content.to_ListOffsetArray64(True), offsets)
    else:
        content = np.asarray(layout.content.data)[: offsets[-1]]
    return Jagged(content, offsets)


def encode(strings: Any, offsets: Array) -> Names:
    """Number the strings of an awkward list-of-characters layout, grouped into lists by offsets.

    Lists that repeat the first list, as trigger names do, are recognised on the raw characters.
    """
    ends = np.asarray(strings.offsets.data)
    characters = np.asarray(strings.content.data)[: ends[-1]]
    lists, codes = _distinct_lists(characters, ends, offsets)
    words = {word: i for i, word in enumerate(dict.fromkeys(w for item in lists for w in item))}
    coded = [np.array([words[w] for w in item], np.int32) for item in lists]
    if len(coded) == 1:
        return Names(np.tile(coded[0], len(codes)), tuple(words))
    parts = [coded[code] for code in codes]
    return Names(np.concatenate(parts) if parts else np.zeros(0, np.int32), tuple(words))


def _distinct_lists(
    characters: Array, ends: Array, offsets: Array
) -> tuple[list[list[str]], Array | list[int]]:
    events = len(offsets) - 1
    edges = ends[offsets]
    if _all_alike(characters, ends, offsets, edges):
        return [_words(characters, ends[offsets[0] : offsets[1] + 1])], np.zeros(events, np.int64)
    known: dict[tuple[bytes, bytes], int] = {}
    lists: list[list[str]] = []
    codes = []
    for i in range(events):
        own = ends[offsets[i] : offsets[i + 1] + 1]
        key = (characters[edges[i] : edges[i + 1]].tobytes(), (own - edges[i]).tobytes())
        if key not in known:
            known[key] = len(lists)
            lists.append(_words(characters, own))
        codes.append(known[key])
    return lists, codes


def _all_alike(characters: Array, ends: Array, offsets: Array, edges: Array) -> bool:
    if len(offsets) < 2:
        return False
    sizes, lengths = np.diff(offsets), np.diff(ends)
    if (sizes != sizes[0]).any() or (np.diff(edges) != edges[1] - edges[0]).any():
        return False
    if sizes[0] == 0:
        return True
    events = len(offsets) - 1
    same_lengths = (lengths.reshape(events, -1) == lengths[: sizes[0]]).all()
    if not same_lengths or edges[1] == edges[0]:
        return bool(same_lengths)
    rows = characters.reshape(events, -1)
    return bool((rows == rows[0]).all())


def _words(characters: Array, ends: Array) -> list[str]:
    text = characters.tobytes() if len(ends) < 2 else characters[ends[0] : ends[-1]].tobytes()
    edges = ends - ends[0]
    return [text[a:b].decode() for a, b in pairwise(edges)]


def _names(values: list[str]) -> Names:
    words = {word: i for i, word in enumerate(dict.fromkeys(values))}
    return Names(np.array([words[v] for v in values], np.int32), tuple(words))


def _compressed_bytes(branch: Any, start: int, stop: int, events: int) -> int:
    share = (stop - start) / events if events else 0.0
    whole = branch.compressed_bytes if hasattr(branch, "compressed_bytes") else 0
    return round(whole * share)


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0] if lines else 'no reason given'} ({type(error).__name__})"
