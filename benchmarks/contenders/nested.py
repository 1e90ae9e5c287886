"""Nested lists by flavorframe: for each triplet, the pt of all tracks nearby."""

import sys

import flavorframe as ff


def main(threads: int, files: list[str]) -> None:
    """Fill the isolation of all triplets, and print its sum over them in whole GeV."""
    events = ff.events()
    t, near = events.triplet, events.track.per(events.triplet)
    isolation = near[ff.delta_r(near, t) < 0.4].pt.sum()
    filled = ff.hist(isolation, bins=100, range=(0, 100), weight=isolation)
    result = ff.Analysis(ff.Selection(t), isolation=filled).run(
        ff.dataset(files), threads=threads, progress=False
    )
    print(round(result.isolation.sum(flow=True).value))


if __name__ == "__main__":
    ff.tune_process()
    main(int(sys.argv[1]), sys.argv[2:])
