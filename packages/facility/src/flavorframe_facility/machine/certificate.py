"""The facility's TLS certificate: its names and dates, and its key."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe.errors import FacilityError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def require_names(certificate: Path, domain: str) -> None:
    """Raise FacilityError unless a certificate is for a domain and for all names below it.

    Args:
        certificate: File with the certificate and its chain, as PEM.
        domain: Name of the facility in the DNS.

    """
    names = _names(certificate)
    missing = [name for name in (domain, f"*.{domain}") if not _is_covered(name, names)]
    if missing:
        raise FacilityError(
            f"the certificate {certificate} is not for {' and '.join(missing)}, but for "
            f"{', '.join(names) or 'no name at all'}: the facility is at {domain}, and each "
            "user's server has a name below it. Have a certificate made for both."
        )


def validity(certificate: Path) -> tuple[datetime, datetime]:
    """Return from when and until when a certificate is valid, in UTC."""
    found = _load(certificate)
    return found.not_valid_before_utc, found.not_valid_after_utc


def encoded(certificate: Path) -> bytes:
    """Return a certificate, without its chain, as DER."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return bytes(_load(certificate).public_bytes(Encoding.DER))


def is_pair(certificate: Path, key: Path) -> bool:
    """Return whether a key is that of a certificate.

    Raises:
        FacilityError: One of them cannot be read.

    """
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise FacilityError(f"the key {key} cannot be read: {error}.") from error
    return bool(private.public_key() == _load(certificate).public_key())


def _load(certificate: Path) -> Certificate:
    from cryptography import x509  # takes long to import

    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise FacilityError(f"the certificate {certificate} cannot be read: {error}.") from error


def _names(certificate: Path) -> list[str]:
    from cryptography import x509

    try:
        extensions = _load(certificate).extensions
        found = extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name) for name in found.value.get_values_for_type(x509.DNSName)]


def _is_covered(name: str, names: list[str]) -> bool:
    _, _, above = name.partition(".")
    return name in names or f"*.{above}" in names
