"""Globs and folders on real servers: XRootD, WebDAV (XRootD's), pages with links, S3."""

import contextlib
import os
import subprocess
import sys
from urllib.parse import quote

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AccessError, DatasetError, FileError, ServerError
from support import servers
from support.xrootd_cluster import Cluster

pytestmark = pytest.mark.usefixtures("no_credentials")

NAMES = ("C/0000/a.root", "C/0001/a.root", "C/0001/b 1%.root", "C/0001/notes.txt", "D/z.root",
         "D/.hidden.root", "top.root")  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a folder with files of one event each, whose number is that of their name."""
    folder = tmp_path_factory.mktemp("tree")
    for number, name in enumerate(NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with uproot.recreate(path) as file:
            file.mktree("Events", {"x": "float64"})
            file["Events"].extend({"x": np.array([float(number)])})
    return folder


@pytest.fixture(scope="module")
def served_xrootd(tree):
    server = servers.XRootD(http=True)
    for name in NAMES:
        (server.store / name).parent.mkdir(parents=True, exist_ok=True)
        server.put(tree / name, name)
    yield server
    server.close()


@pytest.fixture(params=["root", "webdav", "pages", "s3"])
def served(request, tree):
    """Return the address of the tree on a server."""
    if request.param in ("root", "webdav"):
        server = request.getfixturevalue("served_xrootd")
        root, dav = f"root://localhost:{server.port}/", f"dav://localhost:{server.http_port}"
        yield f"{root if request.param == 'root' else dav}/store"
    elif request.param == "pages":
        with contextlib.closing(servers.Pages(tree)) as pages:
            yield pages.url
    else:
        server = request.getfixturevalue("s3")
        for name in NAMES:
            server.put(tree / name, f"skim/{name}")
        yield "s3://store/skim"


def full(served, *names):
    """Return the URLs of files as datasets have them."""
    web = served.startswith(("http", "dav"))
    served = served.replace("dav://", "http://")
    return tuple(f"{served}/{quote(name) if web else name}" for name in names)


def x(data):
    analysis = ff.Analysis(ff.Selection(ff.events()), rows=ff.snapshot(ff.events()["x"]))
    return analysis.run(data, progress=False).rows["x"].tolist()


def test_stars_in_names_and_folders(served):
    data = ff.dataset(f"{served}/C/*/*.root")
    assert data.files == full(served, *NAMES[:3])
    if "dav" in served or not served.startswith(
        "http"
    ):  # the pages' server sends no parts of files
        assert x(data) == [0, 1, 2]
    assert ff.dataset(f"{served}/*/0*1/a.root").files == full(served, NAMES[1])
    assert ff.dataset(f"{served}/D/*.root:Events").tree == "Events"


def test_two_stars_and_folders(served):
    assert ff.dataset(f"{served}/**/*.root").files == full(
        served, *NAMES[:3], *NAMES[4:5], "top.root"
    )
    assert ff.dataset(f"{served}/C/**").files == full(served, *NAMES[:4])
    assert ff.dataset(f"{served}/D/").files == full(served, "D/z.root")


def test_in_a_catalogue(served):
    entry = {"C": {"type": "data", "files": "0001/a*.root", "rootpath": "C"},
             "none": {"type": "data", "files": "*.root", "rootpath": "none"}}  # fmt: skip
    catalogue = ff.catalog(entry, base=served)
    assert catalogue["C"].files == full(served, NAMES[1])
    assert "files by glob" in repr(catalogue)
    with pytest.raises(DatasetError, match="era 'none': no file matches"):
        catalogue["none"]


@pytest.mark.parametrize(
    ("pattern", "nearest"),
    [
        ("C/*/zz*.root", "/C/0000, with a.root."),
        ("C/000*/skim/*.root", "/C/0000, with a.root."),
        ("none/x/*.root", ", with C, D, top.root."),
        ("C/0001/*.txt/*.root", "/C/0001, with a.root, b 1%.root, notes.txt."),
    ],
)
def test_what_finds_nothing_names_the_nearest_folder(served, pattern, nearest):
    with pytest.raises(DatasetError) as told:
        ff.dataset(f"{served}/{pattern}", name="mine")
    (place,) = full(served, "")
    asked = f"{place}{pattern}"
    assert str(told.value) == (
        f"dataset 'mine': no file matches {asked}. The nearest folder that exists is "
        f"{place.rstrip('/')}{nearest}"
    )


def test_what_finds_nothing_here_names_the_nearest_folder(tree):
    with pytest.raises(DatasetError) as told:
        ff.dataset(f"{tree}/C/E*/*.root")
    nearest = f"The nearest folder that exists is {tree}/C, with 0000, 0001."
    assert str(told.value).endswith(f"no file matches {tree}/C/E*/*.root. {nearest}")
    (tree / "empty").mkdir(exist_ok=True)
    with pytest.raises(DatasetError, match=f"is {tree}/empty, and it is empty"):
        ff.dataset(f"{tree}/empty")


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            403,
            FileError,
            r"does not list this folder \(it answers 403\): give its files one by one",
        ),
        (401, AccessError, "refuses"),
        (500, FileError, "failed: 500"),
        (207, FileError, r"does not list this folder \(what it sends is no XML"),
    ],
)
def test_servers_that_do_not_list(tree, answer, error, message):
    pages = servers.Pages(tree, answer)
    with contextlib.closing(pages), pytest.raises(error, match=message):
        ff.dataset(f"{pages.url}/*.root")


def test_what_is_no_page(web, tmp_path):
    (tmp_path / "notes.txt").write_text("no links")
    with pytest.raises(FileError, match="it sends something else than a page with links"):
        ff.dataset(f"{web.url}/notes.txt/")


def test_servers_that_are_not_there(served_xrootd):
    port = servers.free_port()
    with pytest.raises(ServerError, match=f"localhost:{port} cannot be reached"):
        ff.dataset(f"http://localhost:{port}/*.root")
    with pytest.raises(AccessError, match="localhost.*refuses"):
        ff.dataset(f"root://localhost:{served_xrootd.port}//elsewhere/*.root")


def test_a_bucket_that_is_not_there(s3):
    with pytest.raises(AccessError, match="has no bucket nowhere"):
        ff.dataset("s3://nowhere/*.root")


def test_a_folder_in_a_bucket_that_is_not_there(s3):
    with pytest.raises(DatasetError, match="no file matches s3://store/none/"):
        ff.dataset("s3://store/none/*.root")


@pytest.mark.servers
@pytest.mark.slow
def test_a_cluster_tells_what_all_of_its_servers_have():
    with contextlib.closing(Cluster()) as cluster:
        folder = f"root://localhost:{cluster.port}//store"
        for store, names in zip(cluster.stores, ("ab", "bc"), strict=True):
            for name in names:
                (store / f"{name}.root").touch()
        expected = tuple(f"{folder}/{name}.root" for name in "abc")

        def found():
            try:
                return ff.dataset(f"{folder}/*.root").files == expected
            except (FileError, DatasetError):  # they come up one after the other
                return False

        servers.wait_for(found, seconds=60, told=lambda: cluster.logs)
        cluster.stores[1].chmod(0)
        with pytest.raises(FileError, match="only some of its servers have told what is in"):
            ff.dataset(f"{folder}/*.root")
        cluster.stores[1].chmod(0o755)


@pytest.mark.root
def test_beside_the_client_of_root(served_xrootd):
    """In a process that reads by ROOT's client, which cannot have another."""
    code = f"""
import flavorframe as ff
from flavorframe._files.remote import xrootd_client
xrootd_client.claim(xrootd_client.ROOT, "root://h//a")
print(*ff.dataset("root://localhost:{served_xrootd.port}//store/D/*.root").files)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout.split() == [f"root://localhost:{served_xrootd.port}//store/D/z.root"]
