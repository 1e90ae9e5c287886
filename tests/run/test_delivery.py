"""Credentials, corrections and files on real Dask workers: there in time, renewed, and removed."""

import contextlib
import functools
import gzip
import json
import os
import re
import signal
import threading
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

import flavorframe as ff
from flavorframe._cli import workers as cli_workers
from flavorframe._cli.main import app
from flavorframe._expr import called
from flavorframe._models import model
from flavorframe._run.dask import worker_delivery
from flavorframe._run.delivery.delivery import Delivery
from flavorframe.errors import AnalysisError, CorrectionError
from support import grid
from support.servers import wait_for

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.usefixtures("no_credentials")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def cluster(authority, place):
    """Return a cluster whose workers have no credentials of their own, and leave logs."""
    settings = {
        "TMPDIR": str(place),
        "X509_CERT_DIR": str(authority.folder),
        "X509_USER_CERT": "/none",
        "X509_USER_KEY": "/none",
        "XDG_RUNTIME_DIR": str(place),
    }
    with (
        set_environment(settings),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs="INFO"
        ) as started,
    ):
        yield started


@contextlib.contextmanager
def set_environment(settings):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        yield client


def found_on_worker():
    """Return, on a worker, the path, modes and content of what the environment points to."""
    path = Path(os.environ.get("X509_USER_PROXY", "/none"))
    if not path.exists():
        return None
    modes = path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777
    return str(path), modes, path.read_bytes()


def analysis(**outputs):
    t = ff.events().triplet
    selection = ff.Selection(t).cut("mass", t.mass.between(1.7, 2.0))
    return ff.Analysis(selection, mass=ff.hist(t.mass, bins=31, range=(1.7, 2.0)), **outputs)


def delivery(url="root://localhost//a.root", **options):
    return Delivery.of(analysis().plan, ff.dataset(url), **options)


def test_delivered_to_each_worker_and_to_late_ones_then_removed(client, cluster, proxy, place):
    with worker_delivery.delivered(client, delivery()):
        assert_delivered(client, 2, place, proxy)
        cluster.scale(3)
        client.wait_for_workers(3)
        assert_delivered(client, 3, place, proxy)
        cluster.scale(2)
        wait_for(lambda: len(client.scheduler_info()["workers"]) == 2)
    assert set(client.run(found_on_worker).values()) == {None}
    assert folders(place) == []


def assert_delivered(client, workers, place, proxy):
    """Assert that each worker has a folder of its own with the proxy, and uses that."""
    found = client.run(found_on_worker).values()
    assert len({path for path, *_ in found}) == workers
    for path, modes, content in found:
        assert path.startswith(f"{place}/flavorframe-{os.getuid()}-")
        assert (modes, content) == ((0o600, 0o700), proxy.read_bytes())


def folders(place):
    return list(place.glob(f"flavorframe-{os.geteuid()}-*"))


def test_removed_also_when_the_run_fails(client, proxy, place):
    def fail():
        with worker_delivery.delivered(client, delivery()):
            assert folders(place)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert folders(place) == []


def test_what_a_killed_worker_left_is_removed(client, proxy, place):
    with worker_delivery.delivered(client, delivery()):
        before = {path.name for path in folders(place)}
        victim = next(iter(client.run(os.getpid).values()))
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len({path.name for path in folders(place)} - before) == 1)
        client.wait_for_workers(2)
        assert_delivered(client, 2, place, proxy)
    assert folders(place) == []


def test_renewed_while_the_run_goes_on(client, proxy, authority, monkeypatch):
    monkeypatch.setattr(worker_delivery, "WATCH_SECONDS", 0.05)
    with worker_delivery.delivered(client, delivery()):
        before = {path: content for path, _, content in client.run(found_on_worker).values()}
        grid.write(proxy, b"half of a pro", 0o600)
        authority.proxy(proxy, life=5 * grid.HOUR)
        new = proxy.read_bytes()
        wait_for(lambda: {found[2] for found in client.run(found_on_worker).values()} == {new})
        assert {found[0] for found in client.run(found_on_worker).values()} == set(before)


def test_what_somebody_else_puts_in_its_place_is_told_of_once(client, proxy, monkeypatch):
    monkeypatch.setattr(worker_delivery, "WATCH_SECONDS", 0.05)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        with worker_delivery.delivered(client, delivery()):
            before = {found[2] for found in client.run(found_on_worker).values()}
            proxy.unlink()
            os.mkfifo(proxy)
            wait_for(lambda: told)
            threading.Event().wait(0.5)
            assert {found[2] for found in client.run(found_on_worker).values()} == before
    (message,) = (str(warning.message) for warning in told)
    assert f"the proxy {proxy} is not used: it is a pipe" in message
    assert message.endswith("The run goes on with the one from before.")


def test_warns_once_of_credentials_that_end_soon(client, proxy, authority, monkeypatch):
    monkeypatch.setattr(worker_delivery, "WATCH_SECONDS", 0.05)
    authority.proxy(proxy, life=grid.HOUR / 12)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        with worker_delivery.delivered(client, delivery()):
            wait_for(lambda: len(told) >= 2)
            threading.Event().wait(0.5)
    before, during = (str(warning.message) for warning in told)
    assert before.startswith("the credentials end in 4 minutes, and the run may take longer")
    assert during.startswith("the credentials end in 4 minutes, and the run goes on")


def test_secrets_are_in_no_log_task_or_dump(client, cluster, proxy, secured, sample, tmp_path):
    url = secured.put(sample("nano"))
    logs = {}
    with worker_delivery.delivered(client, delivery(url)):
        client.gather(client.map(lambda number: number, range(10)))
        client.dump_cluster_state(str(tmp_path / "dump"))
        logs |= client.get_worker_logs()
        logs["scheduler"] = client.get_scheduler_logs()
        environment = client.run(lambda: dict(os.environ))
        held = client.run_on_scheduler(lambda dask_scheduler: repr(dask_scheduler.worker_plugins))
    dump = gzip.decompress((tmp_path / "dump.msgpack.gz").read_bytes())
    secrets = [line for line in proxy.read_text().splitlines() if len(line) == 64]
    everything = dump.decode("latin-1") + repr(logs) + repr(environment)
    assert "Worker plugin" in repr(logs)
    assert client.scheduler.address in everything
    assert len(secrets) > 20
    assert all(line in held for line in secrets)  # it is found where it is
    assert [line for line in secrets if line in everything] == []


class TestRuns:
    """Whole runs on the cluster, over GSI: what was not delivered could not have been read."""

    def test_workers_read_with_the_users_proxy(self, client, proxy, secured, sample, place):
        urls = [secured.put(sample("nano"), f"part{i}.root") for i in range(3)]
        result = analysis().run(ff.dataset(urls), on=client)
        local = analysis().run(ff.dataset(str(sample("nano"))))
        assert not result.failures
        assert (result.mass.values() == 3 * local.mass.values()).all()
        assert folders(place) == []

    def test_workers_read_with_the_users_token(
        self, client, token_server, issuer, authority, sample, place, monkeypatch
    ):
        monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
        monkeypatch.setenv("BEARER_TOKEN", issuer.token(sub="worker"))
        urls = [token_server.put(sample("nano"), f"part{i}.root") for i in range(3)]
        result = analysis().run(ff.dataset(urls), on=client)
        local = analysis().run(ff.dataset(str(sample("nano"))))
        assert not result.failures
        assert (result.mass.values() == 3 * local.mass.values()).all()
        workers = {str(number) for number in client.run(os.getpid).values()}
        came = re.findall(r"\w+\.(\d+):\d+@\S+ pvt \S+ TLSv1.3 login as worker", token_server.log)
        assert workers & set(came)
        assert folders(place) == []

    def test_corrections_models_and_files_travel(self, client, sample, tmp_path):
        path = tmp_path / "scale.json"
        path.write_text(json.dumps(scale(1.5)))
        (tmp_path / "shift.txt").write_text("0.25")
        correction = ff.correction(path, "scale")
        (tmp_path / "net.onnx").write_bytes(identity())
        mass = ff.model(tmp_path / "net.onnx")(ff.events().triplet.mass)
        moved = shifted(mass) * correction(x=ff.events().triplet.mass)
        histogram = ff.hist(moved, bins=40, range=(1, 5))
        data = ff.dataset(str(sample("nano")))
        here = analysis(moved=histogram).run(data, files=[tmp_path / "shift.txt"])
        with hidden_from_workers(client, tmp_path):
            far = analysis(moved=histogram).run(data, on=client, files=[tmp_path / "shift.txt"])
        assert (far.moved.values() == here.moved.values()).all()
        assert here.moved.sum() > 0


def known_clients(dask_scheduler):
    return list(dask_scheduler.clients)


@ff.function
def shifted(mass):
    return mass + float(Path(ff.delivered("shift.txt")).read_text())


@contextlib.contextmanager
def hidden_from_workers(client, folder):
    """Make what reads corrections and models fail on the workers for paths in a folder."""
    readers = (called, model)

    def hide(folder):
        for module in readers:
            module._original = module.bytes_of
            module.bytes_of = functools.partial(from_elsewhere, module._original, folder)

    def show():
        for module in readers:
            module.bytes_of = module._original

    client.run(hide, str(folder))
    try:
        yield
    finally:
        client.run(show)


def from_elsewhere(read, folder, path):
    assert not path.startswith(folder), "read where it was, not where it was brought"
    return read(path)


def identity():
    """Return a model in ONNX that gives its one input."""
    onnx = pytest.importorskip("onnx.helper")
    given, found = (onnx.make_tensor_value_info(name, 1, [None, 1]) for name in "xy")
    graph = onnx.make_graph([onnx.make_node("Identity", ["x"], ["y"])], "g", [given], [found])
    versions = [onnx.make_opsetid("", 17)]
    return onnx.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()


def scale(value):
    return {
        "schema_version": 2,
        "corrections": [
            {
                "name": "scale",
                "version": 1,
                "inputs": [{"name": "x", "type": "real"}],
                "output": {"name": "scale", "type": "real"},
                "data": value,
            }
        ],
    }


def test_a_correction_that_changed_is_refused(tmp_path):
    path = tmp_path / "scale.json"
    path.write_text(json.dumps(scale(1.5)))
    t = ff.events().triplet
    plan = analysis(
        scale=ff.hist(ff.correction(path, "scale")(x=t.mass), bins=2, range=(0, 1))
    ).plan
    path.write_text(json.dumps(scale(2.5)))
    with pytest.raises(CorrectionError, match="has changed since the analysis was written"):
        Delivery.of(plan, ff.dataset("a.root")).payload()


def test_extra_files_must_be_there_and_have_names_of_their_own(tmp_path):
    with pytest.raises(AnalysisError, match="there is no file"):
        delivery("a.root", files=tmp_path / "none")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").touch()
    with pytest.raises(AnalysisError, match=r"2 files are called 'x.txt'"):
        delivery("a.root", files=[tmp_path / "a" / "x.txt", tmp_path / "b" / "x.txt"])


def test_into_a_folder_for_jobs(proxy, tmp_path):
    from flavorframe._run.delivery import work_folder

    (tmp_path / "weights.txt").write_text("3")
    folder = tmp_path / "job"
    delivery(files=tmp_path / "weights.txt").into(folder)
    assert (folder.stat().st_mode & 0o777, (folder / "x509up").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )
    with work_folder.in_use(folder):
        assert os.environ["X509_USER_PROXY"] == str(folder / "x509up")
        assert Path(ff.delivered("weights.txt")).read_text() == "3"
    assert os.environ["X509_USER_PROXY"] == str(proxy)


class TestCommandLine:
    def workers(self, command, cluster):
        address = cluster.scheduler_address
        done = CliRunner().invoke(app, ["workers", command, "--on", address, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    def test_lists_what_is_in_use_and_leaves_it(self, client, cluster, proxy):
        with worker_delivery.delivered(client, delivery()):
            found = self.workers("ls", cluster)
            assert [entry["in_use"] for entry in found] == [True, True]
            assert {entry["process"] for entry in found} == {*client.run(os.getpid).values()}
            assert self.workers("clean", cluster) == []
        assert self.workers("ls", cluster) == []

    def test_ends_what_a_lost_client_left(self, client, cluster, proxy, place):
        other = distributed.Client(cluster, set_as_default=False)
        worker_delivery.WorkerDelivery(other, delivery())._register()
        other.close()
        assert len(folders(place)) == 2
        wait_for(lambda: other.id not in client.run_on_scheduler(known_clients))
        self.workers("clean", cluster)
        assert folders(place) == []

    def test_prints_where_and_whose(self, client, cluster, proxy, place):
        address = cluster.scheduler_address
        with worker_delivery.delivered(client, delivery()):
            said = CliRunner().invoke(app, ["workers", "ls", "--on", address]).output
        assert f"{place}/flavorframe-{os.getuid()}-" in said
        assert said.count("in use") == 2
        assert CliRunner().invoke(app, ["workers", "ls"]).output == "No run keeps anything.\n"

    @pytest.mark.parametrize("address", ["here", "dask", "tcp://localhost"])
    def test_what_is_no_address(self, address):
        with pytest.raises(AnalysisError, match="is no address of a Dask scheduler"):
            cli_workers.list_folders(on=address)
