"""Momenta as files have them: what they do not store follows from what they do."""

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe import samples
from flavorframe.engines import ENGINES
from flavorframe.errors import BranchError

events = ff.events()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return a file with the vectors of two objects, in two ways."""
    path = tmp_path_factory.mktemp("momenta") / "momenta.root"
    with uproot.recreate(path) as file:
        file["Events"] = {
            "probe_px": np.array([3.0, 0.0]),
            "probe_py": np.array([4.0, -2.0]),
            "probe_pz": np.array([12.0, 0.0]),
            "probe_E": np.array([14.0, 2.5]),
            "tag_PT": np.array([5.0, 1.0]),
            "tag_PZ": np.array([12.0, 0.0]),
            "tag_M": np.array([0.5, 0.1]),
        }
    return path


@pytest.mark.parametrize(
    "engine", [pytest.param(e, marks=[pytest.mark.root] * (e == "rdataframe")) for e in ENGINES]
)
def test_pt_eta_phi_and_mass_follow_from_components(file, engine):
    layout = ff.layout("mine", event={"run": "run"})
    names = ff.events(ff.layout("mine", event={"probe.px": "probe_px", "tag.pt": "tag_PT"}))
    p, tag = names.probe, names.tag
    columns = {"pt": p.pt, "eta": p.eta, "phi": p.phi, "m": p.mass, "tag_eta": tag.eta,
               "tag_m": tag.mass, "E": ff.p4(p).energy}  # fmt: skip
    analysis = ff.Analysis(ff.Selection(names), rows=ff.snapshot(**columns))
    rows = analysis.run(ff.dataset(file, layout=layout), engine=engine, progress=False).rows
    expected = {
        "pt": [5, 2], "eta": np.arcsinh([2.4, 0]), "phi": [np.arctan2(4, 3), -np.pi / 2],
        "m": [27**0.5, 1.5], "tag_eta": np.arcsinh([2.4, 0]), "tag_m": [0.5, 0.1], "E": [14, 2.5],
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_allclose(rows[name], values, rtol=1e-14, err_msg=name)


def test_what_does_not_follow_is_missing_under_its_name(file):
    names = ff.events(ff.layout("mine", event={"tag.pt": "tag_PT"}))
    with pytest.raises(BranchError, match="tag.phi is not in tree Events"):
        ff.Analysis(ff.Selection(names), x=ff.hist(names.tag.phi, bins=[0, 1])).run(
            ff.dataset(file), progress=False
        )


def test_masses_of_lhcb_candidates(tmp_path):
    made = samples.generate(300, seed=2)
    path = samples.write_file(tmp_path / "lhcb.root", events=made, layout="lhcb")
    c = events.candidate
    p = ff.p4(c.muplus) + ff.p4(c.muminus) + ff.p4(c.piplus, mass="pi")
    analysis = ff.Analysis(ff.Selection(c), rows=ff.snapshot(m=p.mass, pt=p.pt, stored=c.Ds.PT))
    rows = analysis.run(ff.dataset(path), progress=False).rows
    with uproot.open(path) as opened:
        stored = opened["DsTuple/DecayTree"].arrays(library="np")
    legs = ("muplus", "muminus", "piplus")
    px, py, pz, energy = (
        sum(stored[f"{leg}_P{axis}"].astype(float) for leg in legs) for axis in "XYZE"
    )
    np.testing.assert_allclose(rows["m"], np.sqrt(energy**2 - px**2 - py**2 - pz**2), rtol=1e-4)
    np.testing.assert_allclose(rows["pt"], np.hypot(px, py), rtol=1e-5)
