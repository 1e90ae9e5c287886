"""flavorframe itself, on the example analysis with a shifted momentum: threads first."""

import sys

import flavorframe as ff
from benchmarks.one_pass import shifted


def main(threads: int, files: list[str]) -> None:
    """Fill the histogram in all variations, and print how many entries each has."""
    result = shifted().run(ff.dataset(files), threads=threads, progress=False)
    print([int(n) for n in result.mass.project("variation").values()])


if __name__ == "__main__":
    ff.tune_process()
    main(int(sys.argv[1]), sys.argv[2:])
