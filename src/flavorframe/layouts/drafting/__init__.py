"""Drafts of layouts, made of what a file holds; a physicist edits what comes out.

* `look`: what is read of the file: the lists and values of its first events.
* `words`: friendly names, made of the names of branches.
* `groups`: which lists are one collection. `links`: which of their elements are one object.
* `event`: the event's values, trigger decisions, rows that are candidates, units.
* `text`: all of it as TOML with comments.
"""

from __future__ import annotations

import os
from pathlib import Path

from flavorframe._files.writing import replacing
from flavorframe._rootio.root_file import RootFile
from flavorframe.errors import LayoutError
from flavorframe.layouts.drafting.event import find_rows, find_triggers, find_units, find_values
from flavorframe.layouts.drafting.groups import find_groups, group_of_rows
from flavorframe.layouts.drafting.links import find_links
from flavorframe.layouts.drafting.look import Look
from flavorframe.layouts.drafting.text import Draft, as_toml

__all__ = ["Draft", "Look", "as_toml", "draft", "write_draft"]


def write_draft(file: RootFile, path: str | os.PathLike[str]) -> str:
    """Write the draft of a layout for a file, and return its path.

    Raises LayoutError where the path is no new TOML file, FileError where the file cannot be read,
    and OutputError where the draft cannot be written.
    """
    target = Path(path).expanduser()
    if target.suffix != ".toml":
        raise LayoutError(f"{path} should end with .toml, by which layouts in files are known.")
    if target.exists():
        raise LayoutError(f"{path} is there already: give another name, or move it away.")
    text = as_toml(draft(Look(file), target.stem), file.path)
    with replacing(target) as hidden:
        hidden.write_text(text, "utf-8")
    return str(target)


def draft(look: Look, name: str) -> Draft:
    """Return the draft of a layout of that name, from a look at a file."""
    values = find_values(look)
    rows = find_rows(look, values)
    groups = [group_of_rows(look, rows)] if rows is not None else find_groups(look)
    links = {} if rows is not None else find_links(look, groups)
    return Draft(name, look, values, groups, links, find_triggers(look), find_units(look), rows)
