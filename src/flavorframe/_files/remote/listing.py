"""Folders on servers: the names in them, as each protocol tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flavorframe._files.remote import access, http_listing, xrootd_child, xrootd_client

Names = Mapping[str, bool]
"""The names in a folder, and of each whether it is a folder."""


def listed(url: str) -> Names | None:
    """Return the names in a folder on a server; None where there is no such folder.

    Raises:
        AccessError: Where the server does not show the folder.
        FileError: Where it cannot be asked, does not answer, or does not list folders.
    """
    if access.is_xrootd(url) and xrootd_client.is_of_root():
        return xrootd_child.call(listed, url)
    try:
        return _on_xrootd(url) if access.is_xrootd(url) else _elsewhere(url)
    except Exception as error:  # each library raises its own
        raise access.explained(url, error) from error


def _on_xrootd(url: str) -> Names | None:
    access.make_ready(url)
    return xrootd_client.names_in(url, int(access.patience(url)))


def _elsewhere(url: str) -> Names | None:
    import fsspec

    filesystem, path = access.filesystem(url)
    if urlsplit(url).scheme == "s3":
        return _on_s3(filesystem, path)
    found: Names | None = fsspec.asyn.sync(filesystem.loop, http_listing.names_in, filesystem, path)
    return found


def _on_s3(filesystem: Any, path: str) -> Names | None:
    try:
        found = filesystem.ls(path, detail=True, refresh=True)
    except FileNotFoundError as error:
        if "NoSuchBucket" in repr(error.__cause__):
            raise
        return None
    names = {each["name"]: each["type"] == "directory" for each in found}
    below = f"{path.rstrip('/')}/"
    return {
        name.removeprefix(below).rstrip("/"): is_folder
        for name, is_folder in names.items()
        if name.removeprefix(below) and name != path
    }
