"""What the doctor finds: each thing that can be wrong, and nothing where all is well."""

import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

import psutil
import pytest
from typer.testing import CliRunner

from facility_support.facility import free_block
from flavorframe_facility.cli import app
from flavorframe_facility.machine import doctor, groups
from flavorframe_facility.machine.doctor import disk
from flavorframe_facility.settings import GB, make

in_facility = pytest.mark.xdist_group("facility")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def settings(tmp_path):
    settings = make(folder=tmp_path / "state", port=free_block())
    for folder in (settings.private, settings.homes):
        folder.mkdir(mode=0o700, parents=True)
    settings.folder.chmod(0o711)
    return settings


def found(settings, subject):
    """Return level and text of what is found of a subject, in one line."""
    settings.save()
    findings = [one for one in doctor.examine(settings.folder) if one.subject.startswith(subject)]
    return "\n".join(f"{one.level}: {one.text}" for one in findings)


# The command


def test_before_the_facility_was_ever_started(tmp_path):
    folder = tmp_path / "none"
    shown = CliRunner().invoke(app, ["doctor", "--folder", str(folder)])
    assert "there is no facility in" in shown.output
    assert not folder.exists()
    listed = CliRunner().invoke(app, ["doctor", "--json", "--folder", str(folder)])
    content = json.loads(listed.output)
    problems = [one for one in content["findings"] if one["level"] == "problem"]
    assert content["problems"] == len(problems)
    for result in (shown, listed):
        assert result.exit_code == (1 if problems else 0)
    assert all(one["text"] in shown.output for one in content["findings"])


def test_a_problem_is_exit_code_1(settings):
    (settings.folder / "settings.json").write_text('{"ports": 8000}')
    shown = CliRunner().invoke(app, ["doctor", "--folder", str(settings.folder)])
    assert shown.exit_code == 1
    assert "problem  settings  " in shown.output
    assert "Did you mean 'port'" in shown.output
    assert shown.output.endswith("1 problem, no warnings\n")


@in_facility
def test_of_a_facility_that_runs(facility):
    told = facility.command("doctor")
    for program in ("proxy", "hub", "gateway-proxy", "gateway"):
        assert f"the {program}, which runs" in told
    assert told.count("runs, and answers at http://127.0.0.1") == 4
    assert "there is no OpenID provider to compare it with" in told
    assert "no problems" in told


@in_facility
@needs_root
def test_a_facility_of_somebody_elses_is_closed(facility):
    line = [facility.python, "-m", "flavorframe", "facility", "doctor", "--folder"]
    account = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
    ask = {"capture_output": True, "text": True, "env": {}, **account}
    done = subprocess.run([*line, facility.settings.folder], check=False, **ask)
    assert done.returncode == 1, done.stderr
    assert f"{facility.settings.private} is closed to you: run doctor as root" in done.stdout
    status = [facility.python, "-m", "flavorframe", "facility", "status", "--folder"]
    told = subprocess.run([*status, facility.settings.folder], check=False, **ask).stderr
    assert f"the facility in {facility.settings.folder} is root's: run this as root" in told
    mine = subprocess.run([*line, f"{facility.folder}/none"], check=False, **ask)
    assert mine.returncode == 0, mine.stdout + mine.stderr
    assert "without root all servers run as you" in mine.stdout
    assert "only root can use them" in mine.stdout


# The machine


def test_a_port_that_another_program_has(settings):
    with socket.create_server(("127.0.0.1", settings.hub_port)):
        told = found(settings, f"port {settings.hub_port}")
    assert told.startswith("problem: ")
    assert "for the hub, cannot be used" in told
    assert f"(process {os.getpid()}) that listens there" in told
    assert found(settings, f"port {settings.hub_port}") == "ok: is free for the hub"


@contextmanager
def taken_for(settings, name):
    """Have this process taken for a program of the facility."""
    note = settings.private / f"{name}.process.json"
    created = psutil.Process().create_time()
    note.write_text(json.dumps({"process": os.getpid(), "created": created}))
    note.chmod(0o600)
    for secret in ("proxy-token", "service-token"):
        (settings.private / secret).write_text("secret")
    yield
    note.unlink()


def test_programs_that_ended_or_do_not_answer(settings, monkeypatch):
    monkeypatch.setattr(
        "flavorframe_facility.machine.programs.proxy_command", lambda settings: "proxy"
    )
    assert found(settings, "programs").startswith("ok: none runs")
    with taken_for(settings, "hub"):
        assert "problem: it runs, but http://127.0.0.1" in found(settings, "hub")
        assert "problem: does not run, though others do" in found(settings, "gateway")


def test_little_space(settings, monkeypatch):
    assert "GB are free" in found(settings, "disk")
    monkeypatch.setattr(disk, "LEAST", 10**9 * GB)
    told = found(settings, "disk")
    assert all(line.startswith("problem: ") for line in told.splitlines())
    assert "remove files" in told
    monkeypatch.setattr(disk, "LEAST", 0)
    monkeypatch.setattr(disk, "LITTLE", 1.0)
    assert found(settings, "disk").startswith("warning: ")


@needs_root
def test_control_groups(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(groups, "ROOT", tmp_path / "cgroup")
    assert "cannot be written, so that limits hold for each process" in found(settings, "control")
    for controller in ("memory", "cpu"):
        (tmp_path / "cgroup" / controller).mkdir(parents=True)
    told = found(settings, "control")
    assert told.startswith("warning: version 1")
    assert "processes cannot be limited" in told
    (tmp_path / "cgroup" / "pids").mkdir()
    assert found(settings, "control").startswith("ok: version 1")


@needs_root
def test_accounts_that_let_somebody_in(settings):
    prefix = settings.changed(accounts=f"t{os.getpid() % 10**6}-")
    name = f"{prefix.accounts}eve"
    assert found(prefix, "accounts").startswith("ok: 0 whose names")
    line = ["useradd", "--no-create-home", "--shell", "/bin/bash", "--home-dir"]
    subprocess.run([*line, f"{prefix.homes}/eve", name], check=True)
    try:
        assert f"warning: {name} have a login shell" in found(prefix, "accounts")
        subprocess.run(["usermod", "--home", "/elsewhere", name], check=True)
        assert f"problem: {name} have homes elsewhere" in found(prefix, "accounts")
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)


# What is kept


def test_who_may_read_and_write(settings):
    assert found(settings, "secrets").startswith("ok: ")
    assert found(settings, "folder").startswith("ok: ")
    (settings.private / "service-token").write_text("secret")
    (settings.private / "service-token").chmod(0o640)
    told = found(settings, "secrets")
    assert told.startswith(f"problem: others may use {settings.private}/service-token: run chmod")
    (settings.homes / "eve").mkdir()
    (settings.homes / "eve").chmod(0o755)
    assert found(settings, "homes").startswith("problem: the homes of eve are open to others")
    settings.folder.chmod(0o777)
    assert "problem: other users may write in" in found(settings, "folder")


# TLS


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
