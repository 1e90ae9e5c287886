import json

import pytest
import uproot

from flavorframe.errors import SampleError
from flavorframe.samples import ERAS, generate, write, write_file
from flavorframe.samples.collisions import DATA_MIXTURE
from flavorframe.samples.eras import EVENTS_PER_FB


def read(path):
    return json.loads(path.read_text())


def test_catalogue_names_the_files_and_scales_the_luminosity(tmp_path):
    catalogue = write(tmp_path, eras=("2017B", "2017D"), fraction=2e-3, files_per_era=3)
    assert catalogue == tmp_path / "catalog.json"
    entries = read(catalogue)
    assert list(entries) == ["2017B", "2017D"]
    assert entries["2017D"] == {
        "type": "data",
        "skim": "dsphipi",
        "rootpath": "SkimPhiPi_Run2017D/",
        "files": "Tree_PhiPi_1.root Tree_PhiPi_2.root Tree_PhiPi_3.root",
        "era": "2017D",
        "lumi": pytest.approx(0.0084),
        "treename": "Events",
    }
    for name, entry in entries.items():
        trees = []
        for file in entry["files"].split():
            with uproot.open(tmp_path / entry["rootpath"] / file) as opened:
                trees.append(opened[entry["treename"]].num_entries)
        assert sum(trees) == round(2e-3 * ERAS[name].lumi * EVENTS_PER_FB)
        assert max(trees) - min(trees) <= 1


@pytest.mark.parametrize(
    ("layout", "tree"), [("lhcb", "DsTuple/DecayTree"), ("belle2", "variables")]
)
def test_catalogue_names_the_tree_of_the_layout(tmp_path, layout, tree):
    entry = read(write(tmp_path, fraction=2e-4, files_per_era=1, layout=layout))["2017B"]
    assert entry["treename"] == tree
    candidates = sum(read(tmp_path / "truth.json")["2017B"]["candidates"].values())
    with uproot.open(tmp_path / entry["rootpath"] / entry["files"]) as file:
        assert file[tree].num_entries == candidates


def test_truth_counts_what_is_in_the_files(tmp_path):
    catalogue = write(tmp_path, fraction=2e-3, files_per_era=1)
    events = generate(2880)
    truth = read(catalogue.with_name("truth.json"))["2017B"]
    assert truth["events"] == sum(truth["generated"].values()) == 2880
    assert truth["events_with_candidates"] == (events.triplet.counts > 0).sum()
    assert truth["generated"]["Ds"] == (events.process == 1).sum()
    assert truth["candidates"] == {
        name: int((events.triplet.fields["truth"] == label).sum())
        for label, name in enumerate(["combinatorial", "Ds", "D+", "phi"])
    }


def test_files_of_an_era_are_different_events(tmp_path):
    entry = read(write(tmp_path, fraction=1e-3))["2017B"]
    numbers = []
    for file in entry["files"].split():
        with uproot.open(tmp_path / entry["rootpath"] / file) as opened:
            numbers += list(opened["Events/event"].array())
    assert len(numbers) == len(set(numbers)) == 1440


def test_simulation_has_the_signal_of_its_luminosity(tmp_path):
    catalogue = write(tmp_path, fraction=0.02, kind="simulation", eras="2017C")
    entry, truth = read(catalogue)["2017C"], read(tmp_path / "truth.json")["2017C"]
    assert (entry["type"], entry["rootpath"]) == ("simulation", "SkimPhiPi_Simulation2017C/")
    expected = round(0.02 * 9.6 * EVENTS_PER_FB * DATA_MIXTURE["dsphipi"][1])
    assert truth["events"] == truth["generated"]["Ds"] == expected


def test_samples_of_tau3mu_are_called_so(tmp_path):
    write(tmp_path, fraction=0.01, kind="simulation", eras="2017C", files_per_era=1, decay="tau3mu")
    entry, truth = read(tmp_path / "catalog.json"), read(tmp_path / "truth.json")["2017C"]
    assert entry["2017C"]["skim"] == "tau3mu"
    assert entry["2017C"]["rootpath"] == "SkimTau3Mu_Simulation2017C/"
    assert entry["2017C"]["files"] == "Tree_Tau3Mu_1.root"
    assert truth["generated"] == {"combinatorial": 0, "phi": 0, "tau": truth["events"]}
    assert truth["candidates"]["tau"] > 0.3 * truth["events"]


def test_sizes_add_up_for_any_number_of_files(tmp_path):
    write(tmp_path, fraction=1e-5, files_per_era=4)
    assert read(tmp_path / "truth.json")["2017B"]["events"] == 14


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fraction": 0.0}, "fraction=0.0 must be a positive number"),
        ({"fraction": float("nan")}, "fraction=nan must be a positive number"),
        ({"files_per_era": 0}, "files_per_era=0 must be from 1 to 429"),
        ({"eras": ("2016B",)}, "era='2016B' must be one of 2017B, 2017C"),
        ({"kind": "mc"}, "kind='mc' must be one of data, simulation"),
        ({"decay": "phipi"}, "decay='phipi' must be one of dsphipi, tau3mu"),
        ({"decay": "tau3mu", "layout": "lhcb"}, "layout 'lhcb' has no candidates of three muons"),
        (
            {"layout": "bhp"},
            "layout='bhp' must be one of nano, bph, lhcb, belle2. Did you mean 'bph'",
        ),
        ({"format": "tree"}, "format='tree' must be one of ttree, rntuple. Did you mean 'ttree'"),
        ({"compression": "zip"}, "compression='zip' must be one of zstd, zlib, lz4"),
        ({"layout": "bph", "format": "rntuple"}, "layout 'bph' is a TTree"),
        ({"seed": -1}, "seed=-1 must not be negative"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(tmp_path, arguments, message):
    with pytest.raises(SampleError, match=message):
        write(tmp_path / "samples", **{"fraction": 1e-4} | arguments)
    assert not (tmp_path / "samples").exists()


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "samples").touch()
    with pytest.raises(
        SampleError, match=r"cannot write a.root in folder .*samples: (File exists|Not a dir)"
    ):
        write_file(tmp_path / "samples" / "a.root", events=generate(1))


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(SampleError, match="nothing to write"):
        write_file(tmp_path / "a.root", events=[])
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = write_file(tmp_path / "a.root", events=generate(5))
    before = path.read_bytes()

    def broken():
        yield generate(5)
        raise OSError(28, "No space left on device")

    with pytest.raises(SampleError, match=r"cannot write a.root .*: No space left on device"):
        write_file(path, events=broken())
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before
