"""Primary vertices, and the vertex fit of each candidate: position, χ² and flight (cm)."""

from __future__ import annotations

import numpy as np

from flavorframe.samples.candidates import Candidates
from flavorframe.samples.collisions import PARENT_CTAU
from flavorframe.samples.kinematics import FourVector
from flavorframe.samples.record import Array

#: The beam in the transverse plane [cm], its width there and along it.
BEAM = (0.083, -0.034, 0.0)
BEAM_WIDTH = (0.001, 0.001, 3.7)

#: Transverse error of a candidate's vertex: median [cm] and log-normal width.
VERTEX_ERROR, VERTEX_ERROR_WIDTH = 0.008, 0.35

#: χ² of tracks that do not belong together: median factor over a true vertex, log-normal width.
RANDOM_CHI2, RANDOM_CHI2_WIDTH = 3.0, 0.9

#: Share of vertex fits that fail; all that follows from the vertex is then NaN.
FAILED_FIT_RATE = 0.001

#: Share of candidates whose refitted primary vertex has at most one track.
POOR_PV_RATE = 0.02


def primary_vertices(rng: np.random.Generator, events: int) -> Array:
    """Positions of the primary vertices, shape (events, 3) [cm]."""
    return BEAM + np.multiply(BEAM_WIDTH, rng.standard_normal((events, 3)))


def fit_vertices(
    rng: np.random.Generator, found: Candidates, pv: Array, flight: Array
) -> dict[str, Array]:
    """Fit the vertices of candidates, given their primary vertices and true transverse flight.

    ``flight_*`` is the transverse distance to the beam, ``flight3d_*`` that to the primary
    vertex ``pv``, shape (candidates, 3).
    """
    triplet = found.triplet
    error = VERTEX_ERROR * rng.lognormal(0, VERTEX_ERROR_WIDTH, len(flight))
    vertex = pv + _displacement(rng, triplet, flight, error)
    fitted = {
        "vertex_chi2": _chi2(rng, found.truth),
        "vertex_ndof": np.full(len(flight), 3.0),
        **_point("vertex", vertex),
        **_distance("flight", np.hypot(*(vertex - BEAM)[:, :2].T), error),
        **_distance("flight3d", np.linalg.norm(vertex - pv, axis=1), error * np.cosh(triplet.eta)),
    }
    failed = rng.random(len(flight)) < FAILED_FIT_RATE
    fitted = {name: np.where(failed, np.nan, values) for name, values in fitted.items()}
    return fitted | _point("pv", pv) | {"pv_ntracks": _pv_tracks(rng, len(flight))}


def _pv_tracks(rng: np.random.Generator, size: int) -> Array:
    # Those left when the vertex is fitted again without the candidate's tracks.
    usual = 2 + rng.negative_binomial(3, 0.12, size)
    return np.where(rng.random(size) < POOR_PV_RATE, rng.integers(0, 2, size), usual)


def _point(name: str, position: Array) -> dict[str, Array]:
    return {f"{name}_{axis}": values for axis, values in zip("xyz", position.T, strict=True)}


def _displacement(
    rng: np.random.Generator, triplet: FourVector, flight: Array, error: Array
) -> Array:
    along, across, z = rng.standard_normal((3, len(flight))) * error
    cos, sin = triplet.x / triplet.pt, triplet.y / triplet.pt
    along, across = flight + along, 0.3 * across
    z = flight * triplet.z / triplet.pt + z
    return np.stack([along * cos - across * sin, along * sin + across * cos, z], axis=1)


def _distance(name: str, distance: Array, error: Array) -> dict[str, Array]:
    return {
        f"{name}_distance": distance,
        f"{name}_error": error,
        f"{name}_significance": distance / error,
    }


def _chi2(rng: np.random.Generator, truth: Array) -> Array:
    genuine = np.isin(truth, list(PARENT_CTAU))
    worse = RANDOM_CHI2 * rng.lognormal(0, RANDOM_CHI2_WIDTH, len(truth))
    return rng.chisquare(3, len(truth)) * np.where(genuine, 1.0, worse)
