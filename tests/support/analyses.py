"""Analyses whose results differ in the last bit wherever something is added up differently."""

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
