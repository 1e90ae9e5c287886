"""Operations over arrays: double precision, NaN and integers."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from flavorframe._expr import kinematics as physics
from flavorframe._expr.operations import compute

NAN = math.nan


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        ("ne", ([1.0, NAN, 2.0], [1.0, 1.0, NAN]), [False, False, False]),
        ("ne", ([1, 2], [1, 1]), [False, True]),
        ("lt", ([1.0, NAN], [2.0, 2.0]), [True, False]),
        ("not", ([0.0, 2.0],), [True, False]),
        ("between_left", ([1.0, 2.0, NAN], [1.0] * 3, [2.0] * 3), [True, False, False]),
        ("between_right", ([1.0, 2.0], [1.0] * 2, [2.0] * 2), [False, True]),
        ("between_both", ([1.0, 2.0], [1.0] * 2, [2.0] * 2), [True, True]),
        ("between_none", ([1.0, 1.5], [1.0] * 2, [2.0] * 2), [False, True]),
        ("add", ([True, True], [True, False]), [2, 1]),
        ("divide", ([1, 0], [2, 0]), [0.5, NAN]),
        ("power", ([2, 3], [-1, 2]), [0.5, 9.0]),
        ("sqrt", ([-1.0, 4.0],), [NAN, 2.0]),
        ("where", ([True, False], [1, 2], [3, 4]), [1, 4]),
    ],
)
def test_computes(operation, arguments, expected):
    result = compute(operation, [np.array(a) for a in arguments])
    np.testing.assert_array_equal(result, expected)


def test_single_precision_is_widened_before_arithmetic():
    stored = np.array([0.1], np.float32)
    assert compute("add", [stored, stored])[0] == float(stored[0]) * 2
    assert not compute("eq", [stored, np.array([0.1])])[0]


def test_small_integers_do_not_overflow():
    assert compute("multiply", [np.array([2**30], np.int32), np.array(4)])[0] == 2**32
    assert compute("subtract", [np.array([1], np.uint32), np.array([2], np.uint32)])[0] == -1


angles = st.floats(-10, 10)


@given(angles, angles)
def test_delta_phi_is_wrapped_and_congruent(a, b):
    wrapped = float(physics.delta_phi(np.float64(a), np.float64(b)))
    assert -math.pi <= wrapped < math.pi
    assert math.isclose(math.cos(wrapped), math.cos(a - b), abs_tol=1e-9)


@given(st.floats(0.1, 100), st.floats(-2.5, 2.5), angles, st.floats(0.1, 100), st.floats(-2.5, 2.5))
def test_mass_of_two_vectors(pt1, eta1, phi1, pt2, eta2):
    mass = float(physics.invariant_mass(*map(np.float64, (pt1, eta1, phi1, 0, pt2, eta2, 0, 0))))
    expected = 2 * pt1 * pt2 * (math.cosh(eta1 - eta2) - math.cos(phi1))
    assert math.isclose(mass * abs(mass), expected, rel_tol=1e-6, abs_tol=1e-7 * pt1 * pt2 + 1e-9)


def test_pointing_along_the_flight_is_one():
    point = [np.float64(x) for x in (3.0, 4.0)]
    zero = np.float64(0)
    phi = np.arctan2(point[1], point[0])
    assert physics.cos2d(np.float64(5), phi, *point, zero, zero) == pytest.approx(1)
    eta = np.arcsinh(np.float64(2) / 5)
    along = physics.cos3d(np.float64(5), eta, phi, *point, np.float64(2), zero, zero, zero)
    assert along == pytest.approx(1)


def test_transverse_mass_of_back_to_back_momenta():
    mt = physics.transverse_mass(np.float64(40), np.float64(0), np.float64(40), np.float64(np.pi))
    assert mt == pytest.approx(80)
