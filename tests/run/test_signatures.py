"""What ``help()`` shows of the ways to run is what `RunOptions` says: names, order, types, text."""

import inspect
import re

import pytest

import flavorframe as ff
from flavorframe._run.core.options import RunOptions, options_of, refuse_unknown
from flavorframe.errors import AnalysisError
from flavorframe.result.result import Result, Results

METHODS = {
    "run": ff.Analysis.run,
    "submit": ff.Analysis.submit,
    "resume": Result.resume,
    "resume of each": Results.resume,
    "gather": ff.Slurm.gather,
}
T = ff.events().triplet
ANALYSIS = ff.Analysis(ff.Selection(T), m=ff.hist(T.mass, bins=3, range=(1, 2)))


def keywords(method):
    own = ("self", "data", "name", "folder", "unknown")
    return [p for p in inspect.signature(method).parameters.values() if p.name not in own]


def documented(method):
    """Return what the docstring says of each argument, by name."""
    text = inspect.getdoc(method).partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.split(r"\n(?=    \S)", text)
    pairs = (entry.strip().partition(": ") for entry in entries)
    return {name: " ".join(about.split()) for name, _, about in pairs}


@pytest.mark.parametrize("name", METHODS)
def test_a_signature_is_that_of_the_options(name):
    options, found = options_of(name.split()[0]), keywords(METHODS[name])
    assert [p.name for p in found] == list(options)
    assert all(p.kind is p.KEYWORD_ONLY for p in found)
    if name == "gather":  # where None means as it was sent
        types = [f"{o.type.replace(' | None', '')} | None" for o in options.values()]
        assert [(p.annotation, p.default) for p in found] == [(t, None) for t in types]
        return
    told = [(p.annotation, p.default) for p in found]
    assert told == [(o.type, o.default) for o in options.values()]


@pytest.mark.parametrize("name", METHODS)
def test_a_docstring_says_what_the_options_say(name):
    options, found = options_of(name.split()[0]), documented(METHODS[name])
    assert {n: o.metadata["about"] for n, o in options.items()} == {n: found[n] for n in options}


def test_all_options_can_be_given_to_run_but_none_twice():
    everything = {name for way in ("submit", "resume", "gather") for name in options_of(way)}
    assert everything <= set(options_of("run"))


@pytest.mark.parametrize("way", ["run", "submit", "resume", "gather"])
def test_a_misspelt_option_is_an_error(way):
    with pytest.raises(AnalysisError, match="no option 'retrys'.*Did you mean 'retries'"):
        refuse_unknown(way, {"retrys": 3})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": "2"}, "threads='2': it must be a whole number, at least 1"),
        ({"threads": 2.0}, "threads=2.0: it must be a whole number"),
        ({"threads": True}, "threads=True: it must be a whole number"),
        ({"retries": 1.5}, "retries=1.5: it must be a whole number, at least 0"),
        ({"partition_size": 0}, "partition_size=0: it must be at least 1"),
        ({"engine": None}, "engine=None: give the name of an engine"),
        ({"engine": 3}, "engine=3: give the name of an engine"),
        ({"progress": "lvie"}, "progress='lvie': give True, False, None or 'live'"),
        ({"on_error": None}, "on_error=None is not one of report, raise"),
        ({"on_update": 3}, "on_update=3: give a function"),
        ({"should_stop": "no"}, "should_stop='no': give a function"),
        ({"output": 3}, "output=3: give a path"),
        ({"output": "a\0b"}, "holds a zero byte"),
        ({"output": "a" * 300}, "output='aaa.*a name of 300 bytes; file systems take 255 at most"),
        ({"cache": 3}, "cache=3: give True, False or a folder"),
        ({"cache": "a\0b"}, "holds a zero byte"),
        ({"performance_report": 3}, "performance_report=3: give a path"),
        ({"files": 3}, "files=3: give a path, or a list of paths"),
        ({"files": ["a\0"]}, "holds a zero byte"),
        ({"files": [None]}, "give a path, or a list of paths"),
        ({"on": 3}, "on=3 is nowhere to run"),
    ],
)
def test_what_is_no_value_of_an_option_is_an_error_before_anything_is_read(
    options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for way in (ANALYSIS.run, ANALYSIS.submit):
        if not {"progress", "on_update", "should_stop"} & set(options) or way == ANALYSIS.run:
            with pytest.raises(AnalysisError, match=message):
                way(ff.dataset("none.root"), **options)
    assert list(tmp_path.iterdir()) == []


def test_options_need_not_be_lists_and_ints():
    np = pytest.importorskip("numpy")
    assert RunOptions(threads=np.int64(2), files={"a", "b"}, progress="live").threads == 2
