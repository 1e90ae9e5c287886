"""From the login to the fitted peak and the dashboard, as a person does it in a browser."""

import json
import re

import pytest
import requests

from facility_support.browser import person, screenshot, start_server
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("login")

PANEL = "[data-id='dask-dashboard-launcher']"
ENTRY = ".dask-ClusterListingItem"
TAB = ".lm-DockPanel-tabBar .lm-TabBar-tab"


@pytest.fixture(scope="module")
def lab(oidc_facility, browser):
    """Return the page of bob's JupyterLab, after a login at the provider and the options form."""
    with person(browser) as page:
        page.goto(oidc_facility.facility.url)
        screenshot(page, "story-1-login")
        page.click("a[href*=oauth_login]")
        page.fill("input[name=login]", "bob")
        page.fill("input[name=password]", "any")
        screenshot(page, "story-2-provider")
        page.click("button[type=submit]")
        page.wait_for_selector("#cores")
        screenshot(page, "story-3-options")
        start_server(page, oidc_facility.facility, cores="1", memory="4")
        yield page


@pytest.fixture(scope="module")
def cluster(lab):
    """Return the address of the dashboard of a new cluster in the Dask panel, with two workers."""
    lab.click(PANEL)
    lab.click("[data-command='dask:launch-cluster']")
    lab.wait_for_selector(ENTRY)
    screenshot(lab, "story-4-cluster")
    lab.click(f"{ENTRY}-scale")
    lab.fill(".dask-ScalingInput >> nth=0", "2")
    lab.click(".jp-Dialog .jp-mod-accept")
    lab.wait_for_selector(f"{ENTRY}:has-text('Number of Workers: 2')")
    screenshot(lab, "story-5-scaled")
    return lab.get_attribute(f"{ENTRY} a", "href").removesuffix("/status")


@pytest.fixture(scope="module")
def task_stream(lab, cluster):
    """Return the frame of the task stream, opened over the notebook, of which it saw no task."""
    lab.goto(re.sub("/lab.*", "/lab/tree/tutorial/tutorial.ipynb", lab.url))
    lab.wait_for_selector(".jp-StatusBar-TextItem:has-text('| Idle')")
    lab.wait_for_timeout(2000)  # or it asks for a kernel, though it has one
    lab.get_by_text("Task Stream", exact=True).click()
    frame = lab.frame_locator("iframe[src*='task-stream']")
    frame.locator("canvas").first.wait_for()
    return frame.owner.element_handle().content_frame()


def test_the_tutorial_fits_the_peak_on_a_cluster_of_the_panel(oidc_facility, lab, task_stream):
    assert tasks_in(task_stream) == set()
    assert lab.get_by_text("Jupyter news").count() == 0
    lab.click(f"{TAB}:has-text('tutorial.ipynb')")
    lab.click(".lm-MenuBar-item:has-text('Run')")
    lab.click("[data-command='runmenu:run-all']")
    home = oidc_facility.facility.settings.homes / "bob"
    printed = outputs_of(lab, home / "tutorial" / "tutorial.ipynb")
    assert "the same histogram, to the last bit: True" in printed
    fitted, truth = map(int, re.findall(r"(?:fitted|true): +(\d+)", printed))
    assert abs(fitted - truth) < 5 * truth**0.5
    assert re.search(r"Ds⁺, at 1\.9[67]\d\d GeV", printed)
    go_to_plot_below(lab, "The peak")
    screenshot(lab, "story-6-peak")


def test_the_dashboard_shows_the_tasks(lab, cluster, task_stream):
    counts = get(lab, f"{origin(lab)}{cluster}/json/counts.json").json()
    assert counts["workers"] == 2
    wait_for(lambda: tasks_in(task_stream))  # Dask's pages are brought up to date now and then
    tasks = tasks_in(task_stream)
    ours = {name for name, _ in tasks if not name.startswith("disk-")}  # what Dask keeps on disk
    assert ours == {"open_files-flavorframe", "evaluate_parts-flavorframe"}
    assert len({worker for _, worker in tasks}) == 2
    lab.click(f"{TAB}:has-text('Task Stream')")
    lab.wait_for_timeout(3000)  # to be drawn
    screenshot(lab, "story-7-dashboard")


def test_nobody_else_sees_the_dashboard(oidc_facility, lab, cluster, browser):
    with person(browser) as stranger:
        answer = get(stranger, f"{origin(lab)}{cluster}/status")
        assert "oauth_login" in answer.text
    session, _ = oidc_facility.sign_in("carol")
    assert session.get(f"{origin(lab)}{cluster}/status").status_code == 403


def get(page, url):
    """Ask for an address with the cookies of a browser."""
    cookies = {one["name"]: one["value"] for one in page.context.cookies(url)}
    return requests.get(url, cookies=cookies, timeout=60)


def origin(page):
    return "/".join(page.url.split("/")[:3])


def tasks_in(frame):
    """Return name and worker of each task that a task stream draws."""
    sources = """[...Bokeh.documents[0]._all_models.values()]
        .filter(model => model.type == "ColumnDataSource" && model.get_column("worker_thread"))"""
    pairs = "Array.from(s.get_column('name'), (name, i) => [name, s.get_column('worker')[i]])"
    found = frame.evaluate(f"() => {sources}.flatMap(s => {pairs})")
    return {(name, worker) for name, worker in found} - {("start", "foo")}  # which Dask begins with


def go_to_plot_below(page, heading):
    """Show the plot that follows a heading, by the table of contents."""
    page.click("[data-id='table-of-contents']")
    for _ in range(3):  # the heights of cells are known once they have been seen
        page.click(f".jp-tocItem-content:has-text('{heading}')")
        page.wait_for_timeout(1000)
    page.hover(".jp-Notebook")
    page.mouse.wheel(0, 500)
    page.wait_for_timeout(1000)


def outputs_of(page, file):
    """Save a notebook until its last cell has run; return what its cells printed."""
    for _ in range(300):
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        text = file.read_text()
        if not text:  # it is just being saved
            continue
        code = [c for c in json.loads(text)["cells"] if c["cell_type"] == "code"]
        outputs = [output for cell in code for output in cell["outputs"]]
        errors = ["\n".join(o["traceback"]) for o in outputs if o["output_type"] == "error"]
        assert not errors, errors[0]
        if all(cell["execution_count"] for cell in code):
            return "".join("".join(output.get("text", "")) for output in outputs)
    screenshot(page, "story-still-running")
    raise AssertionError("the notebook still runs")
