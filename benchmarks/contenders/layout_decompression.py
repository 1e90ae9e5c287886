"""The limit: decompress the baskets of the columns that are needed, and nothing else."""

import sys

import uproot

from benchmarks.contenders.decompression import seconds_of

BRANCHES = [
    f"triplet_{name}"
    for name in ("mass", "pv_ntracks", "flight_significance", "mu1_pt", "mu2_pt", "track_pt")
]


def main(kind: str, file: str) -> None:
    tree = uproot.open(file)["DecayTree" if kind == "rows" else "Events"]
    counter = ["run", "event"] if kind == "rows" else ["ntriplet"]
    print(seconds_of(file, tree, [*counter, *BRANCHES]))


if __name__ == "__main__":
    main(*sys.argv[1:])
