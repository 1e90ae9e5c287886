"""Expressions of thousands of nodes: lists of runs, long sums, nested functions, links and parts."""

import functools
import operator

import pytest

import agreement
import flavorframe as ff
import wild
from flavorframe.engine import get_engine
from flavorframe.engine.columnar import depth, named, recall, view
from reference import LAYOUTS, check_random

events = ff.events()
t, muon = events.triplet, events.muon


@pytest.fixture
def all_is_deep(monkeypatch):
    """Have the columnar engine take every tree for a deep one, and be told of what it did not use."""
    for module in (depth, named, recall, view):
        monkeypatch.setattr(module, "SHALLOW", 1)
    views = []
    make = view.View.__init__

    def noted(self, *values, **options):
        make(self, *values, **options)
        views.append(self)

    monkeypatch.setattr(view.View, "__init__", noted)
    yield
    assert views
    assert not any(each._ready for each in views)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_deep_trees_mean_what_shallow_ones_do(sample, layout, all_is_deep):
    check_random(sample(layout), examples=60)


@pytest.mark.parametrize("write", [wild.write_nano, wild.write_bph], ids=["nano", "bph"])
def test_deep_trees_of_hard_numbers(tmp_path, write, all_is_deep):
    check_random(write(tmp_path / "wild.root", events=300), examples=60)
