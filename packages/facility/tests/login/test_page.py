"""The workshop's login in a browser: what people read who mistype."""

import pytest

from facility_support.browser import log_in, screenshot

pytestmark = pytest.mark.xdist_group("facility")


def test_a_wrong_password_and_an_unsafe_name_are_told_on_the_form(facility, page):
    log_in(page, facility, "jane", "wrong")
    assert "Invalid username or password" in page.inner_text(".login_error")
    log_in(page, facility, "../root")
    assert "cannot be a user name here" in page.inner_text(".login_error")
    assert "Choose another name" in page.inner_text(".login_error")
    assert "Choose a user name" in page.inner_text("#login-main")
    screenshot(page, "login-workshop")
    page.goto(f"{facility.url}hub/home")
    assert "/hub/login" in page.url
