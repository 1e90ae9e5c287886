"""Helm, by its own library, in a process of its own.

The library is written in Go, and ends a process in which ROOT or XRootD have handlers of signals.
"""

import functools
import importlib.util
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from facility_support import manifests

if importlib.util.find_spec("helm_python") is None:
    pytest.skip("helm-python-sdk is not installed", allow_module_level=True)


class HelmError(Exception):
    """What Helm says is wrong."""


def render(chart, values, namespace="flavorframe"):
    """Return the manifests of a chart; raises HelmError for values that its schema refuses."""
    return manifests.documents(_process().submit(_rendered, chart, values, namespace).result())


def lint(chart, values):
    """Return Helm's report on a chart."""
    return _process().submit(_linted, chart, values).result()


@functools.lru_cache(maxsize=1)
def _process():
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def _rendered(chart, values, namespace):
    from helm_python import chart as helm, errors

    try:
        loaded = helm.Chart.load(chart)
        loaded.validate_schema(values)
        return dict(loaded.render(values, name="facility", namespace=namespace))
    except errors.HelmError as error:  # which cannot come from another process
        raise HelmError(str(error)) from None


def _linted(chart, values):
    from helm_python import chart as helm

    return dict(helm.lint(chart, values=values, namespace="flavorframe", strict=True))
