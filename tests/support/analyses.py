"""Analyses whose results differ in the last bit wherever something is added up differently."""

import uproot

import flavorframe as ff

events = ff.events()
t = events.triplet


def weighted(*cuts, **outputs):
    """Return an analysis with weights of many digits, a histogram and a snapshot."""
    selection = ff.Selection(t).cut("mass", t.mass > 1.65)
    for number, cut in enumerate(cuts):
        selection = selection.cut(f"cut {number}", cut)
    return ff.Analysis(
        selection.weight("w", 0.1 + t.mu1.pt / 7),
        mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)),
        rows=ff.snapshot(t.mass, events.event),
        **outputs,
    )


def without_rows(*cuts):
    """Return the same without the snapshot: its parts are taken in the order in which they come."""
    analysis = weighted(*cuts)
    return ff.Analysis(analysis.selection, mass=dict(analysis.outputs)["mass"])


def assert_same_bits(one, two):
    """Assert that two results of `weighted` are equal to the last bit."""
    assert one.cutflow == two.cutflow
    assert one.mass.view(flow=True).tobytes() == two.mass.view(flow=True).tobytes()
    for name in two.rows:
        assert one.rows[name].tobytes() == two.rows[name].tobytes()


def regional(folder=None):
    """Return two regions with rows, in files of a folder if there is one."""
    muon = events.muon
    scale = ff.vary("scale", t.mu1.pt, up=1.05 * t.mu1.pt, down=0.95 * t.mu1.pt)
    base = ff.Selection(t).weight("w", ff.vary("w", 0.1 + t.mu1.pt / 7, up=0.1 + t.mu1.pt / 6))

    def rows(name, **columns):
        return ff.snapshot(**columns, path=None if folder is None else folder / f"{name}.root")

    return ff.Analysis(
        signal=ff.Region(
            base.cut("pt", scale > 4).best(lowest=abs(t.mass - 1.97)),
            by=ff.categories(low=t.mass < 1.8, high=t.mass > 1.85),
            mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)),
            others=ff.hist(t.mass, bins=20, range=(1.6, 2.1), without="pt"),
            rows=rows("signal", mass=t.mass, pt=scale),
        ),
        muons=ff.Region(
            ff.Selection(muon).cut("pt", muon.pt > 3),
            pt=ff.hist(muon.pt, bins=20, range=(0, 30)),
            rows=rows("muons", pt=muon.pt),
        ),
    )


def bits(result):
    """Return all that a result has of its regions, to be compared bit by bit."""
    found = {name: repr(flow.to_dict()) for name, flow in result.cutflows.items()}
    for name, value in result.outputs.items():
        if hasattr(value, "axes"):
            found[name] = value.view(flow=True).tobytes()
        else:
            found[name] = {column: values.tobytes() for column, values in _columns(value).items()}
    return found


def _columns(rows):
    """Return the columns of rows, in memory or in a file."""
    if not hasattr(rows, "paths"):
        return rows.columns
    (path,) = rows.paths
    return uproot.open(path)["candidates"].arrays(library="np")
