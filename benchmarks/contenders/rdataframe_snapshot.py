"""The same skim by RDataFrame's ``Snapshot``."""

import sys
from fnmatch import fnmatchcase

from benchmarks.contenders.skim import KEPT

GOOD = "Any(Triplet2_Mass >= 1.62 && Triplet2_Mass < 2.02 && TripletVtx2_Chi2 < 5)"


def main(threads: int, path: str, files: list[str]) -> None:
    import ROOT

    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    frame = ROOT.RDataFrame("Tree3Mu/ntuple", files)
    names = [str(name) for name in frame.GetColumnNames()]
    kept = [name for name in names if any(fnmatchcase(name, pattern) for pattern in KEPT)]
    chosen = frame.Filter(GOOD)
    count = chosen.Count()
    options = ROOT.RDF.RSnapshotOptions()
    options.fLazy = True
    options.fCompressionAlgorithm = ROOT.RCompressionSetting.EAlgorithm.kZSTD
    options.fCompressionLevel = 5
    written = chosen.Snapshot("Events", path, kept, options)
    written.GetValue()
    print(int(count.GetValue()))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
