"""One facility with the workshop's login for all tests that need no other."""

import os
import subprocess

import pytest

from facility_support import browser as browsers, manifests
from facility_support.facility import Facility
from facility_support.names import treat_localhost_as_browsers_do

treat_localhost_as_browsers_do()


@pytest.fixture(scope="session")
def facility():
    """Return a facility that is up, with the workshop's login."""
    facility = Facility()
    yield facility
    facility.close()


@pytest.fixture(scope="session")
def alice(facility):
    """Return a user of it with a server of one core and 2 GB, which can be started but once."""
    from facility_support.users import User

    return User(facility, "alice")


@pytest.fixture(scope="session")
def public(tmp_path_factory):
    """Return a facility that listens at all addresses, as facility.test."""
    if os.geteuid() != 0:
        pytest.skip("a facility that is open to others needs root")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "host.pem", folder / "host.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-out",
         certificate, "-keyout", key, "-subj", "/CN=facility.test",
         "-addext", "subjectAltName=DNS:facility.test,DNS:*.facility.test"],
        check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o600)
    public = Facility(address="0.0.0.0", domain="facility.test", certificate=certificate, key=key)
    yield public
    public.close()


@pytest.fixture(scope="session")
def bob(facility):
    """Return another user of it, with a server as well."""
    from facility_support.users import User

    return User(facility, "bob")


@pytest.fixture(scope="session")
def oidc_facility(tmp_path_factory):
    """Return a facility whose users log in at an OpenID provider."""
    pytest.importorskip("oauthenticator", reason="oauthenticator is not installed")
    if os.geteuid() != 0:
        pytest.skip("login by OpenID Connect on one machine needs root")
    from facility_support.openid import OidcFacility

    oidc_facility = OidcFacility(tmp_path_factory.mktemp("openid"))
    yield oidc_facility
    oidc_facility.close()


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium."""
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """Return a page of somebody whom the facility has never seen."""
    with browsers.person(browser) as page:
        yield page


def pytest_terminal_summary(terminalreporter):
    """Say at the end of each run what was not checked, whoever reads no list of skipped tests."""
    if manifests.subcharts() is None:
        terminalreporter.section("NOT CHECKED")
        terminalreporter.write_line(manifests.WHOLE)
