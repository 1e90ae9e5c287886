"""The ntuples of the published Ds → φπ analysis: tree ``Tree3Mu/ntuple``.

Every list is a ``std::vector``. Objects of a candidate are stored with it (``Mu01_Pt``) and found
again in the muon and track lists by their pt. Source of the names: the CMS Run 2 τ → 3μ ntuple
classes, https://github.com/fsimone91/Tau3Mu_Analysis_MVA.
"""

from __future__ import annotations

import re

from flavorframe._expr import nodes as n
from flavorframe._rootio.schema import BranchInfo, Schema
from flavorframe.layouts.base import by_folded_name

EVENT = {
    "run": "run",
    "luminosity_block": "lumi",
    "event": "evt",
    "n_primary_vertices": "PVCollection_Size",
    "n_pileup": "nPileUpInt",
}
MUON = {
    "is_tracker": "Muon_isTrackerMuon",
    "is_standalone": "Muon_isStandAloneMuon",
}
TRIPLET = {
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
} | {
    f"{member}.{field}": f"{prefix}_{field.capitalize()}"
    for member, prefix in (
        ("mu1", "Mu01"),
        ("mu2", "Mu02"),
        ("track", "Tr"),
        ("refit1", "RefTrack1"),
        ("refit2", "RefTrack2"),
        ("refit3", "RefTrack3"),
    )
    for field in ("pt", "eta", "phi")
}
PRIMARY_VERTEX = {"x": "PV_x", "y": "PV_y", "z": "PV_z", "ntracks": "PV_NTracks"}
TABLES = {"triplet": TRIPLET, "muon": MUON, "primary_vertex": PRIMARY_VERTEX}
LINKS = {"mu1": "muon", "mu2": "muon", "track": "track"}

COLLECTIONS = (
    (r"Muon(Pt|Eta|Phi|Charge|Energy)$|Muon_", "muon"),
    (r"Track_", "track"),
    (r"Trigger_hlt", "hlt"),
    (r"Trigger_l1", "l1"),
    (r"GenParticle_", "gen_particle"),
    (r"PV_", "primary_vertex"),
    (r"Muon(Pt|Eta|Phi)_HLT2017", "hlt_muon_2017"),
    (r"Muon(Pt|Eta|Phi)_HLT$", "hlt_muon"),
    (
        r"Triplet2?_|TripletVtx2_|Mu0[12]_|Mu[12]_dR|Tr_|RefTrack[123]_|RefittedPV2_"
        r"|FlightDist|dxy(Err)?_mu|DistXY_",
        "triplet",
    ),
)
"""Which collection a list-like branch belongs to, by the start of its name."""


class Bph:
    """The ``Tree3Mu/ntuple`` layout."""

    name = "bph"

    def recognises(self, schema: Schema) -> bool:
        """Return whether the candidates and their muons have the names of this layout."""
        return {"Triplet2_Mass", "Mu01_Pt"} <= set(schema.by_name)

    def branch_for(self, schema: Schema, collection: str | None, path: tuple[str, ...]) -> str:
        """Return the branch by the tables, or by the collection's and the path's names joined."""
        table = EVENT if collection is None else TABLES.get(collection, {})
        branch = table.get(".".join(path), "")
        if branch in schema.by_name:
            return branch
        return by_folded_name(schema, *(() if collection is None else (collection,)), *path)

    def link(self, schema: Schema, collection: str, name: str) -> n.Node | None:
        """Return the match by pt of a candidate's muon or track."""
        if collection != "triplet" or name not in LINKS:
            return None
        target, triplet = n.CollectionAxis(LINKS[name]), n.CollectionAxis("triplet")
        match = n.Match(target, (n.Field(target, ("pt",)),), (n.Field(triplet, (name, "pt")),))
        return n.Gather(n.Field(target, ()), target, match)

    def collection_of(self, branch: BranchInfo) -> str:
        """Return the collection by the start of the branch's name, or a collection of its own."""
        for pattern, collection in COLLECTIONS:
            if re.match(pattern, branch.name):
                return collection
        return branch.name

    def fired(self, schema: Schema, menu: str, patterns: tuple[str, ...]) -> n.Node:
        """Return whether a path whose name fits has decision 1."""
        name = n.Branch(f"Trigger_{menu}name", n.UNRESOLVED)
        decision = n.Branch(f"Trigger_{menu}decision", n.UNRESOLVED)
        fits = n.StringTest("matches", name, patterns)
        accepted = n.Apply("eq", (decision, n.Literal(1)))
        return n.Reduce("any", n.Apply("and", (fits, accepted)))
