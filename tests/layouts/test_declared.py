"""Layouts as data: the same from Python and from TOML, and every mistake in one told."""

import json
import pickle

import pytest

import flavorframe as ff
from flavorframe.errors import LayoutError
from flavorframe.layouts.declaring import declared
from flavorframe.layouts.files import lines_of_keys, read_layout
from flavorframe.layouts.registry import BUILT_IN

TOML = """\
name = "mine"
recognised_by = ["RunNumber", "cand_*"]
tree = "tuples/B"
lists = "alone"

[event]
run = "RunNumber"

[collections.muon]
branches = ["Mu*"]

[collections.triplet]
branches = ["cand_*"]
fields = { mass = "cand_m3mu", mu1 = { pt = "cand_pt1" } }
[collections.triplet.links]
mu1 = { to = "muon", equal = { pt = "mu1.pt" } }
track.to = "track"
track.index = "cand_itrk"

[triggers.hlt]
branches = ["HLT_*"]

[units]
energy = "MeV"

[rows]
key = ["RunNumber", "EventNumber"]
event = ["n*"]
"""
PYTHON = {
    "recognised_by": ("RunNumber", "cand_*"),
    "tree": "tuples/B",
    "lists": "alone",
    "event": {"run": "RunNumber"},
    "collections": {
        "muon": {"branches": "Mu*"},
        "triplet": {
            "fields": {"mu1.pt": "cand_pt1", "mass": "cand_m3mu"},
            "branches": ["cand_*"],
            "links": {
                "track": {"index": "cand_itrk", "to": "track"},
                "mu1": {"equal": {"pt": "mu1.pt"}, "to": "muon"},
            },
        },
    },
    "triggers": {"hlt": {"branches": ["HLT_*"]}},
    "units": {"energy": "MeV"},
    "rows": {"key": ["RunNumber", "EventNumber"], "event": ["n*"]},
}


def written(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def test_python_and_toml_declare_the_same(tmp_path):
    from_file, from_python = read_layout(written(tmp_path, TOML)), ff.layout("mine", **PYTHON)
    assert from_file == from_python
    assert hash(from_file) == hash(from_python)
    assert repr(from_file) == (
        "Layout 'mine': event run; collections muon, triplet; triggers hlt; MeV, cm"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('run = "RunNumber"', 'run = "runNumber"'),
        ('"cand_m3mu"', '"cand_m"'),
        ('pt = "mu1.pt"', 'eta = "mu1.pt"'),
        ('energy = "MeV"', 'length = "mm"'),
        ('"alone"', '"by prefix"'),
        ('event = ["n*"]', ""),
    ],
)
def test_layouts_that_differ_are_not_equal(tmp_path, old, new):
    assert old in TOML
    assert read_layout(written(tmp_path, TOML.replace(old, new))) != ff.layout("mine", **PYTHON)


def test_the_collection_that_comes_first_has_the_branch():
    patterns = {"a": {"branches": ["x*"]}, "b": {"branches": ["*y"]}}
    backwards = dict(reversed(patterns.items()))
    assert ff.layout("one", collections=patterns) != ff.layout("one", collections=backwards)


@pytest.mark.parametrize("layout", [*BUILT_IN, ff.layout("mine", **PYTHON)], ids=lambda x: x.name)
def test_a_layout_is_the_same_elsewhere(layout):
    assert pickle.loads(pickle.dumps(layout)) == layout
    assert declared(json.loads(json.dumps(layout.declaration))) == layout


def test_names_may_come_from_a_generator():
    branches = (f"x{i}" for i in range(2))
    layout = ff.layout("mine", collections={"a": {"branches": branches}})
    assert layout == ff.layout("mine", collections={"a": {"branches": ["x0", "x1"]}})


def test_what_declared_a_layout_may_change_afterwards():
    names = {"run": "RunNumber"}
    layout = ff.layout("mine", event=names)
    names["run"] = "other"
    assert layout == ff.layout("mine", event={"run": "RunNumber"})


MISTAKES = [
    ("", "line", 1, "a layout has a name"),
    ('evnt.run = "a"', "evnt", 2, "unknown key 'evnt'. Did you mean 'event'? The layout can have"),
    ('[event]\n\nrun = 3', "event.run", 4, "should be text, not 3"),
    ('event = ["run"]', "event", 2, "should be a table of names, not ['run']"),
    ("recognised_by = 7", "recognised_by", 2, "should be a list of names, not 7"),
    ('recognised_by = ["a", 7]', "recognised_by", 2, "should be text, not 7"),
    ('recognised_by = [\n "a",\n "a"]', "recognised_by", 2, "'a' stands there twice"),
    ("tree = true", "tree", 2, "should be text, not True"),
    ('lists = "by_prefix"', "lists", 2, "'by_prefix' is not one of by prefix, alone"),
    ('units.energy = "gev"', "units.energy", 2, "'gev' is not one of MeV, GeV, TeV"),
    ('[units]\nlength = "km"', "units.length", 3, "'km' is not one of um, mm, cm, m"),
    ('[units]\nenrgy = "MeV"', "units.enrgy", 3, "Did you mean 'energy'"),
    ('[rows]\nevent = ["n*"]', "rows", 2, "say which branches tell events apart"),
    ('[triggers]\nhtl = {branches = ["H*"]}', "triggers.htl", 3, "is not one of hlt, l1"),
    ('[triggers.hlt]\nnames = "a"', "triggers.hlt", 2, "or in two lists"),
    (
        '[triggers.hlt]\nnames = "a"\ndecisions = "b"\nbranches = ["c"]',
        "triggers.hlt", 2, "or in two lists",
    ),
    (
        '[collections.muon]\nfeilds = {pt = "MuonPt"}',
        "collections.muon.feilds", 3, "Did you mean 'fields'? A collection can have branches",
    ),
    ('[collections.muon.fields]\n"p.t" = 1', "collections.muon.fields.p.t", 3, "text, not 1"),
    (
        '[collections.muon.fields]\nmu1.pt = "a"\n"mu1.pt" = "b"',
        "collections.muon.fields.mu1.pt", 3, "mu1.pt stands there twice",
    ),
    (
        '[collections.a]\nbranches = ["x"]\n\n[collections.b]\nfields.pt = "x"',
        "collections.b.fields", 6, "branch x belongs to a already",
    ),
    (
        '[collections.a]\nbranches = ["x*"]\n[collections.b]\nbranches = ["x*"]',
        "collections.b.branches", 5, "branch x* belongs to a already",
    ),
    (
        '[collections.fat_jet]\n[collections.FatJet]',
        "collections.FatJet", 3, "FatJet and fat_jet are one name",
    ),
    (
        '[collections.a]\nlinks = { mu = { index = "i" } }',
        "collections.a.links.mu", 3, "say to which collection the link leads",
    ),
    (
        '[collections.a.links]\n\nmu = { to = "muon" }',
        "collections.a.links.mu", 4, "neither is given",
    ),
    (
        '[collections.a.links.mu]\nto = "muon"\nindex = "i"\nequal.pt = "mu.pt"',
        "collections.a.links.mu", 2, "both are given",
    ),
    (
        '[collections.a.links.mu]\nto = "muon"\nindx = "i"',
        "collections.a.links.mu.indx", 4, "Did you mean 'index'?",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "line", "message"), MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path, text, key, line, message):
    path = written(tmp_path, ('name = ""\n' if not text else 'name = "x"\n') + text)
    with pytest.raises(LayoutError) as error:
        read_layout(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")
    assert message in str(error.value)


def test_a_mistake_in_python_is_told_with_its_key():
    with pytest.raises(LayoutError, match=r"layout 'x', units\.enrgy: unknown key 'enrgy'"):
        ff.layout("x", units={"enrgy": "MeV"})
    with pytest.raises(LayoutError, match="name: a layout has a name"):
        ff.layout(" ")
    with pytest.raises(LayoutError, match="collections: should be a table of names"):
        ff.layout("x", collections={3: {}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'name = "x"\nevent = ', r"is not valid TOML: .*line 2"),
        (b'name = "x"\nname = "y"', r"is not valid TOML: .*line 2"),
        (b"name = '\xff'", "is not a text file in UTF-8"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path, content, message):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(LayoutError, match=message):
        read_layout(path)


def test_a_layout_that_cannot_be_read(tmp_path):
    with pytest.raises(LayoutError, match=r"cannot read the layout .*none.toml: No such file"):
        ff.dataset("a.root", layout=tmp_path / "none.toml")


def test_lines_of_keys_however_they_are_written():
    text = '''\
# c = 3
name = "a = b"  # d = 4
event.run = 'x'
"lumi block" = "[y]"
[collections."my.muon".fields]
mu1 = { pt = "A", "eta" = { of = "B" },  phi = "C" }
branches = [
  "a", "b = 3",  # "c"
  'd',
]
text = """
z = 3
"""
empty = {}
[triggers . hlt]
names = "n"
'''
    assert lines_of_keys(text) == {
        "name": 2,
        "event": 3, "event.run": 3,
        "lumi block": 4,
        "collections": 5, "collections.my.muon": 5, "collections.my.muon.fields": 5,
        "collections.my.muon.fields.mu1": 6, "collections.my.muon.fields.mu1.pt": 6,
        "collections.my.muon.fields.mu1.eta": 6, "collections.my.muon.fields.mu1.eta.of": 6,
        "collections.my.muon.fields.mu1.phi": 6,
        "collections.my.muon.fields.branches": 7,
        "collections.my.muon.fields.text": 11,
        "collections.my.muon.fields.empty": 14,
        "triggers": 15, "triggers.hlt": 15, "triggers.hlt.names": 16,
    }  # fmt: skip
