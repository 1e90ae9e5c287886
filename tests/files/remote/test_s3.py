"""Files on a real S3 server: the bits of the local file, the user's keys, and what goes wrong."""

import contextlib
import os

import numpy as np
import pytest

import flavorframe as ff
from flavorframe._files.remote import s3 as keys
from flavorframe._run.delivery import work_folder
from flavorframe._run.delivery.delivery import Delivery
from flavorframe.errors import AccessError, FileError

pytestmark = pytest.mark.usefixtures("no_credentials")


def analysis():
    t = ff.events().triplet
    selection = ff.Selection(t).cut("mass", t.mass.between(1.7, 2.0)).best(lowest=t.vertex_chi2)
    mass = ff.hist(t.mass, bins=31, range=(1.7, 2.0))
    return ff.Analysis(selection, mass=mass, rows=ff.snapshot(t.mass, ff.events().event))


def assert_same(far, near):
    assert not far.failures
    assert far.cutflow == near.cutflow
    assert (far.mass.values() == near.mass.values()).all()
    np.testing.assert_array_equal(far.rows["event"], near.rows["event"])
    assert near.mass.sum() > 0


def test_gives_what_the_local_file_gives_by_parts_of_it(s3, sample):
    url = s3.put(sample("nano"))
    far, near = (analysis().run(ff.dataset(str(place))) for place in (url, sample("nano")))
    assert_same(far, near)
    gets = [line for line in s3.asked.splitlines() if '"GET /store/file.root' in line]
    assert {line.split('" ')[1][:3] for line in gets} == {"206"}  # none sent the whole file
    assert far.timing.bytes_read < sample("nano").stat().st_size / 2


def test_a_changed_file_is_opened_anew(s3, sample):
    url = s3.put(sample("nano"), "changing.root")
    before = analysis().run(ff.dataset(url)).cutflow[0].events
    s3.put(sample("nano", 600), "changing.root")
    assert (before, analysis().run(ff.dataset(url)).cutflow[0].events) == (1200, 600)


def test_what_is_not_there(s3):
    with pytest.raises(AccessError, match=rf"the S3 service {s3.url} has no such file"):
        ff.inspect("s3://store/none.root")
    with pytest.raises(AccessError, match=rf"the S3 service {s3.url} has no bucket nowhere"):
        ff.inspect("s3://nowhere/none.root")


def test_what_is_no_root_file(s3, tmp_path):
    (tmp_path / "text.root").write_text("hello" * 1000)
    with pytest.raises(FileError, match="not a readable ROOT file: first four bytes"):
        ff.inspect(s3.put(tmp_path / "text.root", "text.root"))


def test_keys_that_are_not_known(s3, sample, monkeypatch):
    url = s3.put(sample("nano"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAnobody")
    with pytest.raises(AccessError, match=r"refuses: the key AKIA\.\.\. may not read this"):
        ff.inspect(url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.keys[0])
    assert "1,200 events" in str(ff.inspect(url))


def test_without_keys(s3, sample, monkeypatch):
    url = s3.put(sample("nano"))
    for name in keys.KEYS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AccessError, match=r"refuses: there are no keys \(AWS_ACCESS_KEY_ID"):
        ff.inspect(url)


def test_a_service_that_is_not_there(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(FileError, match=r"service http://127.0.0.1:1 cannot be reached"):
        ff.inspect("s3://store/file.root")


def test_keys_and_address_from_the_files_of_amazons_tools(s3, sample, monkeypatch, tmp_path):
    """Another profile's keys would be refused."""
    url = s3.put(sample("nano"))
    for name in (*keys.KEYS, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    secret = "aws_access_key_id = {}\naws_secret_access_key = {}\n".format(*s3.keys)
    wrong = "aws_access_key_id = AKIAnobody\naws_secret_access_key = none\n"
    (tmp_path / "keys").write_text(f"[default]\n{wrong}[work]\n{secret}")
    (tmp_path / "config").write_text(f"[profile work]\nendpoint_url = {s3.url}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert "1,200 events" in str(ff.inspect(url))
    with delivered(url, tmp_path) as folder:
        assert (folder / "aws_credentials").stat().st_mode & 0o777 == 0o600
        assert "AWS_PROFILE" not in os.environ
        assert "1,200 events" in str(ff.inspect(url))
    assert os.environ["AWS_PROFILE"] == "work"


@contextlib.contextmanager
def delivered(url, tmp_path):
    """Use what a run brings to its workers; yield the folder that it is in."""
    folder = tmp_path / "worker"
    Delivery.of(analysis().plan, ff.dataset(url)).into(folder)
    with work_folder.in_use(folder):
        yield folder


def test_workers_read_with_the_users_keys(s3, sample):
    """They have none of their own, and know neither address nor region."""
    distributed = pytest.importorskip("distributed")
    urls = [s3.put(sample("nano"), f"part{i}.root") for i in range(3)]
    mine = {name: os.environ[name] for name in (*keys.KEYS[:2], "AWS_ENDPOINT_URL")}
    near = analysis().run(ff.dataset(str(sample("nano"))))
    with pytest.MonkeyPatch.context() as patch:
        for name in mine:
            patch.delenv(name)
        cluster = distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=":0")
    with cluster, distributed.Client(cluster, set_as_default=False) as client:
        far = analysis().run(ff.dataset(urls), on=client)
        left = client.run(lambda: [n for n in os.environ if "AWS" in n and "FILE" in n])
    assert not far.failures
    assert (far.mass.values() == 3 * near.mass.values()).all()
    np.testing.assert_array_equal(far.rows["event"], np.tile(near.rows["event"], 3))
    assert s3.keys[1] not in repr(left)
