"""What a file holds, as a notebook shows it."""

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff


def test_a_notebook_shows_collections_that_unfold(small_nano):
    page = ff.inspect(small_nano)._repr_html_()
    assert f"{small_nano}: tree Events, 50 events, layout nano" in page
    assert page.count("<details>") == len(ff.inspect(small_nano).collections)
    assert "<summary>Muon: 4 branches" in page
    assert (
        "<td><code>triplet_mass</code></td><td><code>triplet.mass</code></td><td>double[]" in page
    )


MINE = {
    "event": {"polarity": "run", "gone": "evnt"},
    "collections": {
        "triplet": {
            "fields": {"m": "triplet_mass", "mu1.pt": "triplet_mu1_pt"},
            "links": {"mu1": {"to": "Muon", "index": "triplet_mu1_index"}},
        }
    },
    "triggers": {"hlt": {"names": "names", "decisions": "HLT_Double"}},
    "units": {"energy": "MeV", "length": "mm"},
}


def test_branches_are_shown_with_their_names_in_analyses(small_nano):
    found = ff.inspect(small_nano)
    names = {f.branch: f.name for fields in found.collections.values() for f in fields}
    assert names["Muon_isGlobal"] == "muon.is_global"
    assert names["triplet_vertex_chi2"] == "triplet.vertex_chi2"
    assert (names["run"], names["HLT_Double"]) == ("run", "")
    assert "  Muon_isGlobal  muon.is_global " in repr(found)
    assert "<td><code>muon.pt</code></td>" in found._repr_html_()


@pytest.mark.parametrize("form", ["nano", "lhcb", "belle2"])
def test_names_that_are_shown_can_be_used(sample, form):
    found = ff.inspect(sample(form))
    names = {f.branch: f.name for fields in found.collections.values() for f in fields if f.name}
    assert len(names) > 50
    candidate = "triplet" if form == "nano" else "candidate"
    chosen = {b: n for b, n in names.items() if "." not in n or n.startswith(f"{candidate}.")}
    values = {f"c{i}": value_of(name) for i, name in enumerate(chosen.values())}
    branches = {f"b{i}": ff.events()[branch] for i, branch in enumerate(chosen)}
    selection = ff.Selection(getattr(ff.events(), candidate))
    analysis = ff.Analysis(selection, rows=ff.snapshot(**values, **branches))
    rows = analysis.run(ff.dataset(sample(form)), progress=False).rows
    for i in range(len(chosen)):
        np.testing.assert_array_equal(rows[f"c{i}"], rows[f"b{i}"])


def value_of(name):
    value = ff.events()
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_a_layout_of_ones_own_is_shown_with_what_the_file_lacks(small_nano):
    found = ff.inspect(small_nano, layout=ff.layout("mine", **MINE))
    names = {f.branch: f.name for fields in found.collections.values() for f in fields}
    assert (names["triplet_mass"], names["triplet_mu1_pt"]) == ("triplet.m", "triplet.mu1.pt")
    assert names["run"] == "polarity"
    assert found.links == {"triplet.mu1": "Muon, by triplet_mu1_index"}
    assert found.missing == (
        "gone: branch evnt. Did you mean 'event'?",
        "link triplet.mu1: branch triplet_mu1_index. Did you mean 'triplet_mu1_idx'?",
        "hlt: branch names.",
    )
    shown = repr(found)
    assert shown.startswith(f"{small_nano}: tree Events, 50 events, layout mine (MeV, mm)")
    assert "\n  triplet.mu1 → Muon, by triplet_mu1_index\n" in shown
    assert "declared by layout mine, and not in the file:\n  gone: branch evnt." in shown
    assert "gone: branch evnt." in found._repr_html_()


def test_a_name_that_only_begins_like_the_collection_is_not_cut_apart(small_nano):
    layout = ff.layout("mine", collections={"mu": {"branches": ["Muon_*"]}})
    fields = ff.inspect(small_nano, layout=layout).collections["mu"]
    assert [field.name for field in fields] == ["", "", "", ""]


def test_the_layout_tells_the_tree(small_nano):
    with pytest.raises(ff.errors.FileError, match="nowhere"):
        ff.inspect(small_nano, layout=ff.layout("mine", tree="nowhere"))


def test_sizes_of_fields_are_those_in_the_file(tmp_path):
    path, numbers = tmp_path / "sizes.root", np.random.default_rng(1).normal(size=20_000)
    lists = ak.unflatten(numbers, np.full(10_000, 2))
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"x": lists, "one": np.ones(len(lists), np.int32)})
        file["Events"].extend({"x": lists, "one": np.ones(len(lists), np.int32)})
    found = ff.inspect(path)
    (x,), (one,) = found.collections["x"], found.collections["event"]
    assert 0.9 < x.bytes / path.stat().st_size < 1
    assert 0 < one.bytes < 1000
    events = ff.events()
    counting = ff.Analysis(ff.Selection(events), h=ff.hist(events["x"].sum(), bins=3, range=(0, 3)))
    for size in (None, 7000):
        timing = counting.run(ff.dataset(path), progress=False, partition_size=size).timing
        heads = 0 if size is None else 100  # of blocks that partitions share, read beforehand
        assert timing.bytes_read == pytest.approx(x.bytes, abs=2 + heads)
