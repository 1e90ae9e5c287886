"""The ntuples of the published analyses Ds → φπ and τ → 3μ, both with the tree ``Tree3Mu/ntuple``.

Every list is a ``std::vector``. Objects of a candidate are stored with it (``Mu01_Pt``, ``Mu1_Pt``)
and found again in the muon and track lists by their pt. Source of the names: the CMS Run 2 τ → 3μ
ntuple classes, https://github.com/fsimone91/Tau3Mu_Analysis_MVA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flavorframe.layouts.declaring import layout

TREE = "Tree3Mu/ntuple"
EVENT = {
    "run": "run",
    "luminosity_block": "lumi",
    "event": "evt",
    "n_primary_vertices": "PVCollection_Size",
    "n_pileup": "nPileUpInt",
}
OTHER_COLLECTIONS: Mapping[str, Mapping[str, Any]] = {
    "muon": {
        "branches": ["MuonPt", "MuonEta", "MuonPhi", "MuonCharge", "MuonEnergy", "Muon_*"],
        "fields": {"is_tracker": "Muon_isTrackerMuon", "is_standalone": "Muon_isStandAloneMuon"},
    },
    "track": {"branches": ["Track_*"]},
    "hlt": {"branches": ["Trigger_hlt*"]},
    "l1": {"branches": ["Trigger_l1*"]},
    "gen_particle": {"branches": ["GenParticle_*"]},
    "primary_vertex": {
        "branches": ["PV_*"],
        "fields": {"x": "PV_x", "y": "PV_y", "z": "PV_z", "ntracks": "PV_NTracks"},
    },
    "hlt_muon_2017": {
        "branches": ["MuonPt_HLT2017*", "MuonEta_HLT2017*", "MuonPhi_HLT2017*"],
    },
    "hlt_muon": {"branches": ["MuonPt_HLT", "MuonEta_HLT", "MuonPhi_HLT"]},
}
TRIGGERS = {
    menu: {"names": f"Trigger_{menu}name", "decisions": f"Trigger_{menu}decision"}
    for menu in ("hlt", "l1")
}


def _members(members: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the members' momenta, by the start of their branches."""
    return {
        f"{member}.{field}": f"{prefix}_{field.capitalize()}"
        for member, prefix in members.items()
        for field in ("pt", "eta", "phi")
    }


REFITTED = {f"refit{i}": f"RefTrack{i}" for i in (1, 2, 3)}

BPH = layout(
    "bph",
    recognised_by=["Triplet2_Mass", "Mu01_Pt"],
    tree=TREE,
    event=EVENT,
    collections={
        **OTHER_COLLECTIONS,
        "triplet": {
            "branches": [
                "Triplet_*", "Triplet2_*", "TripletVtx2_*", "Mu0[12]_*", "Mu[12]_dR*", "Tr_*",
                "RefTrack[123]_*", "RefittedPV2_*", "FlightDist*", "dxy_mu*", "dxyErr_mu*",
                "DistXY_*",
            ],
            "fields": {
                "mass": "Triplet2_Mass",
                "pt": "Triplet2_Pt",
                "eta": "Triplet2_Eta",
                "phi": "Triplet2_Phi",
                "charge": "Triplet2_Charge",
                "truth": "Triplet2_Truth",
                "vertex_chi2": "TripletVtx2_Chi2",
                "vertex_ndof": "TripletVtx2_NDOF",
                "vertex_x": "TripletVtx2_x",
                "vertex_y": "TripletVtx2_y",
                "vertex_z": "TripletVtx2_z",
                "pv_x": "RefittedPV2_x",
                "pv_y": "RefittedPV2_y",
                "pv_z": "RefittedPV2_z",
                "pv_ntracks": "RefittedPV2_NTracks",
                "flight_distance": "FlightDistBS_SV",
                "flight_error": "FlightDistBS_SV_Err",
                "flight_significance": "FlightDistBS_SV_Significance",
                "relative_isolation": "Triplet_relativeiso",
                "mu1.trigger_dr": "Mu1_dRtriggerMatch_2017",
                "mu2.trigger_dr": "Mu2_dRtriggerMatch_2017",
                "mu1.dxy": "dxy_mu1",
                "mu2.dxy": "dxy_mu2",
                **_members({"mu1": "Mu01", "mu2": "Mu02", "track": "Tr"} | REFITTED),
            },
            "links": {
                "mu1": {"to": "muon", "equal": {"pt": "mu1.pt"}},
                "mu2": {"to": "muon", "equal": {"pt": "mu2.pt"}},
                "track": {"to": "track", "equal": {"pt": "track.pt"}},
            },
        },
    },
    triggers=TRIGGERS,
    lists="alone",
)  # fmt: skip

BPH_TAU3MU = layout(
    "bph_tau3mu",
    recognised_by=["Triplet_Mass", "TripletVtx_Chi2", "Mu1_Pt", "Mu3_Pt"],
    tree=TREE,
    event=EVENT,
    collections={
        **OTHER_COLLECTIONS,
        "triplet": {
            "branches": [
                "Triplet_*", "TripletVtx_*", "Mu[123]_*", "RefTrack[123]_*", "RefittedPV_*",
                "RefittedSV_*", "FlightDist*", "dxy_mu*", "dxyErr_mu*", "GenMatchMu[123]_*",
            ],
            "fields": {
                "mass": "Triplet_Mass",
                "pt": "Triplet_Pt",
                "eta": "Triplet_Eta",
                "phi": "Triplet_Phi",
                "charge": "Triplet_Charge",
                "vertex_chi2": "TripletVtx_Chi2",
                "vertex_ndof": "TripletVtx_NDOF",
                "vertex_x": "TripletVtx_x",
                "vertex_y": "TripletVtx_y",
                "vertex_z": "TripletVtx_z",
                "pv_x": "RefittedPV_x",
                "pv_y": "RefittedPV_y",
                "pv_z": "RefittedPV_z",
                "pv_ntracks": "RefittedPV_NTracks",
                "flight_distance": "FlightDistPVSV",
                "flight_error": "FlightDistPVSV_Err",
                "flight_significance": "FlightDistPVSV_Significance",
                "relative_isolation": "Triplet_relativeiso",
                **{f"mu{i}.trigger_dr": f"Mu{i}_dRtriggerMatch" for i in (1, 2, 3)},
                **{f"mu{i}.dxy": f"dxy_mu{i}" for i in (1, 2, 3)},
                **_members({f"mu{i}": f"Mu{i}" for i in (1, 2, 3)} | REFITTED),
            },
            "links": {
                f"mu{i}": {"to": "muon", "equal": {"pt": f"mu{i}.pt"}} for i in (1, 2, 3)
            },
        },
    },
    triggers=TRIGGERS,
    lists="alone",
)  # fmt: skip
