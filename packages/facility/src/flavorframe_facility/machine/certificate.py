"""The names in the facility's TLS certificate."""

from __future__ import annotations

from pathlib import Path

from flavorframe.errors import FacilityError


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


def _names(certificate: Path) -> list[str]:
    from cryptography import x509  # takes long to import

    try:
        content = x509.load_pem_x509_certificate(certificate.read_bytes())
        found = content.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    except ValueError as error:
        raise FacilityError(f"the certificate {certificate} cannot be read: {error}.") from error
    return [str(name) for name in found.value.get_values_for_type(x509.DNSName)]


def _is_covered(name: str, names: list[str]) -> bool:
    _, _, above = name.partition(".")
    return name in names or f"*.{above}" in names
