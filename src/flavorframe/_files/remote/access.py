"""Opening files on servers with fsspec and uproot, within bounded time, and what goes wrong."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import urlsplit

from flavorframe._files.locations import XROOTD
from flavorframe._files.remote import http, s3, xrootd_child, xrootd_client, xrootd_credentials
from flavorframe._files.remote.credentials import why_refused
from flavorframe._files.remote.http import RangesError, client_for
from flavorframe._files.remote.proxies import certificate_folder
from flavorframe.errors import AccessError, CredentialError, FileError, ServerError

PATIENCE = 60
"""Seconds that a server may keep silent."""
EXTRAS = {"root": "xrootd", "roots": "xrootd", "http": "http", "https": "http", "s3": "s3"}
"""What to install for a scheme."""
XROOTD_SETTINGS = {
    "TimeoutResolution": 1,
    "ConnectionWindow": 15,
    "ConnectionRetry": 2,
    "StreamErrorWindow": 0,
    "RequestTimeout": PATIENCE,
}
"""Seconds and attempts for a server that is not there.

By default the client gives up after eight minutes, and does not try again for half an hour.
"""

_GAP = 256 * 1024
"""Bytes that are read and thrown away rather than asking twice over HTTP."""

Facts = tuple[str, ...]
_LIBRARIES = ("aiohttp", "botocore")
# Parts of messages of libraries, in small letters, by what they mean.
_REFUSED = (
    *("auth failed", "no protocols left", "authentication", "access denied", "[3010]"),
    *("alert certificate", "alert unknown ca", "alert bad certificate"),
    *("accessdenied", "invalidaccesskeyid", "signaturedoesnotmatch", "expiredtoken", "(403)"),
)
_MISSING = ("[3011]", "no such file", "nosuchkey", "(404)")
_SILENT = ("operation expired", "timeout", "timed out")
_UNKNOWN = ("certificate verify failed",)
_NO_TLS = ("got invalid login response", "tls error")
_NOWHERE = ("no servers are available",)
_SENT_AROUND = ("redirect limit",)
_BROKEN_OFF = ("payload is not completed", "disconnected", "connection reset")
_UNREACHABLE = (
    "connection error",
    "cannot connect",
    "could not connect",
    "connection refused",
    "invalid address",
)


def is_remote(path: str) -> bool:
    """Return whether a path is a URL of a server."""
    return urlsplit(path).scheme not in ("", "file") and "://" in path


def open_remote(url: str) -> Any:
    """Open a ROOT file on a server; raises AccessError or FileError where that fails."""
    import uproot

    _claim_client(url)
    try:
        with _as_user(url) as address:
            return uproot.open({_address(address): None}, **_options(url))
    except Exception as error:  # each library raises its own
        raise explained(url, error) from error


def version(url: str) -> tuple[Facts, str, Facts]:
    """Return what identifies the content of a file on a server.

    Args:
        url: The file.

    Returns:
        What all servers that have a copy of the file say alike; the server that answered; and what
        only that server says.

    Raises:
        AccessError: Where the server does not give the file.
        FileError: Where it cannot be asked, or does not answer.
    """
    if is_xrootd(url):
        if xrootd_client.is_of_root():
            return xrootd_child.call(version, url)
        _claim_client(url)
    try:
        return _version_on_xrootd(url) if is_xrootd(url) else _version_elsewhere(url)
    except Exception as error:  # each library raises its own
        raise explained(url, error) from error


def filesystem(url: str) -> tuple[Any, str]:
    """Return what fsspec reads a URL by, and the path that it knows it under."""
    import fsspec

    found: tuple[Any, str] = fsspec.core.url_to_fs(_address(url), **_options(url, uproot=False))
    return found


def make_ready(url: str) -> None:
    """Have this process ask an XRootD server by the client of the Python package.

    Raises RunError where it has that of ROOT already, which it cannot have beside it.
    """
    _claim_client(url)
    _configure_xrootd()


def _version_on_xrootd(url: str) -> tuple[Facts, str, Facts]:
    _configure_xrootd()
    with _as_user(url) as address:
        told = xrootd_client.stat(address, int(patience(url)))
    return (str(told.size),), told.server, tuple(map(str, told.of_server or ()))


def _version_elsewhere(url: str) -> tuple[Facts, str, Facts]:
    import fsspec

    found, path = filesystem(url)
    if urlsplit(url).scheme in ("http", "https"):
        server, info = fsspec.asyn.sync(found.loop, http.facts, found, path)
        return _of(info, http.OF_CONTENT), server, _of(info, http.OF_SERVER)
    found.invalidate_cache(path)  # what it may have listed
    info = found.info(path)
    return _of(info, ("size", "mtime", "ETag", "VersionId", "LastModified")), "", ()


def _of(info: Mapping[str, Any], names: Sequence[str]) -> Facts:
    return tuple(str(info[name]) for name in names if name in info)


def is_xrootd(url: str) -> bool:
    """Return whether a URL is one of XRootD."""
    return urlsplit(url).scheme in XROOTD


def _address(url: str) -> str:
    """Return a URL for fsspec, with IPv6 addresses in full: two colons have a meaning for it."""
    scheme, _, rest = url.partition("://")
    host, bracket, path = rest.partition("]")
    if not bracket or "/" in host:
        return url
    user, _, number = host.rpartition("[")
    return f"{scheme}://{user}[{IPv6Address(number).exploded}]{path}"


@contextlib.contextmanager
def as_user(files: Iterable[str]) -> Iterator[None]:
    """Let a library read files as this user in the block; raises CredentialError."""
    on_xrootd = [file for file in files if is_xrootd(file)]
    with xrootd_credentials.shown_to(*on_xrootd) if on_xrootd else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _as_user(url: str) -> Iterator[str]:
    """Yield the URL by which this user's client is to open a file."""
    with as_user([url]):
        yield xrootd_credentials.with_own_connection(url) if is_xrootd(url) else url


def _claim_client(url: str) -> None:
    if is_xrootd(url):
        xrootd_client.claim(xrootd_client.PYTHON, url)


def explained(url: str, error: BaseException) -> FileError:
    """Return the error that says what went wrong with a file on a server."""
    if isinstance(error, FileError):
        return error
    error = _behind(error)
    if isinstance(error, CredentialError):
        return AccessError(f"{url}: {error}")
    if isinstance(error, ImportError):
        return _not_installed(url, error)
    return transport_error(url, error) or FileError(
        f"{url}: not a readable ROOT file: {_short(error).removeprefix('not a ROOT file: ')}"
    )


def _behind(error: BaseException) -> BaseException:
    """Return the error that a library hid behind another one."""
    cause = error.__cause__
    hidden = isinstance(error, FileNotFoundError)  # fsspec says so of whatever fails
    if cause is not None and (hidden or isinstance(cause, CredentialError | RangesError)):
        return _behind(cause)
    return error


def transport_error(url: str, error: BaseException) -> FileError | None:
    """Return what is wrong with the server or the way to it; ``None`` for another kind of error."""
    text, status = str(error).lower().replace("_", " "), getattr(error, "status", None)
    server = f"{url}: {_server(url)}"
    if not isinstance(error, OSError) and type(error).__module__.split(".")[0] not in _LIBRARIES:
        return None
    if "nosuchbucket" in text:
        return AccessError(f"{server} has no bucket {urlsplit(url).netloc}.")
    if is_xrootd(url) and (found := _told_by_xrootd(url, text)) is not None:
        return found
    if isinstance(error, FileNotFoundError) or status == 404 or _any(_MISSING, text):
        return AccessError(f"{server} has no such file.")
    if isinstance(error, PermissionError) or status in (401, 403) or _any(_REFUSED, text):
        return AccessError(f"{server} refuses: {why_refused(url)} ({_short(error)})")
    if isinstance(error, TimeoutError) or _any(_SILENT, text):
        return ServerError(f"{server} did not answer in {patience(url)} seconds.")
    if isinstance(error, RangesError):
        return FileError(f"{url}: {error}")
    return _about_connection(server, error, text)


def _about_connection(server: str, error: BaseException, text: str) -> FileError:
    if _any(_UNKNOWN, text):
        return FileError(
            f"{server} has a certificate of an authority that is not trusted here: those in "
            f"{certificate_folder()} and the system's are. Set X509_CERT_DIR?"
        )
    if _any(_UNREACHABLE, text):
        return ServerError(f"{server} cannot be reached: is its name right, and is it up?")
    if _any(_BROKEN_OFF, text):
        return ServerError(f"{server} broke off in the middle of what it sent.")
    return FileError(f"{server} failed: {_short(error)}")


def _told_by_xrootd(url: str, text: str) -> FileError | None:
    """Return what is wrong with redirectors and encryption; ``None`` for anything else."""
    server = urlsplit(url).netloc
    if _any(_NOWHERE, text):
        return AccessError(
            f"{url}: no server behind {server} has this file, or those that have it are down."
        )
    if _any(_SENT_AROUND, text):
        return AccessError(
            f"{url}: {server} sends on, again and again, to servers that do not give the file. If "
            f"they refuse: {why_refused(url)}"
        )
    if _any(_NO_TLS, text):
        return FileError(f"{url}: {_about_tls(server)}")
    return None


def _about_tls(server: str) -> str:
    folder = certificate_folder()
    if not os.path.isdir(folder):
        return (
            f"the server {server} wants an encrypted connection, for which authorities must be "
            f"known, and there is no folder {folder}: set X509_CERT_DIR."
        )
    return (
        f"there is no encrypted connection with the server {server}: its certificate must be for "
        f"this name, and of an authority in {folder}. Set X509_CERT_DIR?"
    )


def _server(url: str) -> str:
    parts = urlsplit(url)
    return s3.service() if parts.scheme == "s3" else f"the server {parts.netloc}"


def _short(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return f"{said[:200] or 'no reason given'} ({type(error).__name__})"


def _any(phrases: tuple[str, ...], text: str) -> bool:
    return any(phrase in text for phrase in phrases)


def _not_installed(url: str, error: ImportError) -> FileError:
    extra = EXTRAS.get(urlsplit(url).scheme)
    advice = f"run pip install 'flavorframe[{extra}]'" if extra else str(error)
    return FileError(f"{url}: what reads {urlsplit(url).scheme}:// is not installed: {advice}.")


def _options(url: str, *, uproot: bool = True) -> dict[str, Any]:
    """Return what fsspec takes for a scheme, and what uproot takes beside it."""
    scheme = urlsplit(url).scheme
    if is_xrootd(url):
        _configure_xrootd()
        from flavorframe._files.remote.xrootd_source import XRootDSource

        return {"handler": XRootDSource, "timeout": int(patience(url))}
    if scheme in ("http", "https"):
        options: dict[str, Any] = {"get_client": client_for(url, PATIENCE)}
        return options | _coalescing() if uproot else options
    return s3.options(PATIENCE) if scheme == "s3" else {}


def patience(url: str) -> float:
    """Return the seconds that the server may keep silent."""
    if is_xrootd(url):
        return int(os.environ.get("XRD_REQUESTTIMEOUT", PATIENCE))
    return PATIENCE


def _configure_xrootd() -> None:
    from XRootD import client

    for name, value in XROOTD_SETTINGS.items():
        client.EnvPutInt(name, value)  # the user's environment variables take precedence
    if os.path.isdir(certificate_folder()):  # without, it has given up encryption for good
        client.EnvPutInt("NoTlsOK", 0)


def _coalescing() -> dict[str, Any]:
    from uproot.source.coalesce import CoalesceConfig

    return {"coalesce_config": CoalesceConfig(max_range_gap=_GAP)}
