"""Proxies are read, and what is wrong with them is told."""

import dataclasses
import datetime

import pytest

from flavorframe._files.remote.proxies import knows_authority, read_proxy
from flavorframe.errors import CredentialError
from support import grid


def test_a_proxy_tells_whose_it_is_and_until_when(authority, tmp_path):
    proxy = read_proxy(authority.proxy(tmp_path / "proxy", life=5 * grid.HOUR))
    assert proxy.identity == "/DC=test/CN=Test User"
    assert proxy.issuer == "/DC=test/CN=Test Authority"
    assert 4.9 * grid.HOUR < proxy.left < 5 * grid.HOUR
    proxy.check()


def test_the_first_end_of_the_chain_counts(authority, tmp_path):
    """The user's own certificate ends before the proxy does."""
    path = authority.proxy(tmp_path / "proxy", life=48 * grid.HOUR)
    assert read_proxy(path).left < 24 * grid.HOUR


def test_neither_key_nor_certificates_are_printed(authority, tmp_path):
    proxy = read_proxy(authority.proxy(tmp_path / "proxy"))
    assert "-----" not in repr(proxy)
    assert all(not isinstance(value, bytes) for value in vars(proxy).values())


def test_an_expired_proxy_is_told_with_its_time(authority, tmp_path):
    proxy = read_proxy(authority.proxy(tmp_path / "proxy", life=-3 * grid.HOUR))
    assert proxy.is_expired
    with pytest.raises(CredentialError, match=r"proxy expired 3 hours ago, at .*flavorframe proxy"):
        proxy.check()


def broken(authority, folder, what):
    """Return the path of a proxy with something wrong."""
    path = authority.proxy(folder / "proxy")
    content = path.read_bytes()
    certificates = content.split(b"-----BEGIN RSA PRIVATE KEY")[0]
    other = authority.proxy(folder / "other").read_bytes()
    if what == "others' mode":
        path.chmod(0o644)
    elif what == "text":
        grid.write(path, b"hello", 0o600)
    elif what == "no key":
        grid.write(path, certificates, 0o600)
    elif what == "other key":
        grid.write(path, certificates + other[other.index(b"-----BEGIN RSA") :], 0o600)
    elif what == "other chain":
        key_end = content.index(b"-----BEGIN CERT", 100)
        end = other.index(b"-----BEGIN CERT", 100)
        grid.write(path, content[:key_end] + other[end:], 0o600)
    return path


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("others' mode", "has mode 0644, so that others can read it: run chmod 600"),
        ("text", "holds no certificate"),
        ("no key", "holds no private key"),
        ("other key", "is not its certificate's"),
        ("other chain", "is broken: .* did not issue"),
    ],
)
def test_what_is_wrong_is_told(authority, tmp_path, what, told):
    with pytest.raises(CredentialError, match=told):
        read_proxy(broken(authority, tmp_path, what))


def test_a_missing_proxy_is_told(tmp_path):
    with pytest.raises(CredentialError, match="there is no proxy"):
        read_proxy(tmp_path / "none")


def test_authorities_are_known_by_name(authority, monkeypatch, tmp_path):
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    assert knows_authority("/DC=test/CN=Test Authority")
    assert not knows_authority("/DC=test/CN=Another")
    monkeypatch.setenv("X509_CERT_DIR", str(tmp_path))
    assert not knows_authority("/DC=test/CN=Test Authority")


def test_a_proxy_that_begins_tomorrow_is_told(authority, tmp_path):
    proxy = read_proxy(authority.proxy(tmp_path / "proxy"))
    late = dataclasses.replace(proxy, begins=proxy.begins + datetime.timedelta(days=1))
    with pytest.raises(CredentialError, match="clock"):
        late.check()
