"""A live view in a notebook, on IPython's own display machinery."""

import sys

import pytest

import flavorframe as ff
from flavorframe._run.progress.base import Silent
from flavorframe._run.progress.choice import choose_progress
from flavorframe._run.progress.notebook import _pictures
from flavorframe.errors import AnalysisError


def test_a_live_view_is_updated_in_place(slow_analysis, dataset, monkeypatch):
    testing = pytest.importorskip("IPython.testing.globalipapp", reason="IPython is not installed")
    from IPython.utils.capture import capture_output

    monkeypatch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0.1)
    shell = testing.start_ipython() or testing.get_ipython()
    monkeypatch.setattr(shell.display_formatter, "active_types", ["text/plain", "text/html"])
    with capture_output() as captured:
        slow_analysis.run(dataset, progress="live", partition_size=1000)
    pages = [output.data["text/html"] for output in captured.outputs]
    assert "waiting for the first events" in pages[0]
    assert len(pages) > 2
    assert "100 % of the data" in pages[-1]
    assert "<svg" in pages[-1]
    assert "mass" in pages[-1]


def test_a_live_view_leaves_out_means_in_variations(sample):
    t = ff.events().triplet
    pt = ff.vary("scale", t.pt, up=2 * t.pt)
    outputs = {"mean": ff.mean(pt), "pt": ff.hist(pt, bins=2, range=(0, 40))}
    result = ff.Analysis(ff.Selection(t), **outputs).run(ff.dataset(sample("nano")), progress=False)
    (picture,) = _pictures(result)
    assert "pt: " in picture


def test_it_needs_a_notebook(slow_analysis, dataset, monkeypatch):
    pytest.importorskip("IPython", reason="IPython is not installed")
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    with pytest.raises(AnalysisError, match="needs a notebook"):
        slow_analysis.run(dataset, progress="live")


def test_a_bar_in_a_notebook(slow_analysis, dataset, monkeypatch):
    testing = pytest.importorskip("IPython.testing.globalipapp", reason="IPython is not installed")
    from IPython.utils.capture import capture_output

    monkeypatch.setattr("flavorframe._run.progress.notebook.BAR_SECONDS", 0)
    shell = testing.start_ipython() or testing.get_ipython()
    monkeypatch.setattr(shell, "kernel", None, raising=False)
    monkeypatch.setattr(shell.display_formatter, "active_types", ["text/plain", "text/html"])
    with capture_output() as captured:
        result = slow_analysis.run(dataset, partition_size=1000)
    pages = [output.data["text/html"] for output in captured.outputs]
    assert "0 events" in pages[0]
    assert len(pages) > 3
    assert f"{result.events:,} events, " in pages[-1]
    assert f'value="{result.events}.0" max="{result.events}.0"' in pages[-1]
    assert captured.stderr == ""


def test_a_program_that_imported_a_kernel_is_no_notebook(monkeypatch):
    pytest.importorskip("IPython", reason="IPython is not installed")
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert isinstance(choose_progress(None, "run"), Silent)
