"""The same by hand in ROOT's RDataFrame: the kind of file, then threads, as first arguments."""

import sys

CUTS = (
    "triplet_mass >= 1.62 && triplet_mass < 2.02",
    "triplet_pv_ntracks > 1 && triplet_flight_significance > 2",
    "triplet_mu1_pt > 2 && triplet_mu2_pt > 2 && triplet_track_pt > 1.2",
)


def main(kind: str, threads: int, files: list[str]) -> None:
    import ROOT

    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    frame = ROOT.RDataFrame("DecayTree" if kind == "rows" else "Events", files)
    if kind == "rows":
        for cut in CUTS:
            frame = frame.Filter(cut)
        frame = frame.Define("mass", "double(triplet_mass)")
    else:
        frame = frame.Define("good0", CUTS[0]).Filter("ROOT::VecOps::Any(good0)")
        for number, cut in enumerate(CUTS[1:], 1):
            frame = frame.Define(f"good{number}", f"good{number - 1} && {cut}")
            frame = frame.Filter(f"ROOT::VecOps::Any(good{number})")
        frame = frame.Define("mass", "triplet_mass[good2]")
    print(int(frame.Histo1D(("mass", "", 62, 1.65, 2.01), "mass").GetEntries()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
