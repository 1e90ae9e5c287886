"""The notebooks: kept without outputs, and run from start to end on a small sample."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from flavorframe import samples

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
CHECK = """
import json
import sys

sys.path.insert(0, {examples!r})
import dsphi

same = dsphi.analysis.run(whole, progress=False)
print(json.dumps({{
    "valid": fit.valid,
    "mean": (fit.parameters["mean"].value, fit.parameters["mean"].error),
    "yield": (fitted.value, fitted.error),
    "truth": float(generated.origin.values()[:, DS].sum()),
    "cutflow": [[row.name, row.events, row.candidates] for row in result.cutflow],
    "example": [[row.name, row.events, row.candidates] for row in same.cutflow],
    "same histogram": bool(result.mass == same.mass and on_cluster.mass == same.mass),
    "rows": ff.load("results").total.candidates.rows,
}}))
"""


@pytest.fixture
def nbformat():
    """Return the package, imported by those who need it: it takes seconds, not a moment."""
    return pytest.importorskip("nbformat", reason="nbformat is not installed")


def test_there_are_notebooks():
    assert "tutorial.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_is_kept_without_outputs(path, nbformat):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(not cell.metadata for cell in notebook.cells)


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("nbclient", "ipykernel")),
    reason="needs nbclient and ipykernel",
)
def test_the_tutorial_finds_the_peak(tmp_path, nbformat):
    samples.write(tmp_path / "sample", eras=("2017B", "2017C"), fraction=0.03)
    notebook = run(nbformat, tmp_path, CHECK.format(examples=str(ROOT / "examples")))
    found = json.loads(notebook.cells[-1].outputs[-1].text)
    fitted, error = found["yield"]
    mean, uncertainty = found["mean"]
    assert found["valid"]
    assert found["truth"] > 300
    assert abs(fitted - found["truth"]) < 4 * error < 0.8 * fitted
    assert abs(mean - 1.9683) < 4 * uncertainty < 0.01  # the mass of the Ds that is generated
    assert found["cutflow"] == found["example"]
    assert found["same histogram"]
    assert found["rows"] == found["cutflow"][-1][2]
    assert "as in the tutorial" in (tmp_path / "report.html").read_text("utf-8")
    assert [cell.id for cell in notebook.cells if complains(cell)] == []


def run(nbformat, folder, check):
    """Run the tutorial in a folder with a cell more at its end, and return it with its outputs."""
    from nbclient import NotebookClient

    path = folder / "tutorial.ipynb"
    shutil.copy(ROOT / "examples" / "notebooks" / path.name, path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(check))
    resources = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, timeout=300, resources=resources).execute()


def complains(cell):
    """Return whether a cell wrote to standard error."""
    return any(output.get("name") == "stderr" for output in cell.get("outputs", ()))
