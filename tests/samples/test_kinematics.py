import numpy as np
import pytest

from flavorframe.samples.kinematics import FourVector, around, boosted, from_pt_eta_phi, two_body


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def directions(rng: np.random.Generator, size: int) -> tuple[np.ndarray, ...]:
    axis = np.array([[0.0], [0.0], [1.0]]) * np.ones(size)
    return around(tuple(axis), rng.uniform(-1, 1, size), rng.uniform(-np.pi, np.pi, size))


def parents(rng: np.random.Generator, size: int) -> FourVector:
    eta, phi = rng.uniform(-2.5, 2.5, size), rng.uniform(-np.pi, np.pi, size)
    return from_pt_eta_phi(rng.uniform(1, 50, size), eta, phi, 1.96835)


def test_coordinates_and_components_are_the_same_momentum(rng):
    pt, eta, phi = rng.uniform(1, 50, 100), rng.uniform(-3, 3, 100), rng.uniform(-3, 3, 100)
    vector = from_pt_eta_phi(pt, eta, phi, 0.1)
    assert np.allclose([vector.pt, vector.eta, vector.phi], [pt, eta, phi])
    assert np.allclose(vector.mass, 0.1, atol=1e-5)


def test_a_boosted_decay_conserves_momentum_and_energy(rng):
    parent = parents(rng, 100)
    daughters = two_body(np.full(100, 1.96835), 1.0195, 0.1396, directions(rng, 100))
    total = boosted(daughters[0], parent) + boosted(daughters[1], parent)
    for component in ("x", "y", "z", "energy"):
        assert np.allclose(getattr(total, component), getattr(parent, component))


def test_daughters_have_their_masses(rng):
    one, other = two_body(np.full(50, 1.96835), 1.0195, 0.1396, directions(rng, 50))
    assert np.allclose(one.mass, 1.0195)
    assert np.allclose(other.mass, 0.1396)


def test_directions_have_the_angle_asked_for_about_any_axis(rng):
    axis = parents(rng, 200).direction
    cos_theta = rng.uniform(-1, 1, 200)
    turned = around(axis, cos_theta, rng.uniform(-np.pi, np.pi, 200))
    assert np.allclose(sum(a * b for a, b in zip(axis, turned, strict=True)), cos_theta)
    assert np.allclose(sum(component**2 for component in turned), 1.0)


def test_directions_about_the_negative_axis_are_finite():
    down = np.zeros(1), np.zeros(1), -np.ones(1)
    assert np.allclose(around(down, np.ones(1), np.zeros(1)), [[0.0], [0.0], [-1.0]])
