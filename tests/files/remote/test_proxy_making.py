"""Proxies are made as the grid wants them; openssl, XRootD and the VOMS tools say whether."""

import datetime
import os
import shutil
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from flavorframe._files.remote import proxy_making
from flavorframe._files.remote.proxies import read_proxy
from flavorframe._files.remote.proxy_making import (
    attributes,
    destroy_proxy,
    lifetime,
    make_proxy,
    voms_proxy,
    write_proxy,
)
from flavorframe._files.remote.user_certificates import find_certificate, read_certificate
from flavorframe.errors import CredentialError
from support import grid
from support.grid import SECRET, globus

HOUR = grid.HOUR


def never(path):
    raise AssertionError(f"asked for the passphrase of {path}")


@pytest.fixture
def files(authority, tmp_path):
    return globus(authority, tmp_path)


def test_openssl_verifies_it(authority, files, tmp_path):
    proxy = write_proxy(make_proxy(read_certificate(*files, never), 5 * HOUR), tmp_path / "proxy")
    assert proxy.identity == "/DC=test/CN=Test User"
    assert 4.9 * HOUR < proxy.left <= 5 * HOUR
    known = ["-CAfile", authority.folder / "authority.pem", "-untrusted", files[0]]
    command = ["openssl", "verify", "-allow_proxy_certs", *known, tmp_path / "proxy"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    assert told.stdout.strip().endswith("OK"), told.stderr


def test_a_server_of_the_grid_lets_its_user_in(authority, secured, sample, files, tmp_path):
    write_proxy(make_proxy(read_certificate(*files, never), HOUR), tmp_path / "proxy")
    url = secured.put(sample("nano"))
    none = {"X509_USER_CERT": str(tmp_path / "none"), "X509_USER_KEY": str(tmp_path / "none")}
    known = {"X509_CERT_DIR": str(authority.folder), "X509_USER_PROXY": str(tmp_path / "proxy")}
    told = subprocess.run(
        [sys.executable, "-m", "flavorframe", "inspect", url],
        check=False, capture_output=True, text=True, env={**os.environ, **none, **known},
    )  # fmt: skip
    assert "1,200 events" in told.stdout, told.stderr


def test_it_ends_with_the_certificate(authority, tmp_path):
    user = read_certificate(*globus(authority, tmp_path, life=2 * HOUR), never)
    proxy = write_proxy(make_proxy(user, 192 * HOUR), tmp_path / "proxy")
    assert 1.9 * HOUR < proxy.left <= 2 * HOUR


def test_the_passphrase_opens_the_key(authority, tmp_path):
    cert, key = globus(authority, tmp_path, secret=SECRET)
    asked = []
    user = read_certificate(cert, key, lambda path: asked.append(path) or SECRET)
    assert asked == [key]
    assert "rivate" not in repr(user)
    with pytest.raises(CredentialError, match=r"userkey.pem cannot be opened: the passphrase"):
        read_certificate(cert, key, lambda _: "wrong")
    with pytest.raises(CredentialError, match=r"cannot be opened: the passphrase"):
        read_certificate(cert, key, lambda _: "")


def test_pkcs12_holds_both(authority, tmp_path):
    certificate, key = authority.issue("Test User")
    content = pkcs12.serialize_key_and_certificates(
        b"me", key, certificate, [authority.certificate], BestAvailableEncryption(SECRET.encode())
    )
    path = tmp_path / "usercred.p12"
    grid.write(path, content, 0o600)
    user = read_certificate(*find_certificate(str(path)), lambda _: SECRET)
    assert write_proxy(make_proxy(user, HOUR), tmp_path / "p").identity == "/DC=test/CN=Test User"
    with pytest.raises(CredentialError, match=r"usercred.p12 cannot be opened: the passphrase"):
        read_certificate(str(path), str(path), lambda _: "wrong")


def test_certificates_are_found_where_grid_tools_keep_them(files, tmp_path, monkeypatch):
    for name in ("X509_USER_CERT", "X509_USER_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_certificate() == files
    monkeypatch.setenv("X509_USER_CERT", "/a/cert.pem")
    assert find_certificate() == ("/a/cert.pem", "/a/userkey.pem")
    monkeypatch.setenv("X509_USER_KEY", "/b/key.pem")
    assert find_certificate() == ("/a/cert.pem", "/b/key.pem")
    monkeypatch.delenv("X509_USER_CERT")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    with pytest.raises(CredentialError, match=r"looked at X509_USER_CERT.*usercert.pem.*--cert"):
        find_certificate()


def test_a_key_that_others_can_read_is_refused(files):
    os.chmod(files[1], 0o644)
    with pytest.raises(CredentialError, match="the key .* has mode 0644"):
        read_certificate(*files, never)


def test_a_key_of_another_certificate_is_told(authority, files, tmp_path):
    _, other = globus(authority, tmp_path / "other")
    with pytest.raises(CredentialError, match="does not belong to the certificate"):
        read_certificate(files[0], other, never)


def test_an_expired_certificate_is_told(authority, tmp_path):
    files = globus(authority, tmp_path, life=-3 * HOUR)
    with pytest.raises(CredentialError, match="expired 3 hours ago.*authority"):
        read_certificate(*files, never)


@pytest.mark.parametrize(
    ("cert", "key", "told"),
    [
        ("none.pem", None, "there is no certificate .*none.pem"),
        (None, "none.pem", "there is no key .*none.pem"),
        ("text", None, "text is not a certificate"),
        (None, "text", "the key .*text cannot be opened: not a key"),
    ],
)
def test_what_cannot_be_read_is_told(files, tmp_path, cert, key, told):
    grid.write(tmp_path / "text", b"hello", 0o600)
    cert = str(tmp_path / cert) if cert else files[0]
    key = str(tmp_path / key) if key else files[1]
    with pytest.raises(CredentialError, match=told):
        read_certificate(cert, key, never)


@pytest.mark.parametrize("text", ["12", "0:00", "1:99", "-1:00", "later"])
def test_a_lifetime_is_hours_and_minutes(text):
    with pytest.raises(CredentialError, match="is no lifetime"):
        lifetime(text)
    assert lifetime("192:00") == datetime.timedelta(days=8)


def test_short_keys_are_refused(files):
    with pytest.raises(CredentialError, match="--bits 512: keys have 2048, 3072, 4096 bits"):
        make_proxy(read_certificate(*files, never), HOUR, bits=512)


def test_it_is_written_for_its_owner_alone_and_follows_no_link(files, tmp_path):
    content = make_proxy(read_certificate(*files, never), HOUR)
    victim, place = tmp_path / "victim", tmp_path / "proxy"
    victim.write_text("mine")
    place.symlink_to(victim)
    before = os.umask(0)
    try:
        write_proxy(content, place)
    finally:
        os.umask(before)
    assert victim.read_text() == "mine"
    assert not place.is_symlink()
    assert place.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [".globus", "proxy", "victim"]


def test_where_it_cannot_be_written_is_told(files, tmp_path):
    content = make_proxy(read_certificate(*files, never), HOUR)
    with pytest.raises(CredentialError, match="cannot write proxy in folder .*none"):
        write_proxy(content, tmp_path / "none" / "proxy")


def test_it_is_destroyed_and_a_link_leads_nowhere(authority, tmp_path):
    proxy, link = authority.proxy(tmp_path / "proxy"), tmp_path / "link"
    link.symlink_to(proxy)
    destroy_proxy(str(link))
    assert read_proxy(proxy)
    held = proxy.open("rb")
    destroy_proxy(str(proxy))
    assert not proxy.exists()
    assert set(held.read()) == {0}
    held.close()
    with pytest.raises(CredentialError, match="there is no proxy"):
        destroy_proxy(str(proxy))


def test_voms_clients_that_are_missing_are_told(files, monkeypatch):
    monkeypatch.setattr(proxy_making.shutil, "which", lambda name: None)
    with pytest.raises(CredentialError, match="voms-proxy-init, which is not installed"):
        voms_proxy("cms", *files, "12:00", 2048)


needs_voms = pytest.mark.skipif(
    shutil.which("voms-proxy-fake") is None, reason="needs the VOMS clients (voms-clients)"
)


@needs_voms
def test_a_virtual_organisation_that_is_unknown_is_told(authority, files, monkeypatch, capfd):
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    with pytest.raises(CredentialError, match="did not make a proxy of nowhere"):
        voms_proxy("nowhere", *files, "12:00", 2048)
    assert "nowhere" in "".join(capfd.readouterr())


@needs_voms
def test_attributes_of_the_virtual_organisation_are_shown(authority, files, tmp_path):
    certificate, key = authority.issue("localhost")
    grid.write(tmp_path / "host.pem", grid.pem(certificate), 0o644)
    grid.write(tmp_path / "host.key", grid.key_pem(key), 0o400)
    command = [
        "voms-proxy-fake", "-rfc", "-voms", "cms", "-fqan", "/cms/Role=NULL/Capability=NULL",
        "-hostcert", tmp_path / "host.pem", "-hostkey", tmp_path / "host.key", "-cert", files[0],
        "-key", files[1], "-certdir", authority.folder, "-out", tmp_path / "proxy",
        "-uri", "localhost:15000",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert attributes(str(tmp_path / "proxy")) == ("/cms/Role=NULL/Capability=NULL",)
    assert attributes(str(authority.proxy(tmp_path / "plain"))) == ()
    assert read_proxy(tmp_path / "proxy").identity == "/DC=test/CN=Test User"
