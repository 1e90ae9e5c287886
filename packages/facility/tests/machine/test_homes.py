"""What homes are filled with."""

import json

import flavorframe as ff
from flavorframe_facility.machine import homes
from flavorframe_facility.settings import make


def test_a_home_gets_what_it_does_not_have(tmp_path, monkeypatch):
    monkeypatch.setattr(homes, "FRACTION", 0.001)
    settings = make(folder=tmp_path / "state")
    told = []
    homes.prepare(settings, told.append)
    homes.prepare(settings, told.append)
    assert len(told) == 1
    assert "0.4 GB" in told[0]
    source, home = homes.tutorial(settings), tmp_path / "home"
    home.mkdir()
    homes.copy_missing(source, home)
    given = home / "tutorial" / "tutorial.ipynb"
    assert json.loads(given.read_text())["nbformat"] == 4
    assert len(ff.catalog(home / "tutorial" / "sample" / "catalog.json")) == 5
    given.write_text("changed")
    homes.copy_missing(source, home)
    assert given.read_text() == "changed"
    given.unlink()
    homes.copy_missing(source, home)
    assert given.read_text() != "changed"


def test_no_link_of_a_home_is_followed(tmp_path):
    (tmp_path / "tutorial").mkdir()
    (tmp_path / "tutorial" / "a.ipynb").write_text("{}")
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (home / "tutorial").mkdir(parents=True)
    (home / "tutorial" / "a.ipynb").symlink_to(elsewhere)
    homes.copy_missing(tmp_path / "tutorial", home)
    assert not elsewhere.exists()
