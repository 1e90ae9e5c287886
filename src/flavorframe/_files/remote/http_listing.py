"""Folders on HTTP servers: as WebDAV tells what is in them, or as pages with links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

from flavorframe.errors import FileError

_DAV = "{DAV:}"
_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'
)
_MULTI_STATUS, _NOT_FOUND = 207, 404
_UNLISTED = (403, 405, 501)
"""What servers say that have folders and do not show them."""


async def names_in(filesystem: Any, url: str) -> dict[str, bool] | None:
    """Return the names in a folder, and of each whether it is a folder; None where there is none.

    Raises the errors of aiohttp, and FileError for a server that does not list folders.
    """
    session = await filesystem.set_session()
    folder, question, options = url.partition("?")
    address = filesystem.encode_url(f"{folder.rstrip('/')}/{question}{options}")
    headers = {"Depth": "1", "Content-Type": "application/xml"}
    async with session.request("PROPFIND", address, headers=headers, data=_ASKED) as response:
        if response.status == _MULTI_STATUS:
            return _children(str(response.url), _of_webdav(url, await response.read()))
    async with session.get(address) as response:
        if response.status == _NOT_FOUND:
            return None
        if response.status in _UNLISTED:
            raise FileError(_unlisted(url, f"it answers {response.status}"))
        response.raise_for_status()
        if "html" not in response.headers.get("Content-Type", ""):
            raise FileError(_unlisted(url, "it sends something else than a page with links"))
        return _children(str(response.url), _of_page(await response.text()))


def _unlisted(url: str, answer: str) -> str:
    return (
        f"{url}: the server {urlsplit(url).netloc} does not list this folder ({answer}): give its "
        "files one by one, or have it list folders."
    )


def _of_webdav(url: str, content: bytes) -> Iterator[tuple[str, bool]]:
    """Yield the link of each resource, and whether it is a folder."""
    try:
        answer = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise FileError(_unlisted(url, f"what it sends is no XML: {error}")) from None
    for response in answer.iter(f"{_DAV}response"):
        link = urlsplit(response.findtext(f"{_DAV}href", "").strip())
        yield link.path, response.find(f".//{_DAV}resourcetype/{_DAV}collection") is not None


def _of_page(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the links of a page; those of folders end with a slash."""
    links = _Links()
    links.feed(text)
    for link in links.found:
        yield link, urlsplit(link).path.endswith("/")


class _Links(HTMLParser):
    """Collects where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _children(folder: str, links: Iterable[tuple[str, bool]]) -> dict[str, bool]:
    """Return the names of what lies right in a folder: pages also link elsewhere."""
    here = urlsplit(folder)
    above = _plain(here.path)
    names: dict[str, bool] = {}
    for link, is_folder in links:
        there = urlsplit(urljoin(folder, link))
        name = _plain(there.path).removeprefix(above).strip("/")
        is_below = there.netloc == here.netloc and _plain(there.path).startswith(above)
        if is_below and name and "/" not in name:
            names[name] = is_folder
    return names


def _plain(path: str) -> str:
    """Return a path as it compares: without codes for letters, and with one slash for several."""
    return "/".join(["", *filter(None, unquote(path).split("/")), ""])
