"""Headless Chromium for tests; what they see is kept in ``build/screenshots``."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

SCREENSHOTS = Path(__file__).parents[4] / "build" / "screenshots"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-sync", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP facility.test 127.0.0.1, MAP *.facility.test 127.0.0.1",
]  # fmt: skip
PATIENCE = 90_000
"""Milliseconds that pages have on a busy machine."""


@contextmanager
def chromium():
    """Yield a browser; each ``new_context`` of it is a person of her own, with her cookies."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed (Debian: chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def person(browser):
    """Yield a page of somebody whom the facility has never seen."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, ignore_https_errors=True)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def log_in(page, facility, user, password=None):
    """Fill the login's form for a workshop."""
    page.goto(f"{facility.url}hub/login")
    page.fill("#username_input", user)
    page.fill("#password_input", facility.password if password is None else password)
    page.click("#login_submit")
    page.wait_for_load_state()


def start_server(page, facility, **options):
    """Choose in the options form, and wait for JupyterLab."""
    page.goto(f"{facility.url}hub/spawn")
    for name, value in options.items():
        page.select_option(f"#{name}", value)
    page.click("#spawn_form input[type=submit], #spawn_form button[type=submit]")
    page.wait_for_url("**/lab**")
    page.wait_for_selector("#jp-main-dock-panel")
    page.wait_for_selector("#jupyterlab-splash", state="detached")


def screenshot(page, name):
    """Keep what the page shows."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
