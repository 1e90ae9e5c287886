"""Samples that several test files look at."""

import pytest

from flavorframe.samples import Events, generate


@pytest.fixture(scope="session")
def events() -> Events:
    return generate(30_000, seed=11)


@pytest.fixture(scope="session")
def simulation() -> Events:
    return generate(10_000, seed=11, kind="simulation")
