"""Units and masses by name: in each file the number that it is in the units of the file."""

import pickle

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AnalysisError, ExpressionError
from flavorframe.layouts import Schema, bind, recognise

events = ff.events()
t, muon = events.triplet, events.muon
SCHEMA = Schema("Events", ())
MASSES = [1.55, 1.65, 1.75, 1.95, 2.05]
"""Masses of the generated candidates [GeV], one in each event."""


def in_units(expression, **units):
    """Return the number that a constant is in a file with these units."""
    layout = ff.layout("mine", units=units)
    return bind(expression.node, recognise(SCHEMA, layout), SCHEMA).value


@pytest.mark.parametrize(
    ("expression", "units", "number"),
    [
        (1.6 * ff.GeV, {}, 1.6),
        (1.6 * ff.GeV, {"energy": "MeV"}, 1600.0),
        (ff.GeV, {"energy": "TeV"}, 0.001),
        (ff.MeV * 20, {}, 0.02),
        (-(2 * ff.cm), {"length": "mm"}, -20.0),
        (30 * ff.um, {"length": "mm"}, 0.03),
        (ff.mm, {"length": "m"}, 0.001),
    ],
)
def test_a_quantity_is_the_number_that_it_is_in_the_units_of_the_file(expression, units, number):
    assert in_units(expression, **units) == number


def test_quantities_are_written_with_their_units():
    assert repr(t.mass > 1.6 * ff.GeV) == "<triplet.mass > 1.6 GeV, one value per triplet>"
    assert (t.mass / ff.GeV).formula == "triplet.mass / GeV"
    assert (t.mass - ff.particle_mass("D_s+")).formula == "triplet.mass − 1968.35 MeV"
    assert ff.mass(t.mu1, t.mu2, masses="mu").formula == "m(triplet.mu1, triplet.mu2)"


def test_equal_quantities_are_one_and_others_are_not():
    assert (2 * ff.GeV).node is (ff.GeV * 2.0).node
    assert (2 * ff.GeV).node is not (2 * ff.MeV).node
    assert pickle.loads(pickle.dumps(t.mass > 2 * ff.GeV)).node is (t.mass > 2 * ff.GeV).node
    digests = {
        ff.Analysis(ff.Selection(t).cut("m", t.mass > limit)).plan.digest
        for limit in (2 * ff.GeV, 2 * ff.MeV, 2, 2.0)
    }
    assert len(digests) == 4


@pytest.mark.parametrize("name", ["mu", "mu-", "mu+"])
def test_masses_by_name_are_those_of_the_review(name):
    assert in_units(ff.particle_mass(name)) == ff.MUON_MASS
    assert in_units(ff.particle_mass(name), energy="MeV") == 105.6583755
    assert in_units(ff.particle_mass("pi")) == ff.PION_MASS
    assert in_units(2 * ff.particle_mass("pi"), energy="MeV") == 279.14078
    assert in_units(ff.particle_mass("K+")) == ff.KAON_MASS


def test_particles_have_the_names_of_the_review_and_of_evtgen():
    assert ff.particle_mass("D(s)+").node is ff.particle_mass("D_s+").node
    assert ff.particle_mass("pi0").node is not ff.particle_mass("pi").node
    with pytest.raises(ExpressionError, match=r"no particle 'J/ps'. Did you mean 'J/psi"):
        ff.particle_mass("J/ps")
    with pytest.raises(ExpressionError, match=r"The mass of nu\(e\) is not known"):
        ff.particle_mass("nu(e)")
    with pytest.raises(ExpressionError, match="by its name, not by 13"):
        ff.particle_mass(13)
    with pytest.raises(ExpressionError, match="no particle 'mew'"):
        ff.mass(t.mu1, t.mu2, masses="mew")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the paths of a file in GeV, and of one of the same candidates in MeV and mm."""
    folder = tmp_path_factory.mktemp("units")
    found = {}
    for unit, scale in (("GeV", 1.0), ("MeV", 1000.0)):
        lists = {
            "mass": ak.Array([[scale * m] for m in MASSES]),
            "mu1_pt": ak.Array([[scale * (2 + i)] for i in range(5)]),
            "mu2_pt": ak.Array([[scale * (3 - 0.1 * i)] for i in range(5)]),
            **{f"mu{i}_{x}": ak.Array([[0.2 * i + 0.1 * j] for j in range(5)])
               for i in (1, 2) for x in ("eta", "phi")},
        }  # fmt: skip
        path = folder / f"{unit}.root"
        with uproot.recreate(path) as file:
            columns = {"triplet": ak.zip(lists)}
            file.mktree("Events", {name: ak.type(x).content for name, x in columns.items()})
            file["Events"].extend(columns)
        found[unit] = path
    return found


MEV = ff.layout("mev", units={"energy": "MeV", "length": "mm"})


def dataset(files, unit):
    return ff.dataset(files[unit], name=unit, layout=MEV if unit == "MeV" else None)


def analysis():
    dimuon = ff.mass(t.mu1, t.mu2, masses="mu") / ff.GeV
    selection = ff.Selection(t).cut("mass", t.mass.between(1.6 * ff.GeV, 2000 * ff.MeV))
    return ff.Analysis(
        selection,
        mass=ff.hist(t.mass / ff.GeV, bins=5, range=(1.5, 2.0), label="m [GeV]"),
        rows=ff.snapshot(dimuon=dimuon),
    )


@pytest.mark.parametrize("engine", ["columnar", pytest.param("rdataframe", marks=pytest.mark.root)])
def test_an_analysis_in_units_gives_the_same_in_gev_and_in_mev(files, engine):
    gev, mev = (
        analysis().run(dataset(files, unit), progress=False, engine=engine)
        for unit in ("GeV", "MeV")
    )
    assert [row.candidates for row in gev.cutflow] == [5, 3]
    assert mev.cutflow == gev.cutflow
    assert mev.mass.values().tolist() == gev.mass.values().tolist()
    np.testing.assert_allclose(mev.rows["dimuon"], gev.rows["dimuon"], rtol=1e-12)
    assert (gev.provenance.energy, gev.provenance.length) == ("GeV", "cm")
    assert (mev.provenance.energy, mev.provenance.length) == ("MeV", "mm")


def test_results_in_different_units_are_not_added_up(files, tmp_path):
    gev, mev = (analysis().run(dataset(files, u), progress=False) for u in ("GeV", "MeV"))
    message = r"Results of GeV and MeV cannot be added: .* energy in GeV, those of the other in MeV"
    with pytest.raises(AnalysisError, match=message):
        gev + mev
    mev.save(tmp_path / "out")
    (loaded,) = ff.load(tmp_path / "out").values()
    assert loaded.provenance == mev.provenance


def test_files_of_one_dataset_that_differ_in_their_units_are_told(sample):
    counting = ff.Analysis(ff.Selection(events.candidate), run=ff.hist(events.run, bins=[0, 1e7]))
    files = [sample("belle2"), sample("lhcb")]
    result = counting.run(ff.dataset(files), progress=False)
    (failure,) = result.failures
    assert failure.file == str(files[1])
    assert f"the unit of energy is MeV here, and GeV in {files[0]}" in failure.reason
    assert (result.provenance.energy, result.provenance.length) == ("GeV", "cm")
