"""Making X.509 proxies, with or without the attributes of a virtual organisation.

A proxy's certificate is signed by the user's key, and its subject is the user's with one name more
(RFC 3820, https://www.rfc-editor.org/rfc/rfc3820).
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from flavorframe._files.descriptors import FILE, belongs_to_user, opened
from flavorframe._files.remote.private_files import is_own, write_own
from flavorframe._files.remote.proxies import Proxy, certificate_folder, read_proxy
from flavorframe._files.remote.user_certificates import UserCertificate
from flavorframe.errors import CredentialError

CERTIFICATE_INFO = "1.3.6.1.5.5.7.1.14"
"""The extension that makes a certificate a proxy's (RFC 3820, section 3.8)."""
INHERIT_ALL = bytes.fromhex("300c300a06082b06010505071501")
"""Its content: a proxy with all rights of the user (RFC 3820, section 3.8.2), in DER."""
SKEW = timedelta(minutes=5)
"""By how much the clocks of other machines may be behind."""
BITS = (2048, 3072, 4096)
_LIFE = re.compile(r"(\d+):([0-5]\d)")


def lifetime(text: str) -> timedelta:
    """Return a lifetime that is given as hours and minutes.

    Raises CredentialError for other texts, and for no time at all.

    >>> lifetime("12:30")
    datetime.timedelta(seconds=45000)
    """
    found = _LIFE.fullmatch(text)
    if found is None or text.strip("0:") == "":
        raise CredentialError(
            f"--valid {text} is no lifetime: give hours and minutes, such as 12:00 or 192:00."
        )
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


def make_proxy(user: UserCertificate, life: timedelta, bits: int = 2048) -> bytes:
    """Return a new proxy in PEM: its certificate, its key, and the user's certificates.

    It ends with the user's certificate where ``life`` is longer. Raises CredentialError for a
    length of key [bits] that is not among ``BITS``.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    check_bits(bits)
    key = rsa.generate_private_key(65537, bits)
    certificates = [_signed(user, key, life), user.certificate, *user.chain]
    first, *rest = (c.public_bytes(serialization.Encoding.PEM) for c in certificates)
    own_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return b"".join([first, own_key, *rest])


def check_bits(bits: int) -> None:
    """Raise CredentialError for a length of key that is too short, or unusual."""
    if bits not in BITS:
        raise CredentialError(f"--bits {bits}: keys have {', '.join(map(str, BITS))} bits.")


def _signed(user: UserCertificate, key: Any, life: timedelta) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    number, now = secrets.randbelow(2**31), datetime.now(timezone.utc)
    name = x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, str(number))
    issuer = user.certificate
    info = x509.UnrecognizedExtension(x509.ObjectIdentifier(CERTIFICATE_INFO), INHERIT_ALL)
    hashed = isinstance(user.key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([*issuer.subject.rdns, x509.RelativeDistinguishedName([name])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(number + 1)
        .not_valid_before(max(now - SKEW, issuer.not_valid_before_utc))
        .not_valid_after(min(now + life, issuer.not_valid_after_utc))
        .add_extension(info, critical=True)
        .add_extension(_usage(), critical=True)
        .sign(user.key, hashes.SHA256() if hashed else None)
    )


def _usage() -> Any:
    from cryptography import x509

    no = ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign")
    unused = dict.fromkeys((*no, "crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=True, key_encipherment=True, **unused)


def voms_proxy(voms: str, cert: str, key: str, valid: str, bits: int) -> bytes:
    """Return a new proxy with attributes of a virtual organisation, by ``voms-proxy-init``.

    It asks for the passphrase itself. Raises CredentialError where it is not installed, or fails:
    it has told why.
    """
    if shutil.which("voms-proxy-init") is None:
        raise CredentialError(
            "--voms needs voms-proxy-init, which is not installed: install voms-clients (Debian: "
            "voms-clients, AlmaLinux: voms-clients-cpp), or load your site's grid environment."
        )
    check_bits(bits)
    with tempfile.TemporaryDirectory(prefix="flavorframe-proxy-") as folder:
        path = Path(folder) / "proxy"
        command = ["voms-proxy-init", "-rfc", "-voms", voms, "-valid", valid, "-bits", str(bits)]
        command += ["-cert", cert, *([] if key == cert else ["-key", key])]  # one file: PKCS12
        command += ["-certdir", certificate_folder(), "-out", str(path)]
        status = subprocess.run(command, check=False).returncode
        if status != 0 or not path.exists():
            raise CredentialError(
                f"voms-proxy-init did not make a proxy of {voms} (it ended with {status}); what "
                "it says is above."
            )
        return path.read_bytes()


def write_proxy(content: bytes, path: str) -> Proxy:
    """Put a proxy at its place, whole, with mode 0600, and return it as it is read back.

    A link that lies there is replaced, and what it leads to stays as it is. Raises CredentialError
    where the place cannot be written to.
    """
    write_own(path, content, "proxy")
    return read_proxy(path)


def destroy_proxy(path: str) -> None:
    """Overwrite a proxy and remove it; of what is no file of the user's, only the name.

    Raises CredentialError where there is none, or it cannot be removed.
    """
    try:
        if is_own(path):
            with opened(path, os.O_WRONLY | FILE) as descriptor:
                _overwrite(descriptor)
        os.unlink(path)
    except FileNotFoundError:
        raise CredentialError(f"there is no proxy {path}.") from None
    except OSError as error:
        raise CredentialError(f"the proxy {path} cannot be removed: {error.strerror}.") from None


def _overwrite(descriptor: int) -> None:
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and belongs_to_user(status):
        os.pwrite(descriptor, bytes(status.st_size), 0)
        os.fsync(descriptor)


def attributes(path: str) -> tuple[str, ...]:
    """Return the groups and roles of a proxy's virtual organisation; none without voms-proxy-info.

    They look like ``/cms/Role=NULL/Capability=NULL``.
    """
    if shutil.which("voms-proxy-info") is None:
        return ()
    command = ["voms-proxy-info", "-file", path, "-fqan", "-dont-verify-ac"]
    somewhere = {**os.environ, "X509_CERT_DIR": os.path.dirname(os.path.abspath(path))}
    told = subprocess.run(  # it wants a folder of authorities, though none is asked
        command, check=False, capture_output=True, text=True, env=somewhere
    )
    return tuple(line for line in told.stdout.splitlines() if line.startswith("/"))
