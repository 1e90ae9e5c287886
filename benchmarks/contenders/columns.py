"""flavorframe, on a histogram of plain columns; see ``benchmarks/large_baskets.py``."""

import sys

import flavorframe as ff


def main(files: list[str]) -> None:
    e = ff.events()
    selection = ff.Selection(e).cut("c + d", e["c"] + e["d"] > 0)
    analysis = ff.Analysis(selection, sum=ff.hist(e["a"] + e["b"], bins=50, range=(-5, 5)))
    result = analysis.run(ff.dataset(files), threads=2, progress=False, cache=False)
    print(int(result["sum"].sum(flow=True)))


if __name__ == "__main__":
    ff.tune_process()
    main(sys.argv[1:])
