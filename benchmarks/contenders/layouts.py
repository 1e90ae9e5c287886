"""flavorframe on a selection that does without links: its first argument is the kind of file."""

import sys

import flavorframe as ff

ROWS = ff.layout(
    "rows",
    recognised_by=["triplet_mass", "event"],
    rows={"key": ["run", "event"], "candidates": "triplet"},
)


def main(kind: str, files: list[str]) -> None:
    t = ff.events().triplet
    selection = (
        ff.Selection(t)
        .cut("mass", t.mass.between(1.62, 2.02))
        .cut("vertex", (t.pv_ntracks > 1) & (t.flight_significance > 2))
        .cut("pt", (t.mu1.pt > 2) & (t.mu2.pt > 2) & (t.track.pt > 1.2))
    )
    analysis = ff.Analysis(selection, mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)))
    data = ff.dataset(files, layout=ROWS if kind == "rows" else "nano")
    result = analysis.run(data, threads=2, progress=False, cache=False)
    print(int(result.mass.sum(flow=True)))


if __name__ == "__main__":
    ff.tune_process()
    main(sys.argv[1], sys.argv[2:])
