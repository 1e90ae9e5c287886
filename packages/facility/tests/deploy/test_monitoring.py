"""Grafana's dashboard asks for metrics that there are."""

import json
import re

import pytest

from facility_support import metrics
from facility_support.manifests import DEPLOY

PROMQL = {"by", "count", "histogram_quantile", "increase", "le", "rate", "sum"}
LABELS = {"status", "state", "type", "gateway_dask_org_cluster"}
DASHBOARD = json.loads((DEPLOY / "monitoring" / "facility.json").read_text())


def expressions():
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def asked(expression):
    """Return the names of metrics in an expression of PromQL."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", expression)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare)) - PROMQL - LABELS


@pytest.fixture(scope="module")
def given():
    pytest.importorskip("prometheus_client")
    return metrics.of_hub() | metrics.of_dask()


@pytest.mark.parametrize("expression", expressions())
def test_each_metric_is_given_by_the_hub_or_by_dask(expression, given):
    assert asked(expression), "no metric"
    assert asked(expression) <= given


def test_a_metric_that_nobody_gives_is_found(given):
    assert not asked("sum(rate(dask_worker_taskz[5m]))") <= given


def test_panels_do_not_lie_on_each_other():
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
