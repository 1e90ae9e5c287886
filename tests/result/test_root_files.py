"""What results leave for ROOT, opened with ROOT; and what ROOT leaves, fitted."""

import os
import subprocess
import warnings
from pathlib import Path

import hist
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import FitError

pytestmark = pytest.mark.xdist_group("root")

events = ff.events()
t = events.triplet
mass = ff.axis(t.mass, bins=10, range=(1.65, 2.01), label="m(μμπ) [GeV]")
pt = ff.axis(t.mu1.pt, bins=[0, 3, 5, 20], label="pT [GeV]")
chi2 = ff.axis(t.vertex_chi2, bins=4, range=(0, 20))
OUTPUTS = {
    "mass": ff.hist(mass),
    "two": ff.hist(mass, pt),
    "three": ff.hist(mass, pt, chi2),
    "four": ff.hist(mass, pt, chi2, ff.axis(t.mass + 1, bins=2, range=(2, 3))),
    "rows": ff.snapshot(t.mass, events.run, events.event, t.mu1.trigger_dr, good=t.mass > 1.9,
                        charge=t.charge),
}  # fmt: skip


@pytest.fixture(scope="module")
def root():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ROOT
    ROOT.TH1.AddDirectory(False)
    return ROOT


def results(sample, weighted):
    selection = ff.Selection(t).cut("mass", t.mass > 1.6)
    if weighted:
        selection = selection.weight("pt", t.mu1.pt / 10 - 0.2)
    data = ff.dataset(sample("nano"), name="2017B")
    return ff.Analysis(selection, **OUTPUTS).run(data, progress=False)


@pytest.fixture(scope="module", params=[False, True], ids=["counts", "weights"])
def saved(sample, request, tmp_path_factory):
    """Return a result, and the folder where it was saved."""
    result = results(sample, request.param)
    return result, result.save(tmp_path_factory.mktemp("saved")) / "2017B"


def opened(root, path):
    file = root.TFile(str(path))
    found = {key.GetName(): key.ReadObj() for key in file.GetListOfKeys()}
    file.Close()
    return found


def bins(histogram, what):
    """Return the contents or errors of a ROOT histogram as an array, with the flow bins."""
    axes = (histogram.GetXaxis(), histogram.GetYaxis(), histogram.GetZaxis())
    shape = tuple(axis.GetNbins() + 2 for axis in axes[: histogram.GetDimension()])
    values = np.empty(shape)
    for place in np.ndindex(*shape):
        values[place] = getattr(histogram, f"GetBin{what}")(*place)
    return values


def test_histograms_have_names_titles_labels_contents_and_errors(root, saved):
    result, folder = saved
    found = opened(root, folder / "histograms.root")
    assert sorted(found) == ["mass", "three", "two"]  # ROOT has no form for four axes
    assert [found[name].ClassName() for name in ("mass", "two", "three")] == [
        "TH1D",
        "TH2D",
        "TH3D",
    ]
    for name, histogram in found.items():
        ours = result.outputs[name]
        assert (histogram.GetName(), histogram.GetTitle()) == (name, name)
        axes = [histogram.GetXaxis(), histogram.GetYaxis(), histogram.GetZaxis()]
        for axis, our in zip(axes, ours.axes, strict=False):
            assert axis.GetTitle() == our.label
            edges = [axis.GetBinLowEdge(i) for i in range(1, axis.GetNbins() + 2)]
            np.testing.assert_allclose(edges, our.edges)
        np.testing.assert_array_equal(bins(histogram, "Content"), ours.values(flow=True))
        np.testing.assert_allclose(bins(histogram, "Error") ** 2, ours.variances(flow=True))


def test_mean_is_of_what_lies_in_range(root, saved):
    result, folder = saved
    histogram = opened(root, folder / "histograms.root")["mass"]
    expected = np.average(result.mass.axes[0].centers, weights=result.mass.values())
    assert histogram.GetMean() == pytest.approx(expected)


def test_hadd_adds_what_we_add(root, saved, sample, tmp_path):
    result, folder = saved
    binary = Path(root.__file__).parent / "bin" / "hadd"
    target, file = tmp_path / "sum.root", folder / "histograms.root"
    command = [str(binary), "-f", str(target), str(file), str(file)]
    libraries = os.pathsep.join([str(Path(root.__file__).parent / "lib")])
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    for name, histogram in opened(root, target).items():
        ours = result.outputs[name]
        np.testing.assert_allclose(bins(histogram, "Content"), 2 * ours.values(flow=True))
        np.testing.assert_allclose(bins(histogram, "Error") ** 2, 2 * ours.variances(flow=True))


TYPES = {"mass": ("Double_t", "double"), "run": ("UInt_t", "std::uint32_t"),
         "event": ("ULong64_t", "std::uint64_t"), "mu1_trigger_dr": ("Float_t", "float"),
         "good": ("Bool_t", "bool"), "charge": ("Int_t", "std::int32_t")}  # fmt: skip


@pytest.mark.parametrize(("format", "number"), [("ttree", 0), ("rntuple", 1)])
def test_snapshots_open_in_rdataframe_with_their_types(root, sample, tmp_path, format, number):
    rows = results(sample, weighted=False).rows
    path = rows.to_root(tmp_path / "rows.root", tree="selected", format=format)
    frame = root.RDataFrame("selected", str(path))
    assert {str(name): frame.GetColumnType(name) for name in frame.GetColumnNames()} == {
        name: types[number] for name, types in TYPES.items()
    }
    columns = frame.AsNumpy()
    for name in TYPES:
        np.testing.assert_array_equal(columns[name].astype(rows[name].dtype), rows[name])


@pytest.fixture(scope="module")
def by_root(root, tmp_path_factory):
    """Return a file that ROOT wrote, with a spectrum in several classes, and the same in hist."""
    model = ff.fit.dsphi()
    edges = np.linspace(1.65, 2.01, 63)
    values = (5280, 1840, 63240, 1.968, 0.012, 2, 3, -1.17)
    counts = np.random.default_rng(1).poisson(np.diff(model.cumulative(edges, *values)))
    path = tmp_path_factory.mktemp("root") / "histograms.root"
    file = root.TFile(str(path), "RECREATE")
    for name, kind in (("d", "TH1D"), ("f", "TH1F"), ("i", "TH1I"), ("weighted", "TH1D")):
        histogram = getattr(root, kind)(name, "h_mass;m [GeV]", 62, 1.65, 2.01)
        if name == "weighted":
            histogram.Sumw2()
        for i, count in enumerate(counts, 1):
            histogram.SetBinContent(i, float(count))
            if name == "weighted":
                histogram.SetBinError(i, float(count) ** 0.5)
        file.WriteObject(histogram, name)
    square = root.TH2D("square", "", 3, 1.65, 2.01, 2, 0, 1)
    file.WriteObject(square, "square")
    file.Close()
    same = hist.Hist.new.Reg(62, 1.65, 2.01, label="m [GeV]").Int64()
    same[...] = counts
    return path, same


def read(root, path, how, name):
    if how == "root":
        return opened(root, path)[name]
    with uproot.open(path) as file:
        return file[name].to_hist() if how == "hist" else file[name]


@pytest.mark.parametrize("name", ["d", "f", "i", "weighted"])
@pytest.mark.parametrize("how", ["uproot", "hist", "root"])
def test_histograms_of_root_are_fitted_as_ours(root, by_root, name, how):
    path, same = by_root
    found = ff.fit.dsphi().fit(read(root, path, how, name)).require_valid()
    expected = ff.fit.dsphi().fit(same)
    assert found.data.axis_label == "m [GeV]"
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-3)
    assert found.yields["Ds"].error == pytest.approx(expected.yields["Ds"].error, rel=1e-2)


@pytest.mark.parametrize("how", ["uproot", "hist", "root"])
def test_two_axes_are_refused(root, by_root, how):
    with pytest.raises(FitError, match="a fit needs a histogram of one axis, this one has 2"):
        ff.fit.dsphi().fit(read(root, by_root[0], how, "square"))


def test_names_that_are_equal_in_root_get_a_number(sample, tmp_path):
    by = ff.categories({"η < 1": abs(t.eta) < 1, "η > 1": abs(t.eta) >= 1})
    region = ff.Region(ff.Selection(t), by=by, mass=ff.hist(mass))
    result = ff.Analysis(region).run(ff.dataset(sample("nano")), progress=False)
    with uproot.open(result.save(tmp_path) / "dataset" / "histograms.root") as file:
        found = {key: file[key].values().tolist() for key in file.keys(cycle=False)}
    assert found == dict(
        zip(["mass_η___1", "mass_η___1_2"], result.mass.values().tolist(), strict=True)
    )
