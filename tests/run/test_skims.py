"""Skims: whole events of those with a selected candidate, for every reader, and what is beside."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._run.core.ending import result_of
from flavorframe.errors import AnalysisError, BranchError
from support.jobs import in_jobs
from support.row_files import LAYOUT, write_rows

events = ff.events()
muon = events.muon
FORMATS = ["ttree", "rntuple"]
GOOD = muon.pt > 7
RUNS = {"run": np.uint32, "genEventSumw": np.float64, "LHEScaleSumw": "var * float64"}


def content(seed, events=60, kind=np.float32):
    """Return the branches of events with muons and jets, in which muons refer to jets."""
    rng = np.random.default_rng(seed)
    n_muon, n_jet = rng.integers(0, 4, events), rng.integers(0, 3, events)

    def lists(values, counts):
        return ak.unflatten(values, counts)

    return {
        "run": np.full(events, seed, np.uint32),
        "event": np.arange(events, dtype=np.uint64),
        "HLT_Mu8": rng.random(events) < 0.5,
        "Muon_pt": lists(rng.uniform(2, 9, n_muon.sum()).astype(kind), n_muon),
        "Muon_charge": lists(rng.choice([-1, 1], n_muon.sum()).astype(np.int8), n_muon),
        "Muon_isPF": lists(rng.random(n_muon.sum()) < 0.5, n_muon),
        "Jet_pt": lists(rng.uniform(20, 90, n_jet.sum()), n_jet),
        "label": np.array(["a", "bb"])[rng.integers(0, 2, events)].tolist(),
    }


def written(path, columns, runs=(1.5,)):
    """Write a file with a branch that counts the muons, and one for the jets."""
    counters = {"Muon_pt": "nMuon", "Muon_charge": "nMuon", "Muon_isPF": "nMuon", "Jet_pt": "nJet"}
    types = {name: _type(values) for name, values in columns.items()}
    with uproot.recreate(path) as file:
        tree = file.mktree(
            "Events", types, counter_name=lambda name: counters.get(name, f"n{name}")
        )
        if len(columns["run"]):
            tree.extend(columns)
        if runs:
            sums = {"run": np.ones(len(runs), np.uint32), "genEventSumw": np.array(runs),
                    "LHEScaleSumw": ak.Array([[w, 2 * w] for w in runs])}  # fmt: skip
            file.mktree("Runs", RUNS).extend(sums)
    return str(path)


def _type(values):
    if isinstance(values, np.ndarray):
        return values.dtype
    return "string" if isinstance(values, list) else ak.type(values).content


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return three files: of the last no event is selected."""
    folder = tmp_path_factory.mktemp("skims")
    poor = content(3)
    poor["Muon_pt"] = poor["Muon_pt"] * np.float32(0.5)
    kinds = [content(1), content(2), poor]
    return [written(folder / f"{i}.root", c, (i + 0.5,)) for i, c in enumerate(kinds)]


def analysis(**options):
    selection = ff.Selection(muon).cut("hlt", events.hlt.fired("HLT_Mu8")).cut("good", GOOD)
    return ff.Analysis(
        selection,
        pt=ff.hist(muon.pt, bins=20, range=(0, 10)),
        skim=ff.skim(**options),
    )


def run(declared, files, **options):
    return declared.run(ff.dataset(list(files)), progress=False, **options)


def read(path, tree="Events"):
    with uproot.open(path) as file:
        return file[tree].arrays()


def expected(files):
    """Return the events with a selected muon."""
    arrays = ak.concatenate([read(file) for file in files])
    return arrays[arrays.HLT_Mu8 & ak.any(arrays.Muon_pt > 7, axis=1)]


@pytest.mark.parametrize("format", FORMATS)
def test_selected_events_whole_with_new_branches(files, tmp_path, format):
    path = tmp_path / "skim.root"
    new = {"twice": 2 * muon.pt, "n_good": muon.pt.count(), "ht": events.jet.pt.sum(),
           "Jet_far": events.jet.pt > 50}  # fmt: skip
    result = run(analysis(path=path, format=format, passed="Muon_passed", **new), files)
    found, wanted = read(path), expected(files)
    assert len(result.skim) == len(found) == len(wanted) > 20
    assert result.is_complete
    assert result.warnings == ()
    for name in content(1):
        assert found[name].to_list() == wanted[name].to_list(), name
        assert found[name].type.content == wanted[name].type.content, name
    assert found.twice.to_list() == (2 * ak.values_astype(wanted.Muon_pt, float)).to_list()
    assert found.Muon_passed.to_list() == (wanted.Muon_pt > 7).to_list()
    assert found.n_good.to_list() == ak.sum(wanted.Muon_pt > 7, axis=1).to_list()
    assert found.Jet_far.to_list() == (wanted.Jet_pt > 50).to_list()
    np.testing.assert_allclose(found.ht, ak.sum(wanted.Jet_pt, axis=1))
    with uproot.open(path) as file:
        counts = [name for name in file["Events"].keys() if re.match("n[A-Z]", name)]  # noqa: SIM118
    assert counts == (["nMuon", "nJet"])


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("engine", ["columnar", pytest.param("rdataframe", marks=pytest.mark.root)])
def test_the_same_selection_finds_the_same_in_the_skim(files, tmp_path, format, engine):
    path = tmp_path / "skim.root"
    declared = analysis(path=path, format=format)
    whole = run(declared, files)
    again = run(ff.Analysis(declared.selection, pt=dict(declared.outputs)["pt"]), [path],
                engine=engine)  # fmt: skip
    assert again.cutflow[-1].candidates == whole.cutflow[-1].candidates > 20
    assert again.cutflow[-1].events == again.events == len(whole.skim)
    np.testing.assert_array_equal(again.pt.values(flow=True), whole.pt.values(flow=True))


@pytest.mark.root
@pytest.mark.parametrize("format", FORMATS)
def test_rdataframe_reads_it(files, tmp_path, format):
    path = tmp_path / "skim.root"
    run(analysis(path=path, format=format, passed="Muon_passed"), files)
    script = (
        "import ROOT, sys; frame = ROOT.RDataFrame('Events', sys.argv[1]);"
        "print(frame.Count().GetValue(), frame.Define('n', 'Sum(Muon_passed)').Sum('n').GetValue(),"
        " frame.Sum('Jet_pt').GetValue(), ROOT.RDataFrame('Runs', sys.argv[1])"
        ".Sum('genEventSumw').GetValue())"
    )
    printed = subprocess.check_output([sys.executable, "-W", "ignore", "-c", script, str(path)])
    wanted = expected(files)
    numbers = [len(wanted), ak.sum(wanted.Muon_pt > 7), ak.sum(wanted.Jet_pt), 4.5]
    np.testing.assert_allclose([float(x) for x in printed.split()], numbers)


@pytest.mark.parametrize("format", FORMATS)
def test_sums_of_weights_are_of_all_files_once(files, tmp_path, format):
    empty = written(
        tmp_path / "empty.root", {name: x[:0] for name, x in content(1).items()}, (9.0,)
    )
    path = tmp_path / "skim.root"
    for number in (1, 2):
        declared = analysis(keep=["Muon_*", "HLT_*"], path=path, format=format, files=number)
        result = run(declared, [*files, empty], partition_size=11)
        runs = [read(each, "Runs") for each in result.skim.paths]
        assert [len(each) for each in runs] == [4, 0][:number]
        assert runs[0].genEventSumw.to_list() == [0.5, 1.5, 2.5, 9.0]
        assert runs[0].LHEScaleSumw.to_list() == [[w, 2 * w] for w in (0.5, 1.5, 2.5, 9.0)]
        assert sum(len(read(each)) for each in result.skim.paths) == len(expected(files))
    kept = {"HLT_Mu8", "Muon_pt", "Muon_charge", "Muon_isPF"}
    assert {*read(path.with_stem("skim_1of2")).fields} - {"nMuon"} == kept


def test_missing_events_are_told_beside_whole_sums(files, tmp_path):
    broken = tmp_path / "broken.root"
    data = bytearray(Path(files[0]).read_bytes())
    with uproot.open(files[0]) as file:
        cursor = file["Events"]["Muon_pt"].member("fBasketSeek")[0]
    data[cursor + 90 : cursor + 130] = bytes(40)
    broken.write_bytes(data)
    result = run(analysis(path=tmp_path / "skim.root"), [broken, files[1]])
    assert not result.is_complete
    assert any("sums of weights in it are larger" in told for told in result.warnings)
    assert len(read(tmp_path / "skim.root", "Runs")) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep": "Muno_*"}, r"keep='Muno_\*' fits no branch of tree Events.* 'Muon_\*'"),
        ({"keep": ["Muon_*", "Muon_pz"]}, "keep='Muon_pz' fits no branch.*'Muon_pt'"),
        ({"drop": "HLT*Mu9"}, r"drop='HLT\*Mu9' fits no branch"),
        ({"drop": "*"}, "leave nothing of tree Events"),
        ({"trees": ["Runz"]}, "trees='Runz' fits no other tree"),
    ],
)
def test_patterns_that_fit_nothing(files, tmp_path, options, words):
    with pytest.raises(BranchError, match=words):
        run(analysis(path=tmp_path / "skim.root", **options), files)
    assert os.listdir(tmp_path) == []


def test_what_is_refused_before_the_run(files, tmp_path):
    with pytest.raises(AnalysisError, match="format='parquet': a skim is written as ttree or"):
        ff.skim(format="parquet")
    with pytest.raises(AnalysisError, match="has no place: give path="):
        run(analysis(), files)
    with pytest.raises(AnalysisError, match="all that a skim has are selected"):
        ff.Analysis(ff.Selection(events), skim=ff.skim(path="a.root", passed="x"))
    with pytest.raises(AnalysisError, match="writes no skims; use engine='columnar'"):
        run(analysis(path=tmp_path / "skim.root"), files, engine="rdataframe")
    with pytest.raises(AnalysisError, match="make it a branch of its own"):
        run(analysis(path=tmp_path / "skim.root", x=muon.pt / muon.pt.max()), files)
    with pytest.raises(AnalysisError, match="'nMuon', which counts the lists of Muon_"):
        run(analysis(path=tmp_path / "skim.root", nMuon=events.run), files)
    with pytest.raises(AnalysisError, match="from which it is made"):
        run(analysis(path=files[0]), files)


def test_the_report_tells_what_it_holds(files, tmp_path):
    declared = analysis(keep=["run", "Muon_*"], drop="*PF", path=tmp_path / "s.root", passed="ok")
    result = run(declared, files)
    page = ff.report.write(tmp_path / "report.html", result, analysis=declared).read_text("utf-8")
    assert "events with run, Muon_* without *PF, and ok" in page
    assert f"skim: {len(result.skim)} rows in {tmp_path}/s.root" in repr(result)
    assert "skim (skim)" in repr(declared)


def test_a_folder_for_each_dataset(files, tmp_path):
    data = {"a": ff.dataset(files[:1], name="a"), "b": ff.dataset(files[1:], name="b")}
    results = analysis().run(data, output=tmp_path, progress=False)
    for name, result in results.items():
        assert result.skim.paths == (str(tmp_path / name / "skim.root"),)
    loaded = ff.load(tmp_path)
    assert len(loaded["b"].skim) == len(expected(files[1:]))
    manifest = json.loads((tmp_path / "b" / "skim.root.manifest.json").read_text())
    assert manifest["rows"] == len(expected(files[1:]))


@pytest.mark.parametrize("format", FORMATS)
def test_resumed_is_as_undisturbed(files, tmp_path, format):
    late, away = tmp_path / "late.root", tmp_path / "away"
    away.write_bytes(Path(files[1]).read_bytes())
    declared = analysis(path=tmp_path / "skim.root", format=format, passed="Muon_passed")
    partial = run(declared, [files[0], late, files[2]])
    assert len(partial.failures) == 1
    assert len(read(tmp_path / "skim.root", "Runs")) == 2
    os.rename(away, late)
    whole = partial.resume(progress=False)
    assert whole.is_complete
    assert read(tmp_path / "skim.root").event.to_list() == expected(files).event.to_list()
    assert read(tmp_path / "skim.root").label.to_list() == expected(files).label.to_list()
    assert read(tmp_path / "skim.root", "Runs").genEventSumw.to_list() == [0.5, 1.5, 2.5]


def test_blocks_of_few_bytes_give_the_same(files, tmp_path, monkeypatch):
    monkeypatch.setattr("flavorframe._snapshots.writing.MOST_BYTES", 2000)
    monkeypatch.setattr("flavorframe._snapshots.reading.BLOCK", 7)
    run(analysis(path=tmp_path / "skim.root", files=3), files, partition_size=5)
    found = ak.concatenate([read(tmp_path / f"skim_{i}of3.root") for i in (1, 2, 3)])
    assert found.Muon_pt.to_list() == expected(files).Muon_pt.to_list()
    assert found.event.to_list() == expected(files).event.to_list()


def test_with_a_cache_and_another_cut(files, tmp_path):
    path, cache = tmp_path / "skim.root", tmp_path / "cache"
    for threshold in (3, 7, 5, 7):
        declared = ff.Analysis(
            ff.Selection(muon)
            .cut("hlt", events.hlt.fired("HLT_Mu8"))
            .cut("pt", muon.pt > threshold),
            skim=ff.skim(path=path, passed="Muon_passed", n=muon.pt.count()),
        )
        run(declared, files, cache=cache)
        found = read(path)
        assert ak.all(found.n == ak.sum(found.Muon_pt > threshold, axis=1))
        assert ak.all(found.n > 0)
        assert ak.all(found.Muon_passed == (found.Muon_pt > threshold))
    assert found.event.to_list() == expected(files).event.to_list()


@pytest.mark.parametrize("format", FORMATS)
def test_without_a_selected_event_there_are_branches_and_sums(files, tmp_path, format):
    path = tmp_path / "skim.root"
    result = run(analysis(path=path, format=format, passed="Muon_passed"), files[2:])
    assert (len(result.skim), len(read(path))) == (0, 0)
    assert {*content(1), "Muon_passed"} <= {*read(path).fields}
    assert read(path, "Runs").genEventSumw.to_list() == [2.5]
    again = run(ff.Analysis(ff.Selection(muon).cut("good", GOOD)), [path])
    assert again.events == 0


@pytest.mark.parametrize("part", [muon[muon.charge > 0], ff.pairs(muon)])
def test_which_candidates_of_parts_and_pairs_passed(files, tmp_path, part):
    path = tmp_path / "skim.root"
    value = part.pt if part.axis.name.startswith("muon") else part.members[0].pt
    selection = ff.Selection(part).cut("good", value > 7)
    declared = ff.Analysis(selection, skim=ff.skim(path=path, passed="passed", value=value))
    run(declared, files)
    found = read(path)
    if part.axis.name.startswith("muon"):
        assert found.passed.to_list() == ((found.Muon_pt > 7) & (found.Muon_charge > 0)).to_list()
    else:
        assert found.passed.to_list() == (found.value > 7).to_list()
        assert ak.num(found.passed).to_list() == ak.num(ak.combinations(found.Muon_pt, 2)).to_list()
    assert ak.all(ak.any(found.passed, axis=1))


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_in_batch_jobs(files, tmp_path, jobs):
    declared = analysis(path=tmp_path / "skim.root", passed="Muon_passed")
    data = ff.dataset(files)
    result = result_of(in_jobs(declared.plan, data, jobs, tmp_path))
    assert result.is_complete
    assert read(tmp_path / "skim.root").event.to_list() == expected(files).event.to_list()
    assert read(tmp_path / "skim.root", "Runs").genEventSumw.to_list() == [0.5, 1.5, 2.5]


@pytest.mark.xdist_group("dask")
def test_on_dask(files, tmp_path, client):
    result = run(analysis(path=tmp_path / "skim.root"), files, on=client)
    assert result.is_complete
    assert read(tmp_path / "skim.root").event.to_list() == expected(files).event.to_list()
    assert read(tmp_path / "skim.root", "Runs").genEventSumw.to_list() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize("format", FORMATS)
def test_objects_and_split_names_of_a_real_file(tmp_path, format):
    if "FLAVORFRAME_DATA" not in os.environ:
        pytest.skip("FLAVORFRAME_DATA, the folder of real files, is not set")
    source = Path(os.environ["FLAVORFRAME_DATA"]) / "treemaker.root"
    selection = ff.Selection(events).cut("HT", events["HT"] > 200)
    path = tmp_path / "skim.root"
    result = run(ff.Analysis(selection, skim=ff.skim(path=path, format=format)), [source])
    refused = [told for told in result.warnings if "an RNTuple allows no such names" in told]
    assert len(result.warnings) == len(refused) == (format == "rntuple")
    assert all("leaves out Electrons.pt, Electrons.eta" in told for told in refused)
    with uproot.open(source) as file:
        names = ["HT", "EvtNum", "Muons_tightID", "Jets_bDiscriminatorCSV"]
        wanted = next(iter(file.values(filter_classname="TTree"))).arrays(names)
    assert read(path)[names].to_list() == wanted[wanted.HT > 200].to_list()


@pytest.mark.parametrize("format", FORMATS)
def test_one_row_a_candidate(tmp_path, sample, format):
    t, path = events.triplet, tmp_path / "skim.root"
    source = write_rows(sample("nano"), tmp_path / "rows.root", rows_per_basket=97)
    selection = ff.Selection(t).cut("hlt", events.hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*"))
    selection = selection.cut("mass", t.mass.between(1.62, 2.02))
    declared = ff.Analysis(selection, n=ff.hist(t.mass.count(), bins=9, range=(0, 9)),
                           skim=ff.skim(path=path, format=format, tree="DecayTree", passed="good",
                                        n_good=t.mass.count(), twice=2 * t.pt))  # fmt: skip
    whole = declared.run(ff.dataset(source, layout=LAYOUT), progress=False)
    found, stored = read(path, "DecayTree"), read(source, "DecayTree")
    assert len(whole.skim) == len(found) > np.count_nonzero(found.good) > 10
    assert np.count_nonzero(found.good) == whole.cutflow[-1].candidates
    keys = [[*zip(rows.run, rows.luminosityBlock, rows.event, strict=True)]
            for rows in (found, stored)]  # fmt: skip
    chosen = {*keys[0]}
    kept = stored[[key in chosen for key in keys[1]]]
    for name in stored.fields:
        np.testing.assert_array_equal(found[name], kept[name], name)
    assert ak.all(found.good == ((found.triplet_mass >= 1.62) & (found.triplet_mass < 2.02)))
    histogram = ff.Analysis(selection, n=dict(declared.outputs)["n"])
    again = histogram.run(ff.dataset(path, layout=LAYOUT), progress=False)
    assert again.cutflow[-1].candidates == whole.cutflow[-1].candidates
    np.testing.assert_array_equal(again.n.values(flow=True), whole.n.values(flow=True))
    pairs = ff.Analysis(selection, skim=ff.skim(path=path, x=ff.pairs(t).members[0].pt))
    with pytest.raises(AnalysisError, match="values per triplet or event only"):
        pairs.run(ff.dataset(source, layout=LAYOUT), progress=False)


# Files that differ


def test_types_are_promoted_in_any_order(tmp_path):
    single = written(tmp_path / "single.root", content(1))
    double = written(tmp_path / "double.root", content(2, kind=np.float64))
    for order in ((single, double), (double, single)):
        run(analysis(path=tmp_path / "skim.root", drop="label"), order)
        found = read(tmp_path / "skim.root")
        assert str(found.Muon_pt.type).endswith("var * float64")
        assert found.Muon_pt.to_list() == expected(order).Muon_pt.to_list()


def test_what_one_file_lacks_is_refused_or_given_a_value(files, tmp_path):
    few = {name: values for name, values in content(5).items() if name != "Muon_isPF"}
    other = written(tmp_path / "few.root", few)
    for order in ((files[0], other), (other, files[0])):
        result = run(analysis(path=tmp_path / "skim.root"), order)
        (failure,) = result.failures
        assert failure.file == order[1]
        assert "would copy Muon_isPF" in failure.reason
    given = analysis(path=tmp_path / "skim.root", Muon_isPF=muon["Muon_isPF"].default(True))
    result = run(given, (files[0], other))
    assert result.is_complete
    found = read(tmp_path / "skim.root").Muon_isPF
    assert found[: len(expected(files[:1]))].to_list() == expected(files[:1]).Muon_isPF.to_list()
    assert ak.all(found[len(expected(files[:1])) :])


def test_lists_of_strings_and_vectors(tmp_path, sample):
    source, t = sample("bph", events=300), events.triplet
    declared = ff.Analysis(
        ff.Selection(t).cut("hlt", events.hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*"))
        .cut("mass", t.mass.between(1.6, 2.1)),
        skim=ff.skim(path=tmp_path / "skim.root", format="rntuple"),
    )  # fmt: skip
    whole = run(declared, [source])
    assert whole.warnings == ()
    again = run(ff.Analysis(declared.selection), [tmp_path / "skim.root"])
    assert again.cutflow[-1].candidates == whole.cutflow[-1].candidates > 10
    assert again.cutflow[-1].events == again.events

    as_tree = ff.Analysis(ff.Selection(t).cut("mass", t.mass.between(1.6, 2.1)),
                          skim=ff.skim(path=tmp_path / "tree.root"))  # fmt: skip
    result = run(as_tree, [source])
    assert any("leaves out Trigger_" in told and "rntuple" in told for told in result.warnings)
    again = run(ff.Analysis(as_tree.selection), [tmp_path / "tree.root"])
    assert again.cutflow[-1].candidates == result.cutflow[-1].candidates > 10
