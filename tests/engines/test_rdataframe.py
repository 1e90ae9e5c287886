"""The engine over RDataFrame: against the oracle and the columnar engine, threads, errors."""

import os
import signal
import time
from threading import Thread

import numpy as np
import pytest

import flavorframe as ff
from flavorframe import samples
from flavorframe.engines import get_engine
from flavorframe.engines._rdataframe.runtime import child
from flavorframe.engines._rdataframe.runtime.root import root
from flavorframe.errors import AnalysisError, CorrectionError, ExpressionError, FileError
from support import agreement, hard_numbers as wild, oracle
from support.reference import LAYOUTS, check_random, published, thorough

pytestmark = pytest.mark.root

events = ff.events()
t, muon = events.triplet, events.muon


def run(analysis, *files, **options):
    data = ff.dataset([str(file) for file in files])
    return analysis.run(data, engine="rdataframe", progress=False, **options)


def counts(result):
    return [(row.name, row.events, row.candidates) for row in result.cutflow]


# Random selections


@pytest.mark.parametrize("layout", LAYOUTS)
def test_random_selections(sample, layout):
    check_random(sample(layout), examples=6, engine="rdataframe")


@pytest.mark.parametrize("write", [wild.write_nano, wild.write_bph], ids=["nano", "bph"])
def test_random_selections_of_hard_numbers(tmp_path, write):
    more = ("whole", "words") if write is wild.write_bph else ("whole",)
    file = write(tmp_path / "wild.root", events=300)
    check_random(file, examples=6, engine="rdataframe")
    check_random(file, examples=10, engine="rdataframe", more=more)


# Corner cases, threads, partitions


@pytest.mark.parametrize("layout", LAYOUTS)
def test_corner_cases(corner_case, layout):
    for case in samples.CORNER_CASES:
        file = corner_case(case, layout)
        for analysis in (published(), thorough()):
            answer = oracle.evaluate(analysis, oracle.open_file(str(file)))
            agreement.assert_agree(analysis, run(analysis, file), answer)


def test_rows_have_the_order_of_the_files_also_where_threads_take_clusters(corner_case):
    files = [corner_case(name, "bph") for name in ("split_events", "many_candidates")]
    analysis = ff.Analysis(ff.Selection(t), rows=ff.snapshot(mass=t.mass, pt=t.pt))
    expected = analysis.run(ff.dataset([str(file) for file in files]), progress=False).rows
    for _ in range(3):
        found = run(analysis, *files, threads=4).rows
        assert np.array_equal(found["mass"], expected["mass"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_threads_and_partitions_do_not_matter(sample, layout):
    files, analysis = [sample(layout), sample(layout, events=150)], thorough()
    expected = analysis.run(ff.dataset([str(f) for f in files]), progress=False)
    for options in ({"threads": 1}, {"threads": 2}, {"partition_size": 400}):
        found = run(analysis, *files, **options)
        assert counts(found) == counts(expected)
        assert found.links == expected.links
        assert np.allclose(found.mass.values(), expected.mass.values(), rtol=1e-12, equal_nan=True)
        for name, values in expected.rows.columns.items():
            seen = found.rows[name]
            assert seen.dtype == values.dtype
            assert np.allclose(seen, values, rtol=1e-12, equal_nan=True), name


def test_files_of_both_layouts_in_one_dataset(sample):
    files = [sample("nano"), sample("bph"), sample("nano-rntuple")]
    expected = published().run(ff.dataset([str(f) for f in files]), progress=False)
    found = run(published(), *files)
    assert counts(found) == counts(expected)
    assert found.candidates["mass"].tolist() == expected.candidates["mass"].tolist()


def test_file_that_rdataframe_wrote(sample, tmp_path):
    import uproot

    copy = str(tmp_path / "copy.root")
    root().RDataFrame("Tree3Mu/ntuple", str(sample("bph"))).Snapshot("Tree3Mu/ntuple", copy)
    with uproot.open(copy) as file:
        assert file["Tree3Mu/ntuple"]["Trigger_hltname"].typename == "RVec<std::string>"
    expected = published().run(ff.dataset(str(sample("bph"))), progress=False)
    assert expected.cutflow["L1"].events > 10
    for engine in ("columnar", "rdataframe"):
        found = published().run(ff.dataset(copy), engine=engine, progress=False)
        assert counts(found) == counts(expected)
        assert found.links == expected.links


def test_threads_of_the_user_stay_as_they_were(sample):
    ROOT = root()

    run(published(), sample("nano"), threads=2)
    assert not ROOT.ROOT.IsImplicitMTEnabled()


def test_damaged_file_is_a_failure(sample, tmp_path):
    import uproot

    good, bad = sample("bph"), tmp_path / "bad.root"
    content = bytearray(good.read_bytes())
    with uproot.open(good) as file:
        branch = file["Tree3Mu/ntuple"]["Triplet2_Mass"]
        start, size = branch.member("fBasketSeek")[0], branch.member("fBasketBytes")[0]
    content[start + size // 2 : start + size // 2 + 40] = bytes(40)
    bad.write_bytes(content)
    found = run(ff.Analysis(ff.Selection(t).cut("mass", t.mass > 1.8)), good, bad, threads=2)
    assert [failure.file for failure in found.failures] == [str(bad)]
    assert found.events == 1200
    assert "Triplet2_Mass" in found.failures[0].reason or "ROOT says" in found.failures[0].reason


def written(path, *values):
    import uproot

    with uproot.recreate(path) as file:
        file.mktree("Events", {"x": "float64"})
        file["Events"].extend({"x": np.array(values)})
    return path


def passing(code):
    """Return an analysis with a cut that calls a C++ function of x."""
    return ff.Analysis(ff.Selection(events).cut("x", ff.cpp(code)(events["x"]) > 0))


def test_a_crash_of_root_costs_the_file_that_it_read(tmp_path):
    files = [written(tmp_path / f"{x}.root", x, x + 1) for x in (1.0, 1e10, 3.0)]
    code = "#include <cstdlib>\nint f(double x) { if (x > 1e9) std::abort(); return 1; }"
    found = run(passing(code), *files)
    assert [(failure.file, failure.kind) for failure in found.failures] == [
        (str(files[1]), "FileError")
    ]
    assert "ROOT crashed while it was reading (SIGABRT)" in found.failures[0].reason
    assert found.cutflow["x"].events == 4


def test_an_interrupt_ends_the_loop_at_once(tmp_path):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have them ignored
    here, begun = written(tmp_path / "x.root", 1.0), tmp_path / "begun"
    code = f"""
    #include <cstdio>
    #include <unistd.h>
    int f(double x) {{ std::fclose(std::fopen("{begun}", "w")); sleep(600); return 1; }}
    """

    def interrupt():
        while not begun.exists():
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    process = child.start()
    thread = Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(passing(code), here)
    thread.join()
    assert not process.runs
    assert run(passing("int f(double x) { return 1; }"), here).cutflow["x"].events == 1


@pytest.mark.parametrize("name", ["a[1].root", "a1.root?b", "a1.root#b", "a$HOME.root", "*.root"])
def test_paths_that_mean_other_files_to_root(tmp_path, name):
    written(tmp_path / "a1.root", 5.0, 6.0)
    data = ff.Dataset("named", None, (str(written(tmp_path / name, 1.0)),))
    with pytest.raises(FileError, match="in a path for more than a letter: rename the file"):
        passing("int f(double x) { return 1; }").run(data, engine="rdataframe", progress=False)


def test_on_a_dask_cluster(sample):
    from distributed import Client, LocalCluster

    files = [sample("bph"), sample("bph", events=150), sample("nano")]
    expected = thorough().run(ff.dataset([str(f) for f in files]), progress=False)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        found = run(thorough(), *files, on=client)
    assert counts(found) == counts(expected)
    assert found.links == expected.links
    assert np.array_equal(found.rows["mass"], expected.rows["mass"])
    assert np.allclose(found.mass.values(), expected.mass.values(), rtol=1e-12, equal_nan=True)


# Users' functions and corrections


TWICE = "double twice(double x) {\n  return 2 * x;\n}"


def with_function(function):
    return ff.Analysis(ff.Selection(t).cut("mass", function(t.mass) > 3.6))


def test_function_in_both_languages(sample):
    file = sample("nano")
    analysis = with_function(ff.cpp(TWICE, python=lambda x: 2 * x))
    data = ff.dataset(str(file))
    assert counts(run(analysis, file)) == counts(analysis.run(data, progress=False))


def test_function_in_one_language_only(sample):
    with pytest.raises(AnalysisError, match=r"twice.* is in C\+\+ only"):
        with_function(ff.cpp(TWICE)).run(ff.dataset(str(sample("nano"))), progress=False)
    with pytest.raises(AnalysisError, match=r"is in Python only"):
        run(with_function(ff.function(lambda x: 2 * x)), sample("nano"))


def test_function_that_does_not_compile(sample):
    wrong = ff.cpp(TWICE.replace("2 * x", "2 * y"))
    with pytest.raises(AnalysisError, match=r"function twice, line 2: .*undeclared identifier 'y'"):
        run(with_function(wrong), sample("nano"))


def test_cut_that_does_not_compile_is_named(sample):
    wrong = ff.cpp("#include <string>\ndouble named(std::string x) { return 1; }")
    with pytest.raises(AnalysisError, match=r"cut 'mass' \(named\(triplet.mass\) > 3.6\): "):
        run(with_function(wrong), sample("nano"))


@pytest.mark.parametrize("threads", [1, 2])
def test_function_that_fails(sample, threads):
    code = '#include <stdexcept>\ndouble f(double x) { throw std::runtime_error("no such mass"); }'
    with pytest.raises(ExpressionError, match=r"The function f in .* failed: no such mass"):
        run(with_function(ff.cpp(code)), sample("nano"), threads=threads)


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        (3, None, "takes the text"),
        ("int x = 3;", None, "no function definition"),
        (TWICE, "twiec", "Did you mean 'twice'"),
    ],
)
def test_text_without_the_function(code, name, message):
    with pytest.raises(ExpressionError, match=message):
        ff.cpp(code, name=name)


def correction(folder, high, last=1.1):
    import correctionlib.schemav2 as schema

    binning = schema.Binning(
        nodetype="binning", input="pt", edges=[0, 4, 8, high], content=[0.9, 1.0, last],
        flow="error",
    )  # fmt: skip
    made = schema.Correction(
        name="sf", version=1, inputs=[schema.Variable(name="pt", type="real")],
        output=schema.Variable(name="sf", type="real"), data=binning,
    )  # fmt: skip
    path = folder / f"sf{high}.json"
    content = schema.CorrectionSet(schema_version=2, corrections=[made])
    path.write_text(content.model_dump_json(exclude_unset=True))
    return ff.correction(path, "sf")


def test_correction(sample, tmp_path):
    file, factor = sample("nano"), correction(tmp_path, 1000)
    selection = ff.Selection(t).cut("muon", t.mu1.is_global).weight("sf", factor(pt=t.mu1.pt))
    analysis = ff.Analysis(selection, mass=ff.hist(t.mass, bins=10, range=(1.5, 2.1)))
    expected = analysis.run(ff.dataset(str(file)), progress=False)
    found = run(analysis, file)
    assert counts(found) == counts(expected)
    assert np.allclose(
        found.mass.variances(), expected.mass.variances(), rtol=1e-12, equal_nan=True
    )


def test_correction_out_of_range(sample, tmp_path):
    selection = ff.Selection(t).weight("sf", correction(tmp_path, 8.1)(pt=t.mu1.pt))
    with pytest.raises(CorrectionError, match=r"Correction sf of .* has no value"):
        run(ff.Analysis(selection), sample("nano"))


def weighted(*factors):
    selection = ff.Selection(t).cut("muon", t.mu1.is_global)
    for number, factor in enumerate(factors):
        selection = selection.weight(f"sf {number}", factor(pt=t.mu1.pt))
    return ff.Analysis(selection, mass=ff.hist(t.mass, bins=10, range=(1.5, 2.1)))


def test_a_correction_whose_file_was_edited_is_another(sample, tmp_path):
    file, found = sample("nano"), []
    for last in (1.1, 5.0, 1.1):
        analysis = weighted(correction(tmp_path, 1000, last))
        expected = analysis.run(ff.dataset(str(file)), progress=False).mass.values()
        found.append(run(analysis, file).mass.values())
        assert np.allclose(found[-1], expected, rtol=1e-12)
    assert not np.allclose(found[0], found[1])


def test_a_correction_whose_file_changed_meanwhile_is_refused(sample, tmp_path):
    analysis = weighted(correction(tmp_path, 1000, 1.7))
    correction(tmp_path, 1000, 1.8)
    with pytest.raises(CorrectionError, match="is another file than when"):
        run(analysis, sample("nano"))


def test_corrections_of_one_name_in_two_files(sample, tmp_path):
    file, analysis = sample("nano"), weighted(correction(tmp_path, 1001), correction(tmp_path, 999))
    expected = analysis.run(ff.dataset(str(file)), progress=False)
    assert np.allclose(run(analysis, file).mass.values(), expected.mass.values(), rtol=1e-12)


def test_functions_of_one_name_and_other_text(sample):
    twice, thrice = ff.cpp(TWICE), ff.cpp(TWICE.replace("2", "3"))
    both = ff.Selection(t).cut("mass", twice(t.mass) > 3.6).cut("no", thrice(t.mass) < 5.4)
    assert counts(run(ff.Analysis(both), sample("nano")))[-1][2] == 0


@pytest.mark.parametrize("guard", ["#pragma once", ""])
def test_a_header_that_was_edited_is_not_taken_for_the_old_one(
    guard, sample, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    name = f"scale{len(guard)}.h"
    inner = tmp_path / f"inner_{name}"
    (tmp_path / name).write_text(f'#pragma once\n#include "{inner.name}"\n')

    def cut(factor):
        inner.write_text(f"{guard}\ninline double inner{len(guard)}() {{ return {factor}; }}")
        code = f'#include "{name}"\ndouble f(double x) {{ return x * inner{len(guard)}(); }}'
        return with_function(ff.cpp(code))

    first, file = cut(2.0), sample("nano")
    expected = ff.Analysis(ff.Selection(t).cut("mass", 2 * t.mass > 3.6))
    assert counts(run(first, file)) == counts(run(expected, file))
    second = cut(3.0)
    assert first.plan.digest != second.plan.digest
    with pytest.raises(AnalysisError, match="start a new process"):
        run(second, file)
    assert counts(run(first, file)) == counts(run(expected, file))


def test_a_header_that_changed_meanwhile_is_refused(sample, tmp_path):
    header = tmp_path / "meanwhile.h"
    header.write_text("inline double meanwhile() { return 2; }")
    cut = with_function(
        ff.cpp(f'#include "{header}"\ndouble f(double x) {{ return meanwhile(); }}')
    )
    header.write_text("inline double meanwhile() { return 3; }")
    with pytest.raises(ExpressionError, match=r"is another file than when ff.cpp\(\)"):
        run(cut, sample("nano"))


def test_without_root(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AnalysisError, match=r"pip install 'flavorframe\[root\]'"):
        get_engine("rdataframe")
