"""flavorframe with its engine over RDataFrame, on the example analysis: threads come first."""

import sys

import flavorframe as ff


def main(threads: int, files: list[str]) -> None:
    """Run the example analysis, of which only the mass histogram is asked for."""
    from dsphi import analysis

    only = ff.Analysis(analysis.selection, mass=dict(analysis.outputs)["mass"])
    data = ff.dataset(files)
    result = only.run(data, engine="rdataframe", threads=threads, progress=False)
    print(int(result.mass.sum(flow=True)))


if __name__ == "__main__":
    ff.tune_process()
    main(int(sys.argv[1]), sys.argv[2:])
