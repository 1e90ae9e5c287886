"""What the doctor finds of certificates, of the OpenID provider, and of clocks."""

import http.server
import json
import re
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

import pytest

from facility_support.doctor import found, place, taken_for


@pytest.fixture
def settings(tmp_path):
    return place(tmp_path)


@pytest.fixture
def signed(tmp_path):
    """Return a function that makes a certificate and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def make_pair(name, *, start=-1, end=60, names=("facility.test", "*.facility.test")):
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(timezone.utc)
        subject = x509.Name.from_rfc4514_string("CN=facility.test")
        alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        built = (
            x509.CertificateBuilder(subject, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=start))
            .not_valid_after(now + timedelta(days=end, hours=1))
            .add_extension(alternative, critical=False)
            .sign(key, hashes.SHA256())
        )
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        file, secret = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        file.write_bytes(built.public_bytes(pem))
        secret.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        secret.chmod(0o600)
        return {"certificate": file, "key": secret, "domain": "facility.test"}

    return make_pair


def test_a_certificate_and_its_dates(settings, signed):
    assert found(settings, "certificate").startswith("ok: there is none")
    assert "is valid until" in found(settings.changed(**signed("good")), "certificate")
    for dates, told in [
        ({"end": -0.5}, "problem: .*has ended on"),
        ({"start": 1}, "problem: .*is not valid before"),
        ({"end": 7}, "warning: .*for 7 more days: renew it"),
    ]:
        assert_matches(told, found(settings.changed(**signed("other", **dates)), "certificate"))


def test_a_certificate_and_its_names_and_key(settings, signed):
    good, other = signed("good"), signed("other", names=["facility.test"])
    with_good = settings.changed(**good)
    assert found(with_good, "names") == "ok: it is for facility.test and *.facility.test"
    assert found(with_good, "key").startswith("ok: ")
    assert "is not for *.facility.test" in found(settings.changed(**other), "names")
    mixed = settings.changed(**{**good, "key": other["key"]})
    assert "is not the key of" in found(mixed, "key")
    good["key"].chmod(0o644)
    assert "has mode 0644, so that others can read it: run chmod 600" in found(with_good, "key")


def test_a_certificate_that_the_proxy_does_not_show_yet(settings, signed, monkeypatch):
    monkeypatch.setattr("flavorframe_facility.machine.processes.is_healthy", lambda url: True)
    monkeypatch.setattr(
        "flavorframe_facility.machine.programs.proxy_command", lambda settings: "proxy"
    )
    old, new = signed("old"), signed("new")
    with taken_for(settings, "proxy"), showing(old, settings.port):
        told = found(settings.changed(**new), "certificate of the proxy")
        assert told.startswith("warning: it still shows the one with which it was started")
        assert found(settings.changed(**old), "certificate of the proxy").startswith("ok: ")


@contextmanager
def showing(pair, port):
    """Show a certificate to whoever connects."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair["certificate"], pair["key"])
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", port), http.server.BaseHTTPRequestHandler
    )
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with served(server):
        yield


@contextmanager
def served(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# The provider


class Discovery(http.server.BaseHTTPRequestHandler):
    """Says what a provider says of itself, at a time of its own."""

    issuer, ahead = "", 0.0

    def do_GET(self):
        places = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
        said = {"issuer": self.issuer, **{name: f"{self.issuer}/{name}" for name in places}}
        content = json.dumps(said).encode()
        self.send_response_only(200)
        if self.ahead is not None:
            self.send_header("Date", formatdate(time.time() + self.ahead, usegmt=True))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def provider():
    handler = type("Here", (Discovery,), {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.issuer = f"http://127.0.0.1:{server.server_port}"
    with served(server):
        yield handler


def with_provider(settings, issuer, tmp_path):
    secret = tmp_path / "client-secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    login = {"kind": "oidc", "issuer": issuer, "client_id": "hub", "user_group": "flavour"}
    return settings.changed(login={**login, "client_secret_file": secret})


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (0, "ok: it agrees"),
        (20, r"warning: it is (19|20|21) s behind that of the provider: check NTP"),
        (-90, r"problem: it is (89|90|91) s ahead of that .* logins fail beyond 30 s"),
        (None, "warning: the OpenID provider does not tell its time"),
    ],
)
def test_the_clock_is_compared_with_the_providers(settings, provider, tmp_path, ahead, told):
    provider.ahead = ahead
    settings = with_provider(settings, provider.issuer, tmp_path)
    assert_matches(told, found(settings, "clock"))
    assert found(settings, "provider").startswith("ok: ")
    assert found(settings, "client secret").startswith("ok: ")


def test_a_provider_that_is_another_or_none(settings, provider, tmp_path):
    here = provider.issuer
    provider.issuer = "https://other.example.org"
    told = found(with_provider(settings, here, tmp_path), "provider")
    assert "problem: " in told
    assert "its issuer is https://other.example.org, not" in told
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    nowhere = with_provider(settings, f"http://127.0.0.1:{port}", tmp_path)
    assert "problem: the OpenID provider does not answer at" in found(nowhere, "provider")
    assert found(nowhere, "clock").startswith("warning: ")
    (tmp_path / "client-secret").unlink()
    assert "problem: there is no file" in found(nowhere, "client secret")


def assert_matches(pattern, text):
    assert re.match(pattern, text), text
