"""Layouts: which branch or computation stands for a friendly name."""

import pytest

import flavorframe as ff
from flavorframe._expr.formula import formula
from flavorframe.errors import BranchError, ExpressionError
from flavorframe.layouts import BranchInfo, Schema, bind, recognise
from flavorframe.layouts.base import collection_axis, length_branch
from flavorframe.layouts.checks import check_kinds
from flavorframe.layouts.events import VALUES
from flavorframe.layouts.registry import BUILT_IN

events = ff.events()
t, muon, jet = events.triplet, events.muon, events.jet


def vector(name, kind="float"):
    return BranchInfo(name, f"std::vector<{kind}>", kind, "list")


def scalar(name, kind="int"):
    return BranchInfo(name, kind, kind, "scalar")


def listed(name, kind="float"):
    return BranchInfo(name, f"{kind}[]", kind, "list", "n" + name.split("_")[0])


BPH = Schema(
    "Tree3Mu/ntuple",
    (
        *map(vector, ("Triplet2_Mass", "Mu01_Pt", "Mu02_Pt", "Tr_Pt", "RefTrack1_Pt", "MuonPt")),
        *map(vector, ("Muon_isGlobal", "Muon_isTrackerMuon", "Track_pt", "Track_dz", "PV_x")),
        *map(vector, ("Mu1_dRtriggerMatch_2017", "TripletVtx2_Chi2", "Strange_thing")),
        vector("Trigger_hltname", "string"),
        vector("Trigger_hltdecision", "int"),
        *map(scalar, ("run", "lumi", "evt", "PVCollection_Size")),
        BranchInfo("Vertex_matrix", "TMatrixD", "other", "other"),
    ),
)
NANO = Schema(
    "Events",
    (
        *map(listed, ("Muon_pt", "Muon_isGlobal", "Jet_pt", "Jet_muonIdx1", "triplet_mass")),
        *map(listed, ("triplet_mu1_pt", "triplet_mu1_idx", "FatJet_pt", "Muon_jetIdx")),
        *map(scalar, ("run", "luminosityBlock", "event", "PV_npvs", "MET_pt", "nMuon")),
        *(scalar(name, "bool") for name in ("HLT_Double", "HLT_Mu8", "L1_DoubleMu0")),
    ),
)


def bound(expression, schema):
    return bind(expression.node, recognise(schema), schema)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (t.mass, "Triplet2_Mass"),
        (t.vertex_chi2, "TripletVtx2_Chi2"),
        (t.mu1.pt, "Mu01_Pt"),
        (t.mu1.trigger_dr, "Mu1_dRtriggerMatch_2017"),
        (t.refit1.pt, "RefTrack1_Pt"),
        (t.track.pt, "Tr_Pt"),
        (t.track.dz, "track.match(Track_pt = Tr_Pt).Track_dz"),
        (t.mu1.is_global, "muon.match(MuonPt = Mu01_Pt).Muon_isGlobal ≠ 0"),
        (muon.is_tracker, "Muon_isTrackerMuon ≠ 0"),
        (events.run, "run"),
        (events.luminosity_block, "lumi"),
        (events.event, "evt"),
        (events.n_primary_vertices, "PVCollection_Size"),
        (events.primary_vertex.x, "PV_x"),
        (events["Strange_thing"], "Strange_thing"),
        (t["Strange_thing"], "Strange_thing"),
        (
            events.hlt.fired("HLT_a_v*"),
            "any(Trigger_hltname matches 'HLT_a_v*' and Trigger_hltdecision = 1)",
        ),
    ],
)
def test_bph_names(expression, text):
    assert formula(bound(expression, BPH)) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (t.mass, "triplet_mass"),
        (t.mu1.pt, "triplet_mu1_pt"),
        (t.mu1.is_global, "muon.at(triplet_mu1_idx).Muon_isGlobal ≠ 0"),
        (jet.muon1.pt, "muon.at(Jet_muonIdx1).Muon_pt"),
        (muon.jet.pt, "jet.at(Muon_jetIdx).Jet_pt"),
        (t.mu1.jet.pt, "muon.at(triplet_mu1_idx).jet.at(Muon_jetIdx).Jet_pt"),
        (events.fat_jet.pt, "FatJet_pt"),
        (events.luminosity_block, "luminosityBlock"),
        (events.n_primary_vertices, "PV_npvs"),
        (events["MET_pt"], "MET_pt"),
        (events.hlt.fired("HLT_*"), "HLT_Double or HLT_Mu8"),
        (events.hlt.fired("HLT_Double_v*"), "HLT_Double"),
        (events.hlt.fired("HLT_Double_v7"), "HLT_Double"),
        (events.l1.fired("L1_DoubleMu*"), "L1_DoubleMu0"),
    ],
)
def test_nano_names(expression, text):
    assert formula(bound(expression, NANO)) == text


@pytest.mark.parametrize(
    ("expression", "schema", "message"),
    [
        (t.mas, BPH, "Did you mean 'Triplet2_Mass'"),
        (t.mu1.is_globl, BPH, "Did you mean 'Muon_isGlobal'"),
        (events["Triplet2_Mas"], BPH, "Did you mean 'Triplet2_Mass'"),
        (events["Vertex_matrix"], BPH, "holds TMatrixD"),
        (t["run"], BPH, r"write events\['run'\]"),
        (events.hlt.fired("HLT_Duble"), NANO, "Did you mean 'HLT_Double'"),
        (events.hlt.fired("HLT_Nope*"), NANO, "It has HLT_Double"),
        (events.jets.pt, NANO, "Did you mean 'Jet_pt'"),
        (t.mu1.jets.pt, NANO, "is not in tree Events"),
    ],
)
def test_unknown_names_are_explained(expression, schema, message):
    with pytest.raises(BranchError, match=message):
        bound(expression, schema)


def test_raw_branches_find_their_collection():
    assert bound(events["Muon_isGlobal"], BPH).axis.name == "muon"
    assert bound(events["Mu01_Pt"] + t.mass, BPH).axis.name == "triplet"
    assert bound(events["MET_pt"], NANO).axis.name == "event"
    with pytest.raises(ExpressionError, match="two collections do not combine"):
        bound(events["MuonPt"] > t.mass, BPH)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (events["Trigger_hltname"] > 3, "is a string; test it"),
        (events["Trigger_hltname"].max(), "is a string; test it"),
        (events["MuonPt"].startswith("a"), "is not a string"),
    ],
)
def test_strings_and_numbers_are_kept_apart(expression, message):
    with pytest.raises(ExpressionError, match=message):
        check_kinds(bound(expression, BPH))


def test_names_that_differ_in_case_only_are_ambiguous():
    schema = Schema("Events", (listed("Muon_pt"), listed("Muon_PT")))
    with pytest.raises(BranchError, match="may be Muon_pt or Muon_PT"):
        bound(muon.pt, schema)


def test_recognition():
    assert recognise(BPH).name == "bph"
    assert recognise(NANO).name == "nano"
    assert recognise(Schema("anything", ())).name == "nano"


def counted(name, counter):
    return BranchInfo(name, "float[]", "float", "list", counter)


LINKS = Schema(
    "Events",
    (
        *map(listed, ("GenJet_pt", "GenJetAK8_pt", "GenPart_pdgId", "Muon_pt", "Jet_pt", "X1_pt")),
        *map(listed, ("FatJet_genJetAK8Idx", "GenPart_genPartIdxMother", "Jet_muonIdx2", "X_pt")),
        *map(listed, ("triplet_mu1_idx", "Jet_x1_idx", "Jet_aIdxB", "Jet_ab_idx")),
    ),
)


@pytest.mark.parametrize(
    ("expression", "target", "index"),
    [
        (events.fat_jet.gen_jet_ak8.pt, "genjetak8", "FatJet_genJetAK8Idx"),
        (events.gen_part.gen_part_mother.pdg_id, "genpart", "GenPart_genPartIdxMother"),
        (jet.muon2.pt, "muon", "Jet_muonIdx2"),
        (t.mu1.pt, "muon", "triplet_mu1_idx"),
        (jet.x1.pt, "x1", "Jet_x1_idx"),
    ],
)
def test_nano_links_lead_to_the_collection_that_is_named(expression, target, index):
    found = bound(expression, LINKS)
    assert (found.target.collection, found.index.branch) == (target, index)


def test_a_link_that_fits_two_branches_is_refused():
    with pytest.raises(BranchError, match="Jet_ab_idx or Jet_aIdxB: say which"):
        bound(jet.a_b.pt, LINKS)


COUNTED = Schema(
    "DecayTree",
    (
        *(counted(f"B_{name}", "B_nPV") for name in ("PVX", "PVY")),
        counted("B_DTF_M", "B_DTF_nPV"),
        *(counted(f"mu_{name}", "mu_n") for name in ("pt", "eta")),
        *(counted(f"Jet_{name}", f"nJet_{name}") for name in ("pt", "eta")),
        *(counted(name, "n") for name in ("p", "q")),
        *(counted(f"Muon_{name}", counter) for name, counter in (("pt", "nMuon"), ("x", "Muon_m"))),
    ),
)


@pytest.mark.parametrize(
    ("branch", "collection"),
    [
        ("B_PVX", "bnpv"),
        ("B_PVY", "bnpv"),
        ("B_DTF_M", "bdtfnpv"),
        ("mu_pt", "mu"),
        ("Jet_pt", "jet"),
        ("Jet_eta", "jet"),
        ("p", "n"),
        ("q", "n"),
        ("Muon_pt", "muon"),
        ("Muon_x", "muonm"),
    ],
)
def test_lists_of_several_counters_are_several_collections(branch, collection):
    assert bound(events[branch], COUNTED).on.collection == collection


def test_an_unknown_collection_is_told_with_those_that_there_are():
    with pytest.raises(BranchError, match="no collection 'b'"):
        length_branch(collection_axis("B"), recognise(COUNTED), COUNTED)
    assert length_branch(collection_axis("B_nPV"), recognise(COUNTED), COUNTED) == "B_PVX"


def test_names_with_one_value_an_event_are_those_of_the_layouts():
    assert set(VALUES) == {name for layout in BUILT_IN for name in layout.event}
