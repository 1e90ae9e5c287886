"""What the tests of both packages share."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config, items):
    """Refuse to run where tests of one group would be spread over processes."""
    result = yield
    if hasattr(config, "workerinput") and config.getvalue("loadgroup"):
        grouped = [item for item in items if item.get_closest_marker("xdist_group")]
        if not all("@" in item.nodeid for item in grouped):
            raise pytest.UsageError("pytest-xdist does not know the groups of this pytest")
    return result
