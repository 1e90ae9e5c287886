"""One facility with the workshop's login for all tests that need no other."""

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
def browser():
    """Return a headless Chromium."""
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """Return a page of somebody whom the facility has never seen."""
    with browsers.person(browser) as page:
        yield page
