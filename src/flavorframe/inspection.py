"""What a file holds: its tree, layout, collections and branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flavorframe.datasets import PathLike, one_file
from flavorframe.layouts import Layout, find_layout, recognise
from flavorframe.layouts.naming import declared_links, friendly_names, missing_branches, place_of


@dataclass(frozen=True)
class Field:
    """A branch of a file.

    Attributes:
        branch: Its name.
        name: What it is called in analyses, such as "muon.pt" for ``events.muon.pt``; empty where
            it is reached by ``events['Branch']`` alone.
        type: The type of its values in C++.
        shape: "scalar" (one value an event), "list" (a list an event), or "nested" (lists of
            lists, which expressions do not take).
        bytes: How many bytes of the file it takes, compressed.
    """

    branch: str
    name: str
    type: str
    shape: str
    bytes: int


@dataclass(frozen=True, repr=False)
class Inspection:
    """What a file holds.

    Attributes:
        file: Its path or URL.
        tree: The name of the tree.
        layout: The name of the layout that was recognised, or asked for.
        units: The layout's units of energy and of length.
        events: The number of entries of the tree: of events, or of candidates where each is a row.
        collections: The branches of each collection of the layout.
        links: Where the links of the layout lead, and by what.
        missing: What the layout declares and the file does not have.
        others: Branches that expressions cannot read.
    """

    file: str
    tree: str
    layout: str
    units: tuple[str, str]
    events: int
    collections: dict[str, tuple[Field, ...]]
    links: dict[str, str]
    missing: tuple[str, ...]
    others: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the contents as values for JSON."""
        from dataclasses import asdict

        return asdict(self)

    def write_layout(self, path: PathLike) -> str:
        """Write the draft of a layout for the file, to be edited, and return its path.

        The first thousands of events are looked at: lists of one counter, or of lengths that are
        always equal, are a collection; indices and equal values are links; rows with the same
        numbers of run and event are candidates. Comments say what was found, and how sure it is.

        Args:
            path: The new TOML file; its name is that of the layout.

        Returns:
            The path, for ``ff.dataset(files, layout=path)``.

        Raises:
            FileError: The file cannot be read.
            LayoutError: The path does not end with ``.toml``, or there is such a file already.
            OutputError: It cannot be written.
        """
        from flavorframe._rootio.root_file import RootFile
        from flavorframe.layouts.drafting import write_draft

        return write_draft(RootFile(self.file, self.tree), path)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    @property
    def _head(self) -> str:
        units = ", ".join(self.units)
        return (
            f"{self.file}: tree {self.tree}, {self.events:,} events, layout {self.layout} ({units})"
        )

    def _lines(self) -> Iterator[str]:
        yield self._head
        for collection, fields in self.collections.items():
            yield f"{collection}: {len(fields)} branches"
            width = max(len(field.branch) for field in fields)
            names = max(len(field.name) for field in fields)
            for field in fields:
                size = f"{field.bytes / 1e6:9.3f} MB"
                yield f"  {field.branch:{width}}  {field.name:{names}}  {size}  {field.type}"
        for title, lines in self._notes():
            yield f"{title}:"
            yield from (f"  {line}" for line in lines)

    def _notes(self) -> Iterator[tuple[str, list[str]]]:
        """Yield what is to be told beside the branches, each with its title."""
        notes = {
            "links": [f"{link} → {to}" for link, to in self.links.items()],
            f"declared by layout {self.layout}, and not in the file": [*self.missing],
            "not readable by expressions": [", ".join(self.others)] if self.others else [],
        }
        yield from ((title, lines) for title, lines in notes.items() if lines)

    def _repr_html_(self) -> str:
        from html import escape

        folded = "".join(
            f"<details><summary>{escape(collection)}: {len(fields)} branches, "
            f"{sum(field.bytes for field in fields) / 1e6:.3f} MB</summary>{_as_table(fields)}"
            "</details>"
            for collection, fields in self.collections.items()
        )
        notes = "".join(
            f"<p>{escape(title)}: {'; '.join(map(escape, lines))}</p>"
            for title, lines in self._notes()
        )
        return f"<p>{escape(self._head)}</p>{folded}{notes}"


def inspect(
    file: PathLike | Mapping[PathLike, str],
    tree: str | None = None,
    *,
    layout: Layout | PathLike | None = None,
) -> Inspection:
    """Return what a ROOT file holds.

    Args:
        file: A path or URL; the tree may be named with it, as in ``"a.root:Events"`` or
            ``{"a.root": "Events"}``.
        tree: The name of the tree. Without one, that of the layout, ``Events``,
            ``Tree3Mu/ntuple``, or the only tree.
        layout: What the branches are called, as for `flavorframe.dataset`; recognised if not given.

    Returns:
        The file's tree, layout and number of events, and its branches by collection, with what
        they are called in analyses.

    Raises:
        DatasetError: More than one file or place is given, or two different trees.
        FileError: The file or tree cannot be read, or there are several trees and none is named.
        LayoutError: There is no such layout, or it is declared wrongly.
    """
    from flavorframe._rootio.root_file import RootFile

    asked = None if layout is None else find_layout(layout)
    path, named = one_file(file, tree)
    opened = RootFile(path, named or (asked.tree if asked is not None else "") or None)
    schema = opened.schema
    known = asked or recognise(schema)
    names = friendly_names(known, schema)
    collections: dict[str, tuple[Field, ...]] = {}
    others = []
    for branch in schema.branches:
        if branch.shape == "group" and not branch.why:
            continue
        if not branch.is_readable and branch.shape != "nested":
            others.append(branch.name)
            continue
        place = place_of(branch, known, schema)
        size = opened.compressed_bytes(branch.name)
        field = Field(branch.name, names.get(branch.name, ""), branch.typename, branch.shape, size)
        collections[place] = (*collections.get(place, ()), field)
    return Inspection(
        opened.path,
        opened.tree,
        known.name,
        (known.units.energy, known.units.length),
        opened.events,
        collections,
        declared_links(known),
        missing_branches(known, schema),
        tuple(others),
    )


def _as_table(fields: tuple[Field, ...]) -> str:
    from html import escape

    rows = "".join(
        f"<tr><td><code>{escape(field.branch)}</code></td><td><code>{escape(field.name)}</code>"
        f"</td><td>{escape(field.type)}</td><td>{field.bytes / 1e6:.3f} MB</td></tr>"
        for field in fields
    )
    return f"<table>{rows}</table>"
