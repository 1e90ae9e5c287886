"""Drafts of layouts, made of what a file holds; a physicist edits what comes out.

* `look`: what is read of the file: the lists and values of its first events.
* `words`: friendly names, made of the names of branches.
* `groups`: which lists are one collection. `links`: which of their elements are one object.
* `event`: the event's values, trigger decisions, rows that are candidates, units.
* `text`: all of it as TOML with comments.
"""

from __future__ import annotations

from flavorframe.layouts.drafting.event import find_rows, find_triggers, find_units, find_values
from flavorframe.layouts.drafting.groups import find_groups, group_of_rows
from flavorframe.layouts.drafting.links import find_links
from flavorframe.layouts.drafting.look import Look
from flavorframe.layouts.drafting.text import Draft, as_toml

__all__ = ["Draft", "Look", "as_toml", "draft"]


def draft(look: Look, name: str) -> Draft:
    """Return the draft of a layout of that name, from a look at a file."""
    values = find_values(look)
    rows = find_rows(look, values)
    groups = [group_of_rows(look, rows)] if rows is not None else find_groups(look)
    links = {} if rows is not None else find_links(look, groups)
    return Draft(name, look, values, groups, links, find_triggers(look), find_units(look), rows)
