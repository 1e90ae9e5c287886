"""flavorframe itself, on the example analysis."""

import sys

import flavorframe as ff


def main(files: list[str]) -> None:
    """Run the example analysis, of which only the mass histogram is asked for."""
    from dsphi import analysis

    only = ff.Analysis(analysis.selection, mass=dict(analysis.outputs)["mass"])
    result = only.run(ff.dataset(files), progress=False)
    print(int(result.mass.sum(flow=True)))


if __name__ == "__main__":
    ff.tune_process()
    main(sys.argv[1:])
