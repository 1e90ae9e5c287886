"""The benchmark tasks of ``examples/adl.py``, against loops over a few hundred events."""

import importlib.util
import itertools
import math
from collections import Counter
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff

EXAMPLE = Path(__file__).parents[2] / "examples" / "adl.py"
EVENTS = 400
MASS = {"muon": 0.1056583755, "electron": 0.000511}


@pytest.fixture(scope="module")
def adl():
    spec = importlib.util.spec_from_file_location("adl", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def content():
    rng = np.random.default_rng(5)

    def objects(mean, most, **more):
        counts = rng.poisson(mean, EVENTS)
        size = counts.sum()
        momenta = {
            "pt": rng.exponential(most, size) + 5,
            "eta": rng.normal(0, 1.2, size),
            "phi": rng.uniform(-math.pi, math.pi, size),
        }
        fields = momenta | {name: make(size) for name, make in more.items()}
        return ak.zip({n: ak.unflatten(v.astype(t), counts) for n, v in fields.items()
                       for t in ["i4" if n == "charge" else "f4"]})  # fmt: skip

    def charges(size):
        return rng.choice([-1, 1], size)

    leptons = {
        name: {"charge": charges, "mass": lambda size, m=mass: np.full(size, m)}
        for name, mass in MASS.items()
    }
    return {
        "run": np.ones(EVENTS, np.uint32),
        "luminosityBlock": np.ones(EVENTS, np.uint32),
        "event": np.arange(EVENTS),
        "MET_pt": rng.exponential(40, EVENTS).astype("f4"),
        "MET_phi": rng.uniform(-math.pi, math.pi, EVENTS).astype("f4"),
        "Jet": objects(3.5, 25, mass=lambda size: rng.uniform(2, 15, size),
                       btag=lambda size: rng.uniform(0, 1, size)),
        "Muon": objects(1.5, 30, **leptons["muon"]),
        "Electron": objects(1.2, 30, **leptons["electron"]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def file(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("adl") / "events.root"
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(ak.Array(x)) for name, x in content.items()})
        written["Events"].extend(content)
    return str(path)


@pytest.fixture(scope="module")
def result(adl, file):
    return adl.analysis.run(ff.dataset(file), progress=False)


@pytest.fixture(scope="module")
def events(content):
    """Every event as Python objects: a dictionary of lists of dictionaries."""
    lists = {name: ak.Array(value).to_list() for name, value in content.items()}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def momentum(objects):
    """Return E, px, py, pz of some objects together."""
    total = np.zeros(4)
    for o in objects:
        p = np.array([o["pt"] * math.cos(o["phi"]), o["pt"] * math.sin(o["phi"]),
                      o["pt"] * math.sinh(o["eta"])])  # fmt: skip
        total += [math.sqrt(p @ p + o["mass"] ** 2), *p]
    return total


def mass(objects):
    e, *p = momentum(objects)
    return math.sqrt(max(e * e - np.dot(p, p), 0))


def leptons(event):
    found = [{**o, "flavour": name} for name in ("Muon", "Electron") for o in event[name]]
    return sorted(found, key=lambda o: -o["pt"])


def task1(event):
    yield "met", event["MET_pt"]


def task2(event):
    for jet in event["Jet"]:
        yield "pt", jet["pt"]


def task3(event):
    for jet in event["Jet"]:
        if abs(jet["eta"]) < 1:
            yield "pt", jet["pt"]


def task4(event):
    if sum(jet["pt"] > 40 for jet in event["Jet"]) >= 2:
        yield "met", event["MET_pt"]


def task5(event):
    for pair in itertools.combinations(event["Muon"], 2):
        if pair[0]["charge"] != pair[1]["charge"] and 60 <= mass(pair) < 120:
            yield "met", event["MET_pt"]
            return


def task6(event):
    three = min(
        itertools.combinations(event["Jet"], 3), key=lambda t: abs(mass(t) - 172.5), default=None
    )
    if three is not None:
        _, px, py, _ = momentum(three)
        yield "pt", math.hypot(px, py)
        yield "tag", max(jet["btag"] for jet in three)


def task7(event):
    near = [each for each in leptons(event) if each["pt"] > 10]
    yield (
        "total",
        sum(
            jet["pt"]
            for jet in event["Jet"]
            if jet["pt"] > 30 and all(distance(jet, each) >= 0.4 for each in near)
        ),
    )


def distance(a, b):
    phi = (a["phi"] - b["phi"] + math.pi) % (2 * math.pi) - math.pi
    return math.hypot(a["eta"] - b["eta"], phi)


def task8(event):
    found = leptons(event)
    pairs = [
        (a, b)
        for a, b in itertools.combinations(found, 2)
        if a["flavour"] == b["flavour"] and a["charge"] != b["charge"]
    ]
    if len(found) < 3 or not pairs:
        return
    pair = min(pairs, key=lambda p: abs(mass(p) - 91.2))
    other = next(each for each in found if each not in pair)
    angle = other["phi"] - event["MET_phi"]
    yield "mt", math.sqrt(2 * other["pt"] * event["MET_pt"] * (1 - math.cos(angle)))


@pytest.mark.parametrize("task", [task1, task2, task3, task4, task5, task6, task7, task8])
def test_task(result, events, task):
    values = [each for event in events for each in task(event)]
    expected = Counter(name for name, _ in values)
    assert min(expected.values()) > 20
    region = result[task.__name__]
    for name in expected:
        histogram = getattr(region, name)
        edges = [-np.inf, *histogram.axes[0].edges, np.inf]
        filled, _ = np.histogram([x for own, x in values if own == name], edges)
        np.testing.assert_array_equal(histogram.values(flow=True), filled)


def test_one_function_is_one_task_of_few_lines(adl):
    lines = EXAMPLE.read_text("utf-8").split("\ndef ")[1:]
    assert max(len(each.split("\n\n\n")[0].splitlines()) for each in lines) <= 25
    assert [name for name, _ in adl.analysis.regions] == [f"task{i}" for i in range(1, 9)]
