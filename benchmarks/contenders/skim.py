"""A skim by flavorframe: threads and the file to write come first."""

import sys

import flavorframe as ff

KEPT = ("run", "lumi", "evt", "Muon*", "Triplet*", "Mu0*", "Tr_*", "RefTrack*")
"""The branches that both contenders write."""


def main(threads: int, path: str, files: list[str]) -> None:
    """Write the events with a candidate of good mass and vertex."""
    t = ff.events().triplet
    selection = ff.Selection(t).cut("good", t.mass.between(1.62, 2.02) & (t.vertex_chi2 < 5))
    analysis = ff.Analysis(selection, skim=ff.skim(KEPT, path=path))
    print(len(analysis.run(ff.dataset(files), threads=threads, progress=False).skim))


if __name__ == "__main__":
    ff.tune_process()
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
