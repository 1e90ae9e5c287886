"""Checks of the TLS certificate and its key."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from flavorframe.errors import FacilityError
from flavorframe_facility.machine import certificate, processes
from flavorframe_facility.machine.doctor.finding import Finding, ok, tried, warning
from flavorframe_facility.secret_files import read_secret
from flavorframe_facility.settings import Settings

SOON = 21
"""Days before the end of a certificate from which on it is told."""

_TIMEOUT = 10.0  # seconds for the proxy's answer


def check(settings: Settings) -> Iterator[Finding]:
    """Check dates and names of the certificate, its key, and that the proxy shows this one."""
    file, key = settings.certificate, settings.key
    if file is None or key is None:
        yield ok("certificate", "there is none: it listens on loopback, and people come by SSH")
        return
    yield tried("certificate", lambda: _dates(file))
    domain = settings.domain
    if domain is not None:
        yield tried("names of the certificate", lambda: _names(file, domain))
    yield tried("key", lambda: _key(file, key))
    if processes.running(settings, "proxy") is not None:
        yield tried("certificate of the proxy", lambda: _shown(settings, file))


def _dates(file: Path) -> str | Finding:
    start, end = certificate.validity(file)
    now = datetime.now(timezone.utc)
    if now < start:
        raise FacilityError(
            f"{file} is not valid before {start:%Y-%m-%d %H:%M} UTC: is the clock right?"
        )
    if now > end:
        raise FacilityError(f"{file} has ended on {end:%Y-%m-%d}: have a new one made.")
    text = f"{file} is valid until {end:%Y-%m-%d}"
    if (end - now).days < SOON:
        return warning("certificate", f"{text}, for {(end - now).days} more days: renew it")
    return text


def _names(file: Path, domain: str) -> str:
    certificate.require_names(file, domain)
    return f"it is for {domain} and *.{domain}"


def _key(file: Path, key: Path) -> str:
    read_secret(key, "key of the certificate")
    if not certificate.is_pair(file, key):
        raise FacilityError(
            f"{key} is not the key of {file}: give the two that were made together."
        )
    return f"{key} belongs to it, and is for its owner alone"


def _shown(settings: Settings, file: Path) -> str | Finding:
    """Compare the file with what the proxy shows, which it read when it started."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.address, settings.address)
    try:
        shown = ssl.get_server_certificate((host, settings.port), timeout=_TIMEOUT)
    except OSError as error:
        raise FacilityError(f"the proxy at {host}:{settings.port} shows none: {error}.") from None
    if ssl.PEM_cert_to_DER_cert(shown) != certificate.encoded(file):
        return warning(
            "certificate of the proxy",
            "it still shows the one with which it was started: `flavorframe facility down "
            "--keep-servers`, then `up`, and it shows the new one",
        )
    return f"it shows that of {file}"
