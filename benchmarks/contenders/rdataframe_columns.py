"""The same by hand in ROOT's RDataFrame: threads as its first argument."""

import sys


def main(threads: int, files: list[str]) -> None:
    import ROOT

    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    frame = ROOT.RDataFrame("Events", files)
    chosen = frame.Filter("double(c) + d > 0").Define("sum", "double(a) + b")
    print(int(chosen.Histo1D(("sum", "", 50, -5, 5), "sum").GetEntries()))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
