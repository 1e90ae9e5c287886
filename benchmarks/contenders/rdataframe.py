"""The same selection by hand in ROOT's RDataFrame: threads as its first argument."""

import sys
from typing import Any

CPP = """
#include <cmath>
#include <string>
using ROOT::RVec; using ROOT::RVecB; using ROOT::RVecD; using ROOT::RVecI; using ROOT::RVecF;

bool fired(const RVec<std::string>& names, const RVecI& decisions, const std::string& start) {
  for (size_t i = 0; i < names.size(); ++i)
    if (decisions[i] == 1 && names[i].rfind(start, 0) == 0) return true;
  return false;
}
RVecD delta_r(const RVecD& eta1, const RVecD& phi1, const RVecD& eta2, const RVecD& phi2) {
  RVecD result(eta1.size());
  for (size_t i = 0; i < eta1.size(); ++i) {
    double phi = std::fmod(phi1[i] - phi2[i] + M_PI, 2 * M_PI);
    if (phi < 0) phi += 2 * M_PI;
    result[i] = std::hypot(eta1[i] - eta2[i], phi - M_PI);
  }
  return result;
}
template <typename A, typename B> RVecI match(const A& wanted, const B& stored) {
  RVecI result(wanted.size(), -1);
  for (size_t i = 0; i < wanted.size(); ++i)
    for (size_t j = 0; j < stored.size(); ++j)
      if (float(stored[j]) == float(wanted[i])) { result[i] = j; break; }
  return result;
}
RVecB holds(const RVecI& index, const RVecB& stored) {
  RVecB result(index.size());
  for (size_t i = 0; i < index.size(); ++i) result[i] = index[i] >= 0 && stored[index[i]];
  return result;
}
RVecD pair_mass(const RVecD& pt1, const RVecD& eta1, const RVecD& phi1,
                const RVecD& pt2, const RVecD& eta2, const RVecD& phi2) {
  const double m = 0.1056583755;
  RVecD result(pt1.size());
  for (size_t i = 0; i < pt1.size(); ++i) {
    ROOT::Math::PtEtaPhiMVector a(pt1[i], eta1[i], phi1[i], m), b(pt2[i], eta2[i], phi2[i], m);
    result[i] = (a + b).M();
  }
  return result;
}
double best(const RVecD& mass, const RVecD& chi2, const RVecB& good) {
  double lowest = 0, chosen = 0;
  bool found = false, usable = false;
  for (size_t i = 0; i < mass.size(); ++i) {
    if (!good[i]) continue;
    bool number = chi2[i] == chi2[i];
    if (!found || (number && (!usable || chi2[i] < lowest))) {
      chosen = mass[i]; lowest = chi2[i]; usable = number;
    }
    found = true;
  }
  return chosen;
}
"""

STEPS = (
    "Triplet2_Mass >= 1.62 && Triplet2_Mass < 2.02",
    "RefittedPV2_NTracks > 1",
    "FlightDistBS_SV_Significance > 2",
    "((abs(Mu01_Eta) < 1.2 && Mu01_Pt > 3.5) || (abs(Mu01_Eta) >= 1.2 && abs(Mu01_Eta) < 2.4 && "
    "Mu01_Pt > 2)) && ((abs(Mu02_Eta) < 1.2 && Mu02_Pt > 3.5) || (abs(Mu02_Eta) >= 1.2 && "
    "abs(Mu02_Eta) < 2.4 && Mu02_Pt > 2)) && Tr_Pt > 1.2",
    "dr12 >= 1e-4 && dr12 < 0.8 && dr13 >= 1e-4 && dr13 < 0.8 && dr23 >= 1e-4 && dr23 < 0.8",
    "holds(match(Mu01_Pt, MuonPt), Muon_isGlobal != 0 && Muon_isPF != 0) && "
    "holds(match(Mu02_Pt, MuonPt), Muon_isGlobal != 0 && Muon_isPF != 0)",
    "holds(match(Tr_Pt, Track_pt), abs(Track_dz) < 20 && abs(Track_dxy) < 0.3)",
    "phi_mass >= 1.00 && phi_mass < 1.04",
    "Mu1_dRtriggerMatch_2017 < 0.03 && Mu2_dRtriggerMatch_2017 < 0.03",
)


def book(frame: Any, steps: tuple[str, ...] = STEPS) -> Any:
    """Book the selection, one filter a cut with the candidates linked, and the histogram."""
    frame = frame.Filter(
        'fired(Trigger_hltname, Trigger_hltdecision, "HLT_DoubleMu3_Trk_Tau3mu_v")'
    ).Filter(
        'fired(Trigger_l1name, Trigger_l1decision, "L1_DoubleMu") || '
        'fired(Trigger_l1name, Trigger_l1decision, "L1_TripleMu")'
    )
    for name, first, second in (("dr12", "Mu01", "Mu02"), ("dr13", "Mu01", "Tr"),
                                ("dr23", "Mu02", "Tr")):  # fmt: skip
        frame = frame.Define(name, f"delta_r({first}_Eta, {first}_Phi, {second}_Eta, {second}_Phi)")
    frame = frame.Define(
        "phi_mass",
        "pair_mass(RefTrack1_Pt, RefTrack1_Eta, RefTrack1_Phi, "
        "RefTrack2_Pt, RefTrack2_Eta, RefTrack2_Phi)",
    ).Define("good0", "RVecB(Triplet2_Mass.size(), true)")
    for number, condition in enumerate(steps):
        frame = frame.Define(f"good{number + 1}", f"RVecB(good{number} && ({condition}))")
        frame = frame.Filter(f"ROOT::VecOps::Any(good{number + 1})")
    frame = frame.Define("mass", f"best(Triplet2_Mass, TripletVtx2_Chi2, good{len(steps)})")
    return frame.Histo1D(("mass", "mass", 62, 1.65, 2.01), "mass")


def main(threads: int, files: list[str]) -> None:
    """Fill the histogram with so many threads."""
    import ROOT

    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    ROOT.gInterpreter.Declare(CPP)
    histogram = book(ROOT.RDataFrame("Tree3Mu/ntuple", files))
    print(int(histogram.GetEntries()))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
