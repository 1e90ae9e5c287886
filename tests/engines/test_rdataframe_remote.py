"""The engine over RDataFrame reads from XRootD servers, in a process without the other client."""

import json
import subprocess
import sys

import pytest

import flavorframe as ff
from flavorframe._files.remote import xrootd_client
from flavorframe.errors import RunError
from support.reference import published

pytestmark = pytest.mark.root

SCRIPT = """
import json, sys
import flavorframe as ff
from flavorframe.errors import RunError
from support.reference import published

analysis = published().with_outputs(sections=ff.lumi_sections())
result = analysis.run(ff.dataset(sys.argv[1:]), engine="rdataframe", progress=False)
rows = [(row.name, row.events, row.candidates) for row in result.cutflow]
told = {"rows": rows, "failures": str(result.failures), "sections": result.sections.to_json()}
try:
    published().run(ff.dataset(sys.argv[1:]), engine="columnar", progress=False)
except RunError as error:
    told["other engine"] = str(error)
print(json.dumps(told))
"""


def test_files_of_a_server(sample, xrootd):
    url = xrootd.put(sample("nano"), "there.root")
    none = url.replace("there.root", "none.root")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, url, none],
        env={"PYTHONPATH": ":".join(sys.path)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.splitlines()[-1])
    analysis = published().with_outputs(sections=ff.lumi_sections())
    expected = analysis.run(ff.dataset(str(sample("nano"))), progress=False)
    assert told["sections"] == expected.sections.to_json()
    assert told["rows"] == [[row.name, row.events, row.candidates] for row in expected.cutflow]
    assert told["rows"][-1][-1] > 10
    assert "1 of 2 files could not be read" in told["failures"]
    assert "none.root: the server" in told["failures"]
    assert "has no such file" in told["failures"]
    if xrootd_client.root_brings_one():
        assert "through ROOT, and cannot through the Python package" in told["other engine"]


def test_one_process_has_one_client(monkeypatch):
    monkeypatch.setattr(xrootd_client, "_claimed", [])
    monkeypatch.setattr(xrootd_client, "root_brings_one", lambda: True)
    for _ in range(2):
        xrootd_client.claim(xrootd_client.PYTHON, "root://a//b.root")
    with pytest.raises(RunError, match="root://a//c.root: this process has read .* xrootd, and"):
        xrootd_client.claim(xrootd_client.ROOT, "root://a//c.root")
    monkeypatch.setattr(xrootd_client, "root_brings_one", lambda: False)
    xrootd_client.claim(xrootd_client.ROOT, "root://a//c.root")
