"""Results on disk: valid JSON, bit by bit what was saved, and never of two analyses."""

import itertools
import json
import math
import os
import shutil
import struct
from dataclasses import replace

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._files import file_sets
from flavorframe._files.json_numbers import decoded, encoded
from flavorframe.errors import FileError
from flavorframe.result import _json, _loading, _saving
from support.killing import in_a_fresh_process, killed_at

events = ff.events()
ODD = [math.nan, -math.nan, math.inf, -math.inf, struct.unpack(">d", b"\x7f\xf0\0\0\0\0\0\x01")[0]]


@pytest.fixture
def odd(tmp_path):
    """Return the path of a file with weights that are no numbers."""
    path = tmp_path / "odd.root"
    with uproot.recreate(path) as file:
        file.mktree("Events", {"w": "float64", "x": "float64"})
        file["Events"].extend({"w": np.array([1.0, *ODD[:4]]), "x": np.arange(5.0)})
    return path


def analysis(cut=-1.0, weight=1.0):
    return ff.Analysis(
        ff.Selection(events).cut("x", events["x"] > cut).weight("w", events["w"] * weight),
        x=ff.hist(events["x"], bins=5, range=(0, 5)),
        rows=ff.snapshot(events["x"]),
    )


def strict(text):
    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def bits(value):
    return struct.pack(">d", value)


@pytest.mark.parametrize("value", [*ODD, 0.0, -0.0, 1e-310, 0.1])
def test_every_bit_of_a_number(value):
    text = json.dumps(encoded({"a": [value]}), allow_nan=False)
    assert bits(json.loads(text, object_hook=decoded)["a"][0]) == bits(value)


def test_numbers_that_json_does_not_have(odd, tmp_path):
    result = analysis().run(ff.dataset(odd, name="X"), progress=False)
    assert not math.isfinite(result.cutflow[-1].sumw_candidates)
    result.save(tmp_path / "out")
    strict((tmp_path / "out" / "X" / "result.json").read_text())
    strict(_json.dump({"X": _json.to_dict(result)}))
    again = ff.load(tmp_path / "out")["X"]
    for row, other in zip(result.cutflow, again.cutflow, strict=True):
        assert bits(row.sumw_candidates) == bits(other.sumw_candidates)
        assert bits(row.sumw2_candidates) == bits(other.sumw2_candidates)
    assert again.x.view(flow=True).tobytes() == result.x.view(flow=True).tobytes()


def saved(odd, folder, *weights):
    for weight in weights:
        analysis(weight=weight).run(ff.dataset(odd, name="X"), progress=False, output=folder)
    return folder / "X"


def test_numbers_that_were_changed(odd, tmp_path):
    file = saved(odd, tmp_path, 1.0) / "result.json"
    text = file.read_text()
    file.write_text(json.dumps(json.loads(text)))  # laid out in another way
    assert ff.load(tmp_path)["X"].events == 5
    assert '"candidates": 5' in text
    file.write_text(text.replace('"candidates": 5', '"candidates": 6'))
    with pytest.raises(FileError, match="result.json is not as it was written"):
        ff.load(tmp_path)


@pytest.mark.parametrize("name", ["histograms.root", "rows.root"])
def test_files_of_two_runs(odd, tmp_path, name):
    folder = saved(odd, tmp_path / "a", 1.0)
    shutil.copy(saved(odd, tmp_path / "b", 2.0) / name, folder / name)
    with pytest.raises(FileError, match=rf"{name} is not the file that .*result\.json tells of"):
        ff.load(tmp_path / "a")
    (folder / name).unlink()
    assert ff.load(tmp_path / "a")["X"].events == 5


def test_a_folder_of_the_first_version(odd, tmp_path):
    file = saved(odd, tmp_path, 1.0) / "result.json"
    content = json.loads(file.read_text(), object_hook=decoded)
    for key in ("files", "sha256", "unwritten"):
        del content[key]
    del content["outputs"]["rows"]["sha256"]
    file.write_text(json.dumps({**content, "version": 1}))
    again = ff.load(tmp_path)["X"]
    assert math.isnan(again.cutflow[-1].sumw_candidates)
    assert len(again.rows) == 5
    file.write_text(json.dumps({**content, "version": 3}))
    with pytest.raises(FileError, match="has version 3, and 2 is known"):
        ff.load(tmp_path)


def test_a_result_that_is_saved_while_it_is_read(odd, tmp_path, monkeypatch):
    folder = saved(odd, tmp_path, 1.0)
    read = _loading._require_same

    def and_saved(*arguments):
        monkeypatch.setattr(_loading, "_require_same", read)
        saved(odd, tmp_path, 2.0)
        read(*arguments)

    monkeypatch.setattr(_loading, "_require_same", and_saved)
    assert ff.load(tmp_path)["X"].x.values()[0] == 2.0
    assert sorted(os.listdir(folder)) == [
        "histograms.root", "result.json", "rows.root", "rows.root.manifest.json",
    ]  # fmt: skip


def test_killed_at_any_line_while_it_is_saved(odd, tmp_path):
    """Saved over another result: what is loaded afterwards is one of the two."""
    in_a_fresh_process(old_or_new_at_any_line, odd, tmp_path)


def old_or_new_at_any_line(odd, tmp_path):
    old, new = (
        analysis(weight=weight).run(ff.dataset(odd, name="X"), progress=False)
        for weight in (1.0, 2.0)
    )
    new = replace(new, stopped="interrupted", unfinished=None)
    seen = set()
    for number in itertools.count(5, 13):
        old.save(tmp_path)
        if not killed_at(
            number, (_saving.__file__, file_sets.__file__), lambda: new.save(tmp_path)
        ):
            break
        found = ff.load(tmp_path)["X"]
        seen.add(found.x.values()[0])
        assert found.stopped == ("" if found.x.values()[0] == 1.0 else "interrupted")
    assert seen == {1.0, 2.0}
