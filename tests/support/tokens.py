"""An issuer of bearer tokens: its keys are served over HTTPS, as OpenID Connect says."""

import base64
import json
import secrets
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from support import grid

SCOPE = "storage.read:/"
"""The right to read everything that the issuer speaks for."""


class Issuer:
    """Signs tokens; ``url`` is its name, and where its keys are."""

    def __init__(self, authority, folder):
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate, key = authority.issue("localhost")
        grid.write(folder / "issuer.pem", grid.pem(certificate) + grid.key_pem(key), 0o600)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "issuer.pem")
        self.asked = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def token(self, *, life=3600, **claims):
        """Return a token that is valid for ``life`` seconds (negative: it has expired)."""
        now = int(time.time())
        usual = {"iss": self.url, "sub": "tester", "aud": "https://wlcg.cern.ch/jwt/v1/any",
                 "scope": SCOPE, "wlcg.ver": "1.0", "jti": secrets.token_hex(8)}  # fmt: skip
        times = {"iat": min(now, now + life) - 60, "nbf": min(now, now + life) - 60}
        claims = {**usual, **times, "exp": now + life, **claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"alg": "ES256", "typ": "JWT", "kid": "one"}
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        r, s = decode_dss_signature(self._key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return b".".join([signed, _encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))]).decode()

    def documents(self):
        """Return what is served, by path."""
        numbers = self._key.public_key().public_numbers()
        x, y = (_encoded(n.to_bytes(32, "big")).decode() for n in (numbers.x, numbers.y))
        key = {"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256"}
        return {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/k"},
            "/k": {"keys": [{**key, "x": x, "y": y}]},
        }


def _handler(issuer):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            issuer.asked.append(self.path)
            document = issuer.documents().get(self.path)
            content = json.dumps(document).encode()
            self.send_response(200 if document else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _encoded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=")
