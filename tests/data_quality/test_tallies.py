"""What is noted of every event that is read: lumi sections, and events that come twice."""

import json
from itertools import pairwise

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._data_quality.sections import LumiSections
from flavorframe.engines import ENGINES
from flavorframe.errors import AnalysisError, BranchError, DatasetError

events = ff.events()
selection = ff.Selection(events).cut("few", events.event < 3)
BRILCALC = """#Data tag : online , Norm tag: /cvmfs/normtag_PHYSICS.json
#run:fill,ls,time,beamstatus,E(GeV),delivered(/nb),recorded(/nb),avgpu,source
7:100,1:1,06/19/17 01:00:00,STABLE BEAMS,6500,250.0,200.0,30.1,PXL
7:100,2:2,06/19/17 01:00:23,STABLE BEAMS,6500,150.0,100.0,30.1,PXL
8:100,1:1,06/19/17 02:00:00,STABLE BEAMS,6500,400.0,300.0,30.1,HFOC
#Summary:
#nfill,nrun,nls,ncms,totdelivered(/nb),totrecorded(/nb)
#1,2,3,3,800.0,600.0
"""


def write(path, runs, blocks, numbers, kind=np.uint64):
    with uproot.recreate(path) as file:
        file["Events"] = {"run": np.array(runs, np.uint32), "event": np.array(numbers, kind),
                          "luminosityBlock": np.array(blocks, np.uint32)}  # fmt: skip
    return path


@pytest.fixture
def files(tmp_path):
    """Two files with one event in common; a third event of the first is there twice."""
    write(tmp_path / "a.root", [7] * 6, [1, 1, 2, 2, 4, 5], [1, 2, 3, 3, 4, 5])
    write(tmp_path / "b.root", [8, 7], [1, 5], [9, 5], np.int64)
    return tmp_path


def analysis(**more):
    return ff.Analysis(selection, sections=ff.lumi_sections(), twice=ff.duplicates(), **more)


@pytest.mark.parametrize("engine", ENGINES)
def test_all_events_count_whatever_the_selection(files, engine):
    result = analysis().run(ff.dataset(files), engine=engine, partition_size=4)
    assert result.cutflow[-1].events == 2
    assert dict(result.sections) == {7: ((1, 2), (4, 5)), 8: ((1, 1),)}
    assert result.twice.copies == {(7, 2, 3): 2, (7, 5, 5): 2}
    assert repr(result.twice).startswith("2 of 8 events more than once, 2 too many: run 7, lum")
    assert "sections: 5 lumi sections in 2 runs, from 7 to 8" in repr(result)


def test_results_add_up_and_are_saved(files, tmp_path):
    catalogue = {name: {"type": "data", "files": f"{name}.root"} for name in "ab"}
    results = analysis().run(ff.catalog(catalogue, base=files))
    assert repr(results["b"].twice) == "no event twice among 2"
    assert set(results.total.twice.copies) == {(7, 2, 3), (7, 5, 5)}
    assert results.total.sections.count == 5
    page = ff.report.write(tmp_path / "page.html", results).read_text()
    assert "no event twice among 2" in page.partition('<section id="read-events">')[2]
    loaded = ff.load(results.save(tmp_path / "saved"))
    assert loaded["a"].twice.copies == {(7, 2, 3): 2}
    assert loaded.total.sections == results.total.sections
    assert repr(loaded.total.twice).endswith("not all were compared, as results were saved between")


def test_only_what_was_read_counts(files):
    whole = (files / "b.root").read_bytes()
    (files / "b.root").write_bytes(b"no file of ROOT")
    result = analysis().run(ff.dataset(files))
    assert (dict(result.sections), len(result.twice)) == ({7: ((1, 2), (4, 5))}, 1)
    (files / "b.root").write_bytes(whole)
    resumed = result.resume()
    assert (resumed.sections.count, len(resumed.twice)) == (5, 2)


def test_rows_of_candidates_are_events_and_keys_what_the_file_has(tmp_path):
    layout = ff.layout("rows", recognised_by=["B_M"], rows={"key": ["run", "number"]})
    with uproot.recreate(tmp_path / "rows.root") as file:
        file["DecayTree"] = {"run": np.array([5, 5, 5, 6]), "number": np.array([1, 1, 2, 1]),
                             "B_M": np.ones(4)}  # fmt: skip
    twice = ff.duplicates(by=["run", "number"])
    data = ff.dataset(tmp_path / "rows.root", layout=layout)
    result = ff.Analysis(ff.Selection(events), twice=twice).run(data)
    assert (result.twice.events, len(result.twice)) == (3, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_copies_are_left_out(files, tmp_path, engine):
    data = ff.dataset(files, luminosity=2.0)
    found = analysis().run(data, engine=engine).twice
    assert found.places[7, 5, 5] == ((str(files / "a.root"), 5), (str(files / "b.root"), 1))
    clean = data.without(found)
    assert repr(clean) == "Dataset 'dataset': data, 2 files, 2 fb⁻¹, without 2 copies of events"
    numbers = ff.Analysis(
        ff.Selection(events),
        n=ff.hist(events.event, bins=10, range=(0, 10)),
        rows=ff.snapshot(events.event),
        twice=ff.duplicates(),
    )
    result = numbers.run(clean, engine=engine, partition_size=3)
    assert result.rows["event"].tolist() == [1, 2, 3, 4, 5, 9]
    assert result.n.values().tolist() == [0, 1, 1, 1, 1, 1, 0, 0, 0, 1]
    assert (result.events, result.fraction, result.luminosity) == (6, 1.0, 2.0)
    assert (result.is_complete, len(result.twice)) == (True, 0)
    loaded = ff.load(result.save(tmp_path / "saved"))["dataset"]
    assert loaded.dataset.left_out == clean.left_out
    write(files / "b.root", [8, 7, 7], [1, 5, 6], [9, 5, 6], np.int64)
    assert "since copies of events were found" in repr(numbers.run(clean, engine=engine).failures)


def test_copies_in_other_datasets_and_of_saved_results_are_left_out(files, tmp_path):
    eras = {name: {"type": "data", "files": f"{name}.root"} for name in "ba"}
    catalogue = ff.catalog(eras, base=files)
    results = analysis().run(catalogue)
    clean = catalogue.without(results.total.twice)
    assert [sum(map(len, each.left_out)) for each in clean.values()] == [0, 2]  # b is the first
    assert len(analysis().run(clean).total.twice) == 0
    saved = ff.load(results.save(tmp_path / "saved"))["a"].twice
    assert (
        catalogue["a"].without(saved).left_out
        == catalogue["a"].without(results["a"].twice).left_out
    )


def test_what_is_left_out_is_no_gap(files):
    real = (files / "b.root").rename(files / "b")  # a link comes and goes, and its file stays
    (files / "b.root").symlink_to(real)
    data = ff.dataset(files)
    clean = data.without(analysis().run(data).twice)
    (files / "b.root").unlink()
    result = analysis().run(clean)
    assert 0 < result.fraction < 1
    (files / "b.root").symlink_to(real)
    resumed = result.resume()
    assert (resumed.events, resumed.twice.events, resumed.fraction) == (6, 6, 1.0)


def test_what_files_lack_is_told_before_anything_is_read(files):
    wrong = ff.Analysis(selection, twice=ff.duplicates(by=["run", "evnt"]))
    message = (
        "there is no 'evnt' in tree Events, by which output 'twice' knows events. Did you mean"
    )
    with pytest.raises(BranchError, match=message):
        wrong.run(ff.dataset(files), on_error="raise")
    with pytest.raises(AnalysisError, match=r"ff.duplicates\(by=\(\)\): give names"):
        ff.duplicates(by=())
    with pytest.raises(AnalysisError, match="cannot be called 'cutflow'"):
        ff.Analysis(selection, cutflow=ff.lumi_sections())


def test_sections_are_those_of_a_golden_json(tmp_path):
    read = LumiSections.of([(8, 1, 1), (7, 2, 3), (7, 1, 2)])
    assert json.loads(read.to_json(tmp_path / "read.json")) == {"7": [[1, 3]], "8": [[1, 1]]}
    again = ff.Analysis(ff.Selection(events).cut("same", ff.certified(tmp_path / "read.json")))
    path = write(tmp_path / "c.root", [7, 7, 8], [3, 4, 1], [1, 2, 3])
    assert again.run(ff.dataset(path)).cutflow[-1].events == 2


def test_sections_of_random_ranges_are_those_of_a_set():
    rng = np.random.default_rng(3)
    for size in (1, 5, 40):
        ranges = [(int(run), *sorted(rng.integers(0, 30, 2).tolist()))
                  for run in rng.integers(2**32 - 3, 2**32, size)]  # fmt: skip
        expected = {(run, block) for run, low, high in ranges for block in range(low, high + 1)}
        found = sum(map(LumiSections.of, ([each] for each in ranges)), LumiSections.of([]))
        assert found == LumiSections.of(ranges)
        assert found.count == len(expected)
        assert {(run, block) for run in found for low, high in found[run]
                for block in range(low, high + 1)} == expected  # fmt: skip
        gaps = [(low, high) for run in found for (_, low), (high, _) in pairwise(found[run])]
        assert all(low + 1 < high for low, high in gaps)
    with pytest.raises(DatasetError, match="-1 is no number of a lumi section"):
        LumiSections.of_events(np.array([1]), np.array([-1]))


def test_luminosity_of_sections(tmp_path):
    table = tmp_path / "lumi.csv"
    table.write_text(BRILCALC)
    read = LumiSections.of([(7, 1, 2), (8, 1, 1)])
    assert read.luminosity(table) == pytest.approx(600e-6)
    assert read.luminosity(table, recorded=False) == pytest.approx(800e-6)
    table.write_text(BRILCALC.replace("(/nb)", "(/ub)"))
    assert read.luminosity(table) == pytest.approx(600e-9)
    more = read + LumiSections.of([(8, 2, 2), (9, 1, 9)])
    with pytest.raises(DatasetError, match=r"10 of the lumi sections \(run:section\): 8:2, 9:1"):
        more.luminosity(table)


WRONG = {
    "a,b\n1,2\n": "is no table of brilcalc by lumi section: a table by section begins",
    BRILCALC.replace("(/nb)", "(hz)"): r"has no column 'recorded\(unit\)' with a unit among /b",
    BRILCALC.replace("8:100,1:1", "7:100,2:2"): "lumi section 7:2 is listed twice",
    BRILCALC.replace("300.0", "x"): "cannot understand the line '8:100,1:1.*x,30.1,HFOC'",
}


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_tables_of_luminosity(tmp_path, number):
    text, message = list(WRONG.items())[number]
    (tmp_path / "lumi.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        LumiSections.of([(7, 1, 1)]).luminosity(tmp_path / "lumi.csv")
