"""Files of one dataset that do not hold the same: default values, trigger menus, types, order."""

import itertools

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import given, settings, strategies as st

import flavorframe as ff
from flavorframe.errors import BranchError, ExpressionError
from support import agreement, oracle
from support.reference import check_random

events = ff.events()
muon = events.muon
LISTS = ak.Array([[1.0, 2.0], [], [3.0], [4.0, 5.0, 6.0]])
COMMON = {
    "run": np.arange(4),
    "Muon_pt": ak.values_astype(LISTS, np.float32),
    "HLT_Old": np.array([True, False, True, True]),
}
MORE = {
    "X": np.arange(4, dtype=np.int16),
    "Muon_charge": ak.values_astype(LISTS, np.int8),
    "Muon_isPF": LISTS > 2,
    "HLT_New": np.array([True, True, False, False]),
    "label": ["a", "b", "a", "b"],
}
ENGINES = ["columnar", pytest.param("rdataframe", marks=pytest.mark.root)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a file with all branches, one that lacks some, and one with all in another order."""
    folder = tmp_path_factory.mktemp("drift")
    content = {
        "all": COMMON | MORE,
        "few": COMMON,
        "turned": dict(reversed((COMMON | MORE).items())),
        "no menu": {"run": COMMON["run"], "Muon_pt": COMMON["Muon_pt"]},
    }
    for name, columns in content.items():
        with uproot.recreate(folder / f"{name}.root") as file:
            file.mkrntuple("Events", columns)
    return {name: str(folder / f"{name}.root") for name in content}


def analysis(**columns):
    return ff.Analysis(
        ff.Selection(muon).cut("charge", muon.charge.default(-5) != 2),
        rows=ff.snapshot(**columns),
    )


COLUMNS = {
    "x": events["X"].default(-1),
    "charge": muon.charge.default(-5),
    "pf": muon[muon.pt > 1].is_pf.default(False).count(),
    "fired": events.hlt.fired("HLT_New_v*").default(True),
    "far": muon.at(muon.index + 1).charge.default(-5),
    "late": events["X"].default(300) // 2 + 1,
}


@pytest.mark.parametrize("engine", ENGINES)
def test_both_engines_and_the_oracle_agree_in_any_order(files, engine):
    declared, expected = analysis(**COLUMNS), {}
    for file in files.values():
        if file != files["no menu"]:
            answer = oracle.evaluate(declared, oracle.open_file(file))
            agreement.assert_agree(declared, agreement.run(_engine(engine), declared, file), answer)
            expected[file] = answer.snapshots["rows"]
    for names in (("all", "few", "turned"), ("few", "turned", "all")):
        result = declared.run(
            ff.dataset([files[name] for name in names]), engine=engine, progress=False
        )
        assert result.is_complete
        assert result.warnings == ()
        for column in COLUMNS:
            rows = [value for name in names for value in expected[files[name]][column]]
            np.testing.assert_array_equal(result.rows[column], rows)
        kinds = {column: result.rows[column].dtype.name for column in ("x", "charge", "fired")}
        assert kinds == {"x": "int16", "charge": "int8", "fired": "bool"}


def _engine(name):
    return ff.engines.get_engine(name)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["nano", "bph"])
def test_random_selections_of_a_file_that_lacks_branches(tmp_path, sample, layout):
    dropped = {
        "nano": {"Muon_isPF", "Track_dz", "triplet_vertex_chi2", "triplet_mu1_trigger_dr",
                 "Muon_charge", "Pileup_nPU"},
        "bph": {"Muon_isPF", "Track_dz", "TripletVtx2_Chi2", "Mu1_dRtriggerMatch_2017",
                "nPileUpInt"},
    }[layout]  # fmt: skip
    source = sample(layout, events=150)
    with uproot.open(source) as file:
        name = next(iter(file.keys(filter_classname="TTree", cycle=False)))
        arrays = file[name].arrays(filter_name=lambda b: b not in dropped)
    with uproot.recreate(tmp_path / "few.root") as file:
        file.mkrntuple("Events", {field: arrays[field] for field in arrays.fields})
    check_random(tmp_path / "few.root", examples=25, more=("drift",))


def test_what_no_file_has_is_told_once(files, tmp_path):
    declared = analysis(x=events["X"].default(-1), y=events["Y"].default(0.5))
    result = declared.run(ff.dataset([files["few"], files["all"]]), progress=False)
    assert result.warnings == (
        "Y.default(0.5): no file of dataset has it, so it is that value everywhere",
    )
    assert repr(result).count("Y.default") == 1
    result.save(tmp_path)
    (again,) = ff.load(tmp_path).values()
    assert again.warnings == result.warnings
    other = declared.run(ff.dataset(files["turned"]), progress=False)
    assert other.warnings == result.warnings == (result + other).warnings


def test_a_trigger_path_that_a_file_lacks(files):
    new = events.hlt.fired("HLT_New")
    for condition, read in ((new, 4), (new.default(False), 8)):
        counting = ff.Analysis(ff.Selection(events).cut("trigger", condition))
        result = counting.run(
            ff.dataset([files["few"], files["all"], files["no menu"]]), progress=False
        )
        assert (result.events, result.cutflow["trigger"].events) == (read, 2)
        assert files["no menu"] in {failure.file for failure in result.failures}
        assert ("few" in str(result.failures[0].file)) == (read == 4)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (events["X"].default(0.5), "X holds whole numbers"),
        (events["X"].default(False), "X holds whole numbers"),
        (events["HLT_New"].default(0), "HLT_New holds truth values"),
        (muon["Muon_isPF"].default(1), "Muon_isPF holds truth values"),
        (events["label"].default(1), "label holds strings"),
    ],
)
def test_another_kind_is_refused(files, column, words):
    with pytest.raises(ExpressionError, match=words):
        analysis(x=column).run(ff.dataset(files["all"]), progress=False)


def test_a_list_is_asked_of_its_collection(files):
    column = events["Muon_charge"].default(1)
    with pytest.raises(ExpressionError, match=r"events\.muon\['Muon_charge'\]\.default\(1\)"):
        analysis(x=column).run(ff.dataset(files["all"]), progress=False)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: (muon.pt + 1).default(0), r"Put it there: x\.default\(0\) \+ 1"),
        (lambda: muon.default(0), "is an object"),
        (lambda: muon.is_pf.default(1), "holds truth values"),
        (lambda: events["X"].default(0).sum(), "one value per event already"),
    ],
)
def test_what_is_refused_where_it_is_written(make, words):
    with pytest.raises(ExpressionError, match=words):
        make()


def test_without_a_default_the_file_is_a_failure(files):
    declared = ff.Analysis(ff.Selection(events), rows=ff.snapshot(events["X"]))
    result = declared.run(ff.dataset([files["all"], files["few"]]), progress=False)
    assert [failure.kind for failure in result.failures] == [BranchError.__name__]
    assert "no branch 'X'" in result.failures[0].reason


def test_strings(files):
    selection = ff.Selection(events).cut("a", events["label"].default("b").startswith("b"))
    result = ff.Analysis(selection).run(ff.dataset([files["all"], files["few"]]), progress=False)
    assert result.cutflow["a"].events == 2 + 4


def test_in_cut_strings(files):
    cut = ff.parse("X > 1 || Muon_pt > 5", X=events["X"].default(7))
    declared = ff.Analysis(ff.Selection(muon).cut("cut", cut))
    result = declared.run(ff.dataset([files["all"], files["few"]]), progress=False)
    assert result.cutflow["cut"].candidates == 4 + 6


def test_digests_know_the_value():
    plans = [analysis(x=events["X"].default(value)).plan for value in (0, 0.0, 1, -0.0)]
    assert len({plan.digest for plan in plans}) == 4


TYPES = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FORMATS = {"ttree": "rows.root", "rntuple": "rows.root", "parquet": "rows.parquet", None: None}


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    kinds=st.lists(st.sampled_from([*TYPES, "float32", "float64"]), min_size=2, max_size=4),
    default=st.sampled_from([None, 0, 3, -7, 300, 2.5]),
)
def test_types_are_promoted_in_any_order_and_format(tmp_path_factory, kinds, default):
    folder = tmp_path_factory.mktemp("types")
    paths = []
    for number, kind in enumerate(kinds):
        paths.append(str(folder / f"{number}.root"))
        with uproot.recreate(paths[-1]) as file:
            file.mktree("Events", {"x": kind})
            file["Events"].extend({"x": np.array([number, 100 - number], kind)})
    if default is not None:
        if isinstance(default, float) and any("int" in kind for kind in kinds):
            return  # refused, see above
        paths.append(str(folder / "without.root"))
        with uproot.recreate(paths[-1]) as file:
            file.mktree("Events", {"y": "int8"})
            file["Events"].extend({"y": np.zeros(2, np.int8)})
    x = events["x"] if default is None else events["x"].default(default)
    found = set()
    for order in itertools.islice(itertools.permutations(paths), 3):
        for kind, name in FORMATS.items():
            options = {} if name is None else {"path": folder / name, "format": kind}
            declared = ff.Analysis(ff.Selection(events), rows=ff.snapshot(x=x, **options))
            result = declared.run(ff.dataset(list(order)), progress=False)
            assert result.is_complete
            column = result.rows["x"] if name is None else _read(folder / name, kind)
            expected = [value for path in order for value in _values(path, default)]
            np.testing.assert_array_equal(column, expected)
            found.add(column.dtype)
    assert len(found) == 1


def _values(path, default):
    with uproot.open(path) as file:
        tree = file["Events"]
        return tree["x"].array(library="np") if "x" in tree else [default] * 2


def _read(path, kind):
    if kind == "parquet":
        return ak.to_numpy(ak.from_parquet(path)["x"])
    with uproot.open(path) as file:
        return ak.to_numpy(file["candidates"]["x"].array())
