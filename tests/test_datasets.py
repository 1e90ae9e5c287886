"""Catalogues, datasets and partitions: what is read, what is refused, and how that is said."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from flavorframe.catalogue import catalog
from flavorframe.datasets import Catalog, Dataset, Partition, dataset, split
from flavorframe.errors import DatasetError, FileError

EOS = "root://eosuser.cern.ch//eos/user/f/fsimone/lustre/"
ENTRY = {"type": "data", "files": "a.root b.root", "lumi": 4.8, "treename": "Tree3Mu/ntuple"}


def era(**changes):
    return {"2017B": {**ENTRY, **changes}}


def write(folder, text):
    path = folder / "catalog.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def real_catalog():
    if "FLAVORFRAME_DATA" not in os.environ:
        pytest.skip("FLAVORFRAME_DATA, the folder of real files, is not set")
    return Path(os.environ["FLAVORFRAME_DATA"]) / "dsphipi_2017_catalog.json"


def test_the_real_catalogue(real_catalog):
    eras = catalog(real_catalog, base=EOS)
    assert list(eras) == ["2017B", "2017C", "2017D", "2017E", "2017F"]
    assert [len(era) for era in eras.values()] == [8, 41, 16, 44, 34]
    assert [era.luminosity for era in eras.values()] == [4.8, 9.6, 4.2, 9.3, 10]
    assert {(era.kind, era.tree) for era in eras.values()} == {("data", "Tree3Mu/ntuple")}
    assert eras["2017B"].meta == {"skim": "dsphipi"}
    total = eras.combine("2017")
    assert (len(total), total.luminosity) == (143, pytest.approx(37.9))


def test_a_leading_slash_in_the_real_rootpath_stays_below_base(real_catalog):
    skim = "SkimPhiPi_UL2017_Run2017E_ModFilter_Mini_v2/210131_221822/0000/Tree_PhiPi_1-10.root"
    assert catalog(real_catalog, base=EOS)["2017E"].files[0] == EOS + skim
    assert catalog(real_catalog)["2017E"].files[0] == str(real_catalog.parent / skim)


def test_importing_the_module_leaves_pydantic_alone():
    code = "import sys, flavorframe.datasets; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Where files are


def test_files_are_below_the_folder_of_the_catalogue(tmp_path):
    path = write(tmp_path, json.dumps(era(rootpath="skim")))
    assert catalog(path)["2017B"].files == (f"{tmp_path}/skim/a.root", f"{tmp_path}/skim/b.root")


@pytest.mark.parametrize("base", [EOS, EOS.rstrip("/")])
@pytest.mark.parametrize("rootpath", ["skim", "skim/", "/skim/"])
def test_base_rootpath_and_name_are_joined_by_one_slash(base, rootpath):
    files = catalog(era(files=["a.root"], rootpath=rootpath), base=base)["2017B"].files
    assert files == (EOS + "skim/a.root",)


def test_a_url_that_ends_in_two_slashes_keeps_them():
    files = catalog(era(files="a.root", rootpath="/store"), base="root://host//")["2017B"].files
    assert files == ("root://host//store/a.root",)


@pytest.mark.parametrize("name", ["/data/a.root", "root://host//a.root", "https://host/a.root?x=1"])
def test_absolute_paths_and_urls_are_used_as_they_are(name):
    assert catalog(era(files=name, rootpath="skim"), base=EOS)["2017B"].files == (name,)


def test_a_rootpath_may_be_a_url():
    files = catalog(era(files="a.root", rootpath="root://host//store"))["2017B"].files
    assert files == ("root://host//store/a.root",)


def test_names_in_a_list_may_hold_spaces(tmp_path):
    files = catalog(era(files=["a b.root"]), base=tmp_path)["2017B"].files
    assert files == (f"{tmp_path}/a b.root",)


def test_globs_are_expanded_and_sorted_when_the_dataset_is_asked_for(tmp_path):
    eras = catalog(era(files="*.root"), base=tmp_path)
    assert "files by glob" in repr(eras)
    for name in ("b.root", "a.root", "notes.txt"):
        (tmp_path / name).touch()
    assert eras["2017B"].files == (f"{tmp_path}/a.root", f"{tmp_path}/b.root")


def test_a_glob_without_files_is_told_only_for_its_era(tmp_path):
    eras = catalog({**era(files="none*.root"), "2017C": ENTRY}, base=tmp_path)
    assert len(eras["2017C"]) == 2
    with pytest.raises(DatasetError, match=r"era '2017B': no file matches .*none\*\.root"):
        eras["2017B"]


def test_a_file_that_a_glob_finds_again_would_count_double(tmp_path):
    (tmp_path / "a.root").touch()
    with pytest.raises(DatasetError, match=r"a\.root is listed 2 times"):
        catalog(era(files="a.root *.root"), base=tmp_path)["2017B"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path):
    (tmp_path / "a[1].root").touch()
    assert dataset(tmp_path / "a[1].root").files == (f"{tmp_path}/a[1].root",)


# The catalogue as a mapping


def test_catalog_is_a_mapping():
    eras = catalog({**era(), "2017C": ENTRY})
    assert "2017B" in eras
    assert "2017X" not in eras
    assert eras.get("2017X") is None
    assert eras.get("2017B") == eras["2017B"]
    assert dict(eras).keys() == {"2017B", "2017C"}


def test_an_unknown_era_names_the_nearest():
    with pytest.raises(DatasetError, match=r"no dataset '2017X'\. Did you mean .*'2017B'"):
        catalog(era())["2017X"]
    with pytest.raises(DatasetError, match=r"no dataset 'zzz'\. It has '2017B'\."):
        catalog(era())["zzz"]


def test_select_by_name_era_and_kind():
    eras = catalog({**era(), "DsPhiPi": {"type": "mc", "files": "m.root", "era": "2017B"}})
    assert list(eras.select("Ds*")) == ["DsPhiPi"]
    assert list(eras.select("2017?")) == ["2017B", "DsPhiPi"]
    assert list(eras.select("2017B", kind="data")) == ["2017B"]
    assert list(eras.select(kind="simulation")) == ["DsPhiPi"]
    with pytest.raises(DatasetError, match=r"nothing for '2018\*': it has 2017B, DsPhiPi"):
        eras.select("2018*")


def test_simulation_keeps_its_cross_section_and_unknown_keys_in_meta():
    mc = {"type": "mc", "files": "m.root", "xsec": 12.5, "sumw": 1e6, "generator": "pythia8"}
    sample = catalog({"DsPhiPi": mc})["DsPhiPi"]
    assert sample.kind == "simulation"
    assert sample.luminosity is None
    assert sample.meta == {"cross_section": 12.5, "sumw": 1e6, "generator": "pythia8"}


def test_a_key_beside_the_one_that_it_resembles_is_no_misspelling():
    assert catalog(era(nfiles=2, lumis=3))["2017B"].meta == {"nfiles": 2, "lumis": 3}


# Catalogues that are wrong


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lumi": "ten"}, "key 'lumi': should be a valid number, not 'ten'."),
        ({"lumi": True}, "key 'lumi': should be a valid number, not True."),
        ({"lumi": -1.5}, "key 'lumi': should be greater than or equal to 0, not -1.5."),
        ({"lumi": float("nan")}, "key 'lumi': should be a finite number, not nan."),
        (
            {"type": "dat"},
            "should be 'data', 'mc' or 'simulation', not 'dat'. Did you mean 'data'?",
        ),
        ({"type": None}, "key 'type': should be 'data', 'mc' or 'simulation', not None."),
        ({"files": ""}, "key 'files': lists no file."),
        ({"files": []}, "key 'files': lists no file."),
        ({"files": ["a.root", 3]}, "key 'files': should be a valid string, not 3."),
        ({"files": 7}, "key 'files': should be a valid list, not 7."),
        ({"era": 2017}, "key 'era': should be a valid string, not 2017."),
        ({"root_path": "x"}, "unknown key 'root_path'. Did you mean 'rootpath'?"),
        ({"luminosity": 4.8}, "'lumi' and 'luminosity' mean the same; give one."),
        ({"xsec": 2.0}, "'xsec' belongs to simulation, but 'type' is 'data'."),
        ({1: 2}, "names and keys should be text, not 1."),
    ],
)
def test_a_wrong_entry_names_catalogue_era_and_key(changes, message):
    with pytest.raises(DatasetError) as error:
        catalog({"2017B": {**ENTRY, **changes}})
    assert str(error.value).startswith("catalogue, era '2017B'")
    assert str(error.value).endswith(message)
    assert error.value.__suppress_context__ or error.value.__context__ is None


@pytest.mark.parametrize("key", ["type", "files"])
def test_a_required_key(key):
    entry = {name: value for name, value in ENTRY.items() if name != key}
    with pytest.raises(DatasetError, match=f"era '2017B' has no '{key}', which is required"):
        catalog({"2017B": entry})


def test_a_misspelt_required_key_is_named():
    with pytest.raises(DatasetError, match=r"unknown key 'flies'\. Did you mean 'files'"):
        catalog({"2017B": {"type": "data", "flies": "a.root"}})


def test_a_file_named_twice_would_count_double():
    with pytest.raises(
        DatasetError, match=r"key 'files': .*/a\.root is listed 2 times; its events"
    ):
        catalog(era(files="a.root b.root a.root"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"2017B":\n  {"type" "data"}}', r"line 2, column 11: Expecting ':' delimiter"),
        ('{"2017B": {}, "2017B": {}}', "gives '2017B' twice in one object"),
        ("[1]", "should be an object of eras"),
        ("{}", "should be an object of eras"),
        ('{"2017B": 3}', "era '2017B': should be an object with 'type' and 'files', not 3"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DatasetError, match=message) as error:
        catalog(path)
    assert str(error.value).startswith(str(path))


def test_an_unreadable_catalogue(tmp_path):
    with pytest.raises(FileError, match=r"none\.json: No such file"):
        catalog(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="not a text file in UTF-8"):
        catalog(tmp_path / "binary.json")


def test_names_of_eras_are_text():
    with pytest.raises(DatasetError, match="names and keys should be text, not 2017"):
        catalog({2017: ENTRY})


# Datasets


def test_dataset_from_a_folder_a_glob_and_a_path_object(tmp_path):
    for name in ("b.root", "a.root", "notes.txt"):
        (tmp_path / name).touch()
    both = (f"{tmp_path}/a.root", f"{tmp_path}/b.root")
    assert dataset(tmp_path).files == both
    assert dataset(f"{tmp_path}/*.root").files == both
    assert dataset(tmp_path / "a.root").files == both[:1]
    assert dataset(tmp_path / name for name in ("a.root", "b.root")).files == both


def test_relative_paths_are_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert dataset("a.root").files == (f"{tmp_path}/a.root",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"files": []}, "dataset 'dataset' has no files"),
        ({"files": "none*.root"}, r"no file matches .*none\*\.root"),
        ({"files": "root://*//a.root"}, "a wildcard in the name of the server"),
        ({"files": ["a.root", "a.root"]}, r"a\.root is listed 2 times"),
        ({"files": "a.root", "luminosity": -1}, "luminosity should be zero or more, not -1"),
        ({"files": "a.root", "kind": "dat"}, "kind 'dat' is not 'data' or 'simulation'"),
    ],
)
def test_a_wrong_dataset(arguments, message):
    with pytest.raises(DatasetError, match=message):
        dataset(**arguments)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DatasetError, match=r"no file matches .*\*\.root"):
        dataset(tmp_path)


def test_adding_datasets_adds_luminosities_and_totals():
    b, c = (
        dataset(f"/{name}.root", name=name, luminosity=lumi, kind="mc")
        for name, lumi in (("B", 1.5), ("C", 2.0))
    )
    total = b + c
    assert (total.name, len(total), total.luminosity, total.kind) == ("B+C", 2, 3.5, "simulation")
    assert (b + dataset("/d.root", name="D", kind="mc")).luminosity is None


def test_adding_simulation_keeps_what_the_two_share():
    meta = {"cross_section": 2.0, "sumw": 10.0, "skim": "x"}
    b = Dataset("B", "2017B", ("b",), kind="simulation", meta=meta)
    c = Dataset("C", "2017C", ("c",), kind="simulation", meta={**meta, "skim": "y"})
    assert (b + c).meta == {"cross_section": 2.0, "sumw": 20.0}
    assert (b + c).era == "2017B+2017C"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Dataset("C", None, ("c",), kind="simulation"), "differ in kind, data and simulation"),
        (Dataset("C", None, ("c",), tree="t"), "differ in tree, None and t"),
        (Dataset("C", None, ("c",), meta={"cross_section": 2}), "differ in cross section"),
        (Dataset("C", None, ("b",)), "b is listed 2 times"),
    ],
)
def test_datasets_that_cannot_be_added(other, message):
    with pytest.raises(DatasetError, match=message):
        Dataset("B", None, ("b",)) + other


def test_head_forgets_what_holds_for_all_files_only():
    full = Dataset("B", None, ("a", "b"), luminosity=4.8, meta={"sumw": 2.0, "skim": "x"})
    assert full.head(1) == Dataset("B", None, ("a",), meta={"skim": "x"})
    assert full.head(9) is full
    with pytest.raises(DatasetError, match="at least one file"):
        full.head(0)


def test_a_dataset_is_frozen_hashable_and_travels():
    one = catalog(era())["2017B"]
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(AttributeError):
        one.name = "other"


def test_representations():
    eras = catalog(era(note="<b>"), base="/data")
    facts = "data, 2 files, 4.8 fb⁻¹, tree 'Tree3Mu/ntuple'"
    assert repr(eras["2017B"]) == f"Dataset '2017B': {facts}"
    assert repr(eras) == f"Catalog 'catalogue':\n  2017B  {facts}"
    assert eras["2017B"]._repr_html_() == (
        '<table class="ff ff-dataset"><caption>2017B: data, 2 files, 4.8 fb⁻¹, '
        "tree &#x27;Tree3Mu/ntuple&#x27;</caption><tr><th>files</th><td>2 files</td></tr>"
        "<tr><th>first file</th><td>/data/a.root</td></tr>"
        "<tr><th>note</th><td>&lt;b&gt;</td></tr></table>"
    )
    assert eras._repr_html_().startswith('<table class="ff ff-catalog"><caption>catalogue<')
    assert isinstance(eras, Catalog)


# Partitions


@given(st.integers(0, 5000), st.integers(1, 700))
def test_split_covers_every_event_once_in_near_equal_ranges(entries, size):
    ranges = split(entries, size)
    assert [i for start, stop in ranges for i in range(start, stop)] == list(range(entries))
    lengths = [stop - start for start, stop in ranges]
    assert max(lengths, default=0) <= size
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
    assert len(ranges) == -(-entries // size)


def test_a_partition_of_no_event():
    with pytest.raises(DatasetError, match="a partition of 0 events"):
        split(10, 0)


def test_the_length_of_a_partition_is_its_events():
    assert len(Partition("a.root", "Events", start=5, stop=9, index=0)) == 4
