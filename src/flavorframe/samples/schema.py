"""The branches of ``nano`` and ``bph``: one line a field, its name and its type in each."""

from __future__ import annotations

from typing import NamedTuple

from flavorframe.samples.record import Decay


class Field(NamedTuple):
    """One quantity: its name and numpy type in memory and in ``nano``, its branch in ``bph``.

    ``bph`` is empty for what only ``nano`` stores (links are by value in ``bph``); ``bph_type`` is
    the C++ type of the number, which is inside a ``std::vector`` in a collection.

    >>> MUON[0]
    Field(name='pt', dtype='float32', bph='MuonPt', bph_type='float')
    """

    name: str
    dtype: str
    bph: str
    bph_type: str


SCALARS = (
    Field("run", "uint32", "run", "unsigned int"),
    Field("luminosityBlock", "uint32", "lumi", "unsigned int"),
    Field("event", "uint64", "evt", "unsigned int"),
    Field("PV_npvs", "int32", "PVCollection_Size", "int"),
    Field("Pileup_nPU", "int32", "nPileUpInt", "unsigned int"),
    Field("genWeight", "float32", "genWeight", "float"),
)

MUON = (
    Field("pt", "float32", "MuonPt", "float"),
    Field("eta", "float32", "MuonEta", "float"),
    Field("phi", "float32", "MuonPhi", "float"),
    Field("energy", "float64", "MuonEnergy", "double"),
    Field("charge", "int32", "MuonCharge", "double"),
    Field("isGlobal", "bool", "Muon_isGlobal", "double"),
    Field("isPF", "bool", "Muon_isPF", "double"),
    Field("isSoft", "bool", "Muon_isSoft", "double"),
    Field("isLoose", "bool", "Muon_isLoose", "double"),
    Field("isTracker", "bool", "Muon_isTrackerMuon", "double"),
    Field("isStandalone", "bool", "Muon_isStandAloneMuon", "double"),
    Field("nStations", "int32", "Muon_numberOfMatchedStations", "double"),
    Field("nTrackerLayers", "int32", "Muon_trackerLayersWithMeasurement", "double"),
)

TRACK = (
    Field("pt", "float64", "Track_pt", "double"),
    Field("eta", "float64", "Track_eta", "double"),
    Field("phi", "float64", "Track_phi", "double"),
    Field("charge", "int32", "Track_charge", "double"),
    Field("dz", "float64", "Track_dz", "double"),
    Field("dxy", "float64", "Track_dxy", "double"),
    Field("dzErr", "float64", "Track_dzError", "double"),
    Field("dxyErr", "float64", "Track_dxyError", "double"),
    Field("normalizedChi2", "float64", "Track_normalizedChi2", "double"),
)


#: What simulation has beside: the place of the generated particle, in ``nano``.
GEN_INDEX = Field("genPartIdx", "int16", "", "")

#: Generated particles, in ``nano`` of simulation.
GEN_PART = (
    Field("pt", "float32", "", ""),
    Field("eta", "float32", "", ""),
    Field("phi", "float32", "", ""),
    Field("mass", "float32", "", ""),
    Field("pdgId", "int32", "", ""),
    Field("genPartIdxMother", "int16", "", ""),
    Field("status", "int32", "", ""),
    Field("statusFlags", "uint16", "", ""),
)


def _point(name: str, bph: str) -> tuple[Field, ...]:
    return tuple(Field(f"{name}_{axis}", "float64", f"{bph}_{axis}", "double") for axis in "xyz")


def _momentum(name: str, bph: str) -> tuple[Field, ...]:
    parts = ("pt", "Pt"), ("eta", "Eta"), ("phi", "Phi")
    return tuple(Field(f"{name}{a}", "float64", f"{bph}_{b}", "double") for a, b in parts)


def _fit(end: str) -> tuple[Field, ...]:
    """What there is of candidates of both decays; ``end`` is what ``bph`` adds to the names."""
    return (
        Field("mass", "float64", f"Triplet{end}_Mass", "double"),
        *_momentum("", f"Triplet{end}"),
        Field("charge", "int32", f"Triplet{end}_Charge", "double"),
        Field("vertex_chi2", "float64", f"TripletVtx{end}_Chi2", "double"),
        Field("vertex_ndof", "float64", f"TripletVtx{end}_NDOF", "double"),
        *_point("vertex", f"TripletVtx{end}"),
        *_point("pv", f"RefittedPV{end}"),
        Field("pv_ntracks", "int32", f"RefittedPV{end}_NTracks", "double"),
        Field("flight_distance", "float64", "FlightDistBS_SV", "double"),
        Field("flight_error", "float64", "FlightDistBS_SV_Err", "double"),
        Field("flight_significance", "float64", "FlightDistBS_SV_Significance", "double"),
        Field("flight3d_distance", "float64", f"FlightDistPVSV{end}", "double"),
        Field("flight3d_error", "float64", f"FlightDistPVSV{end}_Err", "double"),
        Field("flight3d_significance", "float64", f"FlightDistPVSV{end}_Significance", "double"),
    )


_REFITTED = (
    *_momentum("refit1_", "RefTrack1"),
    *_momentum("refit2_", "RefTrack2"),
    *_momentum("refit3_", "RefTrack3"),
)

#: Candidates of Ds → φπ, of two muons and a track.
TRIPLET = (
    *_fit("2"),
    Field("relative_isolation", "float64", "Triplet_relativeiso", "double"),
    *_momentum("mu1_", "Mu01"),
    Field("mu1_trigger_dr", "float32", "Mu1_dRtriggerMatch_2017", "float"),
    Field("mu1_any_trigger_dr", "float32", "Mu01_dRtriggerMatch", "float"),
    Field("mu1_dxy", "float64", "dxy_mu1", "double"),
    Field("mu1_idx", "int32", "", ""),
    *_momentum("mu2_", "Mu02"),
    Field("mu2_trigger_dr", "float32", "Mu2_dRtriggerMatch_2017", "float"),
    Field("mu2_any_trigger_dr", "float32", "Mu02_dRtriggerMatch", "float"),
    Field("mu2_dxy", "float64", "dxy_mu2", "double"),
    Field("mu2_idx", "int32", "", ""),
    *_momentum("track_", "Tr"),
    Field("track_dxy", "float64", "dxy_mu3", "double"),
    Field("track_idx", "int32", "", ""),
    *_REFITTED,
    Field("truth", "int32", "Triplet2_Truth", "int"),
)


def _muon_of_three(number: int) -> tuple[Field, ...]:
    return (
        *_momentum(f"mu{number}_", f"Mu{number}"),
        Field(f"mu{number}_trigger_dr", "float32", f"Mu{number}_dRtriggerMatch", "float"),
        Field(f"mu{number}_dxy", "float64", f"dxy_mu{number}", "double"),
        Field(f"mu{number}_dxyErr", "float64", f"dxyErr_mu{number}", "double"),
        Field(f"mu{number}_idx", "int32", "", ""),
    )


#: Candidates of τ → 3μ.
TRIPLET_OF_MUONS = (
    *_fit(""),
    Field("flight3d_chi2", "float64", "FlightDistPVSV_chi2", "double"),
    Field("relative_isolation", "float64", "Triplet_relativeiso", "double"),
    Field("mindca_iso", "float64", "Triplet_mindca_iso", "double"),
    *_muon_of_three(1),
    *_muon_of_three(2),
    *_muon_of_three(3),
    *_REFITTED,
    Field("truth", "int32", "Triplet_Truth", "int"),
)

#: Fields of a collection, and its counter in ``bph``; ``nano`` counters are ``n`` + the name.
Branches = tuple[tuple[Field, ...], str]

#: Collections in memory of the events of each decay.
COLLECTIONS: dict[Decay, dict[str, Branches]] = {
    "dsphipi": {
        "Muon": ((*MUON, GEN_INDEX), "MuonCollectionSize"),
        "Track": ((*TRACK, GEN_INDEX), ""),
        "triplet": (TRIPLET, "TripletCollectionSize2"),
        "GenPart": (GEN_PART, ""),
    },
    "tau3mu": {
        "Muon": ((*MUON, GEN_INDEX), "MuonCollectionSize"),
        "Track": ((*TRACK, GEN_INDEX), ""),
        "triplet": (TRIPLET_OF_MUONS, "TripletCollectionSize"),
        "GenPart": (GEN_PART, ""),
    },
}
