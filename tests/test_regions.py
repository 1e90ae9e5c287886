"""Regions, categories and variations as users write them: what is refused, and what is made."""

import pytest

import flavorframe as ff
from flavorframe.errors import FlavorframeError

events = ff.events()
t, muon = events.triplet, events.muon
selection = ff.Selection(t)
pt = ff.vary("scale", t.pt, up=2 * t.pt)
by = ff.categories(hard=t.pt > 3)


def hist(x):
    return ff.hist(x, bins=2, range=(0, 9))


REFUSED = {
    "a variation on another axis": (
        lambda: hist(ff.vary("s", t.pt, up=muon.pt)),
        r"'s up' \(muon.pt\) has one value per muon.*changes values",
    ),
    "a shift with a space": (
        lambda: ff.vary("a", t.pt, **{"b c": 2 * t.pt}),  # as the shift c of a source "a b"
        r"ff.vary\('a', ...\): a shift cannot be called 'b c'",
    ),
    "two shifts of one name": (
        lambda: ff.vary("PDF", t.pt, replicas=[2 * t.pt], **{"0": 3 * t.pt}),
        "a shift cannot be called '0': give each a name of its own",
    ),
    "two sets of shifts": (
        lambda: ff.Analysis(selection.cut("pt", pt > 3).weight("w", ff.vary("scale", 1.0, down=2))),
        "shifts up of triplet.pt, and down of 1: .* two names",
    ),
    "categories of others": (
        lambda: ff.Region(selection, by=ff.categories(hard=muon.pt > 3)),
        "one value per muon, and the candidates are triplet",
    ),
    "a histogram of others in categories": (
        lambda: ff.Analysis(one=ff.Region(selection, by=by, n=hist(muon.pt))),
        "Output 'n' has one value per muon, and the categories hard .* a region without by=",
    ),
    "an axis called category": (
        lambda: ff.Analysis(one=ff.Region(selection, by=by, n=hist(events["category"]))),
        r"'n' has an axis 'category', .* fill category \+ 0",
    ),
    "an output called as another is in a variation": (
        lambda: ff.Analysis(
            selection.cut("pt", pt > 3), n=hist(t.pt), **{"n [scale up]": hist(t.eta)}
        ),
        r"An output cannot be called 'n \[scale up\]'",
    ),
    "an output called as a sum of a mean": (
        lambda: ff.Analysis(selection, m=ff.mean(t.pt), **{"m Σx": hist(t.eta)}),
        "An output cannot be called 'm Σx'",
    ),
    "an axis called variation": (
        lambda: ff.Analysis(selection.cut("pt", pt > 3), n=hist(events["variation"])),
        "'n' has an axis 'variation'",
    ),
    "a region called as results are": (
        lambda: ff.Analysis(cutflow=ff.Region(selection)),
        "A region cannot be called 'cutflow'",
    ),
    "a region without a selection": (lambda: ff.Region(t), "takes a selection first, not <triplet"),
    "variations in a skim": (
        lambda: ff.Analysis(selection, skim=ff.skim(path="skim.root", pt=pt)),
        r"Skim 'skim': branch 'pt' is \(triplet.pt ± scale\).* take a snapshot",
    ),
    "a source that is not there": (
        lambda: ff.Analysis(selection.cut("pt", pt > 3)).with_variations("scal"),
        r"'scal'\. Did you mean 'scale'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_the_run(name):
    make, message = REFUSED[name]
    with pytest.raises(FlavorframeError, match=message):
        make()


def test_variations_are_chosen_everywhere():
    mass = ff.vary("scale", t.mass, up=2 * t.mass)
    part = t[ff.vary("ID", t.pt, up=0.9 * t.pt, down=1.1 * t.pt) > 3]
    analysis = ff.Analysis(
        one=ff.Region(selection.weight("w", ff.vary("sf", 1.0, up=1.1)), mass=hist(mass)),
        two=ff.Region(ff.Selection(part), by=ff.categories(a=part.eta > 0), n=hist(part.pt)),
    )

    def labels(*names):
        return [v.label for v in analysis.with_variations(*names).plan.variations]

    assert labels("sf", "scale", "ID") == [v.label for v in analysis.plan.variations]
    assert labels("ID up", "sf") == ["ID up", "sf up"]
    assert labels() == []
    hard = t[t.pt > 3]
    plain = ff.Region(ff.Selection(hard), by=ff.categories(a=hard.eta > 0), n=hist(hard.pt))
    assert analysis["two"].with_variations().plan.digest == ff.Analysis(plain).plan.digest


def test_rows_of_a_collection_that_is_varied_are_the_nominal_ones(sample):
    hard = t[pt > 12]
    shifted = ff.vary("scale", hard.pt, up=2 * hard.pt)
    rows = ff.snapshot(pt=shifted, number=hard.count())
    found = ff.Analysis(ff.Selection(hard), rows=rows).run(
        ff.dataset(sample("nano")), progress=False
    )
    columns = found.rows.columns
    assert set(columns) == {"pt", "pt_scale_up", "number"}
    assert columns["pt"].min() > 12
    assert columns["pt_scale_up"].tolist() == (2 * columns["pt"]).tolist()


def test_rows_of_pairs_of_a_collection_that_is_varied_are_the_nominal_ones(sample):
    pairs = ff.pairs(muon[ff.vary("scale", muon.pt, up=2 * muon.pt) > 4])
    first, second = pairs.members
    rows = ff.snapshot(pt=ff.vary("scale", first.pt, up=2 * first.pt), other=second.pt)
    found = ff.Analysis(ff.Selection(pairs), rows=rows).run(
        ff.dataset(sample("nano")), progress=False
    )
    columns = found.rows.columns
    assert min(columns["pt"].min(), columns["other"].min()) > 4
    assert columns["pt_scale_up"].tolist() == (2 * columns["pt"]).tolist()


def test_rows_of_pairs_of_what_is_varied_are_the_nominal_ones(sample):
    pair = ff.pairs(muon.sorted(ff.vary("order", muon.pt, up=-muon.pt), descending=True))
    first, second = pair.members
    rows = ff.snapshot(a=first.pt, b=ff.vary("scale", second.pt, up=2 * second.pt))
    found = ff.Analysis(ff.Selection(pair), rows=rows).run(
        ff.dataset(sample("nano")), progress=False
    )
    columns = found.rows.columns
    assert set(columns) == {"a", "b", "b_scale_up"}
    assert (columns["a"] >= columns["b"]).all()
    assert columns["b_scale_up"].tolist() == (2 * columns["b"]).tolist()


def test_what_a_part_is_chosen_by_is_shifted_in_its_rows(sample):
    number = muon[ff.vary("scale", muon.pt, up=2 * muon.pt) > 3].count()
    part = t[(t.pt > 0) & (number > 1)]
    rows = ff.snapshot(part.pt, n=number)
    found = ff.Analysis(ff.Selection(part), rows=rows).run(
        ff.dataset(sample("nano")), progress=False
    )
    columns = found.rows.columns
    assert set(columns) == {"pt", "n", "n_scale_up"}
    assert (columns["n_scale_up"] > columns["n"]).any()


def test_one_variation_is_not_added_to_another(sample):
    analysis = ff.Analysis(selection.weight("w", ff.vary("sf", 1.0, up=2.0)), n=hist(t.pt))
    one, two = (analysis.run(ff.dataset(sample(name)), progress=False) for name in ("nano", "nano"))
    for other in (two, two.nominal):
        with pytest.raises(FlavorframeError, match="two different analyses"):
            one.varied("sf up") + other
