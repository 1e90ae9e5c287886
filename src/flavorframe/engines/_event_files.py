"""Open files as engines read them: events, also where the file has a row for each candidate."""

from __future__ import annotations

from typing import TypeAlias

from flavorframe._rootio.candidate_rows.events import EventsOfRows
from flavorframe._rootio.root_file import RootFile
from flavorframe.layouts import Layout, recognise

EventFile: TypeAlias = RootFile | EventsOfRows
"""An open tree with one entry an event, or what is like one."""


def as_events(file: RootFile, asked: Layout | None) -> tuple[EventFile, Layout]:
    """Return the events of an open file, and its layout.

    Args:
        file: The open file.
        asked: The layout that the user says it has, if any.

    Returns:
        What has one entry an event, and the layout.

    Raises:
        BranchError: The file is not of the layout that was asked for.
        FileError: The rows of one event do not follow each other.
    """
    layout = recognise(file.schema, asked)
    if layout.rows is None:
        return file, layout
    return EventsOfRows(file, layout.rows.key, layout.rows.event), layout
