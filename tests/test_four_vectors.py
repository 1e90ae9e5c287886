"""Four-vectors: their quantities against the package vector, by both engines; errors."""

import math
import pickle

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES
from flavorframe.engines._columnar import compute
from flavorframe.errors import ExpressionError

EVENTS = 400
events = ff.events()
t, muon = events.triplet, events.muon
polar = ff.p4(pt=events["pt1"], eta=events["eta1"], phi=events["phi1"], mass=events["m1"])
other = ff.p4(pt=events["pt2"], eta=events["eta2"], phi=events["phi2"], mass="pi")
third = ff.p4(px=events["x3"], py=events["y3"], pz=events["z3"], energy=events["e3"])


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """Return a file with the branches above, from soft to hard, and what is in it."""
    rng = np.random.default_rng(5)
    inside = {}
    for i in "12":
        inside |= {
            f"pt{i}": 10 ** rng.uniform(-2, 3, EVENTS),
            f"eta{i}": rng.uniform(-5, 5, EVENTS),
            f"phi{i}": rng.uniform(-np.pi, np.pi, EVENTS),
            f"m{i}": 10 ** rng.uniform(-3, 2, EVENTS),
        }
    x, y, z = rng.normal(0, 20, (3, EVENTS))
    energy = np.sqrt(x * x + y * y + z * z + rng.uniform(0, 9, EVENTS))
    inside |= {"x3": x, "y3": y, "z3": z, "e3": energy}
    for name, value in {"pt1": 1.0, "eta1": 0.0, "phi1": np.pi, "m1": 1e-3}.items():
        inside[name][0] = value  # straight up
    for name in ("pt", "eta", "phi"):
        inside[f"{name}1"][1] = inside[f"{name}2"][1]  # side by side
    inside["x3"][2] = inside["y3"][2] = inside["z3"][2] = 0.0  # at rest
    path = tmp_path_factory.mktemp("four_vectors") / "numbers.root"
    with uproot.recreate(path) as file:
        file["Events"] = inside
    return path, inside


def vectors(inside):
    """Return the three four-vectors above as the package vector has them."""
    vector = pytest.importorskip("vector")
    mass = np.full(EVENTS, 0.13957039)
    first, second = (
        vector.array({"pt": inside[f"pt{i}"], "eta": inside[f"eta{i}"], "phi": inside[f"phi{i}"],
                      "mass": m})
        for i, m in (("1", inside["m1"]), ("2", mass))
    )  # fmt: skip
    names = {"px": "x3", "py": "y3", "pz": "z3", "E": "e3"}
    return first, second, vector.array({name: inside[b] for name, b in names.items()})


QUANTITIES = ("px", "py", "pz", "energy", "p", "pt", "eta", "phi", "theta", "rapidity", "beta",
              "gamma", "mass", "mass2")  # fmt: skip
NAMES = {"energy": "E", "theta": "theta", "mass2": "tau2", "mass": "tau"}


@pytest.mark.parametrize(
    "engine", [pytest.param(e, marks=[pytest.mark.root] * (e == "rdataframe")) for e in ENGINES]
)
def test_as_the_package_vector_has_it(numbers, engine):
    path, inside = numbers
    a, b, c = vectors(inside)
    total, seen = polar + other + third, {}
    for name in QUANTITIES:
        seen |= {f"{name}_1": getattr(polar, name), f"{name}_3": getattr(third, name)}
        seen |= {f"{name}_sum": getattr(total, name)}
    seen |= {
        "angle": polar.angle(other),
        "dr": (polar + other).delta_r(third),
        "dphi": polar.delta_phi(third),
        "rest_x": polar.in_rest_frame_of(total).px,
        "rest_e": polar.in_rest_frame_of(total).energy,
        "minus": (total - polar).mass2,
    }
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(**seen))
    rows = analysis.run(ff.dataset(path), engine=engine, progress=False).rows.columns
    size = (a + b + c).E
    expected = {
        f"{name}_{which}": getattr(p, NAMES.get(name, name))
        for which, p in (("1", a), ("3", c), ("sum", a + b + c))
        for name in QUANTITIES
    }
    rest = a.boostCM_of(a + b + c)
    expected |= {
        "angle": a.deltaangle(b), "dr": (a + b).deltaR(c), "dphi": a.deltaphi(c),
        "rest_x": rest.px, "rest_e": rest.E, "minus": (b + c).tau2,
    }  # fmt: skip
    at_rest = np.arange(EVENTS) == 2
    for name, values in expected.items():
        tolerance = 1e-9 * np.maximum(1, abs(values))
        if name.startswith(("mass", "minus", "gamma")):  # a difference of large numbers
            tolerance = tolerance + 1e-12 * (1 + size * size) * np.maximum(1, abs(values))
        if name.startswith("angle"):  # vector's own is by arccos
            tolerance = tolerance + 1e-7
        bad = ~(abs(rows[name] - values) <= tolerance)
        if name in ("eta_3", "dr", "dphi"):  # what rests has no direction
            bad &= ~at_rest
        assert not bad.any(), (name, rows[name][bad], values[bad])
    assert rows["angle"][1] < 1e-7
    assert rows["phi_1"][0] == np.pi


def one(**columns):
    """Return the values of expressions of constants, as one event gives them."""
    return {name: _constant(x.node) for name, x in columns.items()}


def _constant(node):
    arguments = [_constant(a) for a in getattr(node, "arguments", ())]
    if not arguments:
        return np.float64(node.value)
    return compute.compute(node.operation, arguments)


@pytest.mark.parametrize("boost", [1e2, 1e5, 1e8])
def test_a_given_mass_and_its_rapidity_survive_any_boost(boost):
    p = ff.p4(px=0.3, py=-0.4, pz=boost, mass=0.000511)
    exact = math.asinh(boost / math.hypot(0.5, 0.000511))
    found = one(y=p.rapidity, m=p.mass, back=p.in_rest_frame_of(p).mass)
    assert found["m"] == found["back"] == 0.000511
    assert abs(found["y"] - exact) < 1e-14


@pytest.mark.parametrize(("energy", "digits"), [(50.0, 11), (5e4, 5)])
def test_computed_masses_are_as_accurate_as_told(energy, digits):
    muons = ff.p4(px=0, py=0.3, pz=energy, mass=0.4) + ff.p4(px=0, py=-0.3, pz=energy, mass=0.4)
    exact = 2 * 0.5  # energies of 0.5 across the boost
    assert abs(one(m=muons.mass)["m"] - exact) < 10.0**-digits
    assert abs(one(y=muons.rapidity)["y"] - math.asinh(2 * energy)) < 10.0**-digits


def test_lighter_than_light_and_at_rest():
    spacelike = ff.p4(px=3, py=0, pz=4, energy=4)
    rest = ff.p4(px=0, py=0, pz=0, mass=2)
    found = one(m=spacelike.mass, m2=spacelike.mass2, eta=rest.eta, e=rest.energy, b=rest.beta,
                angle=rest.angle(spacelike))  # fmt: skip
    assert (found["m"], found["m2"], found["e"], found["b"]) == (-3, -9, 2, 0)
    assert np.isnan(found["eta"])
    assert np.isnan(found["angle"])


def test_sums_of_objects_have_the_mass_that_ff_mass_has():
    p = sum([ff.p4(t.mu1, mass="mu"), ff.p4(t.mu2, mass="mu"), ff.p4(t.track, mass="pi+")])
    assert p.mass is ff.mass(t.mu1, t.mu2, t.track, masses=("mu", "mu", "pi"))
    assert ff.p4(t.mu1).mass is t.mu1.mass
    assert ff.delta_r(p, t.track) is p.delta_r(t.track)


def test_what_quantities_have_in_common_is_computed_once(sample, monkeypatch):
    done = []
    original = compute.compute

    def counting(operation, arguments):
        done.append(operation)
        return original(operation, arguments)

    monkeypatch.setattr(compute, "compute", counting)
    p = ff.p4(t.mu1, mass="mu") + ff.p4(t.track, mass="pi")
    analysis = ff.Analysis(
        ff.Selection(t), rows=ff.snapshot(t.mass, pt=p.pt, y=p.rapidity, phi=p.phi, gamma=p.gamma)
    )
    analysis.run(ff.dataset(sample("nano")), progress=False, threads=1, cache=False)
    assert [done.count(each) for each in ("cosh", "sinh", "sin", "cos")] == [2, 2, 2, 2]


def test_sum_over_the_elements_of_an_event(sample):
    whole, hard = ff.p4(muon, mass="mu").sum(), ff.p4(muon[muon.pt > 5], mass="mu").sum()
    analysis = ff.Analysis(
        ff.Selection(events), rows=ff.snapshot(m=whole.mass, pt=whole.pt, hard=hard.energy)
    )
    file = sample("nano")
    rows = analysis.run(ff.dataset(file), progress=False).rows
    muons = uproot.open(file)["Events"].arrays(["Muon_pt", "Muon_eta", "Muon_phi"])
    for event in (*range(20), *np.flatnonzero(rows["pt"] == 0)[:2]):
        fields = (muons[f"Muon_{name}"][event].to_list() for name in ("pt", "eta", "phi"))
        px = py = pz = energy = above = 0.0
        for pt, eta, phi in zip(*fields, strict=True):
            px, py, pz = px + pt * math.cos(phi), py + pt * math.sin(phi), pz + pt * math.sinh(eta)
            own = math.sqrt((pt * math.cosh(eta)) ** 2 + ff.MUON_MASS**2)
            energy, above = energy + own, above + own * (pt > 5)
        m2 = energy**2 - px**2 - py**2 - pz**2
        assert rows["m"][event] == pytest.approx(math.sqrt(max(m2, 0)), abs=1e-5)
        assert rows["pt"][event] == pytest.approx(math.hypot(px, py), abs=1e-9)
        assert rows["hard"][event] == pytest.approx(above)


def test_sums_of_nested_lists_are_one_for_each_outer_element():
    near = muon.per(t)
    cone = ff.p4(near[ff.delta_r(near, t) < 0.4], mass="mu").sum()
    assert cone.mass.axis == t.axis


def test_pickled_and_shown():
    p = ff.p4(t.mu1, mass="mu") - ff.p4(t.track, mass="pi")
    again = pickle.loads(pickle.dumps(p))
    assert repr(again) == repr(p) == "<four-vector triplet.mu1 − (triplet.track), one per triplet>"
    assert again.rapidity is p.rapidity
    heavier = ff.p4(p, mass="K+")
    assert heavier.mass is ff.particle_mass("K+")
    assert heavier.px is p.px


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: ff.p4(t.mu1) + t.mu2, r"ff.p4\(...\) makes one"),
        (lambda: ff.p4(t.mu1) + ff.p4(muon), "two collections do not combine"),
        (lambda: ff.p4(t.mass > 1), "has no momentum"),
        (lambda: ff.p4(5.0), "has no momentum"),
        (lambda: ff.p4(pt=1, eta=2, phi=0), "px, py, pz and mass; it was given pt, eta and phi"),
        (lambda: ff.p4(), "it was given nothing"),
        (lambda: ff.p4(muon, pt=3), "an object and pt"),
        (lambda: ff.p4(muon, mass="muun"), "no particle 'muun'"),
        (lambda: ff.p4(events.met, mass=0).sum(), "one value per event already"),
        (lambda: ff.p4(muon).in_rest_frame_of(muon), "in the rest frame of"),
        (lambda: ff.Selection(muon).cut("p", ff.p4(muon)), "cannot be part of an expr"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ExpressionError, match=message):
        wrong()


def test_a_wrong_name_is_answered_by_the_right_ones():
    with pytest.raises(AttributeError, match=r"no 'rapidty'; it has angle, beta,.*rapidity"):
        _ = ff.p4(muon).rapidty
