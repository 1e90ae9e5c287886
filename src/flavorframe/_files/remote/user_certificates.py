"""The user's own certificate and key, of which proxies are made: finding, opening, checking."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from flavorframe._files.remote.private_files import read_private
from flavorframe._files.remote.proxies import load_certificates, subject_text
from flavorframe._files.remote.times import ago, clock
from flavorframe.errors import CredentialError

PKCS12 = (".p12", ".pfx")
"""How files end that hold certificate and key together."""
Ask = Callable[[str], str]


@dataclass(frozen=True)
class UserCertificate:
    """A certificate with its key, and the certificates that vouch for it; the key is not shown."""

    path: str
    certificate: Any
    key: Any = field(repr=False)
    chain: tuple[Any, ...] = ()

    def check(self) -> None:
        """Raise CredentialError where the key is another's, or it is not valid now."""
        name = subject_text(self.certificate.subject)
        if self.key.public_key() != self.certificate.public_key():
            raise CredentialError(
                f"the key does not belong to the certificate {self.path} of {name}: are they both "
                "of the same year?"
            )
        now = datetime.now(timezone.utc)
        end = self.certificate.not_valid_after_utc
        if end <= now:
            raise CredentialError(
                f"the certificate {self.path} of {name} expired {ago(now - end)}, at {clock(end)}: "
                "get a new one from your authority."
            )
        begin = self.certificate.not_valid_before_utc
        if begin > now:
            raise CredentialError(
                f"the certificate {self.path} is valid only from {clock(begin)} on: is the clock "
                "of this machine right?"
            )


def find_certificate(cert: str | None = None, key: str | None = None) -> tuple[str, str]:
    """Return the paths of certificate and key, which are one for PKCS12.

    They are looked for where grid tools do: what is named, then ``X509_USER_CERT`` and
    ``X509_USER_KEY``, then ``usercert.pem`` with ``userkey.pem``, ``usercred.p12`` and
    ``usercert.p12`` in ``~/.globus``. Raises CredentialError where there is none.
    """
    cert = cert or os.environ.get("X509_USER_CERT")
    if cert:
        return cert, _key_of(cert, key)
    places = [str(Path.home() / ".globus" / name) for name in _USUAL]
    for place in places:
        if os.path.exists(place):
            return place, _key_of(place, key)
    raise CredentialError(
        f"there is no certificate: looked at X509_USER_CERT, which is not set, and for "
        f"{', '.join(places)}. Put yours there, or name it with --cert (and --key)."
    )


_USUAL = ("usercert.pem", "usercred.p12", "usercert.p12")


def _key_of(cert: str, key: str | None) -> str:
    if cert.endswith(PKCS12):
        return cert
    return key or os.environ.get("X509_USER_KEY") or str(Path(cert).with_name("userkey.pem"))


def read_certificate(cert: str, key: str, ask: Ask) -> UserCertificate:
    """Read certificate and key; ``ask`` gives the passphrase of the file that it is told of.

    Raises CredentialError for what is missing or cannot be read, a key that others can read, a
    wrong passphrase, and as `UserCertificate.check` does.
    """
    found = _pkcs12(cert, ask) if cert.endswith(PKCS12) else _pem(cert, key, ask)
    found.check()
    return found


def _pem(cert: str, key: str, ask: Ask) -> UserCertificate:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    first, *rest = load_certificates(cert, _public(cert), "certificate")
    content = read_private(key, "key")
    encrypted = b"ENCRYPTED" in content
    secret = ask(key).encode() if encrypted else None
    try:
        return UserCertificate(cert, first, load_pem_private_key(content, secret), tuple(rest))
    except (ValueError, TypeError) as error:
        raise _not_opened(key, "PEM", encrypted) from error


def _pkcs12(path: str, ask: Ask) -> UserCertificate:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    content = read_private(path, "certificate")
    try:
        key, certificate, others = load_key_and_certificates(content, ask(path).encode())
    except ValueError as error:
        raise _not_opened(path, "PKCS12", encrypted=True) from error
    if key is None or certificate is None:
        raise CredentialError(f"{path} holds no certificate with its key.")
    return UserCertificate(path, certificate, key, tuple(others))


def _not_opened(path: str, kind: str, encrypted: bool) -> CredentialError:
    what = f"the passphrase is wrong, or it is no key in {kind}" if encrypted else "not a key"
    return CredentialError(f"the key {path} cannot be opened: {what}.")


def _public(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise CredentialError(f"there is no certificate {path}.") from None
    except OSError as error:
        raise CredentialError(f"the certificate {path} cannot be read: {error.strerror}.") from None
