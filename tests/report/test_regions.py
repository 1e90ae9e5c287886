"""Reports of analyses with regions, categories and variations."""

import json
import re
from dataclasses import replace

import hist
import numpy as np
import pytest

import flavorframe as ff
from flavorframe.errors import AnalysisError
from flavorframe.report import save_plots, write
from flavorframe.report.views import views
from flavorframe.result import Cutflow, CutRow

from .conftest import mass_histogram, read, result_of

LABELS = ["nominal", "scale up", "scale down", "sf up"]


def varied_mass():
    """Return masses in two categories and three variations: 4 % up, 2 % down, and 3 % up."""
    axes = [
        hist.axis.StrCategory(LABELS, name="variation", overflow=False),
        hist.axis.StrCategory(["barrel", "endcap"], name="category"),
        hist.axis.Regular(62, 1.65, 2.01, name="mass", label="m(μμπ) [GeV]"),
    ]
    histogram = hist.Hist(*axes, storage=hist.storage.Weight())
    counts = mass_histogram(1.0).values()
    for i, scale in enumerate((1.0, 1.04, 0.98, 1.03)):
        for j, share in enumerate((1.0, 0.5)):
            histogram.view()[i, j] = np.stack([scale * share * counts] * 2, -1)
    return histogram


def regional(era="2017B", luminosity=1.0):
    """Return the result of two regions, of which the first has categories and variations."""
    result = result_of(era, luminosity)
    rows = [
        replace(row, categories=(row.candidates // 3, row.candidates - row.candidates // 3, 0))
        for row in result.cutflow
    ]
    control = Cutflow(
        (CutRow("all", "", "event", 90, 99), CutRow("pt", "muon.pt > 3", "muon", 7, 8))
    )
    return replace(
        result,
        cutflow=Cutflow.of_events(result.events),
        regions={"signal": Cutflow(tuple(rows), ("barrel", "endcap")), "control": control},
        outputs={"signal.mass": varied_mass(), "control.mass": mass_histogram(luminosity)},
    )


@pytest.fixture(scope="module")
def page(fits, tmp_path_factory):
    path = tmp_path_factory.mktemp("regions") / "report.html"
    return read(write(path, regional(), fits={"control": fits["2017B"]}))


def test_each_region_has_a_section_of_its_own(page):
    sections = [a["id"] for tag, a in page.elements if tag == "section"]
    assert sections == [
        "summary", "region-signal", "region-control", "links", "files", "timing", "provenance",
    ]  # fmt: skip
    targets = [a["href"] for tag, a in page.elements if tag == "a" and "href" in a]
    assert {f"#{name}" for name in sections} == set(targets)
    assert "16,000 candidates selected in signal, 8 candidates selected in control" in page.text
    signal, control = page.section("region-signal"), page.section("region-control")
    assert (
        "16,000 candidates in 16,000 events selected: 5,333 in barrel, 10,667 in endcap" in signal
    )
    assert "muon.pt &gt; 3" in control
    assert "muon.pt" not in signal
    assert "<h3>Fits</h3>" in control
    assert "<h3>Fits</h3>" not in signal
    rows = [re.sub(r"<[^>]*>", " ", row).split() for row in page.section("summary").split("</tr>")]
    assert [row[:2] for row in rows[1:-1]] == [["signal", "2017B"], ["control", "2017B"]]
    assert [row[-1] for row in rows[1:-1]] == ["fit", "valid"]
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page.source)
    assert json.loads(found[1])["fits"]["control"]["2017B"]["valid"]


def test_categories_have_pictures_of_their_own_and_variations_are_told(page):
    signal = page.section("region-signal")
    assert re.findall(r'alt="([^"]*)"', signal) == [
        "Histogram mass.barrel of 2017B",
        "Histogram mass.endcap of 2017B",
    ]
    assert "in the variations: scale −2.00 +4.00 %, sf −0.00 +3.00 %; band: all" in signal


def test_the_band_adds_the_sources_in_squares():
    view = views("mass", varied_mass())["mass.endcap"]
    nominal = view.histogram.values()
    below, above = view.band
    assert view.category == "endcap"
    assert nominal == pytest.approx(0.5 * mass_histogram(1.0).values())
    assert above == pytest.approx(0.05 * nominal)
    assert below == pytest.approx(0.02 * nominal)


def test_axes_of_numbers_may_have_any_name():
    plain = hist.Hist.new.Reg(3, 0, 1, name="category").Reg(2, 0, 1, name="variation").Int64()
    (view,) = views("x", plain).values()
    assert view.histogram is plain
    assert view.varied is None


def test_plots_of_regions_and_categories_are_files(tmp_path):
    result = regional()
    outputs = {"signal.mass": result.outputs["signal.mass"][{"category": slice(0, 1)}]}
    names = [path.name for path in save_plots(tmp_path, replace(result, outputs=outputs))]
    assert names[:2] == ["signal.mass.barrel.png", "signal.mass.barrel.pdf"]


@pytest.mark.parametrize(
    ("fits", "message"),
    [
        ("a fit", r"the results have regions, signal, control: .*fits=\{'signal': fit\}"),
        ({"signl": None}, r"Did you mean 'signal'\? Fits go by region"),
        ({"signal": {"2018": None}}, "Fits go by era: '2017B'"),
    ],
)
def test_fits_go_by_region(tmp_path, fits, message):
    with pytest.raises(AnalysisError, match=message):
        write(tmp_path / "report.html", regional(), fits=fits)
    assert list(tmp_path.iterdir()) == []


def test_the_analysis_is_that_of_the_regions(tmp_path):
    muon = ff.events().muon
    region = ff.Region(ff.Selection(muon).cut("pt", muon.pt > 4))
    for analysis, message in [
        (ff.Analysis(region), "its regions are none and theirs signal, control"),
        (ff.Analysis(signal=region, control=region), "they differ in .*'pt'.* of signal"),
    ]:
        with pytest.raises(AnalysisError, match=message):
            write(tmp_path / "report.html", regional(), analysis=analysis)
