"""The server's side of access tokens, against a hub that answers as it is told."""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flavorframe.errors import FacilityError
from flavorframe_facility.server.access_token import TokenFile
from support.servers import PATIENCE, wait_for


class Answers:
    """A hub; ``status`` and ``answer`` are what it says."""

    def __init__(self):
        self.status, self.answer, self.asked = 200, {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, self.headers["Authorization"]))
                text = json.dumps(outer.answer).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hub/api"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub():
    hub = Answers()
    hub.answer = {"access_token": "first", "expires_in": 60, "ask_again_in": 40}
    yield hub
    hub.close()


@pytest.fixture
def file(hub, tmp_path, monkeypatch):
    monkeypatch.delenv("BEARER_TOKEN_FILE", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTERHUB_API_URL", hub.url)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "server")
    return TokenFile.from_environment()


def test_the_token_is_written_for_its_owner_alone(hub, file, tmp_path):
    assert file._renew() == 40
    path = tmp_path / f"bt_u{os.getuid()}"
    assert path.read_text() == "first\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert hub.asked == [("/hub/api/access-token", "token server")]
    assert os.listdir(tmp_path) == [path.name]


def test_discovery_finds_it(file, monkeypatch):
    from flavorframe._files.remote.tokens import token_text

    monkeypatch.delenv("BEARER_TOKEN", raising=False)
    file._renew()
    assert token_text() == (str(file.path), "first")


def test_a_hub_that_is_being_restarted_does_not_cost_the_token(hub, file):
    file._renew()
    hub.status = 503
    assert file._renew() == 10
    assert file.path.read_text() == "first\n"


def test_a_login_that_ended_takes_the_token_and_a_new_one_brings_it_back(hub, file, caplog):
    file._renew()
    hub.status = 403
    file._renew()
    assert not file.path.exists()
    assert "log in there again" in caplog.text
    hub.status, hub.answer = 200, {**hub.answer, "access_token": "second"}
    file._renew()
    assert file.path.read_text() == "second\n"


def test_a_link_in_the_files_place_is_replaced_not_followed(file, tmp_path):
    other = tmp_path / "other"
    other.write_text("untouched")
    file.path.symlink_to(other)
    file._renew()
    assert other.read_text() == "untouched"
    assert not file.path.is_symlink()


def test_what_holds_the_files_name_is_told_of_and_not_waited_for(file, caplog):
    os.mkfifo(file.path)
    assert file._renew() == 10
    assert f"the bearer token {file.path} is not used: it is a pipe" in caplog.text
    assert "first" not in caplog.text
    file.path.unlink()
    assert file._renew() == 40


def test_nothing_is_written_after_the_end(file):
    file.stop()
    file._renew()
    assert not file.path.exists()


def test_without_a_hub_it_says_so(monkeypatch):
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    with pytest.raises(FacilityError, match="JUPYTERHUB_API_TOKEN"):
        TokenFile.from_environment()


def test_as_a_command_it_renews_the_file_and_removes_it(hub, file):
    hub.answer["ask_again_in"] = 0.2
    command = [sys.executable, "-m", "flavorframe_facility.server.access_token"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    wait_for(lambda: file.path.exists())
    hub.answer = {**hub.answer, "access_token": "second"}
    wait_for(lambda: file.path.read_text() == "second\n")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert b"second" not in said
    assert str(file.path).encode() in said
    assert not Path(file.path).exists()
