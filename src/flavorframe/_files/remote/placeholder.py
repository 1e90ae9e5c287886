"""A certificate of nobody, for a client that would otherwise take up what lies in ``/tmp``.

The client of XRootD wants a certificate for TLS where something is called like a proxy, and makes
no encrypted connection any more if it is not one. Its servers do not ask to see it.
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta, timezone

LIFE = timedelta(days=365)


@functools.cache
def placeholder() -> bytes:
    """Return a certificate that no authority knows, with its key, in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "nobody")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    form, protection = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    content: bytes = certificate.public_bytes(encoding)
    return content + bytes(key.private_bytes(encoding, form, protection))
