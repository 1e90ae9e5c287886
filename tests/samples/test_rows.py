"""One row a candidate: the layouts ``lhcb`` and ``belle2`` hold what was generated."""

import numpy as np
import pytest
import uproot

from flavorframe.errors import SampleError
from flavorframe.samples import (
    CORNER_CASES,
    Events,
    concatenate,
    corner_case,
    generate,
    write_corner_case,
    write_file,
)
from flavorframe.samples.belle2 import branches as belle2_branches
from flavorframe.samples.bph import import_root
from flavorframe.samples.files import TREES
from flavorframe.samples.lhcb import LINES, branches as lhcb_branches

BRANCHES = {"lhcb": lhcb_branches, "belle2": belle2_branches}
FORMATS = ("ttree", "rntuple")

# Numbers are written alike in both formats, so that for the second those cases do that differ in
# how many rows there are.
CASES = [(name, "ttree") for name in CORNER_CASES] + [
    (name, "rntuple") for name in ("no_events", "one_event", "no_candidates", "split_events")
]

# The types that DaVinci's tools give their branches.
LHCB_TYPES = {
    "uint32_t": "nCandidate runNumber",
    "uint64_t": "eventNumber totCandidates GpsTime",
    "int16_t": "Polarity",
    "int32_t": """
        nPVs nTracks nMuonTracks Ds_ID Ds_TRUEID Ds_ENDVERTEX_NDOF Ds_OWNPV_NDOF
        muplus_ID muplus_TRUEID muplus_MC_MOTHER_ID muminus_ID muminus_TRUEID muminus_MC_MOTHER_ID
        piplus_ID piplus_TRUEID piplus_MC_MOTHER_ID L0MuonDecision L0DiMuonDecision
        Hlt1TrackMuonDecision Hlt1SingleMuonHighPTDecision Hlt1DiMuonLowMassDecision
        Hlt2RareCharmD2PiMuMuOSDecision Hlt2DiMuonDetachedJPsiDecision""",
    "bool": "muplus_isMuon muminus_isMuon "
    + " ".join(f"Ds_{line}_{kind}" for line in LINES for kind in ("Dec", "TIS", "TOS")),
    "double": """
        Ds_M Ds_P Ds_PT Ds_PX Ds_PY Ds_PZ Ds_PE Ds_ETA Ds_PHI Ds_Q Ds_ENDVERTEX_X Ds_ENDVERTEX_Y
        Ds_ENDVERTEX_Z Ds_OWNPV_X Ds_OWNPV_Y Ds_OWNPV_Z Ds_ENDVERTEX_CHI2 Ds_FD_OWNPV
        Ds_FDCHI2_OWNPV Ds_DIRA_OWNPV muplus_M muplus_P muplus_PT muplus_PX muplus_PY muplus_PZ
        muplus_PE muplus_ETA muplus_PHI muplus_PIDmu muplus_IP_OWNPV muminus_M muminus_P muminus_PT
        muminus_PX muminus_PY muminus_PZ muminus_PE muminus_ETA muminus_PHI muminus_PIDmu
        muminus_IP_OWNPV piplus_M piplus_P piplus_PT piplus_PX piplus_PY piplus_PZ piplus_PE
        piplus_ETA piplus_PHI piplus_IP_OWNPV piplus_IPCHI2_OWNPV piplus_TRACK_CHI2NDOF""",
}

# Those of basf2: counters by themselves, variables as they are registered.
BELLE2_TYPES = {
    "int32_t": "__candidate__ __experiment__ __run__ __production__ __ncandidates__ nTracks",
    "uint32_t": "__event__",
    "double": """
        __weight__ L1Trigger M InvM dM p pt px py pz E theta phi charge chiProb x y z IPX IPY IPZ dr
        distance significanceOfDistance cosAngleBetweenMomentumAndVertexVector isSignal mcPDG
        mup_p mup_pt mup_px mup_py mup_pz mup_E mup_theta mup_phi mup_charge mup_d0 mup_mcPDG
        mup_genMotherPDG mup_muonID mum_p mum_pt mum_px mum_py mum_pz mum_E mum_theta mum_phi
        mum_charge mum_d0 mum_mcPDG mum_genMotherPDG mum_muonID pi_p pi_pt pi_px pi_py pi_pz pi_E
        pi_theta pi_phi pi_charge pi_d0 pi_mcPDG pi_genMotherPDG pi_d0Err pi_z0 pi_z0Err""",
}
TYPES = {"lhcb": LHCB_TYPES, "belle2": BELLE2_TYPES}

# Branch → field of the candidates, and what one of the field's unit is in that of the branch.
LHCB_FIELDS = {
    "Ds_M": ("mass", 1000),
    "Ds_PT": ("pt", 1000),
    "Ds_ETA": ("eta", 1),
    "Ds_PHI": ("phi", 1),
    "Ds_Q": ("charge", 1),
    "Ds_ENDVERTEX_CHI2": ("vertex_chi2", 1),
    "Ds_ENDVERTEX_X": ("vertex_x", 10),
    "Ds_ENDVERTEX_Y": ("vertex_y", 10),
    "Ds_ENDVERTEX_Z": ("vertex_z", 10),
    "Ds_OWNPV_X": ("pv_x", 10),
    "Ds_OWNPV_Y": ("pv_y", 10),
    "Ds_OWNPV_Z": ("pv_z", 10),
    "Ds_FD_OWNPV": ("flight3d_distance", 10),
    "piplus_PT": ("track_pt", 1000),
    "piplus_ETA": ("track_eta", 1),
    "piplus_PHI": ("track_phi", 1),
}
BELLE2_FIELDS = {
    "M": ("mass", 1),
    "pt": ("pt", 1),
    "phi": ("phi", 1),
    "charge": ("charge", 1),
    "x": ("vertex_x", 1),
    "y": ("vertex_y", 1),
    "z": ("vertex_z", 1),
    "IPX": ("pv_x", 1),
    "IPY": ("pv_y", 1),
    "IPZ": ("pv_z", 1),
    "dr": ("flight_distance", 1),
    "distance": ("flight3d_distance", 1),
    "significanceOfDistance": ("flight3d_significance", 1),
    "pi_pt": ("track_pt", 1),
    "pi_phi": ("track_phi", 1),
    "pi_d0": ("track_dxy", 1),
}
FIELDS = {"lhcb": LHCB_FIELDS, "belle2": BELLE2_FIELDS}


@pytest.fixture(scope="module", params=["data", "simulation"])
def generated(request) -> Events:
    return generate(3000, seed=3, kind=request.param)


@pytest.fixture(scope="module")
def stored(generated, tmp_path_factory):
    """The columns of a file of each layout, by its name."""
    folder, found = tmp_path_factory.mktemp("rows"), {}
    for layout in BRANCHES:
        found[layout] = read(write_file(folder / f"{layout}.root", events=generated, layout=layout))
    return found


def read(path):
    with uproot.open(path) as file:
        (tree,) = (file[name] for name in TREES.values() if name in file)
        return tree.arrays(library="np")


def assert_equal(stored: np.ndarray, expected: np.ndarray) -> None:
    assert np.array_equal(stored, expected, equal_nan=expected.dtype.kind == "f")


def repeated(events: Events, values: np.ndarray) -> np.ndarray:
    return np.repeat(values, events.triplet.counts)


@pytest.mark.parametrize("layout", BRANCHES)
def test_names_and_types_are_those_of_the_real_ntuples(tmp_path, layout):
    expected = {name: kind for kind, names in TYPES[layout].items() for name in names.split()}
    path = write_file(tmp_path / "a.root", events=generate(5), layout=layout)
    with uproot.open(path) as file:
        assert file[TREES[layout]].typenames() == expected
        assert file[TREES[layout]].keys() == list(BRANCHES[layout](generate(5)))


@pytest.mark.parametrize("layout", BRANCHES)
def test_a_row_has_the_fields_of_its_candidate(stored, generated, layout):
    for branch, (field, unit) in FIELDS[layout].items():
        assert_equal(stored[layout][branch], unit * generated.triplet.fields[field])


def test_keys_counts_and_positions(stored, generated):
    lhcb, belle2, scalars = stored["lhcb"], stored["belle2"], generated.scalars
    assert_equal(lhcb["runNumber"], repeated(generated, scalars["run"]))
    assert_equal(lhcb["eventNumber"], repeated(generated, scalars["event"]))
    assert_equal(belle2["__event__"], repeated(generated, scalars["event"]))
    run = 10_000 * belle2["__experiment__"] + belle2["__run__"]
    assert_equal(run, repeated(generated, scalars["run"]))
    number = np.concatenate([np.arange(count) for count in generated.triplet.counts])
    for columns, index, total in (
        (lhcb, "nCandidate", "totCandidates"),
        (belle2, "__candidate__", "__ncandidates__"),
    ):
        assert_equal(columns[index], number)
        assert_equal(columns[total], repeated(generated, generated.triplet.counts))


def test_numbers_of_the_event_are_on_each_of_its_rows(stored, generated):
    lhcb, belle2, scalars = stored["lhcb"], stored["belle2"], generated.scalars
    assert_equal(lhcb["nPVs"], repeated(generated, scalars["PV_npvs"]))
    assert_equal(lhcb["nMuonTracks"], repeated(generated, generated.muon.counts))
    for columns in (lhcb, belle2):
        assert_equal(columns["nTracks"], repeated(generated, generated.track.counts))
    weight = scalars.get("genWeight", np.ones(len(generated)))
    assert_equal(belle2["__weight__"], repeated(generated, weight).astype(float))
    assert (np.diff(lhcb["GpsTime"].astype(int)) >= 0).all()
    of_run = np.stack([lhcb["runNumber"].astype(int), lhcb["Polarity"]])
    runs = np.unique(lhcb["runNumber"])
    assert np.unique(of_run, axis=1).shape[1] == len(runs), "a run has one polarity"
    assert set(lhcb["Polarity"]) == ({-1, 1} if len(runs) > 1 else {1})


def muons_of(events: Events):
    """Of each candidate, its muons' (pt, dxy, trigger distances, row in the list or -1)."""
    fields, start = events.triplet.fields, events.muon.offsets[events.triplet.event]
    for row in range(len(start)):
        yield [
            (
                fields[f"{mu}_pt"][row],
                fields[f"{mu}_dxy"][row],
                (fields[f"{mu}_trigger_dr"][row], fields[f"{mu}_any_trigger_dr"][row]),
                idx + start[row] if (idx := fields[f"{mu}_idx"][row]) >= 0 else -1,
            )
            for mu in ("mu1", "mu2")
        ]


def test_muons_are_called_by_their_charges(stored, generated):
    lhcb, belle2, lists = stored["lhcb"], stored["belle2"], generated.muon.fields
    alike = 0
    for row, muons in enumerate(muons_of(generated)):
        names = {}
        for pt, dxy, _, listed in muons:
            charge = lists["charge"][listed] if listed >= 0 else None
            names[pt] = (charge, dxy, listed)
        plus, minus = lhcb["muplus_PT"][row], lhcb["muminus_PT"][row]
        assert sorted([plus, minus]) == sorted(1000 * pt for pt in names)
        for name, alias, value in (("muplus", "mup", plus), ("muminus", "mum", minus)):
            (pt,) = (pt for pt in names if 1000 * pt == value)
            charge, dxy, listed = names[pt]
            assert belle2[f"{alias}_pt"][row] == pt
            assert belle2[f"{alias}_d0"][row] == dxy
            assert lhcb[f"{name}_IP_OWNPV"][row] == 10 * abs(dxy)
            assert lhcb[f"{name}_ID"][row] == -13 * belle2[f"{alias}_charge"][row]
            if listed >= 0:
                assert belle2[f"{alias}_charge"][row] == charge
                assert lhcb[f"{name}_isMuon"][row] == lists["isGlobal"][listed]
                assert lhcb[f"{name}_PIDmu"][row] > -1000
            else:
                assert not lhcb[f"{name}_isMuon"][row]
                assert lhcb[f"{name}_PIDmu"][row] == -1000
                assert np.isnan(belle2[f"{alias}_muonID"][row])
        if belle2["mup_charge"][row] == belle2["mum_charge"][row]:
            alike += 1
            assert plus >= minus
        else:
            assert belle2["mup_charge"][row] == 1
    assert alike > 5, "there are like-sign pairs"


def test_charges_add_up(stored, generated):
    belle2, lhcb = stored["belle2"], stored["lhcb"]
    total = belle2["mup_charge"] + belle2["mum_charge"] + belle2["pi_charge"]
    assert_equal(total, generated.triplet.fields["charge"].astype(float))
    assert_equal(lhcb["piplus_ID"], 211 * belle2["pi_charge"])
    assert_equal(lhcb["Ds_ID"], 431 * np.sign(belle2["charge"]))


def test_likelihoods_tell_identified_muons(stored):
    lhcb, belle2 = stored["lhcb"], stored["belle2"]
    known = lhcb["muplus_PIDmu"] > -1000
    ratio = 1 / (1 + np.exp(-lhcb["muplus_PIDmu"][known]))
    assert np.allclose(ratio, belle2["mup_muonID"][known])
    identified = lhcb["muplus_isMuon"][known]
    assert belle2["mup_muonID"][known][identified].mean() > 0.5
    assert belle2["mup_muonID"][known][~identified].mean() < 0.5


@pytest.mark.parametrize("name", ["Ds", "muplus", "muminus", "piplus"])
def test_components_are_of_one_momentum(stored, name):
    lhcb = stored["lhcb"]
    m, p, pt, e, eta, phi = (
        lhcb[f"{name}_{part}"] for part in ("M", "P", "PT", "PE", "ETA", "PHI")
    )
    x, y, z = (lhcb[f"{name}_P{axis}"] for axis in "XYZ")
    assert np.allclose([x, y, z], [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    assert np.allclose(p, np.sqrt(x**2 + y**2 + z**2))
    assert np.allclose(e, np.sqrt(p**2 + m**2))
    alias = {"Ds": "", "muplus": "mup_", "muminus": "mum_", "piplus": "pi_"}[name]
    belle2 = {
        part: stored["belle2"][alias + part] for part in ("p", "px", "py", "pz", "E", "theta")
    }
    for part, values in (("p", p), ("px", x), ("py", y), ("pz", z), ("E", e)):
        assert np.allclose(1000 * belle2[part], values)
    assert np.allclose(belle2["theta"], 2 * np.arctan(np.exp(-eta)))


def test_masses_of_the_fit_and_of_the_daughters(stored):
    lhcb, belle2 = stored["lhcb"], stored["belle2"]
    assert np.allclose(lhcb["muplus_M"], 105.6583755)
    assert np.allclose(lhcb["piplus_M"], 139.57039)
    parts = [
        sum(lhcb[f"{name}_{part}"] for name in ("muplus", "muminus", "piplus"))
        for part in ("PE", "PX", "PY", "PZ")
    ]
    mass = np.sqrt(parts[0] ** 2 - sum(part**2 for part in parts[1:]))
    assert np.allclose(1000 * belle2["InvM"], mass)
    assert np.std(belle2["InvM"] - belle2["M"]) < 0.01
    assert np.allclose(belle2["M"] - belle2["dM"], 1.96835)


def test_vertex_and_flight(stored, generated):
    lhcb, belle2, fields = stored["lhcb"], stored["belle2"], generated.triplet.fields
    fitted = ~np.isnan(fields["vertex_chi2"])
    assert_equal(lhcb["Ds_ENDVERTEX_NDOF"], np.where(fitted, 3, 0))
    assert_equal(lhcb["Ds_OWNPV_NDOF"], 2 * fields["pv_ntracks"] - 3)
    assert np.allclose(
        np.sqrt(lhcb["Ds_FDCHI2_OWNPV"]), fields["flight3d_significance"], equal_nan=True
    )
    flight = np.stack([lhcb[f"Ds_ENDVERTEX_{i}"] - lhcb[f"Ds_OWNPV_{i}"] for i in "XYZ"])
    along = (flight * [lhcb[f"Ds_P{i}"] for i in "XYZ"]).sum(axis=0)
    cosine = along / np.linalg.norm(flight, axis=0) / lhcb["Ds_P"]
    for pointing in (lhcb["Ds_DIRA_OWNPV"], belle2["cosAngleBetweenMomentumAndVertexVector"]):
        assert np.allclose(pointing, cosine, equal_nan=True)
    # For three degrees of freedom the probability of 7.815 is 5 %.
    assert_equal(belle2["chiProb"][fitted] < 0.05, fields["vertex_chi2"][fitted] > 7.8147279)


def test_tracks_of_pions(stored, generated):
    lhcb, belle2, fields = stored["lhcb"], stored["belle2"], generated.triplet.fields
    rows = fields["track_idx"] + generated.track.offsets[generated.triplet.event]
    track = {name: values[rows] for name, values in generated.track.fields.items()}
    assert_equal(lhcb["piplus_TRACK_CHI2NDOF"], track["normalizedChi2"])
    for branch, name in (("pi_z0", "dz"), ("pi_z0Err", "dzErr"), ("pi_d0Err", "dxyErr")):
        assert_equal(belle2[branch], track[name])
    along = track["dz"] - fields["pv_z"]
    nearest = np.hypot(track["dxy"], along / np.cosh(fields["track_eta"]))
    assert np.allclose(lhcb["piplus_IP_OWNPV"], 10 * nearest)
    chi2 = (track["dxy"] / track["dxyErr"]) ** 2 + (along / track["dzErr"]) ** 2
    assert np.allclose(lhcb["piplus_IPCHI2_OWNPV"], chi2)


def test_truth_can_be_told(stored, generated):
    lhcb, belle2, truth = stored["lhcb"], stored["belle2"], generated.triplet.fields["truth"]
    of_phi = lhcb["muplus_MC_MOTHER_ID"] == 333
    parent = {431: 1, 411: 2, 0: 3}
    told = [parent[abs(i)] if phi else 0 for i, phi in zip(lhcb["Ds_TRUEID"], of_phi, strict=True)]
    assert_equal(np.array(told), truth)
    assert_equal(belle2["isSignal"] == 1, truth == 1)
    genuine = (truth == 1) | (truth == 2)
    assert_equal(np.isnan(belle2["mcPDG"]), ~genuine)
    assert_equal(belle2["mcPDG"][genuine], lhcb["Ds_TRUEID"][genuine].astype(float))
    assert (np.sign(lhcb["Ds_TRUEID"]) == lhcb["Ds_ID"] // 431)[genuine].all()
    assert (lhcb["muminus_TRUEID"] == lhcb["muminus_ID"]).all()
    # Some tracks are a muon again.
    muon_again = abs(lhcb["piplus_TRUEID"]) == 13
    assert 0 < muon_again.mean() < 0.1
    assert not genuine[muon_again].any()
    assert (lhcb["piplus_TRUEID"] == lhcb["piplus_ID"])[~muon_again].all()
    assert (np.sign(lhcb["piplus_TRUEID"]) == -np.sign(lhcb["piplus_ID"]))[muon_again].all()
    assert_equal(abs(lhcb["piplus_MC_MOTHER_ID"]), abs(lhcb["Ds_TRUEID"]))


def test_trigger_decisions_of_events_and_candidates(stored, generated):
    lhcb, decided = stored["lhcb"], generated.hlt | generated.l1
    distances = [[dr for _, _, dr, _ in muons] for muons in muons_of(generated)]
    for line, (path, wanted) in LINES.items():
        fired = repeated(generated, decided[path])
        assert_equal(lhcb[line], fired.astype(np.int32))
        assert_equal(lhcb[f"Ds_{line}_Dec"], fired)
        kind = 0 if path == "HLT_DoubleMu3_Trk_Tau3mu" else 1
        own = np.array([sum(dr[kind] < 0.03 for dr in both) >= wanted for both in distances])
        assert_equal(lhcb[f"Ds_{line}_TOS"], fired & own)
        assert_equal(lhcb[f"Ds_{line}_TIS"], fired & ~own)
    fired = np.any(list(generated.l1.values()), axis=0)
    assert_equal(stored["belle2"]["L1Trigger"], repeated(generated, fired).astype(float))


@pytest.mark.parametrize("layout", BRANCHES)
@pytest.mark.parametrize(("name", "format"), CASES)
def test_corner_case(tmp_path, name, format, layout):
    events = corner_case(name)
    path = write_corner_case(name, tmp_path / "a.root", layout, format=format)
    columns, expected = read(path), BRANCHES[layout](events)
    assert columns.keys() == expected.keys()
    for branch, values in expected.items():
        assert len(values) == events.triplet.counts.sum()
        assert_equal(columns[branch], values)
        assert columns[branch].dtype == values.dtype, branch


@pytest.mark.parametrize("layout", BRANCHES)
def test_nothing_is_known_of_candidates_without_numbers(layout):
    columns = BRANCHES[layout](corner_case("all_nan"))
    decimal = {name for name, values in columns.items() if values.dtype.kind == "f"}
    numbers = {
        "lhcb": "Ds_Q muplus_M muminus_M piplus_M muplus_PIDmu muminus_PIDmu",
        "belle2": """__weight__ L1Trigger charge isSignal mcPDG mup_charge mum_charge pi_charge
        mup_mcPDG mum_mcPDG pi_mcPDG mup_genMotherPDG mum_genMotherPDG pi_genMotherPDG""",
    }[layout].split()
    assert all(np.isnan(columns[name]).all() for name in decimal - set(numbers))
    assert not any(np.isnan(columns[name]).all() for name in numbers)


def cluster_borders(path, layout):
    with uproot.open(path) as file:
        tree = file[TREES[layout]]
        if file.classname_of(TREES[layout]) == "TTree":
            (borders,) = {tuple(branch.entry_offsets) for branch in tree.branches}
        else:
            firsts = [summary.num_first_entry for summary in tree.cluster_summaries]
            borders = (*firsts, tree.num_entries)
    return np.array(borders)


@pytest.mark.parametrize("layout", BRANCHES)
@pytest.mark.parametrize("format", FORMATS)
def test_split_events_go_across_the_borders_of_clusters(tmp_path, layout, format):
    path = write_corner_case("split_events", tmp_path / "a.root", layout, format=format)
    borders = cluster_borders(path, layout)
    assert (np.diff(borders) <= 7).all()
    offsets = corner_case("split_events").triplet.offsets
    inside = ~np.isin(borders, offsets)
    assert inside.sum() > 5
    assert np.searchsorted(borders, offsets[1]) > 4, "the first event is in several clusters"


@pytest.mark.parametrize("layout", BRANCHES)
def test_rows_fill_baskets_of_the_usual_size(tmp_path, layout):
    path = write_file(tmp_path / "a.root", events=generate(4000), layout=layout)
    assert list(cluster_borders(path, layout)[:2]) == [0, 4000]


@pytest.mark.root
@pytest.mark.parametrize("layout", BRANCHES)
@pytest.mark.parametrize("format", FORMATS)
def test_root_reads_all_branches(tmp_path, layout, format):
    events = generate(300)
    path = write_file(
        tmp_path / "a.root", events=events, layout=layout, format=format, entries_per_cluster=50
    )
    frame = import_root().RDataFrame(TREES[layout], str(path))
    expected = BRANCHES[layout](events)
    read = frame.AsNumpy(list(expected))
    for branch, values in expected.items():
        assert_equal(np.asarray(read[branch], values.dtype), values)


def test_pieces_follow_each_other(tmp_path):
    pieces = [generate(30, seed=1), generate(30, seed=2)]
    path = write_file(tmp_path / "a.root", events=pieces, layout="lhcb")
    assert_equal(read(path)["Ds_M"], lhcb_branches(concatenate(pieces))["Ds_M"])


def test_equal_event_numbers_are_of_different_runs():
    columns = lhcb_branches(corner_case("equal_event_numbers"))
    keys = np.unique(np.stack([columns["runNumber"], columns["eventNumber"]]), axis=1)
    numbers = np.unique(columns["eventNumber"])
    assert keys.shape[1] > 1.2 * len(numbers)


def test_candidates_of_three_muons_are_refused(tmp_path):
    with pytest.raises(SampleError, match="layout 'belle2' has no candidates of three muons"):
        write_file(tmp_path / "a.root", events=generate(5, decay="tau3mu"), layout="belle2")
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_has_entries(tmp_path):
    with pytest.raises(SampleError, match="entries_per_cluster=0 must be at least 1"):
        write_file(tmp_path / "a.root", events=generate(5), entries_per_cluster=0)
