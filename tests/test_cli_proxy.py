"""`flavorframe proxy` as users call it."""

import json
import os
import subprocess
import sys

import pytest

from support import grid
from support.grid import SECRET, globus

HOUR = grid.HOUR


@pytest.fixture
def call(tmp_path, no_credentials):
    def run(*arguments, code=0):
        environment = {**os.environ, "HOME": str(tmp_path)}
        environment |= {"X509_USER_PROXY": str(tmp_path / "proxy")}
        for name in ("X509_USER_CERT", "X509_USER_KEY"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "flavorframe", "proxy", *map(str, arguments)]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environment,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_make_show_and_destroy(call, authority, tmp_path):
    globus(authority, tmp_path)
    assert "/DC=test/CN=Test User" in call("--valid", "5:00")
    told = call("info")
    assert f"{tmp_path}/proxy, mode 0600" in told
    assert "/DC=test/CN=Test Authority" in told
    assert "4 hours left, until" in told
    shown = json.loads(call("info", "--json"))
    assert 4.9 < shown["seconds_left"] / 3600 < 5
    assert shown["mode"] == "0600"
    assert call("destroy") == f"removed {tmp_path}/proxy\n"
    assert "there is no proxy" in call("info", code=1)


def test_an_expired_proxy_ends_with_an_error(call, authority, tmp_path):
    authority.proxy(tmp_path / "proxy", life=-3 * HOUR)
    told = call("info", code=1)
    assert "none, it expired at" in told
    assert "expired 3 hours ago" in told


def test_it_warns_before_the_end(call, authority, tmp_path):
    authority.proxy(tmp_path / "proxy", life=HOUR / 3)
    assert "It ends in 19 minutes: make a new one" in call("info")


def test_another_place_is_told_how_to_use(call, authority, tmp_path):
    globus(authority, tmp_path)
    told = call("--out", tmp_path / "other")
    assert f"export X509_USER_PROXY={tmp_path}/other" in told
    assert not (tmp_path / "proxy").exists()


def test_without_a_certificate(call, tmp_path):
    assert f"{tmp_path}/.globus/usercert.pem" in call(code=1)


def test_the_passphrase_is_asked_without_echo(authority, tmp_path):
    pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
    cert, key = globus(authority, tmp_path, secret=SECRET)
    arguments = ["-m", "flavorframe", "proxy", "--cert", cert, "--key", key]
    process = pexpect.spawn(
        sys.executable, [*arguments, "--out", str(tmp_path / "p")], encoding="utf-8", timeout=60
    )
    process.expect(f"Passphrase of {key}:")
    process.waitnoecho(timeout=60)
    process.sendline(SECRET)
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    assert SECRET not in process.before
    assert "/DC=test/CN=Test User" in process.before
