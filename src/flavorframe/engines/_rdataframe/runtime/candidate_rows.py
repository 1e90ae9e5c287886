"""Files with one row a candidate, which ROOT reads once to write events with lists of candidates.

RDataFrame takes a row for an event and has no other notion. So the columns that a plan needs are
written anew, by ROOT and in the order of the rows: an event begins where the key is another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from flavorframe._rootio.schema import BranchInfo
from flavorframe.engines._rdataframe.runtime.columns import RootColumn, RootColumns
from flavorframe.engines._rdataframe.runtime.root import declare, implicit_threads, root
from flavorframe.engines._rdataframe.runtime.written_files import TREE, as_written
from flavorframe.errors import BranchError


@dataclass(frozen=True)
class Grouping:
    """What is written: branches as events have them, and the branches that tell events apart."""

    key: tuple[BranchInfo, ...]
    branches: tuple[BranchInfo, ...]


def write_events(
    grouping: Grouping,
    tree: str,
    files: Sequence[tuple[str, str]],
) -> None:
    """Write files with events, of files with rows.

    Args:
        grouping: What is written.
        tree: The tree of the files that are read.
        files: Pairs of a file that is read, and one that is written.
    """
    with implicit_threads(1):  # for the rows' order
        for source, target in files:
            frame = root().RDataFrame(tree, source)
            columns = _columns(frame, (*grouping.key, *grouping.branches))
            write = _declared(grouping, tuple(column.type for column in columns))
            write(root().RDF.AsRNode(frame), [column.text for column in columns], target)


def _columns(frame: Any, branches: Sequence[BranchInfo]) -> list[RootColumn]:
    known = RootColumns(frame, "")
    of_rows = {"nested": "list"}  # what a row has of it
    columns = [known.of(replace(b, shape=of_rows.get(b.shape, b.shape))) for b in branches]
    for branch, column in zip(branches, columns, strict=True):
        if not column.is_name:
            raise BranchError(
                f"branch {branch.name} holds {branch.typename}, which RDataFrame does not read of "
                "files with one row a candidate: use engine='columnar'."
            )
    return columns


HELD = {
    "scalar": "{}",
    "list": "std::vector<{}>",
    "nested": "std::vector<std::vector<{}::value_type>>",
}
PUSHED = {"list": "push_back({0})", "nested": "emplace_back({0}.begin(), {0}.end())"}
"""How events hold what rows have, by the shape that it has in events: a type, and how it grows."""


@cache  # what is declared once stays
def _declared(grouping: Grouping, types: tuple[str, ...]) -> Any:
    name = f"write_{_declared.cache_info().currsize}"
    declare("the grouping of rows", _code(grouping, types, name))
    return getattr(root().flavorframe_grouping, name)


def _code(grouping: Grouping, types: Sequence[str], name: str) -> str:
    """Return the C++ of a function that writes the events of a frame of rows."""
    keys = len(grouping.key)
    numbered = list(enumerate(types))
    parameters = ", ".join(f"const {kind} &x{i}" for i, kind in numbered)
    shapes = [branch.shape for branch in grouping.branches]
    written = list(zip(numbered[keys:], shapes, strict=True))
    held = [f"{HELD[shape].format(t)} y{i}{{}};" for (i, t), shape in written]
    names = [branch.path for branch in as_written(grouping.branches)]
    books = [f'tree.Branch("{n}", &y{i});' for n, ((i, _), _) in zip(names, written, strict=True)]
    clear = [f"y{i} = x{i};" if s == "scalar" else f"y{i}.clear();" for (i, _), s in written]
    push = [
        f"y{i}.{PUSHED[shape].format(f'x{i}')};" for (i, _), shape in written if shape in PUSHED
    ]
    same = " && ".join(f"k{i} == x{i}" for i in range(keys))
    return "\n".join([
        "#include <TFile.h>",
        "#include <TTree.h>",
        "namespace flavorframe_grouping {",
        f"void {name}(ROOT::RDF::RNode frame, const std::vector<std::string> &columns,",
        "           const std::string &target) {",
        '  TFile file(target.c_str(), "RECREATE");',
        f'  TTree tree("{TREE}", "");',
        *(f"  {t} k{i}{{}};" for i, t in numbered[:keys]),
        *(f"  {line}" for line in (*held, *books)),
        "  bool any = false;",
        f"  frame.Foreach([&]({parameters}) {{",
        f"    if (!any || !({same})) {{",
        "      if (any) tree.Fill();",
        "      any = true;",
        *(f"      k{i} = x{i};" for i in range(keys)),
        *(f"      {line}" for line in clear),
        "    }",
        *(f"    {line}" for line in push),
        "  }, columns);",
        "  if (any) tree.Fill();",
        "  file.Write();",
        "}",
        "}",
    ])  # fmt: skip
