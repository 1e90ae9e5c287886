"""The same selection in coffea, with its virtual arrays, as its users write it."""

import sys
from typing import Any

import awkward as ak
import hist
import numpy as np


def fired(names: ak.Array, decisions: ak.Array, *starts: str) -> ak.Array:
    """Return where a path that begins so fired: names are tested as numpy strings."""
    flat = ak.to_numpy(ak.flatten(names)).astype(str)
    fits = np.zeros(len(flat), bool)
    for start in starts:
        fits |= np.char.startswith(flat, start)
    return ak.any(ak.unflatten(fits, ak.num(names)) & (decisions == 1), axis=1)


def delta_r(eta1: ak.Array, phi1: ak.Array, eta2: ak.Array, phi2: ak.Array) -> ak.Array:
    """Return ΔR with Δφ wrapped."""
    phi = (phi1 - phi2 + np.pi) % (2 * np.pi) - np.pi
    return np.hypot(eta1 - eta2, phi)


def linked(wanted: ak.Array, stored: ak.Array, condition: ak.Array) -> ak.Array:
    """Return whether the first stored object of the wanted pt fulfils the condition."""
    pairs = ak.cartesian({"wanted": wanted, "stored": stored}, nested=True)
    same = ak.values_astype(pairs.wanted, np.float32) == ak.values_astype(pairs.stored, np.float32)
    index = ak.argmax(same, axis=2)
    found = ak.any(same, axis=2)
    return found & ak.fill_none(condition[ak.fill_none(index, 0)], False)


def in_acceptance(pt: ak.Array, eta: ak.Array) -> ak.Array:
    """Return where muons are reconstructed and triggered on."""
    eta = abs(eta)
    return ((eta < 1.2) & (pt > 3.5)) | ((eta >= 1.2) & (eta < 2.4) & (pt > 2.0))


def selected_masses(e: ak.Array) -> Any:
    """Return the mass of each event's best candidate."""
    e = e[fired(e.Trigger_hltname, e.Trigger_hltdecision, "HLT_DoubleMu3_Trk_Tau3mu_v")]
    e = e[fired(e.Trigger_l1name, e.Trigger_l1decision, "L1_DoubleMu", "L1_TripleMu")]
    good = (e.Triplet2_Mass >= 1.62) & (e.Triplet2_Mass < 2.02)
    good = good & (e.RefittedPV2_NTracks > 1) & (e.FlightDistBS_SV_Significance > 2)
    good = good & in_acceptance(e.Mu01_Pt, e.Mu01_Eta) & in_acceptance(e.Mu02_Pt, e.Mu02_Eta)
    good = good & (e.Tr_Pt > 1.2)
    for a, b in (("Mu01", "Mu02"), ("Mu01", "Tr"), ("Mu02", "Tr")):
        dr = delta_r(e[f"{a}_Eta"], e[f"{a}_Phi"], e[f"{b}_Eta"], e[f"{b}_Phi"])
        good = good & (dr >= 1e-4) & (dr < 0.8)
    muon_id = (e.Muon_isGlobal != 0) & (e.Muon_isPF != 0)
    good = good & linked(e.Mu01_Pt, e.MuonPt, muon_id) & linked(e.Mu02_Pt, e.MuonPt, muon_id)
    impact = (abs(e.Track_dz) < 20) & (abs(e.Track_dxy) < 0.3)
    good = good & linked(e.Tr_Pt, e.Track_pt, impact)
    good = good & phi_window(e) & (e.Mu1_dRtriggerMatch_2017 < 0.03)
    good = good & (e.Mu2_dRtriggerMatch_2017 < 0.03)
    chi2 = ak.nan_to_num(e.TripletVtx2_Chi2[good], nan=np.inf)
    best = ak.argmin(chi2, axis=1, keepdims=True)
    return ak.to_numpy(ak.drop_none(ak.flatten(e.Triplet2_Mass[good][best])))


def phi_window(e: ak.Array) -> ak.Array:
    """Return where the two refitted muons have the mass of the φ."""
    import vector

    vector.register_awkward()
    muons = [
        ak.zip(
            {
                "pt": e[f"RefTrack{i}_Pt"],
                "eta": e[f"RefTrack{i}_Eta"],
                "phi": e[f"RefTrack{i}_Phi"],
                "mass": ak.full_like(e[f"RefTrack{i}_Pt"], 0.1056583755),
            },
            with_name="Momentum4D",
        )
        for i in (1, 2)
    ]
    mass = (muons[0] + muons[1]).mass
    return (mass >= 1.00) & (mass < 1.04)


def main(files: list[str]) -> None:
    """Fill the histogram file by file."""
    from coffea.nanoevents import BaseSchema, NanoEventsFactory

    mass = hist.Hist.new.Reg(62, 1.65, 2.01).Int64()
    for file in files:
        events = NanoEventsFactory.from_root(
            {file: "Tree3Mu/ntuple"}, schemaclass=BaseSchema, mode="virtual"
        ).events()
        mass.fill(selected_masses(events))
    print(int(mass.sum(flow=True)))


if __name__ == "__main__":
    main(sys.argv[1:])
