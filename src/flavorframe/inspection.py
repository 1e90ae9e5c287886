"""What a file holds: its tree, layout, collections and branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flavorframe.datasets import PathLike, one_file
from flavorframe.layouts import BranchInfo, recognise
from flavorframe.layouts.base import collection_of


@dataclass(frozen=True)
class Field:
    """A branch of a file.

    Attributes:
        branch: Its name.
        type: The type of its values in C++.
        shape: "scalar" (one value an event) or "list" (a list an event).
        bytes: How many bytes of the file it takes, compressed.
    """

    branch: str
    type: str
    shape: str
    bytes: int


@dataclass(frozen=True, repr=False)
class Inspection:
    """What a file holds.

    Attributes:
        file: Its path or URL.
        tree: The name of the tree.
        layout: The name of the layout that was recognised.
        events: The number of events.
        collections: The branches of each collection of the layout.
        others: Branches that expressions cannot read.
    """

    file: str
    tree: str
    layout: str
    events: int
    collections: dict[str, tuple[Field, ...]]
    others: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the contents as values for JSON."""
        from dataclasses import asdict

        return asdict(self)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.file}: tree {self.tree}, {self.events:,} events, layout {self.layout}"
        for collection, fields in self.collections.items():
            yield f"{collection}: {len(fields)} branches"
            width = max(len(field.branch) for field in fields)
            for field in fields:
                size = f"{field.bytes / 1e6:9.3f} MB"
                yield f"  {field.branch:{width}}  {size}  {field.type}"
        if self.others:
            yield f"not readable by expressions: {', '.join(self.others)}"

    def _repr_html_(self) -> str:
        from html import escape

        head, *_ = self._lines()
        folded = "".join(
            f"<details><summary>{escape(collection)}: {len(fields)} branches, "
            f"{sum(field.bytes for field in fields) / 1e6:.3f} MB</summary>{_as_table(fields)}"
            "</details>"
            for collection, fields in self.collections.items()
        )
        others = f"<p>not readable by expressions: {escape(', '.join(self.others))}</p>"
        return f"<p>{escape(head)}</p>{folded}{others if self.others else ''}"


def inspect(file: PathLike | Mapping[PathLike, str], tree: str | None = None) -> Inspection:
    """Return what a ROOT file holds.

    Args:
        file: A path or URL; the tree may be named with it, as in ``"a.root:Events"`` or
            ``{"a.root": "Events"}``.
        tree: The name of the tree. Without one, ``Events``, ``Tree3Mu/ntuple``, or the only tree.

    Returns:
        The file's tree, layout and number of events, and its branches by collection.

    Raises:
        DatasetError: More than one file or place is given, or two different trees.
        FileError: The file or tree cannot be read, or there are several trees and none is named.
    """
    from flavorframe._rootio.root_file import RootFile

    opened = RootFile(*one_file(file, tree))
    schema = opened.schema
    layout = recognise(schema)
    collections: dict[str, tuple[Field, ...]] = {}
    others = []
    for branch in schema.branches:
        if "other" in (branch.kind, branch.shape):
            others.append(branch.name)
            continue
        name = "event" if branch.shape == "scalar" else collection_of(branch, layout, schema)
        field = _field(branch, opened.compressed_bytes(branch.name))
        collections[name] = (*collections.get(name, ()), field)
    return Inspection(
        opened.path, opened.tree, layout.name, opened.events, collections, tuple(others)
    )


def _field(branch: BranchInfo, size: int) -> Field:
    return Field(branch.name, branch.typename, branch.shape, size)


def _as_table(fields: tuple[Field, ...]) -> str:
    from html import escape

    rows = "".join(
        f"<tr><td><code>{escape(field.branch)}</code></td><td>{escape(field.type)}</td>"
        f"<td>{field.bytes / 1e6:.3f} MB</td></tr>"
        for field in fields
    )
    return f"<table>{rows}</table>"
