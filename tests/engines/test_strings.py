"""Strings are tested and nothing else: what they are not good for is told with its place."""

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES
from flavorframe.errors import ExpressionError

events = ff.events()
muon = events.muon
name, names = events["name"], muon["Muon_name"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("strings") / "strings.root"
    content = {
        "name": ak.Array(["a", "b", ""]),
        "Muon_name": ak.Array([["x", "yy"], [], ["x"]]),
        "Muon_pt": ak.Array([[1.0, 2.0], [], [3.0]]),
        "x": np.arange(3),
    }
    with uproot.recreate(path) as written:
        written.mkrntuple("Events", content)
    return str(path)


def selected(**steps):
    selection = ff.Selection(muon)
    for step, value in steps.items():
        given = {"lowest": value} if step == "best" else {"condition": value, "name": "it"}
        given = {"factor": value, "name": "it"} if step == "weight" else given
        selection = getattr(selection, step)(**given)
    return ff.Analysis(selection)


MISUSES = {
    "cut": (selected(cut=names), "Cut 'it': Muon_name is a string; .* are cut on"),
    "cut of event": (selected(cut=name), "Cut 'it': name is a string"),
    "weight": (selected(weight=names), "Weight 'it': Muon_name is a string; .* are weights"),
    "best": (selected(best=names), "Best 'best candidate': Muon_name is a string; .* chosen by"),
    "hist": (
        ff.Analysis(ff.Selection(muon), h=ff.hist(names, bins=[0, 1])),
        "output 'h': Muon_name is a string",
    ),
    "weight of hist": (
        ff.Analysis(ff.Selection(muon), h=ff.hist(muon.pt, bins=[0, 1], weight=name)),
        "output 'h': name is a string",
    ),
    "part": (selected(cut=muon[names].pt.sum() > 1), "Muon_name is a string; .* conditions"),
    "any": (selected(cut=names.any()), r"any\(Muon_name\): Muon_name is a string"),
    "count": (selected(cut=names.count() > 1), r"count\(Muon_name\): Muon_name is a string"),
    "max": (selected(cut=names.max() > 1), "Muon_name is a string"),
    "index": (selected(cut=muon.at(name).pt > 1), "name is a string"),
    "link": (selected(cut=muon.match(name=names).pt > 1), "Muon_name is a string"),
    "bits": (selected(cut=names & 2), "Muon_name is a string"),
    "first": (selected(cut=names.first() > 1), r"first\(Muon_name\) is a string"),
    "first itself": (selected(cut=names.first()), r"Cut 'it': first\(Muon_name\) is a string"),
    "where": (selected(cut=ff.where(names, 1, 2)), "Muon_name is a string"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("misuse", MISUSES)
def test_a_string_is_no_quantity(engine, file, misuse):
    analysis, message = MISUSES[misuse]
    with pytest.raises(ExpressionError, match=message):
        analysis.run(ff.dataset(file), engine=engine, progress=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_strings_are_tested(engine, file):
    tests = {
        "is": names.isin("x"), "first": names.first().startswith("y", "x"),
        "event": name.matches("[ab]"), "linked": muon.at(0).name.contains("x"),
        "either": names.isin("yy") ^ name.isin("a"),
    }  # fmt: skip
    found = {
        test: ff.Analysis(ff.Selection(muon).cut("it", cut))
        .run(ff.dataset(file), engine=engine, progress=False)
        .cutflow["it"].candidates
        for test, cut in tests.items()
    }  # fmt: skip
    assert found == {"is": 2, "first": 3, "event": 2, "linked": 3, "either": 1}
