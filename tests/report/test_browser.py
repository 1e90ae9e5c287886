"""The report as a browser shows it, in light and dark."""

import shutil
import subprocess

import matplotlib.image
import pytest

from flavorframe.report import write

from .conftest import mass_histogram, result_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    return write(folder / "report.html", result_of(outputs={"mass": mass_histogram(1.0)}))


def background(page, *options):
    """Return how bright the background is, from 0 (black) to 1 (white)."""
    picture = page.with_suffix(".png")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--disable-background-networking", f"--user-data-dir={page.parent / 'profile'}",
        "--window-size=600,800", *options, f"--screenshot={picture}", page.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return matplotlib.image.imread(picture)[-1, 0, :3].mean()


def test_it_is_light_or_dark_as_the_reader_likes(page):
    assert background(page) == 1
    assert background(page, "--blink-settings=preferredColorScheme=0") < 0.2
