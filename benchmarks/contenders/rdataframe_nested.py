"""Nested lists by RDataFrame, with the two loops written by hand."""

import sys

CPP = """
#include <cmath>
using ROOT::RVecD; using ROOT::RVecF;
RVecD isolation(const RVecF& eta, const RVecF& phi, const RVecF& pt,
                const RVecF& near_eta, const RVecF& near_phi) {
  RVecD sums(eta.size());
  for (size_t i = 0; i < eta.size(); ++i)
    for (size_t j = 0; j < pt.size(); ++j) {
      double turned = std::fmod(double(near_phi[j]) - phi[i] + M_PI, 2 * M_PI);
      if (turned < 0) turned += 2 * M_PI;
      const double d_eta = double(near_eta[j]) - eta[i], d_phi = turned - M_PI;
      if (std::sqrt(d_eta * d_eta + d_phi * d_phi) < 0.4) sums[i] += pt[j];
    }
  return sums;
}
"""


def main(threads: int, files: list[str]) -> None:
    """Fill the isolation of all triplets, and print its sum over them in whole GeV."""
    import ROOT

    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    ROOT.gInterpreter.Declare(CPP)
    columns = "triplet_eta, triplet_phi, Track_pt, Track_eta, Track_phi"
    frame = ROOT.RDataFrame("Events", files).Define("sums", f"isolation({columns})")
    filled = frame.Histo1D(("isolation", "", 100, 0, 100), "sums", "sums")
    print(round(filled.Integral(0, 101)))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
