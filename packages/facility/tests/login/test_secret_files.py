"""Secrets' files, and what an administrator is told who set something up wrongly."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest

pytest.importorskip(
    "oauthenticator", reason="oauthenticator is not installed (flavorframe-facility)"
)
from traitlets.config import Config

from flavorframe.errors import FacilityError
from flavorframe_facility.login import config as login
from flavorframe_facility.login.provider import discover
from flavorframe_facility.secret_files import crypt_key, read_secret, write_private
from flavorframe_facility.settings import make


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    path.chmod(0o644)
    with pytest.raises(FacilityError, match=f"mode 0644.*chmod 600 {path}") as error:
        read_secret(path, "client secret")
    assert "s3cret" not in str(error.value)
    path.chmod(0o600)
    assert read_secret(path, "client secret") == "s3cret"


def test_a_secret_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(FacilityError, match="there is no file .*client secret"):
        read_secret(tmp_path / "none", "client secret")
    write_private(tmp_path / "empty", "")
    with pytest.raises(FacilityError, match="is empty"):
        read_secret(tmp_path / "empty", "client secret")


def test_the_crypt_key_is_made_once(tmp_path):
    key = crypt_key(tmp_path)
    assert len(key) == 32
    assert (tmp_path / "crypt-key").stat().st_mode & 0o777 == 0o600
    assert crypt_key(tmp_path) == key


def test_a_damaged_crypt_key_says_what_removing_it_costs(tmp_path):
    write_private(tmp_path / "crypt-key", "not a key")
    with pytest.raises(FacilityError, match="Everybody then has to log in once more"):
        crypt_key(tmp_path)


@contextmanager
def publishing(said):
    """Serve what a provider says of itself; yield its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            text = json.dumps(said(self.server.server_port)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def honest(port):
    root = f"http://127.0.0.1:{port}"
    ends = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    return {"issuer": f"{root}/", **{end: f"{root}/{end}" for end in ends}}


def test_an_issuer_with_a_slash_at_its_end_is_found_and_kept(tmp_path):
    with publishing(honest) as issuer:
        provider = discover(issuer, tmp_path / "provider.json")
    assert provider.issuer == f"{issuer}/"  # as its tokens spell it
    assert discover(issuer, tmp_path / "provider.json") == provider  # though it is gone now


def test_an_issuer_that_never_answered_is_told(tmp_path):
    with pytest.raises(FacilityError, match="Is the issuer right"):
        discover("http://127.0.0.1:1", tmp_path / "provider.json")


def test_another_issuers_word_is_refused(tmp_path):
    with (
        publishing(lambda port: honest(port) | {"issuer": "https://evil.example"}) as issuer,
        pytest.raises(FacilityError, match=r"its issuer is https://evil.example, not .*"),
    ):
        discover(issuer, tmp_path / "provider.json")


def test_endpoints_without_encryption_are_refused(tmp_path):
    with (
        publishing(lambda port: honest(port) | {"jwks_uri": "http://iam.example/jwks"}) as issuer,
        pytest.raises(FacilityError, match="jwks_uri .*must begin with https://"),
    ):
        discover(issuer, tmp_path / "provider.json")
    with pytest.raises(FacilityError, match="must begin with https://"):
        discover("http://iam.example", tmp_path / "provider.json")


def test_a_missing_endpoint_is_named(tmp_path):
    with (
        publishing(lambda port: {"issuer": honest(port)["issuer"]}) as issuer,
        pytest.raises(FacilityError, match="says nothing of 'authorization_endpoint'"),
    ):
        discover(issuer, tmp_path / "provider.json")


def test_a_login_without_a_group_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    chosen = {"kind": "oidc", "issuer": "https://iam.example", "client_id": "hub"}
    settings = make(
        folder=tmp_path,
        login={**chosen, "client_secret_file": tmp_path / "secret", "user_group": "/"},
    )
    with pytest.raises(FacilityError, match="everybody with an account"):
        login.configure(Config(), settings)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(FacilityError, match="needs root here"):
        login.configure(Config(), settings)
