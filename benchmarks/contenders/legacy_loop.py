"""The compiled event loop over all branches, as TTree::MakeClass has it, on one thread.

``python -m benchmarks.contenders.legacy_loop FILES`` prints the cutflow and how many candidates are
selected. As a batch job takes some of the files with ``--output PART.json``; afterwards ``--merge
WHOLE.json PARTS`` adds the parts up.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

BODY = """
  auto in_acceptance = [](double pt, double eta) {
    eta = std::abs(eta);
    return (eta < 1.2 && pt > 3.5) || (eta >= 1.2 && eta < 2.4 && pt > 2);
  };
  auto collimated = [](double eta1, double phi1, double eta2, double phi2) {
    double phi = std::fmod(phi1 - phi2 + M_PI, 2 * M_PI);
    if (phi < 0) phi += 2 * M_PI;
    double r = std::hypot(eta1 - eta2, phi - M_PI);
    return r >= 1e-4 && r < 0.8;
  };
  auto find = [](double pt, const auto& stored) {
    for (size_t j = 0; j < stored.size(); ++j) if (float(stored[j]) == float(pt)) return int(j);
    return -1;
  };
  auto fired = [](const auto& names, const auto& decisions, const char* start) {
    for (size_t i = 0; i < names.size(); ++i)
      if (decisions[i] == 1 && names[i].rfind(start, 0) == 0) return true;
    return false;
  };
  for (Long64_t entry = start; entry < stop; ++entry) {
    tree->GetEntry(entry);
    const size_t number = Triplet2_Mass->size();
    auto whole_event = [&](int step) { ++events[step]; candidates[step] += number; };
    whole_event(0);
    if (!fired(*Trigger_hltname, *Trigger_hltdecision, "HLT_DoubleMu3_Trk_Tau3mu_v")) continue;
    whole_event(1);
    if (!fired(*Trigger_l1name, *Trigger_l1decision, "L1_DoubleMu") &&
        !fired(*Trigger_l1name, *Trigger_l1decision, "L1_TripleMu")) continue;
    whole_event(2);
    int best = -1, furthest = 2;
    for (size_t i = 0; i < number; ++i) {
      int step = 2;
      auto passed = [&] { ++candidates[++step]; furthest = std::max(furthest, step); };
      double m = (*Triplet2_Mass)[i];
      if (!(m >= 1.62 && m < 2.02)) continue;
      passed();
      if (!((*RefittedPV2_NTracks)[i] > 1)) continue;
      passed();
      if (!((*FlightDistBS_SV_Significance)[i] > 2)) continue;
      passed();
      double pt1 = (*Mu01_Pt)[i], eta1 = (*Mu01_Eta)[i], phi1 = (*Mu01_Phi)[i];
      double pt2 = (*Mu02_Pt)[i], eta2 = (*Mu02_Eta)[i], phi2 = (*Mu02_Phi)[i];
      double pt3 = (*Tr_Pt)[i], eta3 = (*Tr_Eta)[i], phi3 = (*Tr_Phi)[i];
      if (!in_acceptance(pt1, eta1) || !in_acceptance(pt2, eta2) || !(pt3 > 1.2)) continue;
      passed();
      if (!collimated(eta1, phi1, eta2, phi2) || !collimated(eta1, phi1, eta3, phi3) ||
          !collimated(eta2, phi2, eta3, phi3)) continue;
      passed();
      int a = find(pt1, *MuonPt), b = find(pt2, *MuonPt), c = find(pt3, *Track_pt);
      if (a < 0 || b < 0 || !(*Muon_isGlobal)[a] || !(*Muon_isPF)[a] || !(*Muon_isGlobal)[b] ||
          !(*Muon_isPF)[b]) continue;
      passed();
      if (c < 0 || !(std::abs((*Track_dz)[c]) < 20) || !(std::abs((*Track_dxy)[c]) < 0.3)) continue;
      passed();
      ROOT::Math::PtEtaPhiMVector p((*RefTrack1_Pt)[i], (*RefTrack1_Eta)[i], (*RefTrack1_Phi)[i],
                                    0.1056583755);
      ROOT::Math::PtEtaPhiMVector q((*RefTrack2_Pt)[i], (*RefTrack2_Eta)[i], (*RefTrack2_Phi)[i],
                                    0.1056583755);
      double phi = (p + q).M();
      if (!(phi >= 1.00 && phi < 1.04)) continue;
      passed();
      if (!((*Mu1_dRtriggerMatch_2017)[i] < 0.03) || !((*Mu2_dRtriggerMatch_2017)[i] < 0.03))
        continue;
      passed();
      double chi2 = (*TripletVtx2_Chi2)[i];
      double lowest = best < 0 ? 0 : (*TripletVtx2_Chi2)[best];
      if (best < 0 || (chi2 == chi2 && (lowest != lowest || chi2 < lowest))) best = i;
    }
    for (int step = 3; step <= furthest; ++step) ++events[step];
    if (best < 0) continue;
    ++events[12];
    ++candidates[12];
    mass.Fill((*Triplet2_Mass)[best]);
  }
}
"""

STEPS = (
    "all", "HLT", "L1", "2μ+track mass", "PV tracks", "flight significance", "acceptance", "ΔR",
    "muon ID", "track IP", "φ mass", "trigger match", "best candidate",
)  # fmt: skip

HEADERS = """
#include <cmath>
#include <string>
#include <vector>
#include "TChain.h"
#include "TH1D.h"
#include "Math/Vector4D.h"
"""


def source(tree: Any) -> str:
    """Return the C++ of the loop: every branch has its variable, as MakeClass has it."""
    arguments = "std::vector<long>& events, std::vector<long>& candidates, TH1D& mass"
    entries = "Long64_t start, Long64_t stop"
    lines = [HEADERS, f"void legacy_loop(TChain* tree, {entries}, {arguments}) {{"]
    for branch in tree.GetListOfBranches():
        name, kind = branch.GetName(), branch.GetClassName()
        if kind:
            lines.append(f"  {kind}* {name} = nullptr;")
        else:
            lines.append(f"  {branch.GetLeaf(name).GetTypeName()} {name};")
        lines.append(f'  tree->SetBranchAddress("{name}", &{name});')
    return "\n".join(lines) + BODY


def loop(files: list[str], start: int = 0, stop: int | None = None) -> dict[str, Any]:
    """Compile the loop and run it over the files, or over some of their events.

    Returns counts by step, and the bins, flow included.
    """
    import ROOT

    ROOT.gROOT.SetBatch(True)
    chain = ROOT.TChain("Tree3Mu/ntuple")
    for file in files:
        chain.Add(file)
    mass = ROOT.TH1D("mass", "mass", 62, 1.65, 2.01)
    events, candidates = (ROOT.std.vector["long"](len(STEPS)) for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "legacy_loop.C"
        path.write_text(source(chain))
        ROOT.gROOT.ProcessLine(f".L {path}+O")
        ROOT.legacy_loop(
            chain, start, chain.GetEntries() if stop is None else stop, events, candidates, mass
        )
    bins = [int(mass.GetBinContent(i)) for i in range(mass.GetNbinsX() + 2)]
    return {"events": list(events), "candidates": list(candidates), "mass": bins}


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the sum of what several jobs found."""
    return {
        name: [sum(numbers) for numbers in zip(*(part[name] for part in parts), strict=True)]
        for name in parts[0]
    }


def main() -> None:
    """Run over files, or merge the outputs of jobs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="write the counts there, as JSON")
    parser.add_argument("--merge", type=Path, help="add up outputs, and write the sum there")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.merge:
        found = merged([json.loads(Path(file).read_text()) for file in arguments.files])
    else:
        found = loop(arguments.files)
    target = arguments.merge or arguments.output
    if target:
        target.write_text(json.dumps(found))
    for name, events, candidates in zip(STEPS, found["events"], found["candidates"], strict=True):
        print(f"{name:20} {events:>12,} {candidates:>12,}")
    print(found["candidates"][-1])


if __name__ == "__main__":
    main()
