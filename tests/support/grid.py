"""A certificate authority, certificates and proxies like the grid's, of any lifetime."""

import datetime
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PROXY_INFO = ObjectIdentifier("1.3.6.1.5.5.7.1.14")
INHERIT_ALL = bytes.fromhex("300c300a06082b06010505071501")
HOUR = datetime.timedelta(hours=1)
SECRET = "correct horse"
"""The passphrase of a user's key."""


class Authority:
    """An authority whose certificate lies in ``folder`` as servers and clients look for it."""

    def __init__(self, folder, name="Test Authority"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = _key()
        self.subject = x509.Name(_names(("DC", "test"), ("CN", name)))
        self.certificate = _certificate(
            self.subject, self._key, self.subject, self._key, 24 * HOUR, ca=True
        )
        _write_authority(self.folder, self.certificate, f"/DC=test/CN={name}")

    def issue(self, name, life=24 * HOUR):
        """Return a certificate and its key; a host's where the name is one."""
        key = _key()
        subject = x509.Name(_names(("DC", "test"), ("CN", name)))
        host = name if name == "localhost" else None
        certificate = _certificate(subject, key, self.subject, self._key, life, host=host)
        return certificate, key

    def proxy(self, path, name="Test User", life=HOUR, mode=0o600):
        """Write a user's proxy that ends after ``life`` (negative: it has expired)."""
        user, user_key = self.issue(name)
        key = _key()
        subject = x509.Name([*user.subject, *_names(("CN", "1234567"))])
        proxy = _certificate(subject, key, user.subject, user_key, life, proxy=True)
        write(path, pem(proxy) + key_pem(key) + pem(user), mode)
        return Path(path)


def globus(authority, home, *, life=24 * HOUR, secret=None):
    """Write a user's certificate and key as grid tools keep them; return their paths."""
    certificate, key = authority.issue("Test User", life)
    folder = home / ".globus"
    folder.mkdir(parents=True)
    protection = (
        serialization.BestAvailableEncryption(secret.encode())
        if secret
        else serialization.NoEncryption()
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    write(folder / "usercert.pem", pem(certificate), 0o644)
    write(folder / "userkey.pem", key.private_bytes(encoding, form, protection), 0o400)
    return str(folder / "usercert.pem"), str(folder / "userkey.pem")


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def write(path, content, mode):
    """Write a file whole, with a mode, in place of one that is there."""
    path = Path(path)
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.chmod(mode)
    new.replace(path)


def _key():
    return rsa.generate_private_key(65537, 2048)


def _names(*pairs):
    oids = {"DC": NameOID.DOMAIN_COMPONENT, "CN": NameOID.COMMON_NAME}
    return [x509.NameAttribute(oids[kind], value) for kind, value in pairs]


def _certificate(subject, key, issuer, issuer_key, life, *, ca=False, host=None, proxy=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    end = now + life
    usage = {
        "digital_signature": True,
        "key_encipherment": not ca,
        "key_cert_sign": ca,
        "crl_sign": ca,
    }
    no = ("content_commitment", "data_encipherment", "key_agreement", "encipher_only")
    usage |= dict.fromkeys((*no, "decipher_only"), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - 2 * HOUR)
        .not_valid_after(end)
        .add_extension(x509.KeyUsage(**usage), critical=True)
    )
    if not proxy:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        builder = builder.add_extension(identifier, critical=False)
    if proxy:
        info = x509.UnrecognizedExtension(PROXY_INFO, INHERIT_ALL)
        builder = builder.add_extension(info, critical=True)
    if host:
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = builder.add_extension(names, critical=False)
        kinds = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(kinds), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _write_authority(folder, certificate, subject):
    file = folder / "authority.pem"
    file.write_bytes(pem(certificate))
    for option in ("-subject_hash", "-subject_hash_old"):
        command = ["openssl", "x509", "-noout", option, "-in", str(file)]
        name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        (folder / f"{name}.0").write_bytes(pem(certificate))
        (folder / f"{name}.signing_policy").write_text(
            f"access_id_CA X509 '{subject}'\npos_rights globus CA:sign\n"
            "cond_subjects globus '\"/DC=test/*\"'\n"
        )
