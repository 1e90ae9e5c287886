"""Files of one dataset in which a name means different things: told, and never added up."""

import shutil

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import get_engine
from support.jobs import in_jobs

events = ff.events()
CONTENT = {
    "double": np.arange(3.0),
    "float": np.arange(3, dtype=np.float32),
    "int": np.arange(3),
    "bool": np.array([True, False, True]),
    "string": ["a", "b", "c"],
    "list": ak.Array([[1.0, 2.0], [], [3.0]]),
}
ANALYSIS = ff.Analysis(ff.Selection(events), h=ff.hist(events["x"], bins=3, range=(0, 3)))


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Return files by what they have in the branch x, each with a truth value or a number."""
    folder = tmp_path_factory.mktemp("meanings")
    lists = ak.Array([[1, 0], [], [1]])
    found = {name: str(folder / f"{name}.root") for name in CONTENT}
    for name, path in found.items():
        flags = ak.values_astype(lists, bool if name == "bool" else np.int32)
        with uproot.recreate(path) as file:
            file.mkrntuple("Events", {"x": CONTENT[name], "Muon_isGlobal": flags})
    return found


def run(paths, *names, analysis=ANALYSIS, **options):
    result = analysis.run(ff.dataset([paths[n] for n in names]), progress=False, **options)
    return result.cutflow[0].events, {failure.file: failure.reason for failure in result.failures}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("double", "list", "x is a list of numbers in each event here, and one number in each"),
        ("list", "double", "x is one number in each event here, and a list of numbers in each"),
        ("bool", "int", "x is one number in each event here, and one truth value in each"),
    ],
)
def test_another_meaning_than_in_the_first_file_is_a_failure(paths, first, second, words):
    read, failures = run(paths, first, second)
    assert read == 3
    assert list(failures) == [paths[second]]
    assert words in failures[paths[second]]
    assert f"event in {paths[first]}" in failures[paths[second]]


def test_a_string_in_one_file_costs_that_file(paths):
    read, failures = run(paths, "double", "string")
    assert read == 3
    assert "x is a string" in failures[paths["string"]]


def test_bits_in_a_file_that_has_none_cost_that_file(paths):
    bits = ff.Analysis(ff.Selection(events).cut("bit", events["x"] & 2))
    for names in (("int", "double"), ("double", "int")):
        read, failures = run(paths, *names, analysis=bits)
        assert read == 3
        assert "works on the bits of whole numbers" in failures[paths["double"]]
    with pytest.raises(ff.errors.ExpressionError, match="works on the bits"):
        run(paths, "double", "float", analysis=bits)


def test_precision_and_whole_numbers_are_no_other_meaning(paths):
    assert run(paths, "double", "float", "int") == (9, {})


def test_what_is_named_a_truth_value_is_one_however_it_is_stored(paths):
    selection = ff.Selection(events.muon).cut("global", events.muon.is_global)
    counting = ff.Analysis(selection, h=ff.hist(events.muon.is_global, bins=2, range=(0, 2)))
    assert run(paths, "bool", "int", analysis=counting) == (6, {})


@pytest.mark.root
def test_with_root(paths):
    read, failures = run(paths, "double", "list", "float", engine="rdataframe")
    assert (read, list(failures)) == (6, [paths["list"]])


def test_resuming_compares_with_what_was_read(paths, tmp_path):
    late = tmp_path / "late.root"
    data = ff.dataset([str(late), paths["double"]])
    partial = ANALYSIS.run(data, progress=False)
    assert [failure.file for failure in partial.failures] == [str(late)]
    shutil.copy(paths["list"], late)
    resumed = partial.resume()
    assert resumed.cutflow[0].events == 3
    assert "x is a list of numbers in each event here" in resumed.failures[0].reason


@pytest.mark.xdist_group("dask")
def test_on_dask_the_first_file_decides_whichever_is_opened_first(paths, client):
    names = ["list", "double", "float", "int"]
    for _ in range(3):
        read, failures = run(paths, *names, on=client)
        assert (read, list(failures)) == (3, [paths[name] for name in names[1:]])


@pytest.mark.parametrize("jobs", [1, 2, 3, 6])
def test_in_batch_jobs_of_any_number_of_files(paths, tmp_path, jobs):
    data = ff.dataset([paths[name] for name in ("double", "list", "float")])
    outcome = in_jobs(ANALYSIS.plan, data, jobs, tmp_path)
    read, files = outcome.partial.cutflow[0].events, {f.file for f in outcome.failures}
    assert read + sum(3 for _ in files) == 9
    assert paths["list"] in files
    assert {gap.file for gap in outcome.gaps} == files


def test_a_certificate_says_what_it_left_out(paths):
    class Again:
        """The columnar engine once more."""

        def __getattr__(self, name):
            return getattr(get_engine("columnar"), name)

    data = ff.dataset([paths["double"], paths["list"]])
    found = ff.certify(ANALYSIS, data, engines=("columnar", Again()))
    assert found.events == 3
    assert "x is a list of numbers in each event here" in found.unread[0]
