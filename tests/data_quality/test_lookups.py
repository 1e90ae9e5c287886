"""Certified lumi sections and prescales: by hand, for every engine, on data and simulation."""

import json
import pickle

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._data_quality.certified import read_sections
from flavorframe._expr.expression import Expr
from flavorframe.engines import ENGINES, get_engine
from flavorframe.errors import DatasetError, FileError
from support import agreement

GOLDEN = {"297050": [[10, 12], [1, 3], [3, 5]], "297056": [[7, 7]], "4294967295": [[1, 2]]}
RUNS = [297050, 297050, 297050, 297050, 297056, 297056, 297057, 4294967295, 1]
SECTIONS = [1, 5, 6, 10, 7, 8, 7, 2, 1]
GOOD = [True, True, False, True, True, False, False, True, False]
PRESCALES = """path,run,luminosity_block,prescale
HLT_A_v1,297050,1,2
HLT_A_v1,297050,6,10
HLT_A_v2,297056,7,0.5
HLT_B_v1,297056,1,7
"""
events = ff.events()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("quality")
    (made / "golden.json").write_text(json.dumps(GOLDEN))
    (made / "prescales.csv").write_text(PRESCALES)
    with uproot.recreate(made / "events.root") as file:
        file["Events"] = {
            "run": np.array(RUNS, np.uint32),
            "luminosityBlock": np.array(SECTIONS, np.uint32),
            "event": np.arange(9, dtype=np.uint64),
        }
    return made


@pytest.mark.parametrize("engine", ENGINES)
def test_certified_and_prescales_by_hand(folder, engine):
    good = ff.certified(folder / "golden.json")
    prescale = ff.prescale("HLT_A_v*", folder / "prescales.csv")
    selection = ff.Selection(events).cut("some", events.event >= 0)
    rows = ff.snapshot(good=good, prescale=prescale)
    data = ff.dataset(folder / "events.root")
    found = ff.Analysis(selection, rows=rows).run(data, engine=engine).rows
    assert found["good"].tolist() == GOOD
    nan = np.nan
    np.testing.assert_array_equal(found["prescale"], [2, 2, 10, 10, 0.5, 0.5, nan, nan, nan])
    simulation = ff.dataset(folder / "events.root", kind="simulation")
    cut = ff.Analysis(selection.cut("certified", good))
    assert cut.run(simulation, engine=engine).cutflow[-1].events == len(GOOD)


def test_cuts_weights_and_histograms_as_the_oracle_has_them(folder):
    good = ff.certified(folder / "golden.json").node.arguments[1]
    prescale = ff.prescale("HLT_A_v*", folder / "prescales.csv")
    analysis = ff.Analysis(
        ff.Selection(events)
        .cut("good or not prescaled", Expr(good) | ~(prescale > 1))
        .weight("prescale", ff.where(prescale > 0, prescale, 1)),
        blocks=ff.hist(events.luminosity_block + prescale, bins=20, range=(0, 20)),
    )
    agreement.assert_right(get_engine("columnar"), analysis, folder / "events.root")


def test_a_changed_file_is_another_entry_of_the_cache(folder, tmp_path):
    data, golden = ff.dataset(folder / "events.root"), tmp_path / "golden.json"
    for ranges, expected in ((GOLDEN, sum(GOOD)), ({"297050": [[5, 6]]}, 2), (GOLDEN, sum(GOOD))):
        golden.write_text(json.dumps(ranges))
        cut = ff.Analysis(ff.Selection(events).cut("certified", ff.certified(golden)))
        assert cut.run(data, cache=tmp_path / "cache").cutflow[-1].events == expected


def test_random_tables_and_sections(folder, tmp_path):
    rng = np.random.default_rng(5)
    runs, blocks = rng.integers(1, 5, 400), rng.integers(0, 60, 400)
    with uproot.recreate(tmp_path / "random.root") as file:
        file["Events"] = {"run": runs.astype(np.int32), "event": np.arange(400),
                          "luminosityBlock": blocks.astype(np.int64)}  # fmt: skip
    ranges = {str(run): [sorted(rng.integers(0, 60, 2).tolist()) for _ in range(4)]
              for run in rng.permutation(np.arange(1, 4))}  # fmt: skip
    (tmp_path / "golden.json").write_text(json.dumps(ranges))
    expected = [
        any(low <= block <= high for low, high in ranges.get(str(run), ()))
        for run, block in zip(runs, blocks, strict=True)
    ]
    good = ff.certified(tmp_path / "golden.json")
    assert 50 < sum(expected) < 350
    for size in (400, 77):
        result = ff.Analysis(ff.Selection(events), rows=ff.snapshot(good=good)).run(
            ff.dataset(tmp_path / "random.root"), partition_size=size
        )
        assert result.rows["good"].tolist() == expected


def test_the_content_of_the_file_is_part_of_the_analysis(folder, tmp_path):
    (tmp_path / "golden.json").write_text(json.dumps(GOLDEN))
    first = ff.certified(tmp_path / "golden.json")
    digest = ff.Analysis(ff.Selection(events).cut("good", first)).plan.digest
    assert ff.certified(folder / "golden.json") is first  # wherever it lies
    (tmp_path / "golden.json").write_text(json.dumps({"297050": [[1, 4]]}))
    second = ff.certified(tmp_path / "golden.json")
    assert second is not first
    assert ff.Analysis(ff.Selection(events).cut("good", second)).plan.digest != digest
    assert pickle.loads(pickle.dumps(first)) is first
    assert repr(first) == "<is_simulation or certified by golden.json, one value per event>"


WRONG = {
    "[1, 2]": "is no golden JSON: it should be an object of runs",
    '{"297050": [[1, 12]': "is not valid JSON at line 1, column 20",
    '{"run 5": [[1, 2]]}': "'run 5' is no number of a run",
    '{"297050": 12}': "run 297050: 12 are no ranges",
    '{"297050": [[12, 1]]}': r"run 297050: \[12, 1\] is no range of lumi sections",
    '{"297050": [1, 12]}': "run 297050: 1 is no range",
    "{}": "certifies no lumi section",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_golden_json_is_told_at_once(tmp_path, text):
    (tmp_path / "golden.json").write_text(text)
    with pytest.raises(DatasetError, match=WRONG[text]):
        ff.certified(tmp_path / "golden.json")


def test_missing_files_and_paths_are_told(folder, tmp_path):
    with pytest.raises(FileError, match="cannot read the golden JSON .*none.json: No such file"):
        ff.certified(tmp_path / "none.json")
    with pytest.raises(
        DatasetError, match="has no path 'HLT_C'\\. Did you|has no path HLT_A_v1, HLT_A_v2, HLT_B"
    ):
        ff.prescale("HLT_C", folder / "prescales.csv")
    (tmp_path / "short.csv").write_text("path,run,prescale\n")
    with pytest.raises(DatasetError, match="has no column 'luminosity_block': a table of presc"):
        ff.prescale("HLT_A", tmp_path / "short.csv")
    (tmp_path / "wrong.csv").write_text(PRESCALES + "HLT_A_v3,297050,6,11\nHLT_A_v3,x,1,2\n")
    with pytest.raises(DatasetError, match="line 6: .* two prescales from run 297050.*10 and 11"):
        ff.prescale("HLT_A_v*", tmp_path / "wrong.csv")
    with pytest.raises(DatasetError, match="line 7: .*should be numbers.*'x', '1' and '2'"):
        ff.prescale("HLT_A_v3", tmp_path / "wrong.csv")


def test_runs_that_come_twice_have_the_ranges_of_both(tmp_path):
    (tmp_path / "golden.json").write_text('{"5": [[1, 2]], "5": [[7, 9], [3, 3]]}')
    assert dict(read_sections(tmp_path / "golden.json")) == {5: ((1, 3), (7, 9))}
