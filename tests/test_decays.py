"""Helicity angles, Dalitz variables and decay times, on decays of which the truth is known."""

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES
from flavorframe.errors import ExpressionError

EVENTS = 300
DS, PHI, MUON, PION = 1.968, 1.019, 0.1057, 0.1396
events = ff.events()
t = events.triplet


def particle(name, mass):
    px, py, pz = (events[f"{name}_{axis}"] for axis in "xyz")
    return ff.p4(px=px, py=py, pz=pz, mass=mass)


mu1, mu2, pion = particle("mu1", MUON), particle("mu2", MUON), particle("pi", PION)


def boosted(energy, momentum, by_energy, by_momentum):
    """Return what rests in a frame's origin as it is where that frame has this four-momentum."""
    mass = np.sqrt(by_energy**2 - (by_momentum**2).sum(axis=0))
    along = (momentum * by_momentum).sum(axis=0)
    share = (along / (by_energy + mass) + energy) / mass
    return (energy * by_energy + along) / mass, momentum + share * by_momentum


def two_body(parent, first, second):
    """Return the momentum of each product and the energies, in the parent's rest frame."""
    squared = (parent**2 - (first + second) ** 2) * (parent**2 - (first - second) ** 2)
    p = np.sqrt(squared) / (2 * parent)
    return p, np.hypot(p, first), np.hypot(p, second)


@pytest.fixture(scope="module")
def decays(tmp_path_factory):
    """Return a file of Ds → φ(μμ)π of known helicity angle, and the cosines of that angle."""
    rng = np.random.default_rng(8)
    cosine, azimuth = rng.uniform(-1, 1, EVENTS), rng.uniform(-np.pi, np.pi, EVENTS)
    cosine[:2] = 1, -1
    sine = np.sqrt(1 - cosine**2)
    p_mu, e_mu, _ = two_body(PHI, MUON, MUON)
    p_phi, e_phi, e_pi = two_body(DS, PHI, PION)
    # The φ flies along z in the frame of the Ds; turned, and boosted to the laboratory.
    direction = np.array([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    along_z = np.array([np.zeros(EVENTS), np.zeros(EVENTS), np.full(EVENTS, p_phi)])
    products = {
        "mu1": boosted(e_mu, p_mu * direction, e_phi, along_z),
        "mu2": boosted(e_mu, -p_mu * direction, e_phi, along_z),
        "pi": (e_pi, -along_z),
    }
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    flight = rng.normal(0, 20, (3, EVENTS))
    energy = np.sqrt(DS**2 + (flight**2).sum(axis=0))
    columns = {"flight": rng.exponential(0.1, EVENTS)}
    for name, (e, p) in products.items():
        _, seen = boosted(e, turn @ p, energy, flight)
        columns |= {f"{name}_{axis}": seen[i] for i, axis in enumerate("xyz")}
    path = tmp_path_factory.mktemp("decays") / "decays.root"
    with uproot.recreate(path) as file:
        file["Events"] = columns
    return path, cosine, columns["flight"], np.sqrt((flight**2).sum(axis=0))


@pytest.mark.parametrize(
    "engine", [pytest.param(e, marks=[pytest.mark.root] * (e == "rdataframe")) for e in ENGINES]
)
def test_decays_of_known_truth(decays, engine):
    path, cosine, flight, momentum = decays
    phi, ds = mu1 + mu2, mu1 + mu2 + pion
    plane = ff.dalitz(mu1, mu2, pion)
    columns = {
        "helicity": ff.cos_helicity(mu1, phi, ds),
        "other": ff.cos_helicity(mu2, phi, ds),
        "time": ff.decay_time(events["flight"], ds),
        "of_ds": ff.decay_time(events["flight"], ds.p, mass="D_s+"),
        "m12": plane.m2_12,
        "sum": sum(plane),
    }
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(**columns))
    rows = analysis.run(ff.dataset(path), engine=engine, progress=False).rows
    np.testing.assert_allclose(rows["helicity"], cosine, atol=1e-9)
    np.testing.assert_allclose(rows["other"], -cosine, atol=1e-9)
    np.testing.assert_allclose(rows["m12"], PHI**2, rtol=1e-10)
    np.testing.assert_allclose(rows["sum"], DS**2 + 2 * MUON**2 + PION**2, rtol=1e-10)
    picoseconds = flight * 1e-2 / 299792458 * 1e12 / momentum
    np.testing.assert_allclose(rows["time"], DS * picoseconds, rtol=1e-9)
    np.testing.assert_allclose(rows["of_ds"], 1.96835 * picoseconds, rtol=1e-12)


def test_decay_time_is_the_same_in_files_of_other_units(tmp_path):
    layout = ff.layout("other", units={"energy": "MeV", "length": "mm"})
    with uproot.recreate(tmp_path / "mm.root") as file:
        file["Events"] = {"flight": np.array([1.5]), "p": np.array([5000.0])}
    analysis = ff.Analysis(
        ff.Selection(events),
        rows=ff.snapshot(time=ff.decay_time(events["flight"], events["p"], mass="B0")),
    )
    found = analysis.run(ff.dataset(tmp_path / "mm.root", layout=layout), progress=False)
    assert found.rows["time"][0] == pytest.approx(1.5e-3 / 299792458 * 5279.72 / 5000 * 1e12)


def test_a_decay_without_a_mass_is_refused():
    with pytest.raises(ExpressionError, match="takes the mass of what decays"):
        ff.decay_time(t.flight_distance, t.pt)
    with pytest.raises(ExpressionError, match="has no momentum"):
        ff.cos_helicity(t.mu1, t.mass > 1, t)
