"""One facility with the workshop's login for all tests that need no other."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the facility, the browser and the provider

import browser as browsers

from facility import Facility


@pytest.fixture(scope="session")
def facility():
    """Return a facility that is up, with the workshop's login."""
    facility = Facility()
    yield facility
    facility.close()


@pytest.fixture(scope="session")
def alice(facility):
    """Return a user of it with a server of one core and 2 GB, which can be started but once."""
    from users import User

    return User(facility, "alice")


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Return a facility whose users log in at an OpenID provider."""
    pytest.importorskip("oauthenticator", reason="oauthenticator is not installed")
    if os.geteuid() != 0:
        pytest.skip("login by OpenID Connect on one machine needs root")
    from openid import Whole

    whole = Whole(tmp_path_factory.mktemp("openid"))
    yield whole
    whole.close()


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
