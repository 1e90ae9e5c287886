"""From the login to the fitted peak, as a person does it in a browser."""

import json
import re

import pytest
from browser import person, screenshot, start_server

pytestmark = pytest.mark.xdist_group("login")


@pytest.fixture(scope="module")
def lab(whole, browser):
    """Return the page of bob's JupyterLab, after a login at the provider and the options form."""
    with person(browser) as page:
        page.goto(f"{whole.facility.url}")
        screenshot(page, "story-1-login")
        page.click("a[href*=oauth_login]")
        page.fill("input[name=login]", "bob")
        page.fill("input[name=password]", "any")
        screenshot(page, "story-2-provider")
        page.click("button[type=submit]")
        page.wait_for_selector("#cores")
        screenshot(page, "story-3-options")
        start_server(page, whole.facility, cores="1", memory="4")
        yield page


@pytest.fixture(scope="module")
def cluster(lab):
    """Return the entry of a new cluster in the Dask panel, scaled to two workers."""
    lab.click("[data-id='dask-dashboard-launcher']")
    lab.click(".dask-DaskClusterManager button[title='Start New Dask Cluster']")
    entry = lab.wait_for_selector("[class*=ClusterListingItem]:has-text('Workers')")
    screenshot(lab, "story-4-cluster")
    lab.click("button:has-text('SCALE')")
    lab.fill(".jp-Dialog input[type=number]", "2")
    lab.click(".jp-Dialog button:has-text('Scale')")
    lab.wait_for_selector("[class*=ClusterListingItem]:has-text('Number of Workers: 2')")
    screenshot(lab, "story-5-scaled")
    return entry


def test_the_peak_is_fitted_on_a_cluster_from_the_panel(whole, lab, cluster):
    home = whole.facility.settings.homes / "bob"
    lab.goto(re.sub("/lab.*", "/lab/tree/tutorial/tutorial.ipynb", lab.url))
    lab.wait_for_selector(".jp-Notebook")
    lab.click("li.lm-MenuBar-item:has-text('Run')")
    lab.click("li.lm-Menu-item:has-text('Run All Cells')")
    outputs = wait_for_outputs(lab, home / "tutorial" / "tutorial.ipynb")
    screenshot(lab, "story-6-notebook")
    assert "the same histogram, to the last bit: True" in outputs
    assert re.search(r"fitted: \d+ ± \d+ Ds⁺, at 1\.96\d\d GeV", outputs)


def wait_for_outputs(page, file):
    """Save the notebook until its last cell has run; return what the cells printed."""
    for _ in range(180):
        page.keyboard.press("Control+s")
        cells = json.loads(file.read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        outputs = [output for cell in code for output in cell["outputs"]]
        errors = [output for output in outputs if output["output_type"] == "error"]
        assert not errors, "\n".join(errors[0]["traceback"])
        if all(cell["execution_count"] for cell in code):
            return "".join("".join(output.get("text", "")) for output in outputs)
        page.wait_for_timeout(1000)
    raise AssertionError("the notebook still runs")
