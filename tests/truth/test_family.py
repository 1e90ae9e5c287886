"""Ancestors and children of generated particles, on random trees; errors."""

import pytest

import flavorframe as ff
from flavorframe.engines import ENGINES, get_engine
from flavorframe.errors import ExpressionError
from support import agreement, gen_trees

EVENTS = 60
events = ff.events()
t, muon, gen = events.triplet, events.muon, events.gen_part
first = gen.at(1)


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    path = tmp_path_factory.mktemp("family") / "trees.root"
    return path, gen_trees.write(path, EVENTS)


@pytest.mark.parametrize(
    "name", [pytest.param(e, marks=[pytest.mark.root] * (e == "rdataframe")) for e in ENGINES]
)
def test_children_and_ancestors_as_the_oracle_has_them(trees, name):
    below, above = ff.children(gen), ff.ancestors(t.mu1.gen)
    analysis = ff.Analysis(
        ff.Selection(gen).cut("no photon", gen.pdg_id != 22),
        rows=ff.snapshot(gen.pdg_id, alive=below.count(), first=ff.children(gen.at(1)).count()),
        triplets=ff.snapshot(above=above.count(), heavy=above.pdg_id.max()),
    )
    agreement.assert_right(get_engine(name), analysis, trees[0])


def test_ancestors_are_those_that_climbing_finds(trees):
    path, made = trees
    above = ff.ancestors(muon.gen)
    analysis = ff.Analysis(
        ff.Selection(muon).cut("from Ds", (abs(above.pdg_id) == 431).any()),
        rows=ff.snapshot(number=above.count(), total=above.pdg_id.sum()),
    )
    rows = analysis.run(ff.dataset(path), progress=False).rows
    found = [climbed(tree, leg) for tree, legs in made for leg in legs[:2]]
    expected = [(len(ids), sum(ids)) for ids in found if {431, -431} & {*ids}]
    assert 60 < len(expected) < 2 * EVENTS
    assert [*zip(rows["number"].tolist(), rows["total"].tolist(), strict=True)] == expected


def climbed(tree, leg):
    """Return what is above a leg."""
    above = []
    while 0 <= leg < len(tree) and 0 <= tree[leg][1] < len(tree) and tree[leg][1] not in above:
        leg = tree[leg][1]
        above.append(leg)
    return [tree[i][0] for i in above]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: ff.children(muon), r"ff.children\(muon\) takes generated particles"),
        (lambda: ff.ancestors(t.mu1), "takes generated particles, such as events.gen_part"),
        (lambda: ff.ancestors(5), "ff.ancestors.5. takes generated particles"),
        (lambda: ff.ancestors(ff.children(gen)), "is a list for each gen_part"),
        (lambda: ff.children(gen).pdg_id + muon.pt, "two collections do not combine"),
    ],
)
def test_what_are_no_generated_particles_is_refused(wrong, message):
    with pytest.raises(ExpressionError, match=message):
        wrong()
