"""Runs with a cache: the same bits as without, nothing read twice, and never an answer of old."""

import os
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

import flavorframe as ff
from flavorframe._cache import Caching, cache_of
from flavorframe.datasets import Partition
from flavorframe.engines import get_engine
from flavorframe.engines._columnar.caching import keys
from flavorframe.errors import CorrectionError, FileError, FlavorframeError
from flavorframe.selection import Best
from support import hard_numbers as wild, random_selections
from support.reference import MORE

events = ff.events()
t = events.triplet
EVENTS = 150


@pytest.fixture(autouse=True)
def files_are_old(monkeypatch):
    """Have the files of these tests, which were just written, taken for settled."""
    monkeypatch.setattr(keys, "STABLE_SECONDS", 0.0)
    cache_of.cache_clear()
    yield
    cache_of.cache_clear()


@pytest.fixture
def file(tmp_path, sample):
    return shutil.copy(sample("nano", events=600), tmp_path / "file.root")


def analysis(limit=2.0, **outputs):
    selection = (
        ff.Selection(t)
        .cut("HLT", events.hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*"))
        .cut("mass", t.mass.between(1.62, 2.02))
        .cut("flight", t.flight_significance > limit)
        .weight("vertices", 1 + 0.01 * events.n_primary_vertices)
        .cut("ID", t.mu1.is_global & t.mu2.is_global)
        .best(lowest=t.vertex_chi2)
    )
    mass = ff.hist(t.mass, bins=20, range=(1.6, 2.1))
    flight = ff.hist(t.flight_significance, bins=20, range=(0, 20), without="flight")
    rows = ff.snapshot(t.mass, t.mu1.pt, events.run)
    return ff.Analysis(selection, mass=mass, flight=flight, rows=rows, **outputs)


def run(what, file, cache, **options):
    result = what.run(ff.dataset(file), cache=cache, progress=False, **options)
    if cache:
        cache_of(Caching(str(cache))).flush()
    return result


def forget():
    """Forget what is in memory, as a new process would."""
    cache_of.cache_clear()


def content(found):
    """Return everything that a partial or result says of the data, to the bit."""
    histograms = {k: h.view(flow=True).tobytes() for k, h in found.histograms.items()}
    tables = getattr(found, "tables", {})
    rows = {k: [{c: (a.dtype, a.tobytes()) for c, a in chunk.items()} for chunk in chunks]
            for k, chunks in tables.items()}  # fmt: skip
    return repr(tuple(found.cutflow)), histograms, rows, dict(found.links)


def selected(result):
    """Return the cutflow and the mass histogram of a result, to the bit."""
    return repr(tuple(result.cutflow)), result.mass.view(flow=True).tobytes()


def assert_same(a, b):
    assert repr(tuple(a.cutflow)) == repr(tuple(b.cutflow))
    assert a.links == b.links
    for name in ("mass", "flight"):
        np.testing.assert_array_equal(a[name].view(flow=True), b[name].view(flow=True))
    for name, column in a.rows.columns.items():
        np.testing.assert_array_equal(column, b.rows.columns[name])


def test_nothing_is_read_twice(file, tmp_path):
    cache = tmp_path / "cache"
    assert run(analysis(), file, cache).timing.bytes_read > 0
    for new_process in (False, True):
        if new_process:
            forget()
        for limit in (2.0, 3.0, 5.0, 1.0, 2.5):
            again = run(analysis(limit), file, cache)
            assert again.timing.bytes_read == 0
            assert_same(again, run(analysis(limit), file, False))


def test_another_histogram_reads_what_is_new_to_it_alone(file, tmp_path):
    cache = tmp_path / "cache"
    run(analysis(), file, cache)
    chi2 = ff.hist(t.vertex_chi2, bins=20, range=(0, 20))
    more = run(analysis(chi2=chi2), file, cache)
    assert more.timing.bytes_read == 0
    new = run(analysis(pt=ff.hist(t.pt, bins=20, range=(0, 20))), file, cache)
    assert 0 < new.timing.bytes_read < run(analysis(), file, False).timing.bytes_read / 4


def test_other_partitions_have_other_answers(file, tmp_path):
    cache = tmp_path / "cache"
    for size in (100, 170, 600, 100):
        assert_same(run(analysis(), file, cache, partition_size=size), run(analysis(), file, False))


def test_another_layout_has_other_answers(file, tmp_path):
    count = ff.Analysis(ff.Selection(ff.events().thing).cut("all", ff.events().run > 0))
    layouts = [
        ff.layout(name, collections={"thing": {"branches": [f"{name}_*"]}})
        for name in ("Muon", "triplet")
    ]
    datasets = [ff.dataset(file, layout=layout) for layout in layouts]
    plain = [count.run(data, progress=False).cutflow for data in datasets]
    assert plain[0] != plain[1]
    for data, expected in zip(datasets * 2, plain * 2, strict=True):
        assert count.run(data, progress=False, cache=tmp_path / "cache").cutflow == expected


def exchanged(file, other, how):
    """Put other content of the same length, with the same time of change, in place of a file."""
    status = os.stat(file)
    if how == "written over":
        with open(file, "r+b") as stream:
            stream.write(other)
    elif how == "replaced":
        file.with_suffix(".new").write_bytes(other)
        file.with_suffix(".new").replace(file)
    else:
        file.rename(file.with_suffix(".old"))
        file.write_bytes(other)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("how", ["written over", "replaced", "moved away"])
def test_a_file_that_changed_is_read_anew(tmp_path, sample, how):
    one = sample("nano", events=600).read_bytes()
    two = sample("nano", events=900).read_bytes()
    length = max(len(one), len(two))
    one, two = (x + bytes(length - len(x)) for x in (one, two))  # what follows the end is ignored
    file, cache = tmp_path / "file.root", tmp_path / "cache"
    file.write_bytes(one)
    before = run(analysis(), file, cache)
    for content, number in ((two, 900), (one, 600), (two, 900)):
        time.sleep(0.02)  # more than a tick of the file system's clock
        exchanged(file, content, how)
        after = run(analysis(), file, cache)
        assert after.cutflow[0].events == number
        assert_same(after, run(analysis(), file, False))
    assert before.cutflow[0].events == 600


def test_a_file_that_changed_just_now_is_not_kept(file, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "STABLE_SECONDS", 600.0)
    for _ in range(2):
        assert run(analysis(), file, tmp_path / "cache").timing.bytes_read > 0
    assert not list((tmp_path / "cache").rglob("*.ffc"))


@pytest.mark.filterwarnings("ignore:The cache keeps nothing")
def test_a_file_that_changes_meanwhile_is_not_kept(file, tmp_path):
    def touching(mass):
        os.utime(file)
        return mass > 0

    def cut(limit):
        touched = ff.function(touching)(t.mass)
        selection = ff.Selection(t).cut("mass", t.mass > limit).cut("f", touched)
        return ff.Analysis(selection, mass=ff.hist(t.mass, bins=9, range=(1, 2)))

    with pytest.raises(FileError, match="has changed since the run began"):
        run(cut(1.0), file, tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.ffc"))


def test_a_function_that_changed_is_another(file, tmp_path):
    cache, limit = tmp_path / "cache", [1.7]
    table = np.array([0.0, 1.0])

    def cut(function):
        selection = ff.Selection(t).cut("f", ff.function(function)(t.mass))
        return ff.Analysis(selection, mass=ff.hist(t.mass, bins=9, range=(1, 3)))

    def above(threshold):
        return lambda x: x > threshold

    def check(function):
        found, plain = (run(cut(function), file, c) for c in (cache, False))
        assert selected(found) == selected(plain)
        return found.cutflow[-1].candidates

    def by_list(x):
        return x > limit[0] + table[0]

    seen = [check(above(1.7)), check(above(1.8)), check(lambda x: x > 1.9), check(by_list)]
    limit[0] = 1.85
    seen.append(check(by_list))
    table[0] = 0.1
    seen.append(check(by_list))
    assert seen[0] == seen[3]
    assert len(set(seen)) == 5
    forget()
    assert check(by_list) == seen[-1]


@pytest.mark.filterwarnings("ignore:The cache keeps nothing")
def test_what_has_no_identity_is_not_kept(file, tmp_path):
    calls = []

    class Cut:
        def __call__(self, x):
            calls.append(len(x))
            return x > 1.7 + 0.02 * len(calls)

    selection = ff.Selection(t).cut("f", ff.function(Cut())(t.mass)).cut("g", t.mass < 3)
    unknown = ff.Analysis(selection, mass=ff.hist(t.mass, bins=9, range=(1, 3)))
    seen = [run(unknown, file, tmp_path / "cache").cutflow[-1].candidates for _ in range(3)]
    assert len(calls) == 3
    assert len(set(seen)) == 3


def test_a_function_may_write_into_its_arrays(file, tmp_path):
    @ff.function
    def doubled(x):
        x *= 2
        return x

    selection = ff.Selection(t).cut("f", doubled(t.mass) > 3.4).cut("g", t.mass < 2)
    spoiling = ff.Analysis(selection, mass=ff.hist(t.mass, bins=9, range=(1, 3)))
    caches = (False, tmp_path / "cache", tmp_path / "cache")
    whole = [selected(run(spoiling, file, cache)) for cache in caches]
    assert whole[0] == whole[1] == whole[2]
    assert run(spoiling, file, False).cutflow[-1].candidates > 0


def test_a_correction_file_that_changed(file, tmp_path):
    import correctionlib.schemav2 as schema

    def scale_factor(value):
        correction = schema.Correction(
            name="sf", version=1, data=value,
            inputs=[{"name": "pt", "type": "real"}], output={"name": "sf", "type": "real"},
        )  # fmt: skip
        both = schema.CorrectionSet(schema_version=2, corrections=[correction])
        path.write_text(both.model_dump_json(exclude_unset=True))
        return ff.correction(path, "sf")(pt=t.mu1.pt)

    def weighted(factor):
        selection = ff.Selection(t).weight("sf", factor).best(lowest=t.vertex_chi2)
        return ff.Analysis(selection, mass=ff.hist(t.mass, bins=9, range=(1, 3)))

    path, cache = tmp_path / "sf.json", tmp_path / "cache"
    one = weighted(scale_factor(0.5))
    half = run(one, file, cache).cutflow[-1]
    assert half.sumw_candidates == 0.5 * half.candidates
    another = run(weighted(scale_factor(0.7)), file, cache).cutflow[-1]
    assert another.sumw_candidates == pytest.approx(0.7 * half.candidates)
    plain = ff.correction(path, "sf")
    path.write_text(path.read_text().replace("0.7", "0.9"))
    with pytest.raises(CorrectionError, match="another file"):  # not 0.9 under the name of 0.7
        plain(pt=t.mu1.pt)


def test_packages_whose_code_counts_are_there():
    folder = Path(ff.__file__).parent
    assert {path.parent.name for path in folder.glob("*/__init__.py")} >= keys.CODE


def test_other_code_of_the_package_is_another_cache(file, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    run(analysis(), file, cache)
    forget()
    monkeypatch.setattr(keys, "code_digest", lambda: b"newer")
    assert run(analysis(), file, cache).timing.bytes_read > 0


def test_damage_is_never_an_error_or_another_number(file, tmp_path):
    cache, rng = tmp_path / "cache", random.Random(5)
    expected = run(analysis(), file, False)
    run(analysis(3.0), file, cache)
    for _ in range(12):
        for path in cache.rglob("*.ffc"):
            damage(path, rng)
        forget()
        assert_same(run(analysis(), file, cache), expected)


def damage(path, rng):
    whole = bytearray(path.read_bytes())
    kind = rng.randrange(6)
    if kind == 0:
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == 1 and whole:
        whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(whole)
    elif kind == 2:
        path.write_bytes(rng.randbytes(rng.randrange(200)))
    elif kind == 3:
        others = list(path.parent.parent.rglob("*.ffc"))
        path.write_bytes(rng.choice(others).read_bytes())
    elif kind == 4:
        path.unlink()


def test_a_folder_that_cannot_be_used_costs_nothing_but_time(file, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="nothing is kept there: Not a directory"):
        result = run(analysis(), file, tmp_path / "file" / "cache")
    assert_same(result, run(analysis(), file, False))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_process_that_was_forked_writes_by_itself(file, tmp_path):
    run(analysis(), file, tmp_path / "cache")
    before = len(list((tmp_path / "cache").rglob("*.ffc")))
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            run(analysis(4.0), file, tmp_path / "cache", threads=1)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list((tmp_path / "cache").rglob("*.ffc"))) > before


def test_workers_of_a_cluster_keep_what_they_read(file, tmp_path, monkeypatch):
    from distributed import Client, LocalCluster

    cache = tmp_path / "cache"
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        first = run(analysis(), file, cache, on=client, partition_size=200)
        again = run(analysis(3.0), file, cache, on=client, partition_size=200)
    assert first.timing.bytes_read > again.timing.bytes_read == 0
    assert_same(again, run(analysis(3.0), file, False))


def test_nothing_is_kept_where_nobody_asks(file, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    run(analysis(), file, None)
    run(analysis(), file, False)
    assert not (tmp_path / "home").exists()


def test_what_is_not_kept_is_told_once(file, tmp_path):
    def smeared(mass):
        return mass + np.random.default_rng().normal(0, 0.01, len(mass))

    def cut(limit):
        smear = ff.function(smeared)
        return ff.Analysis(ff.Selection(t).cut("f", smear(t.mass) > limit))

    with pytest.warns(RuntimeWarning, match=r"after the function smeared: .*default_rng\. Its"):
        run(cut(1.0), file, tmp_path / "cache")
    run(cut(1.7), file, tmp_path / "cache")
    run(cut(1.7), file, False)


def test_functions_that_change_what_they_refer_to_are_not_kept(file, tmp_path):
    count = [1.0]

    @ff.function
    def counted(mass):
        count.append(count.pop() + 1)
        return mass * count[0]

    what = ff.Analysis(ff.Selection(t).cut("f", counted(t.mass) > 0))
    run(what, file, tmp_path / "cache")
    assert count == [2.0]
    for _ in range(2):
        count[0] = 1.0  # as in a new process
        assert run(what, file, tmp_path / "cache").timing.bytes_read == 0  # columns are kept
        assert count == [2.0]


def test_a_function_whose_type_depends_on_what_it_is_given(file, tmp_path):
    folder = tmp_path / "cache"

    @ff.function
    def score(q):
        return np.array([1 if v > 8 else 0.25 * v for v in q])

    def scored(limit):
        selection = (
            ff.Selection(t)
            .cut("flight", t.flight_significance > limit)
            .cut("score", score(t.flight_significance) < 2)
        )
        hist = ff.hist(score(t.flight_significance), bins=20, range=(0, 3))
        return ff.Analysis(selection, mass=hist, rows=ff.snapshot(s=score(t.flight_significance)))

    for limit in (8.5, 2.0, 2.0):
        found, plain = run(scored(limit), file, folder), run(scored(limit), file, False)
        assert selected(found) == selected(plain)
        np.testing.assert_array_equal(found.rows.columns["s"], plain.rows.columns["s"])
        assert found.rows.columns["s"].dtype == plain.rows.columns["s"].dtype


def test_the_links_of_a_cut_that_is_not_made_yet_are_not_counted(file, tmp_path):
    muon = events.muon.match(pt=t.mu1.pt)
    strong, hard = t.flight_significance * t.mass > 5, muon.pt > 5
    heavy, heaviest = t.mass > 1.65, t.mass.max() > 1.9

    def linked(*cuts):
        selection = ff.Selection(t)
        for number, cut in enumerate(cuts):
            selection = selection.cut(f"{number}", cut)
        return ff.Analysis(selection, mass=ff.hist(muon.pt, bins=5, range=(0, 20)))

    for cuts in ((t.mass > 1.95, hard), (strong, muon.pt > 3), (heavy, strong, hard)):
        run(linked(*cuts), file, tmp_path / "cache")
    last = linked(heavy, strong, heaviest)
    found, plain = run(last, file, tmp_path / "cache"), run(last, file, False)
    assert found.links == plain.links
    assert selected(found) == selected(plain)


def few_cuts(rng):
    """Return an analysis with some of a few cuts in any order: most of it was asked for before."""
    muon = events.muon.match(pt=t.mu1.pt)
    cuts = [
        *(t.mass > limit for limit in (0, 1.6, 1.7, 1.8)),
        *(t.flight_significance > limit for limit in (0.5, 1, 2, 4)),
        *(muon.pt > limit for limit in (1, 3, 5)),
        (muon.eta < 1.5) & (t.mass < 2.1),
        t.flight_significance * t.mass > 5,
        t.mu1.is_global,
        t.mass.max() > 1.7,
        events.n_primary_vertices > 15,
    ]
    selection = ff.Selection(t)
    for number, cut in enumerate(rng.sample(cuts, rng.randint(2, 5))):
        selection = selection.cut(f"{number}", cut)
        if rng.random() < 0.1:
            selection = selection.weight(f"weight {number}", 1 + muon.pt)
    if rng.random() < 0.5:
        selection = selection.best(lowest=t.vertex_chi2)
    spared = ff.hist(muon.pt, bins=10, range=(0, 20), without="0")
    mass = ff.hist(t.mass, bins=15, range=(1.5, 2.2))
    return ff.Analysis(selection, mass=mass, spared=spared, rows=ff.snapshot(t.mass, muon.pt))


def test_few_cuts_in_any_order(sample, tmp_path):
    path, rng = str(sample("nano")), random.Random(3)
    plain, cached = get_engine("columnar", False), get_engine("columnar", tmp_path / "cache")
    for _ in range(150):
        what = few_cuts(rng)
        assert answer(cached, what, path, 0) == answer(plain, what, path, 0)
        if rng.random() < 0.03:
            cache_of(Caching(str(tmp_path / "cache"))).flush()
            forget()


# Random selections, one after the other on the same cache


def variations(what, rng):
    """Yield the analysis, and others that have much in common with it."""
    yield what
    cuts = [step for step in what.selection.steps if not isinstance(step, Best)]
    rest = [step for step in what.selection.steps if isinstance(step, Best)]
    needed = {o.without for _, o in what.outputs if getattr(o, "without", None)}
    for _ in range(2):
        steps = [s for s in cuts if s.name in needed or rng.random() < 0.7]
        rng.shuffle(steps)
        try:
            yield ff.Analysis(replace(what.selection, steps=(*steps, *rest)), **dict(what.outputs))
        except FlavorframeError:
            continue
    yield what


def answer(engine, what, path, start):
    try:
        info = engine.prepare(what.plan, path, None)
        part = Partition(path, info.tree, start, start + EVENTS, 0)
        return content(engine.evaluate(what.plan, part))
    except FlavorframeError as error:
        return type(error)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nano", "wild"])
def test_random_selections(kind, sample, tmp_path):
    path = str(sample("nano") if kind == "nano" else wild.write_nano(tmp_path / "w.root", 300))
    folder, rng = str(tmp_path / "cache"), random.Random(1)
    plain, cached = get_engine("columnar", False), get_engine("columnar", folder)

    @settings(
        max_examples=25 * MORE,
        derandomize=True,
        phases=[Phase.generate],  # a failure depends on what is in the cache, so none is shortened
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(random_selections.analyses(), st.sampled_from([0, EVENTS]))
    def check(what, start):
        for each in variations(what, rng):
            assert answer(cached, each, path, start) == answer(plain, each, path, start)
            if rng.random() < 0.1:
                cache_of(Caching(folder)).flush()
                forget()

    check()
    assert len(list(Path(folder).rglob("*.ffc"))) > 100
