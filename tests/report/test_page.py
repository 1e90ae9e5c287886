"""The report: what is in it, that it is safe, whole and on its own."""

import json
import re
from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import flavorframe as ff
from flavorframe.errors import AnalysisError, RunError
from flavorframe.report import write
from flavorframe.report.yields import Measured
from flavorframe.result import Failure, Results, WrittenSnapshot

from .conftest import LOST, mass_histogram, result_of

EVIL = "<script>alert('x')</script>"

# On its own


def test_every_section_is_there_and_in_the_contents(full_page):
    targets = [a["href"] for tag, a in full_page.elements if tag == "a" and "href" in a]
    sections = [a["id"] for tag, a in full_page.elements if tag == "section"]
    assert sections == [
        "summary", "selection", "cutflow", "histograms", "fits", "links", "snapshots", "files",
        "timing", "provenance",
    ]  # fmt: skip
    assert {f"#{name}" for name in sections} == set(targets)


def test_nothing_is_loaded_from_elsewhere(full_page):
    for _, attributes in full_page.elements:
        for name in ("src", "href", "data", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "url(" not in full_page.source
    assert "@import" not in full_page.source
    assert {tag for tag, _ in full_page.elements}.isdisjoint({"link", "iframe", "object", "base"})
    scripts = [a for tag, a in full_page.elements if tag == "script"]
    assert [script["type"] for script in scripts] == ["application/json"]


def test_it_is_one_html_document(full_page):
    assert full_page.source.startswith("<!DOCTYPE html>")
    assert full_page.source.count("</html>") == 1


def test_ids_are_unique_and_images_described(full_page):
    assert len(set(full_page.ids)) == len(full_page.ids)
    assert full_page.images
    assert all(image["alt"] for image in full_page.images)


def test_the_numbers_are_there_for_machines(full_page):
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', full_page.source)
    data = json.loads(found[1], parse_constant=pytest.fail)
    assert data["results"]["2017D"]["fraction"] == 0.5
    assert data["fits"]["2017C"]["valid"]


def test_plots_leave_no_figure_and_no_style(report, eras):
    before = dict(mpl.rcParams)
    report(eras["2017B"])
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


# Title and text


def test_the_title_is_the_first_line_of_the_text(full_page):
    assert "<h1>The normalisation channel</h1>" in full_page.source
    assert "<p>On <strong>all</strong> of 2017, see <code>selection</code>.</p>" in full_page.source


def test_a_title_leaves_the_text_whole(report):
    page = report(result_of(), title="Ds⁺ → φπ⁺", text="First line.\n\nSecond.")
    assert "<h1>Ds⁺ → φπ⁺</h1>" in page.source
    assert "First line. Second." in page.text


def test_names_and_texts_do_not_act_as_html(report):
    failure = Failure(f"{EVIL}.root", None, None, None, EVIL, EVIL)
    cuts = ((EVIL, f"{EVIL} fired"), ("mass", "a < b & c"))
    results = {EVIL: result_of(EVIL, cuts=cuts, failures=[failure])}
    page = report(results, title=EVIL, text=EVIL)
    assert [a.get("type") for tag, a in page.elements if tag == "script"] == ["application/json"]
    assert "a &lt; b &amp; c" in page.source


# Eras


def test_the_summary_has_a_row_for_each_era_and_the_total(full_page):
    summary = full_page.section("summary")
    rows = [re.sub(r"<[^>]*>", " ", row).split() for row in summary.split("</tr>")[1:-1]]
    assert [row[0] for row in rows] == ["2017B", "2017C", "2017D", "total"]
    assert "1,200,000" in rows[-1]
    assert "3.5" in rows[-1]
    assert rows[-1][-4:] == ["sum", "of", "the", "fits"]


def test_there_are_plots_of_yields_histograms_and_fits(full_page):
    assert [image["alt"] for image in full_page.images] == [
        "Ds yield per fb⁻¹ by era",
        "D+ yield per fb⁻¹ by era",
        "Histogram mass of total",
        "Histogram mass by era",
        "Histogram plane of total",
        "Fit of 2017B",
        "Fit of 2017C",
        "Fit of 2017D",
    ]


def test_a_single_era_needs_no_total(report, eras, fits):
    page = report(eras["2017B"], fits=fits["2017B"])
    assert "total" not in page.section("summary")
    assert [image["alt"] for image in page.images] == [
        "Histogram mass of 2017B", "Histogram plane of 2017B", "Fit of 2017B",
    ]  # fmt: skip


def test_a_single_fit_of_several_eras_is_of_the_total(report, fits):
    results = Results({"2017B": result_of("2017B"), "2017C": result_of("2017C")})
    page = report(results, fits=fits["2017C"])
    assert [image["alt"] for image in page.images] == ["Fit of total"]
    assert str(Measured(*fits["2017C"].yields["Ds"]) / 2) in page.section("summary")


def test_data_and_simulation_are_not_added_up(report):
    page = report({"data": result_of("a"), "simulation": result_of("b", kind="simulation")})
    assert "not added up" in page.text
    assert "they differ in kind" in page.text


def test_eras_without_luminosity_have_no_yields_per_luminosity(report, fits):
    results = {era: result_of(era, None) for era in ("2017B", "2017C")}
    page = report(results, fits={era: fits[era] for era in results})
    assert "–" in page.section("summary")
    assert [image["alt"] for image in page.images] == ["Fit of 2017B", "Fit of 2017C"]


# What is missing or wrong


def test_partial_results_are_marked_and_failures_listed(full_page):
    assert "PARTIAL RESULTS" in full_page.text
    assert "2017D : 1 of 2 files could not be read, 500 events lost; about 50 %" in full_page.text
    assert full_page.section("summary").count('<span class="mark">partial</span>') == 2
    assert "a basket is damaged" in full_page.section("files")
    assert "PARTIAL, 50 %" in full_page.section("files")


def test_warnings_of_results_are_shown(report):
    told = "muon.mva_id.default(0): no file of 2017B has it"
    page = report(replace(result_of(), warnings=(told,)))
    assert page.text.count(told) == 1


def test_complete_results_have_no_warning(report):
    page = report(result_of())
    assert "partial" not in page.text.lower()
    assert 'role="alert"' not in page.source


def test_an_invalid_fit_shows_its_problems_and_no_yield(report, invalid_fit):
    page = report(result_of(), fits=invalid_fit)
    summary = page.section("summary")
    assert "not valid" in summary
    assert "no significant Ds peak" in summary
    assert re.search(r'class="number">[^<]*±', summary) is None
    assert "The fit is not valid:" in page.section("fits")
    assert "2017B (NOT VALID)" in page.section("fits")


def test_no_fits(report):
    page = report(result_of())
    assert "fits" not in page.ids
    assert "χ²/ndf" not in page.section("summary")


def test_a_total_needs_every_era_to_be_fitted(report, fits, invalid_fit):
    results = {"2017B": result_of("2017B"), "2017C": result_of("2017C")}
    page = report(results, fits={"2017B": fits["2017B"], "2017C": invalid_fit})
    assert "not all valid" in page.section("summary")


# Contents


def test_the_selection_has_its_formulas(report):
    assert "1.65 ≤ triplet.mass &lt; 2.01" in report(result_of()).section("selection")


def test_the_analysis_tells_what_histograms_show(report):
    t = ff.events().triplet
    selection = ff.Selection(t).cut("mass", t.mass.between(1.65, 2.01))
    spec = ff.hist(t.mass, bins=62, range=(1.65, 2.01), without="mass", weight=t.pt)
    analysis = ff.Analysis(selection, mass=spec, candidates=ff.snapshot(t.mass, path="c.root"))
    outputs = {"mass": mass_histogram(1.0), "candidates": WrittenSnapshot(("out/c.root",), 7)}
    cuts = (("mass", "1.65 ≤ triplet.mass < 2.01"),)
    page = report(result_of(cuts=cuts, outputs=outputs), analysis=analysis)
    histograms = page.section("histograms")
    assert "triplet.mass; all cuts but “mass” (N−1); weight triplet.pt" in histograms
    assert f"{int(outputs['mass'].sum()):,} entries in range, 0 outside" in histograms
    snapshots = re.sub(r"<[^>]*>|\s+", " ", page.section("snapshots")).split()
    assert snapshots[-4:] == ["candidates", "mass", "out/c.root", "7"]


def test_weights_have_columns_and_captions_of_their_own(report):
    outputs = {"mass": mass_histogram(1.0, weighted=True)}
    page = report(result_of(outputs=outputs, weighted=True))
    assert "Σw candidates" in page.section("summary")
    assert "Σw in range" in page.section("histograms")


def test_large_counts_are_exact(report):
    outputs = {"mass": mass_histogram(100.0)}
    count = int(outputs["mass"].sum())
    assert count > 1_000_000
    assert f"{count:,} entries" in report(result_of(outputs=outputs)).text


def test_links_timing_and_provenance(full_page):
    assert "3 (0.3 %)" in full_page.section("links")
    assert "reading %" in full_page.section("timing")
    assert full_page.section("provenance").count("5f7a") == 16


# Refusals


@pytest.mark.parametrize(
    ("results", "options", "message"),
    [
        ({}, {}, "no results"),
        ({"total": result_of("a"), "b": result_of("b")}, {}, "cannot be called 'total'"),
        (
            {"2017B": result_of(), "2017C": result_of("2017C", cuts=(("HLT", "x"),))},
            {},
            "'2017B' and '2017C' have different cuts",
        ),
        (result_of(), {"fits": {"2017C": None}}, "Did you mean '2017B'"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, results, options, message):
    with pytest.raises(AnalysisError, match=message):
        write(tmp_path / "report.html", results, **options)
    assert list(tmp_path.iterdir()) == []


def test_an_analysis_that_was_changed_since_is_refused(tmp_path):
    t = ff.events().triplet
    changed = ff.Analysis(ff.Selection(t).cut("mass", t.mass.between(1.7, 2.01)))
    with pytest.raises(AnalysisError, match=r"differ in .*'mass'.*: run it again"):
        write(tmp_path / "report.html", result_of(), analysis=changed)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(RunError, match=r"nowhere: it is not a folder"):
        write(tmp_path / "nowhere" / "report.html", result_of())


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(RunError, match=rf"report\.html in folder {re.escape(str(tmp_path))}"):
        write(tmp_path / "report.html", result_of(failures=[LOST]))
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
