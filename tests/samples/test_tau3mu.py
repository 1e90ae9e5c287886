"""Samples of τ → 3μ: signal in simulation, three muons by chance in data."""

from itertools import combinations

import numpy as np
import pytest

from flavorframe.samples import Events, concatenate, generate
from flavorframe.samples.candidates import combine
from flavorframe.samples.collisions import collide
from flavorframe.samples.detector import Particles
from flavorframe.samples.schema import COLLECTIONS, GEN_INDEX

MEMBERS = ("mu1", "mu2", "mu3")
MUON_MASS = 0.1056583755


@pytest.fixture(scope="module")
def data() -> Events:
    return generate(10_000, seed=4, decay="tau3mu")


@pytest.fixture(scope="module")
def signal() -> Events:
    return generate(10_000, seed=4, kind="simulation", decay="tau3mu")


def mass_of(fields: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    total = np.zeros((4, len(fields["mass"])))
    for name in names:
        pt, eta, phi = (fields[f"{name}_{part}"].astype(float) for part in ("pt", "eta", "phi"))
        x, y, z = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        total += [np.sqrt(x**2 + y**2 + z**2 + MUON_MASS**2), x, y, z]
    return np.sqrt(total[0] ** 2 - (total[1:] ** 2).sum(axis=0))


def test_columns_have_the_names_and_types_of_the_schema(data, signal):
    for events in (data, signal, concatenate([data.head(3), data.head(2)])):
        assert events.decay == "tau3mu"
        for name, collection in events.collections.items():
            fields, _ = COLLECTIONS["tau3mu"][name]
            simulated = events.kind == "simulation"
            types = {f.name: f.dtype for f in fields if simulated or f != GEN_INDEX}
            assert {field: v.dtype.name for field, v in collection.fields.items()} == types


def test_the_two_decays_have_nothing_in_common(data):
    assert not np.isin(generate(300, seed=4).muon.fields["pt"], data.muon.fields["pt"]).any()


def test_simulation_is_signal_at_the_mass_of_the_tau(signal):
    assert set(signal.process) == {4}
    fields = signal.triplet.fields
    genuine = fields["truth"] == 4
    assert 0.7 < genuine.mean() < 0.9
    assert set(np.unique(fields["truth"])) == {0, 4}, "some have a muon that is not the decay's"
    low, middle, high = np.quantile(fields["mass"][genuine], [0.1587, 0.5, 0.8413])
    assert middle == pytest.approx(1.77693, abs=0.002)
    assert (high - low) / 2 == pytest.approx(0.0125, abs=0.0015)


def test_data_are_smooth_but_for_dimuons_of_a_phi(data):
    fields = data.triplet.fields
    assert set(np.unique(fields["truth"])) == {0, 3}
    outside = [((a < fields["mass"]) & (fields["mass"] < a + 0.1)).sum() for a in (1.6, 1.7, 1.8)]
    assert max(outside) < 1.5 * min(outside)
    pairs = np.array([mass_of(fields, pair) for pair in combinations(MEMBERS, 2)])
    near_phi = (abs(pairs - 1.01946) < 0.03).any(axis=0)
    assert near_phi[fields["truth"] == 3].mean() > 0.9
    assert near_phi[fields["truth"] == 0].mean() < 0.3


def test_dimuons_of_the_tau_fill_phase_space():
    muons = collide(np.random.default_rng(1), np.full(20_000, 4), "tau3mu")
    first, second, third = *muons.muons, muons.third
    squares = [(a + b).mass ** 2 for a, b in ((first, second), (first, third), (second, third))]
    # No pair is special: each fills the same part of a Dalitz plot, whose sum is fixed.
    assert np.allclose(sum(squares), 1.77693**2 + 3 * MUON_MASS**2)
    means = [square.mean() for square in squares]
    assert np.allclose(means, np.mean(means), rtol=0.02)
    assert np.allclose([s.std() for s in squares], np.std(squares[0]), rtol=0.03)


def test_mass_is_that_of_the_refitted_muons(data):
    fields = data.triplet.fields
    assert np.allclose(mass_of(fields, ("refit1", "refit2", "refit3")), fields["mass"])


@pytest.mark.parametrize("member", MEMBERS)
def test_linked_muons_are_those_of_the_candidate(data, member):
    fields, muon = data.triplet.fields, data.muon
    idx = fields[f"{member}_idx"]
    listed = np.flatnonzero(idx >= 0)
    assert 0.99 < len(listed) / len(idx) < 1
    rows = idx[listed] + muon.offsets[data.triplet.event[listed]]
    assert np.array_equal(muon.event[rows], data.triplet.event[listed])
    for name in ("pt", "eta", "phi"):
        stored = fields[f"{member}_{name}"][listed]
        assert np.array_equal(stored, muon.fields[name][rows].astype(float)), name


def test_candidates_are_all_triples_in_the_mass_range(data):
    event, muon = data.triplet.event, data.muon
    for number in np.flatnonzero(muon.counts >= 4)[:50]:
        mine = slice(*muon.offsets[number : number + 2])
        pts = muon.fields["pt"][mine].astype(float)
        if len(set(pts)) < len(pts):
            continue  # a muon was made to have another's pt, and is in no candidate
        part = {"mass": np.zeros(1)}
        expected = 0
        for triple in combinations(range(len(pts)), 3):
            for name, row in zip(MEMBERS, triple, strict=True):
                for what in ("pt", "eta", "phi"):
                    part[f"{name}_{what}"] = muon.fields[what][mine][row : row + 1]
            # The mass is cut on after the fit, which changes it a little.
            mass = mass_of(part, MEMBERS)[0]
            if min(abs(mass - 1.45), abs(mass - 2.35)) < 0.02:
                break
            expected += 1.45 < mass < 2.35
        else:
            assert (event == number).sum() == expected


def test_a_muon_made_to_have_anothers_pt_is_in_no_candidate():
    # Four muons of one event that fly together, the third with the pt of the second.
    event, charge = np.zeros(4, int), np.array([1, -1, 1, 1])
    pt, eta, phi = np.array([9.0, 6.0, 6.0, 4.0]), np.zeros(4), np.array([0.0, 0.12, 0.18, 0.24])
    muons = Particles(event, np.array([0, 1, 4, 5]), pt, eta, phi, charge)
    rng = np.random.default_rng(1)
    found = combine(rng, collide(rng, np.array([4]), "tau3mu"), muons, muons)
    assert [found.mu1, found.mu2, found.third] == [[0], [1], [3]]


def test_muons_are_by_falling_pt_and_events_in_order(data):
    pts = [data.triplet.fields[f"{member}_pt"] for member in MEMBERS]
    assert (pts[0] >= pts[1]).all()
    assert (pts[1] >= pts[2]).all()
    assert data.triplet.counts.max() > 3
    charge = data.triplet.fields["charge"]
    assert set(np.unique(charge)) == {-3, -1, 1, 3}


def test_what_only_these_candidates_have(signal):
    fields = signal.triplet.fields
    assert np.allclose(
        fields["flight3d_chi2"], fields["flight3d_significance"] ** 2, equal_nan=True
    )
    genuine = fields["truth"] == 4
    assert np.mean(fields["mindca_iso"][genuine]) > 2 * np.mean(fields["mindca_iso"][~genuine])
    for member in MEMBERS:
        assert (fields[f"{member}_dxyErr"] > 0.002).all()
    assert np.nanmedian(fields["vertex_chi2"][genuine]) == pytest.approx(2.37, abs=0.15)


def test_decay_length_gives_the_lifetime(signal):
    fields = signal.triplet.fields
    mine = (fields["truth"] == 4) & ~np.isnan(fields["vertex_x"])
    flown = np.hypot(fields["vertex_x"] - fields["pv_x"], fields["vertex_y"] - fields["pv_y"])[mine]
    proper = flown * fields["mass"][mine] / fields["pt"][mine]
    assert proper.mean() == pytest.approx(0.0087, rel=0.12)


def test_all_three_muons_may_match_the_trigger(signal):
    fields = signal.triplet.fields
    fired = signal.hlt["HLT_DoubleMu3_Trk_Tau3mu"][signal.triplet.event]
    for member in MEMBERS:
        near = fields[f"{member}_trigger_dr"] < 0.03
        assert not near[~fired].any()
        hard = fields[f"{member}_pt"] > 3
        assert near[fired & hard & (fields["truth"] == 4)].mean() > 0.94


def test_muons_of_the_signal_are_identified_like_those_of_a_phi(signal):
    fields, muon = signal.triplet.fields, signal.muon
    for member in MEMBERS:
        idx = fields[f"{member}_idx"]
        mine = np.flatnonzero((fields["truth"] == 4) & (idx >= 0))
        rows = idx[mine] + muon.offsets[signal.triplet.event[mine]]
        assert muon.fields["isGlobal"][rows].mean() == pytest.approx(0.935, abs=0.01)
