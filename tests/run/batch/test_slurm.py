"""Runs on a real Slurm: the same bits as here, snapshots, eras, credentials."""

import importlib.util
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._run.batch import executor
from flavorframe.errors import RunError
from support import grid
from support.analyses import assert_same_bits, bits, regional, t, weighted
from support.jobs import run_folder, submissions
from support.servers import wait_for

TOKEN = "a-token-that-nobody-is-to-see"


@pytest.mark.parametrize(
    ("jobs", "size", "analysis"), [(2, 50_000, weighted()), (5, 11, regional())]
)
def test_the_same_bits_as_here(slurm, data, jobs, size, analysis):
    site = slurm(jobs=jobs)
    result = analysis.run(data, on=site, partition_size=size, progress=False)
    assert bits(result) == bits(analysis.run(data, partition_size=50, progress=False))
    assert result.is_complete
    assert result.events == 150
    assert submissions(site) == [list(range(jobs))]


def test_files_in_several_places(slurm, files, tmp_path):
    away = str(tmp_path / "away.root")
    data = ff.dataset([[away, files[0]], files[1]])
    result = weighted().run(data, on=slurm(jobs=3), partition_size=11, progress=False)
    assert_same_bits(result, weighted().run(ff.dataset(files[:2]), progress=False))
    assert [(each.file, each.place) for each in result.replicas] == [(away, str(files[0]))]


def test_a_snapshot_in_several_files(slurm, data, tmp_path):
    rows = ff.snapshot(t.mass, path=tmp_path / "rows.root", files=3)
    result = weighted().with_outputs(rows=rows).run(data, on=slurm(jobs=2), progress=False)
    found = [
        uproot.open(path)["candidates"]["mass"].array(library="np") for path in result.rows.paths
    ]
    assert [Path(path).name for path in result.rows.paths] == [
        f"rows_{i}of3.root" for i in (1, 2, 3)
    ]
    expected = weighted().run(data, progress=False).rows["mass"]
    np.testing.assert_array_equal(np.concatenate(found), expected)


def test_the_example_has_the_same_bits_as_here(slurm, sample):
    path = Path(__file__).parents[3] / "examples" / "dsphi.py"
    spec = importlib.util.spec_from_file_location("dsphi", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    selection = example.selection.weight("w", 1 / (1 + t.mu1.pt / 3))
    outputs = dict(example.analysis.outputs)
    analysis = ff.Analysis(selection, mass=outputs["mass"], rows=outputs["candidates"])
    data = ff.dataset(sample("nano"))
    result = analysis.run(data, on=slurm(jobs=2), partition_size=100, progress=False)
    assert result.cutflow["w"].candidates > 0
    assert_same_bits(result, analysis.run(data, progress=False))


def test_a_snapshot_goes_to_one_file(slurm, data, tmp_path):
    import uproot

    analysis = weighted().with_outputs(rows=ff.snapshot(t.mass, path=tmp_path / "rows.root"))
    result = analysis.run(data, on=slurm(), partition_size=20, progress=False)
    stored = uproot.open(tmp_path / "rows.root")["candidates"].arrays(library="np")
    local = weighted().run(data, progress=False).rows
    np.testing.assert_array_equal(stored["mass"], local["mass"])
    assert len(result.rows) == len(local)


def test_bad_files_are_failures_as_they_are_here(slurm, files, tmp_path):
    text = tmp_path / "text.root"
    text.write_text("not a ROOT file at all")
    data = ff.dataset([files[0], text, tmp_path / "none.root", files[1]])
    result = weighted().run(data, on=slurm(jobs=2), progress=False)
    local = weighted().run(data, progress=False)
    assert_same_bits(result, local)
    assert [(f.file, f.reason) for f in result.failures] == [
        (f.file, f.reason) for f in local.failures
    ]
    with pytest.raises(ff.FlavorframeError, match=r"text.root: not a readable ROOT file"):
        weighted().run(data, on=slurm(jobs=2), on_error="raise", progress=False)
    with pytest.raises(RunError, match="None of the 2 files .* The first: .*text.root"):
        weighted().run(ff.dataset([text, tmp_path / "none.root"]), on=slurm(), progress=False)


def test_eras_wait_in_the_queue_together(slurm, files, tmp_path, monkeypatch):
    eras = {name: ff.dataset(files[i], name=name) for i, name in enumerate("BCD")}
    site, seen = slurm(), []

    def collect(*arguments, collect=executor.collect):
        seen.append(len(list(Path(site.folder).glob("*/submissions.json"))))
        collect(*arguments)

    monkeypatch.setattr(executor, "collect", collect)
    results = weighted().run(eras, on=site, output=tmp_path / "out", progress=False)
    assert seen == [3, 3, 3]
    total = weighted().run(ff.dataset(files), progress=False)
    assert results.total.cutflow == total.cutflow
    again = [ff.Slurm.gather(folder, progress=False) for folder in Path(site.folder).iterdir()]
    assert (again[0] + again[1] + again[2]).cutflow == total.cutflow


def test_setup_lines_come_first(slurm, data):
    @ff.function
    def told(x):

        return np.full(len(x), os.environ["PERIOD"] == "it's 2017")

    site = slurm(jobs=1, setup=["export PERIOD=wrong", 'export PERIOD="it\'s 2017"'])
    result = weighted(told(t.mass)).run(data, on=site, progress=False)
    assert result.cutflow["cut 0"].candidates == result.cutflow["mass"].candidates > 0


@pytest.mark.usefixtures("no_credentials")
def test_credentials_come_along(slurm, secured, authority, files, monkeypatch, tmp_path):
    proxy = authority.proxy(tmp_path / "proxy")
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    monkeypatch.setenv("X509_USER_PROXY", str(proxy))
    monkeypatch.setenv("BEARER_TOKEN", TOKEN)
    data = ff.dataset([secured.put(file) for file in files[:2]])
    site, seen = slurm(), str(tmp_path / "seen")

    @ff.function
    def look(x):
        import json
        from pathlib import Path

        names = ("X509_USER_PROXY", "BEARER_TOKEN", "BEARER_TOKEN_FILE")
        known = {name: os.environ.get(name) for name in names}
        modes = {name: oct(os.stat(path).st_mode & 0o777) for name, path in known.items() if path}
        Path(seen).write_text(json.dumps([known, modes]))
        return np.ones(len(x), bool)

    result = weighted(look(t.mass)).run(data, on=site, progress=False)
    assert result.is_complete
    known, modes = json.loads(Path(seen).read_text())
    folder = str(run_folder(site))
    assert known == {
        "X509_USER_PROXY": f"{folder}/x509up",
        "BEARER_TOKEN": None,
        "BEARER_TOKEN_FILE": f"{folder}/bearer_token",
    }
    assert set(modes.values()) == {"0o600"}
    left = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert not {"x509up", "bearer_token"} & {path.name for path in left}
    assert not [path for path in left if TOKEN.encode() in path.read_bytes()]


@pytest.mark.usefixtures("no_credentials")
def test_jobs_read_with_the_users_token(slurm, token_server, issuer, authority, files, monkeypatch):
    token = issuer.token(sub="job")
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    monkeypatch.setenv("BEARER_TOKEN", token)
    data, site = ff.dataset([token_server.put(file) for file in files[:2]]), slurm()
    result = weighted().run(data, on=site, progress=False)
    assert result.is_complete
    assert "login as job" in token_server.log
    left = [path for path in run_folder(site).rglob("*") if path.is_file()]
    assert not [path for path in left if token.encode() in path.read_bytes()]


def test_a_renewed_proxy_reaches_jobs_that_run(
    slurm, secured, authority, files, monkeypatch, tmp_path
):
    """The job goes on only once it has the new one where it found the old one."""
    proxy, started = authority.proxy(tmp_path / "proxy"), tmp_path / "started"
    old = proxy.read_bytes()
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    monkeypatch.setenv("X509_USER_PROXY", str(proxy))
    data = ff.dataset([secured.put(file) for file in files[:1]])
    mark = str(started)

    @ff.function
    def wait_for_new(x):
        import time
        from pathlib import Path

        mine = Path(os.environ["X509_USER_PROXY"])
        Path(mark).write_bytes(mine.read_bytes())
        end = time.monotonic() + 60
        while mine.read_bytes() == Path(mark).read_bytes():
            assert time.monotonic() < end, "no new proxy came"
            time.sleep(0.1)
        return np.ones(len(x), bool)

    def renew():
        wait_for(started.exists)
        authority.proxy(proxy, life=5 * grid.HOUR)

    renewal = threading.Thread(target=renew)
    renewal.start()
    result = weighted(wait_for_new(t.mass)).run(data, on=slurm(), progress=False)
    renewal.join()
    assert result.is_complete
    assert started.read_bytes() == old
    assert proxy.read_bytes() != old


def test_thousands_of_jobs_are_several_arrays(slurm, slurm_server, data):
    queued = []

    def stop():
        queued.append(slurm_server.command("squeue", "-h", "-r").count("\n") + 1)
        return True

    site = slurm(jobs=1100, options={"begin": "now+1hour"})
    result = weighted().run(data, on=site, should_stop=stop, progress=False)
    assert queued == [1100]
    assert [len(numbers) for numbers in submissions(site)] == [1000, 100]
    assert (result.stopped, result.events, result.luminosity) == ("stopped", 0, 0.0)
    wait_for(lambda: not slurm_server.command("squeue", "--noheader"))
