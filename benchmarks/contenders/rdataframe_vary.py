"""The same with a shifted momentum in ROOT's RDataFrame: threads as its first argument."""

import sys

from benchmarks.contenders.rdataframe import CPP, STEPS, book


def main(threads: int, files: list[str]) -> None:
    """Fill the histogram in all variations, and print how many entries each has."""
    import ROOT

    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    ROOT.gInterpreter.Declare(CPP)
    shifts = "RVec<RVecD>{mu1_pt * 1.01, mu1_pt * 0.99}"
    frame = ROOT.RDataFrame("Tree3Mu/ntuple", files).Define("mu1_pt", "RVecD(Mu01_Pt)")
    frame = frame.Vary("mu1_pt", shifts, ["up", "down"], "momentum")
    steps = tuple(step if "match(" in step else step.replace("Mu01_Pt", "mu1_pt") for step in STEPS)
    varied = ROOT.RDF.Experimental.VariationsFor(book(frame, steps))
    keys = ("nominal", "momentum:up", "momentum:down")
    print([int(varied[key].Integral(0, varied[key].GetNbinsX() + 1)) for key in keys])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
