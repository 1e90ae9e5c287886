"""Files that change while they are read: what was read is of one version, or not complete."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe import samples
from flavorframe._files.remote.s3 import ATTEMPTS
from flavorframe._files.versions import Version, version_of
from flavorframe._run.batch.collect import Parts
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.records import records
from flavorframe._run.batch.shares import divide
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.attempts import evaluate
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import FileRange, partitions
from flavorframe.engines import get_engine
from flavorframe.engines._rdataframe.engine import RDataFrameEngine
from flavorframe.errors import FileChangedError, FileError
from flavorframe.result import Result
from flavorframe.samples import trees
from support import servers

EVENTS = 1200
SAID = "has changed since the run began"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return two files that differ in the masses alone, so that nothing else tells them apart."""
    folder = tmp_path_factory.mktemp("two")
    old, new = folder / "old.root", folder / "new.root"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(trees.COMPRESSION, "zstd", None)  # so that masses lie in the file as they are
        samples.write_file(old, events=[samples.generate(EVENTS, seed=1)])
    content = old.read_bytes()
    with uproot.open(old) as file:
        masses = file["Events/triplet_mass"]
        for number in range(masses.num_baskets):
            start, stop = masses.basket_entry_start_stop(number)
            known = ak.flatten(masses.array(entry_start=start, entry_stop=stop)).to_numpy()
            stored, changed = (x.astype(">f8").tobytes() for x in (known, known - 0.25))
            assert content.count(stored) == 1
            content = content.replace(stored, changed)
    new.write_bytes(content)
    return old, new


@pytest.fixture
def changing(two, tmp_path):
    """Return a copy of the old file, and a function that puts the new one in its place."""
    file = tmp_path / "data" / "file.root"
    file.parent.mkdir()
    shutil.copy(two[0], file)

    def change():
        shutil.copy(two[1], tmp_path / "next.root")
        os.replace(tmp_path / "next.root", file)

    return file, change


def after(calls, act):
    """Return a function of arrays that acts when it is called so often, in whichever process."""
    folder = tempfile.mkdtemp(prefix="test-calls-")

    @ff.function
    def function(x):

        tempfile.mkstemp(dir=folder)
        if len(os.listdir(folder)) >= calls:
            with contextlib.suppress(FileExistsError):
                os.mkdir(f"{folder}.done")
                act()
        return x

    return function


def analysis(through=lambda x: x):
    t = ff.events().triplet
    return ff.Analysis(
        ff.Selection(t).cut("mass", through(t.mass) > 0),
        mass=ff.hist(t.mass, bins=31, range=(1.6, 2.2)),
        rows=ff.snapshot(t.mass),
    )


def masses(file):
    return analysis().run(ff.dataset(str(file)), progress=False).rows["mass"]


def assert_only_of(result, file, events=EVENTS):
    """Assert that a result is a part of a file, and that it says what is missing."""
    assert not result.is_complete
    assert 0 < result.events < events
    assert result.events + sum(failure.events for failure in result.failures) == events
    assert all(SAID in failure.reason for failure in result.failures)
    assert np.isin(result.rows["mass"], masses(file)).all()
    assert len(result.rows["mass"]) == result.mass.sum(flow=True) == result.cutflow[-1].candidates


@pytest.mark.parametrize("threads", [1, 4])
def test_a_file_that_is_replaced_meanwhile(changing, two, threads):
    file, change = changing
    result = analysis(after(7, change)).run(
        ff.dataset(str(file)), progress=False, partition_size=100, threads=threads
    )
    assert_only_of(result, two[0])


def test_a_file_that_is_written_to_meanwhile(changing, two):
    """Its size and date set as they were."""
    file, _ = changing
    before, content = file.stat(), file.read_bytes()

    def change():
        with file.open("r+b") as opened:
            opened.write(content[:100])
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    result = analysis(after(4, change)).run(
        ff.dataset(str(file)), progress=False, partition_size=100, threads=2
    )
    assert_only_of(result, two[0])


def test_a_file_that_is_removed_meanwhile(changing, two):
    file, _ = changing
    result = analysis(after(4, file.unlink)).run(
        ff.dataset(str(file)), progress=False, partition_size=100, threads=1
    )
    assert result.events == 300
    assert SAID in result.failures[0].reason  # read to its end, of what nobody can look at
    assert "there is no such file" in result.failures[1].reason


def test_a_replaced_file_does_not_complete_what_was_read_of_the_old_one(changing, two):
    file, change = changing
    stops = iter([False, *[True] * 100])
    slow = after(10**9, lambda: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0)
        partial = analysis(slow).run(
            ff.dataset(str(file)), progress=False, partition_size=100, threads=1,
            should_stop=lambda: next(stops),
        )  # fmt: skip
    assert 0 < partial.events < EVENTS
    change()
    resumed = partial.resume(progress=False)
    assert not resumed.is_complete
    assert resumed.events == partial.events
    assert SAID in resumed.failures[0].reason
    assert not resumed.resume(progress=False).is_complete


def test_a_file_of_which_nothing_was_read_may_be_another_by_then(changing, two, tmp_path):
    file, change = changing
    first = shutil.copy(two[0], tmp_path / "first.root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0)
        partial = analysis().run(
            ff.dataset([str(first), str(file)]), progress=False, threads=1,
            should_stop=lambda: True,
        )  # fmt: skip
    assert partial.events == EVENTS
    change()
    whole = partial.resume(progress=False)
    assert whole.is_complete
    expected = np.concatenate([masses(two[0]), masses(two[1])])
    np.testing.assert_array_equal(whole.rows["mass"], expected)


def test_a_longer_file_in_the_place_of_one_that_failed_is_read_to_its_end(two, tmp_path):
    file = tmp_path / "file.root"
    shutil.copy(two[0], file)
    first = shutil.copy(two[0], tmp_path / "first.root")
    longer = samples.write_file(
        tmp_path / "longer.root", events=[samples.generate(EVENTS, seed=seed) for seed in (3, 4)]
    )
    change = after(13, lambda: os.replace(longer, file))
    partial = analysis(change).run(
        ff.dataset([str(first), str(file)]), progress=False, partition_size=100, threads=1
    )
    assert partial.events == EVENTS
    whole = partial.resume(progress=False)
    assert whole.is_complete
    assert whole.events == 3 * EVENTS


def test_what_machines_see_of_one_file_is_compared_as_far_as_they_see_the_same(changing):
    file, change = changing
    here = version_of(str(file))
    elsewhere = replace(here, place="elsewhere", there=(1, 2, 3))
    assert here.is_same(elsewhere)
    change()
    assert not here.is_same(version_of(str(file)))
    assert not Version((1, 2), "a").is_same(Version((1, 3), "b"))


@pytest.mark.parametrize("name", ["columnar", "rdataframe"])
def test_a_partition_of_another_version_is_a_failure(changing, name):
    """As a worker gets it that opens the file later than others."""
    file, change = changing
    engine, plan = get_engine(name), analysis().plan
    info = engine.prepare(plan, str(file), None)
    part = next(partitions(FileRange(str(file)), 0, info, EVENTS))
    assert evaluate(engine, plan, part).cutflow[0].events == EVENTS
    change()
    assert isinstance(evaluate(engine, plan, part).error, FileChangedError)


@pytest.mark.root
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_file_that_is_replaced_while_root_reads(changing, two, monkeypatch, tmp_path, moment):
    file, change = changing
    steady = shutil.copy(two[0], tmp_path / "steady.root")

    def evaluate_files(engine, *args, whole=RDataFrameEngine.evaluate_files):
        change() if moment == "before" else None
        partial = whole(engine, *args)
        change() if moment == "after" else None
        return partial

    monkeypatch.setattr(RDataFrameEngine, "evaluate_files", evaluate_files)
    result = analysis().run(
        ff.dataset([str(steady), str(file)]), engine="rdataframe", progress=False
    )
    assert_only_of(result, two[0], 2 * EVENTS)


def test_a_file_that_is_replaced_between_dask_workers(changing, two, client, tmp_path):
    file, change = changing
    steady = shutil.copy(two[0], tmp_path / "steady.root")
    result = analysis(after(18, change)).run(
        ff.dataset([str(steady), str(file)]), on=client, progress=False, partition_size=100
    )
    assert_only_of(result, two[0], 2 * EVENTS)


def test_a_file_that_is_replaced_between_batch_jobs(changing, two, tmp_path):
    file, change = changing
    dataset, plan = ff.dataset(str(file)), analysis().plan
    jobs = tuple(divide([FileRange(str(file))], jobs=2))
    work = Work(plan, None, "columnar", 100, 1, 0, {}, jobs)
    site, options = ff.Slurm(folder=tmp_path / "runs"), RunOptions(progress=False)
    folder = RunFolder.make(Sent(work, dataset, site, options, None))
    for number, shares in enumerate(jobs):
        folder.write_part(number, records(work, shares))
        change()
    with Accumulator(plan, dataset, get_engine("columnar"), options) as accumulator:
        parts = Parts(folder, work, accumulator)
        for number in range(len(jobs)):
            parts.take(number, None)
        parts.end()
    assert_only_of(Result.of(plan, dataset, accumulator.outcome(1)), two[0])


class TestHttp:
    """The server tells size and entity tag, and is asked once for each partition."""

    @pytest.fixture
    def url(self, changing, tmp_path):
        pytest.importorskip("aiohttp")
        web = servers.Web(tmp_path)
        yield web, f"{web.url}/data/file.root"
        web.close()

    def test_a_file_that_is_replaced_meanwhile(self, url, changing, two):
        result = analysis(after(5, changing[1])).run(
            ff.dataset(url[1]), progress=False, partition_size=100, threads=2
        )
        assert_only_of(result, two[0])

    def test_what_it_costs(self, url):
        web, name = url
        ff.inspect(name)
        result = analysis().run(ff.dataset(name), progress=False, partition_size=100)
        web.requests.clear()
        assert analysis().run(ff.dataset(name), progress=False, partition_size=100).is_complete
        asked = [method for method, *_ in web.requests]
        assert asked.count("HEAD") == 1 + EVENTS // 100
        assert result.is_complete

    def test_a_server_that_does_not_answer_head(self, url, monkeypatch):
        web, name = url
        expected = version_of(name)
        answered = []

        def refuse(handler):
            answered.append(handler.path)
            handler.send_error(405)

        monkeypatch.setattr(web._server.RequestHandlerClass, "do_HEAD", refuse)
        assert version_of(name) == expected
        assert answered
        assert expected.content[0].isdigit()


def test_a_file_that_is_replaced_meanwhile_on_s3(s3, no_credentials, two):
    url = s3.put(two[0], "changing.root")
    result = analysis(after(5, lambda: s3.put(two[1], "changing.root"))).run(
        ff.dataset(url), progress=False, partition_size=100, threads=2
    )
    assert_only_of(result, two[0])


class TestXRootD:
    @pytest.fixture
    def served(self, xrootd, two, no_credentials, tmp_path):
        url = xrootd.put(two[0], f"{tmp_path.name}.root")
        file = xrootd.store / f"{tmp_path.name}.root"

        def change():
            shutil.copy(two[1], file.with_suffix(".next"))
            os.replace(file.with_suffix(".next"), file)

        return url, change, file

    def test_a_file_that_is_replaced_meanwhile(self, served, two):
        url, change, _ = served
        result = analysis(after(5, change)).run(
            ff.dataset(url), progress=False, partition_size=100, threads=2
        )
        assert_only_of(result, two[0])

    def test_a_file_that_is_replaced_between_runs(self, served, two):
        url, change, _ = served
        np.testing.assert_array_equal(masses(url), masses(two[0]))
        change()
        for _ in range(2):
            np.testing.assert_array_equal(masses(url), masses(two[1]))

    def test_a_file_that_somebody_else_still_has_open(self, served, two):
        """The server then gives the earlier one, and says that it has the new one."""
        url, change, _ = served
        hold = f"from XRootD import client; f = client.File(); f.open({url!r}); print('open')"
        code = f"{hold}; import sys; sys.stdout.flush(); sys.stdin.read()"
        pipe = subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as other:
            assert other.stdout.readline() == b"open\n"
            time.sleep(1.1)  # the clock of servers shows seconds
            change()
            with pytest.raises(FileError, match="gives an earlier file of this name"):
                analysis().run(ff.dataset(url), progress=False, retries=0)
            other.stdin.close()
        np.testing.assert_array_equal(masses(url), masses(two[1]))

    def test_a_cache_writes_to_its_copy_and_that_is_no_change(self, served, xrootd):
        url, _, _ = served
        cache = servers.XRootD(origin=f"localhost:{xrootd.port}")
        try:
            near = url.replace(str(xrootd.port), str(cache.port))
            ff.inspect(near)  # of which it gets a part
            time.sleep(1.1)  # the clock of servers shows seconds
            before = _date(near)
            result = analysis().run(ff.dataset(near), progress=False, partition_size=100)
            assert result.is_complete
            assert result.events == EVENTS
            assert _date(near) != before
        finally:
            cache.close()

    def test_a_server_that_was_down_meanwhile_is_read_again_by_resume(self, two, no_credentials):
        """A handle that failed is of no use any more."""
        server = servers.XRootD()
        try:
            url = server.put(two[0])
            code = f"""
import sys, flavorframe as ff
calls = []
@ff.function
def pausing(mass):
    calls.append(1)
    if len(calls) == 3:
        print("reading", flush=True)
        sys.stdin.readline()
    return mass
mass = ff.events().triplet.mass
made = ff.Analysis(ff.Selection(ff.events().triplet).cut("mass", pausing(mass) > 0))
options = dict(progress=False, partition_size=200, threads=1, retries=0)
result = made.run(ff.dataset({url!r}), **options)
print(result.events, flush=True)
sys.stdin.readline()
print(result.resume(**options).events, flush=True)
"""
            pipe, settings = subprocess.PIPE, {"XRD_CONNECTIONWINDOW": "2"}
            with subprocess.Popen(
                [sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True, bufsize=1,
                env={**os.environ, **settings},
            ) as reading:  # fmt: skip
                assert reading.stdout.readline() == "reading\n"
                server.stop()
                reading.stdin.write("\n")
                assert reading.stdout.readline() == "400\n"
                server.start()
                reading.stdin.write("\n")
                assert reading.stdout.readline() == f"{EVENTS}\n"
        finally:
            server.close()

    def test_a_server_that_was_down_is_read_again(self, two, no_credentials):
        server = servers.XRootD()
        try:
            url = server.put(two[0])
            code = f"""
import sys, numpy, flavorframe as ff
t = ff.events().triplet
def run():
    made = ff.Analysis(ff.Selection(t).cut("mass", t.mass > 0), rows=ff.snapshot(t.mass))
    try:
        found = made.run(ff.dataset({url!r}), progress=False, partition_size=300, retries=0)
        print(found.events, flush=True)
    except ff.FlavorframeError as error:
        print(type(error).__name__, flush=True)
for line in sys.stdin:
    run()
"""
            pipe, settings = subprocess.PIPE, {"XRD_CONNECTIONWINDOW": "2"}
            with subprocess.Popen(
                [sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True, bufsize=1,
                env={**os.environ, **settings},
            ) as reading:  # fmt: skip
                said = []
                for act in (lambda: None, server.stop, server.start):
                    act()
                    reading.stdin.write("\n")
                    said.append(reading.stdout.readline().strip())
                reading.stdin.close()
        finally:
            server.close()
        assert said == [str(EVENTS), "ServerError", str(EVENTS)]

    @pytest.mark.root
    def test_a_file_that_is_replaced_while_root_reads(self, served, two):
        url, _, file = served
        code = """
import json, os, shutil, sys
import flavorframe as ff
from flavorframe.engines._rdataframe.engine import RDataFrameEngine
url, file, new = sys.argv[1:]
def evaluate_files(engine, *args, whole=RDataFrameEngine.evaluate_files):
    shutil.copy(new, file + ".next")
    os.replace(file + ".next", file)
    return whole(engine, *args)
t = ff.events().triplet
made = ff.Analysis(ff.Selection(t).cut("mass", t.mass > 0))
run = lambda: made.run(ff.dataset(url), engine="rdataframe", progress=False, retries=0)
told = [run().events]
RDataFrameEngine.evaluate_files = evaluate_files
try:
    told.append(run().events)
except ff.FlavorframeError as error:
    told.append(str(error))
print(json.dumps(told))
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, url, str(file), str(two[1])],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        first, second = json.loads(done.stdout.splitlines()[-1])
        assert first == EVENTS
        assert SAID in second


@pytest.mark.root
def test_root_waits_no_longer_for_a_silent_server(two, no_credentials, monkeypatch):
    monkeypatch.setenv("XRD_REQUESTTIMEOUT", "3")
    server = servers.XRootD()
    try:
        url = server.put(two[0])
        code = f"""
import os, signal, time, flavorframe as ff
from flavorframe.engines import get_engine
from flavorframe._run.core.attempts import evaluate
from flavorframe._run.core.partitions import FileRange, partitions
engine, plan = get_engine("rdataframe"), ff.Analysis(ff.Selection(ff.events().triplet)).plan
info = engine.prepare(plan, {url!r}, None)
(part,) = partitions(FileRange({url!r}), 0, info, {EVENTS})
os.kill({server._process.pid}, signal.SIGSTOP)
began = time.monotonic()
print(type(evaluate(engine, plan, part)).__name__, time.monotonic() - began, flush=True)
os._exit(0)
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True,
            text=True, timeout=100,
        )  # fmt: skip
    finally:
        os.kill(server._process.pid, signal.SIGCONT)
        server.close()
    said, seconds = done.stdout.split()[-2:]
    assert said == "Failed"
    assert float(seconds) < 40


def _date(url):
    from XRootD import client

    address = client.URL(url)
    return client.FileSystem(f"root://{address.hostid}").stat(address.path)[1].modtime


@pytest.mark.parametrize("scheme", ["http", "s3", "root"])
def test_servers_that_accept_and_never_answer(scheme, monkeypatch, no_credentials, tmp_path):
    """In bounded time, however many libraries would try again."""
    pytest.importorskip({"http": "aiohttp", "s3": "s3fs", "root": "XRootD"}[scheme])
    asked = []

    def accept():
        with contextlib.suppress(OSError):  # until it is closed
            while True:
                asked.append(mute.accept())

    with socket.create_server(("127.0.0.1", 0)) as mute:
        threading.Thread(target=accept, daemon=True).start()
        place = f"127.0.0.1:{mute.getsockname()[1]}"
        url = {"http": f"http://{place}/x.root", "s3": "s3://store/x.root",
               "root": f"root://{place}//x.root"}[scheme]  # fmt: skip
        code = f"""
import os, time, flavorframe as ff
from flavorframe._files.remote import access
access.PATIENCE = 3
import fsspec, uproot  # which takes its time
began = time.monotonic()
try:
    all_of = ff.Analysis(ff.Selection(ff.events().triplet))
    all_of.run(ff.dataset({url!r}), progress=False, retries=0)
except ff.FlavorframeError as error:
    print(round(time.monotonic() - began, 1), error, flush=True)
os._exit(0)
"""
        settings = {"XRD_REQUESTTIMEOUT": "3", "AWS_ENDPOINT_URL": f"http://{place}",
                    "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **settings}, check=False,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    seconds, said = done.stdout.split(" ", 1)
    assert "did not answer in 3 seconds" in said
    assert float(seconds) < 30
    assert len(asked) == (ATTEMPTS if scheme == "s3" else 1)
