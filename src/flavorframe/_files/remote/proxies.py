"""X.509 proxies: reading them, and what can be wrong with them.

A proxy is a file with a short-lived certificate, its key, and the certificates that vouch for it,
in PEM (RFC 3820, https://www.rfc-editor.org/rfc/rfc3820).
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from flavorframe._files.remote.private_files import is_own, read_private
from flavorframe._files.remote.times import ago, clock
from flavorframe.errors import CredentialError

VARIABLE = "X509_USER_PROXY"
"""The variable that names a proxy."""
RENEW = "flavorframe proxy --voms cms --valid 192:00"
"""What makes a proxy of eight days."""
CERTIFICATES = "/etc/grid-security/certificates"
"""Where the certificates of authorities are by default."""

_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Proxy:
    """A proxy that was read: whose it is, who issued the user's certificate, and its times.

    ``identity`` is the user's own subject and ``expires`` the first end of any certificate of the
    chain. The key is not kept.
    """

    path: str
    identity: str
    issuer: str
    begins: datetime
    expires: datetime

    @property
    def left(self) -> timedelta:
        """How long it is still valid; negative where it has expired."""
        return self.expires - datetime.now(timezone.utc)

    @property
    def is_expired(self) -> bool:
        """Whether it has expired."""
        return self.left <= timedelta(0)

    def check(self) -> None:
        """Raise CredentialError where it is not valid now."""
        if self.is_expired:
            raise CredentialError(
                f"the proxy {self.path} expired {ago(-self.left)}, at {clock(self.expires)}: make "
                f"a new one, for example by {RENEW}."
            )
        if self.begins > datetime.now(timezone.utc):
            raise CredentialError(
                f"the proxy {self.path} is valid only from {clock(self.begins)} on: is the clock "
                "of this machine right?"
            )


def proxy_path() -> str:
    """Return where the proxy is, if there is one: ``X509_USER_PROXY``, or the usual place."""
    return os.environ.get(VARIABLE) or usual_place()


def usual_place() -> str:
    """Return where a proxy is that no variable names."""
    return f"/tmp/x509up_u{os.geteuid()}"


def find_proxy_file() -> str | None:
    """Return the path of the user's proxy; ``None`` where there is none.

    What somebody else has put in the usual place is none. The file that ``X509_USER_PROXY`` names
    is returned without a look at it.
    """
    return os.environ.get(VARIABLE) or (usual_place() if is_own(usual_place()) else None)


def certificate_folder() -> str:
    """Return the folder of authorities' certificates: ``X509_CERT_DIR``, or the usual one."""
    return os.environ.get("X509_CERT_DIR") or CERTIFICATES


def read_proxy(path: str | os.PathLike[str]) -> Proxy:
    """Read a proxy; it may have expired, see `Proxy.check`.

    Raises CredentialError where it is another's or others may read it, the key is not the
    certificate's, or the certificates do not vouch for each other.
    """
    name = os.fspath(path)
    return parsed_proxy(name, read_private(name, "proxy"))


def parsed_proxy(name: str, content: bytes) -> Proxy:
    """Return what is known of a proxy from its content; ``name`` is where it is, for messages.

    Raises CredentialError as `read_proxy` does.
    """
    chain = load_certificates(name, content)
    _check_key(name, content, chain[0])
    _check_chain(name, chain)
    user = next((c for c in chain if not _is_proxy(c)), chain[-1])
    return Proxy(
        name,
        subject_text(user.subject),
        subject_text(user.issuer),
        max(c.not_valid_before_utc for c in chain),
        min(c.not_valid_after_utc for c in chain),
    )


def knows_authority(issuer: str) -> bool:
    """Return whether the folder of authorities has one of this name."""
    for file in Path(certificate_folder()).glob("*.[0-9]"):
        try:
            chain = load_certificates(str(file), file.read_bytes())
        except (CredentialError, OSError):
            continue
        if any(subject_text(certificate.subject) == issuer for certificate in chain):
            return True
    return False


def subject_text(name: Any) -> str:
    """Return a distinguished name as grid tools print it: ``/DC=ch/DC=cern/CN=...``."""
    return "".join(f"/{part.rfc4514_attribute_name}={part.value}" for part in name)


def load_certificates(path: str, content: bytes, what: str = "proxy") -> list[Any]:
    """Return the certificates of a file in PEM; raises CredentialError where it holds none."""
    try:
        from cryptography import x509
    except ImportError:
        raise CredentialError(
            "reading proxies needs cryptography: run pip install 'flavorframe[xrootd]'."
        ) from None
    try:
        return list(x509.load_pem_x509_certificates(content))
    except ValueError:
        raise CredentialError(f"{path} is not a {what}: it holds no certificate in PEM.") from None


def _check_key(path: str, content: bytes, certificate: Any) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found = _KEY.search(content)
    if found is None:
        raise CredentialError(f"the proxy {path} holds no private key.")
    try:
        key = load_pem_private_key(found.group(), password=None)
    except (ValueError, TypeError):
        raise CredentialError(f"the private key of the proxy {path} cannot be read.") from None
    if key.public_key() != certificate.public_key():
        raise CredentialError(f"the private key of the proxy {path} is not its certificate's.")


def _check_chain(path: str, chain: Sequence[Any]) -> None:
    for lower, upper in itertools.pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except Exception as error:  # names, signature, or a kind of key that is not supported
            raise CredentialError(
                f"the proxy {path} is broken: {subject_text(upper.subject)} did not issue "
                f"{subject_text(lower.subject)}."
            ) from error


def _is_proxy(certificate: Any) -> bool:
    """Return whether a certificate is a proxy: its subject is its issuer's, and one name more."""
    subject, issuer = list(certificate.subject), list(certificate.issuer)
    return subject[: len(issuer)] == issuer and len(subject) == len(issuer) + 1
