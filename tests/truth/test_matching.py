"""Candidates matched to decays: on random trees, against a search in plain Python; errors."""

import pickle
from itertools import permutations

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe import samples
from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr
from flavorframe.engines import ENGINES, get_engine
from flavorframe.errors import BranchError, ExpressionError
from support import agreement, gen_trees

EVENTS = 250
events = ff.events()
t, muon, gen = events.triplet, events.muon, events.gen_part
legs = t.mu1, t.mu2, t.track
DS_TO_PHI = "Ds+ -> phi(-> mu+ mu-) pi+"
matched = ff.truth_matched(DS_TO_PHI, *legs)


class Tree:
    """Particles as (pdg_id, mother), to be searched from the top."""

    def __init__(self, particles):
        self.particles = particles

    def pdg_id(self, i):
        return self.particles[i][0]

    def mother(self, i):
        above = self.particles[i][1]
        return above if 0 <= above < len(self.particles) else None

    def first(self, i):
        """Return the first copy, None in a circle."""
        passed = [i]
        while (up := self.mother(i)) not in (None, i) and self.pdg_id(up) == self.pdg_id(i):
            if up in passed:
                return None
            passed.append(up)
            i = up
        return i

    def products(self, top):
        firsts = [i for i in range(len(self.particles)) if self.first(i) == i]
        of_top = [i for i in firsts if self.mother(i) is not None]
        return [i for i in of_top if self.first(self.mother(i)) == top and self.pdg_id(i) != 22]

    def what(self, indices):
        return sorted(map(self.pdg_id, indices))


def is_decay(particles, finals):
    """Return whether the particles are those of the decay, by a search from the top."""
    if not all(0 <= final < len(particles) for final in finals):
        return False
    tree = Tree(particles)
    origins = {tree.first(final) for final in finals}
    tops = {i for i in range(len(particles)) if tree.first(i) == i}
    return any(
        {pion, *tree.products(phi)} == origins and len(origins) == 3
        for top in tops
        if abs(tree.pdg_id(top)) == 431
        and tree.what(tree.products(top)) == sorted((333, 211 * tree.pdg_id(top) // 431))
        for phi, pion in permutations(tree.products(top))
        if tree.pdg_id(phi) == 333 and tree.what(tree.products(phi)) == [-13, 13]
    )


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Return a file of random trees, each with a triplet, and whether these are of the decay."""
    path = tmp_path_factory.mktemp("trees") / "trees.root"
    made = gen_trees.write(path, EVENTS)
    return path, [is_decay(*each) for each in made]


@pytest.fixture(
    params=[pytest.param(e, marks=[pytest.mark.root] * (e == "rdataframe")) for e in ENGINES]
)
def engine(request):
    return get_engine(request.param)


def test_random_trees(trees, engine):
    path, expected = trees
    assert 60 < sum(expected) < EVENTS - 60
    analysis = ff.Analysis(ff.Selection(t), rows=ff.snapshot(matched=matched))
    (rows,) = agreement.run(engine, analysis, str(path)).tables["rows"]
    assert rows["matched"].tolist() == expected


def test_neither_order_nor_sign_matter_and_nothing_is_missing(trees):
    path, expected = trees
    other = ff.truth_matched("Ds- -> pi- phi(-> mu- mu+)", t.track, t.mu2, t.mu1)
    analysis = ff.Analysis(ff.Selection(t), rows=ff.snapshot(other=~other))
    rows = analysis.run(ff.dataset(path), progress=False).rows
    assert rows["other"].tolist() == [not each for each in expected]


def test_mothers_copies_and_products_of_living_and_dead(trees, engine):
    first = Expr(n.FirstCopy(gen.mother.index.node, gen.pdg_id.node))
    products = Expr(n.Pointing(gen.axis, gen.mother.index.node, (gen.pdg_id != 22).node))
    analysis = ff.Analysis(
        ff.Selection(gen)
        .cut("no photon", gen.pdg_id != 22)
        .cut("copy", (gen.index != first) | (gen.index > 1)),
        rows=ff.snapshot(gen.pdg_id, mother=gen.mother.pdg_id, first=first, products=products),
        of_muons=ff.snapshot(
            own=muon.gen.index, above=muon.gen.mother.mother.pdg_id, first=gen.at(first.max()).index
        ),
    )
    agreement.assert_right(engine, analysis, trees[0])


@pytest.mark.parametrize(
    ("decay", "third", "label"), [("dsphipi", "track", 1), ("tau3mu", "mu3", 4)]
)
def test_samples_of_known_truth(tmp_path, decay, third, label):
    made = samples.generate(900, seed=4, kind="simulation", decay=decay)
    file = samples.write_file(tmp_path / "signal.root", events=made)
    descriptor = {"dsphipi": DS_TO_PHI, "tau3mu": "tau+ -> mu+ mu- mu+"}[decay]
    found = ff.truth_matched(descriptor, t.mu1, t.mu2, getattr(t, third))
    listed = [t[f"triplet_{leg}_idx"] >= 0 for leg in ("mu1", "mu2", third)]
    analysis = ff.Analysis(
        ff.Selection(t).cut("in the lists", listed[0] & listed[1] & listed[2]),
        rows=ff.snapshot(t["triplet_truth"], found=found),
    )
    rows = analysis.run(ff.dataset(file), progress=False).rows
    assert 0 < rows["found"].sum() < len(rows)
    np.testing.assert_array_equal(rows["found"], rows["triplet_truth"] == label)


def test_pairs_in_a_layout_of_ones_own(tmp_path):
    layout = ff.layout(
        "mine",
        lists="alone",
        collections={
            "gen_part": {
                "branches": ["mc_*"],
                "fields": {"pdg_id": "mc_id"},
                "links": {"mother": {"to": "gen_part", "index": "mc_mother"}},
            },
            "lepton": {
                "branches": ["l_*"],
                "links": {"gen": {"to": "gen_part", "index": "l_mc"}},
            },
        },
    )
    content = {
        "mc_id": ak.Array([[443, 13, -13], [443, -13, 22, 13, 221, -13], []]),
        "mc_mother": ak.Array([[-1, 0, 0], [-1, 0, 1, 0, -1, 4], []]),
        "l_mc": ak.Array([[1, 2], [5, 1, 3], [-1]]),
    }
    with uproot.recreate(tmp_path / "mine.root") as file:
        file.mktree("Events", {name: ak.type(values) for name, values in content.items()})
        file["Events"].extend(content)
    pair = ff.pairs(events.lepton)
    found = ff.truth_matched("J/psi -> mu+ mu-", *pair.members)
    analysis = ff.Analysis(ff.Selection(pair), rows=ff.snapshot(found=found))
    data = ff.dataset(tmp_path / "mine.root", layout=layout)
    assert analysis.run(data, progress=False).rows["found"].tolist() == [True, False, False, True]


def test_one_particle_is_not_matched_twice(tmp_path):
    content = {
        "event": np.arange(2),
        "GenPart": ak.zip({
            "pdgId": ak.Array([[15, 13, 13, -13]] * 2),
            "genPartIdxMother": ak.Array([[-1, 0, 0, 0]] * 2),
        }),
        "Muon": ak.zip({"genPartIdx": ak.Array([[3, 1, 2], [1, 1, 3]])}),
    }  # fmt: skip
    with uproot.recreate(tmp_path / "twice.root") as file:
        file.mktree("Events", {name: ak.type(values) for name, values in content.items()})
        file["Events"].extend(content)
    three = ff.triples(muon)
    found = ff.truth_matched("tau- -> mu- mu- mu+", *three.members)
    analysis = ff.Analysis(ff.Selection(three), rows=ff.snapshot(found=found))
    rows = analysis.run(ff.dataset(tmp_path / "twice.root"), progress=False).rows
    assert rows["found"].tolist() == [True, False]


def test_a_cut_is_shown_by_the_decay_and_travels():
    assert pickle.loads(pickle.dumps(matched)) is matched
    assert matched.formula == (
        "truth_matched('Ds+ -> phi(-> mu+ mu-) pi+', triplet.mu1, triplet.mu2, triplet.track)"
    )


def test_data_have_no_truth(sample):
    with pytest.raises(BranchError, match="gen_part.pdg_id is not in tree Events"):
        ff.Analysis(ff.Selection(t).cut("truth", matched)).run(
            ff.dataset(sample("nano")), progress=False
        )


@pytest.mark.parametrize(
    ("decay", "message"),
    [
        ("Ds+ -> phy(-> mu+ mu-) pi+", "no particle 'phy'.*after 'Ds.* ->', where 'phy"),
        ("Ds+ -> phi(-> mu+ mu- pi+", "closing bracket.* after .*mu- pi.', where it ends"),
        ("Ds+ -> phi(-> mu+) pi+", "another product should be.*after .*mu.', where '. pi.' stands"),
        ("Ds+ phi", "arrow '->' should be, after 'Ds.', where 'phi' stands"),
        ("Ds+ -> pi+", "another product should be.*where it ends"),
        ("Ds+ -> phi pi+) K+", "the end should be, after .*, where '. K.' stands"),
        ("-> mu+ mu-", "name of a particle should be, at the start"),
        ("", "name of a particle should be, at the start, where it ends"),
        ("Ds+ -> phi(-> mu+ mu-) pi-", r"charge of D\(s\)\+ is \+1, and that of .* is -1"),
        ("Ds+ -> K*(892)0(-> K+ pi-) K+", "4 final|3 final particles, K. pi- K., and 2 legs"),
        (5, "A decay is a text"),
    ],
)
def test_what_is_no_decay_is_refused_at_its_place(decay, message):
    with pytest.raises(ExpressionError, match=message):
        ff.truth_matched(decay, t.mu1, t.mu2)


def test_what_is_no_leg_is_refused():
    with pytest.raises(ExpressionError, match="objects that are candidates' legs"):
        ff.truth_matched("phi -> mu+ mu-", t.mu1, t.mass > 1)
