"""For every folder with tests: the markers that follow from what a test uses, and patience."""

import gc
from collections.abc import Generator, Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # how long an example takes depends on what else the machine does

SERVERS = frozenset(
    (
        *("alice", "bob", "client", "cluster", "facility", "gateway", "s3_server", "secured"),
        *("served", "slurm_server", "oidc_facility", "token_server", "federation", "xrootd"),
    )
)
"""Fixtures that start a server, or need one that another has started."""
SERVER_GROUPS = frozenset(("dask", "facility", "login"))
BROWSERS = frozenset(("browser", "page"))
SAMPLES = frozenset(("sample", "corner_case"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by its fixtures, parameters and group."""
    if uses_a_fixture_of_its_file(item) and not item.get_closest_marker("xdist_group"):
        # Or each process would make the fixture.
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    for name in implied_markers(item):
        item.add_marker(name)
    if item.get_closest_marker("root") and find_spec("ROOT") is None:
        item.add_marker(pytest.mark.skip(reason="ROOT is not installed"))


def uses_a_fixture_of_its_file(item: pytest.Item) -> bool:
    """Whether a fixture of the test is made once for the tests of its file."""
    known = getattr(item, "_fixtureinfo", None)
    definitions = known.name2fixturedefs.values() if known else ()
    return any(each.scope == "module" for found in definitions for each in found)


def implied_markers(item: pytest.Item) -> Iterator[str]:
    """Yield the markers that follow from what a test uses."""
    fixtures = frozenset(getattr(item, "fixturenames", ()))
    groups = {mark.args[0] for mark in item.iter_markers("xdist_group") if mark.args}
    if fixtures & SERVERS or groups & SERVER_GROUPS:
        yield "servers"
    if fixtures & BROWSERS:
        yield "browser"
    if needs_root(item, fixtures) or "root" in groups:
        yield "root"


def needs_root(item: pytest.Item, fixtures: frozenset[str]) -> bool:
    """Whether an engine is ROOT's, or a sample in the layout that only ROOT writes."""
    call = getattr(item, "callspec", None)
    values = list(call.params.values()) if call else []
    values += [part for value in values if isinstance(value, tuple) for part in value]
    words = {value for value in values if isinstance(value, str)}
    return "rdataframe" in words or ("bph" in words and bool(fixtures & SAMPLES))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have the garbage collector leave alone what is there from now on to the end.

    The tests and all that they import are half a million objects or more to look through each time.
    """
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Refuse to run where tests that share a facility would be spread over processes."""
    result = yield
    if hasattr(config, "workerinput") and config.getvalue("loadgroup"):
        grouped = [item for item in items if item.get_closest_marker("xdist_group")]
        if not all("@" in item.nodeid for item in grouped):
            raise pytest.UsageError("pytest-xdist does not know the groups of this pytest")
    return result
