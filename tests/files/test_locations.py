"""Where files are: every way to name one, and every way to name one twice."""

import contextlib
import http.server
import os
import socket
import threading

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._files.locations import file_key, normalized
from flavorframe.errors import DatasetError, FileError
from support import servers

COUNT = ff.Analysis(ff.Selection(ff.events()), rows=ff.snapshot(ff.events()["x"]))


def write(path, **trees):
    with uproot.recreate(path) as file:
        for name, values in (trees or {"Events": [0.0, 1.0, 2.0]}).items():
            file.mktree(name, {"x": "float64"})
            file[name].extend({"x": np.array(values)})
    return path


def rows(data, **options):
    return COUNT.run(data, progress=False, **options).rows.to_numpy()["x"].tolist()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Names


@pytest.mark.parametrize("names", ["", " ", ["a.root", ""]])
def test_an_empty_name_is_not_the_whole_folder(here, names):
    write("other.root")
    with pytest.raises(DatasetError, match=r"the name is empty.*str\.split\(\)"):
        ff.dataset(names)
    files = [names] if isinstance(names, str) else names
    with pytest.raises(DatasetError, match="era 'A'.*the name is empty"):
        ff.catalog({"A": {"type": "data", "files": files}}, base=".")


@pytest.mark.parametrize("name", [5, None, b"a.root", [[["a.root"]]], ["a.root", 5], [[]]])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(
        DatasetError,
        match="paths, URLs, or a list|named by text or a path|list of its places is empty",
    ):
        ff.dataset(name)
    with pytest.raises(DatasetError, match="zero byte"):
        ff.dataset("a\0.root")


@pytest.mark.parametrize(
    ("place", "same"),
    [
        ("file:/data/a.root", "/data/a.root"),
        ("FILE://LocalHost/data/a%20b.root", "/data/a b.root"),
        ("xroot://H:1094//a.root", "root://h//a.root"),
        ("xroots://H:1094/a.root", "roots://h//a.root"),
        ("ROOT://h/store/../a.root?x=1", "root://h//a.root?x=1"),
        ("root://me@h:2//a//b.root", "root://me@h:2//a/b.root"),
        ("davs://h:8443/A.root", "https://h:8443/A.root"),
        ("DAV://h:80/a//b.root?x#y", "http://h/a//b.root?x#y"),
        ("root://[0:0::1]:1//a.root", "root://[::1]:1//a.root"),
        ("S3://Bucket//a", "s3://Bucket//a"),
    ],
)
def test_a_place_has_one_spelling(place, same):
    assert normalized(place) == same
    assert normalized(same) == same
    assert ff.dataset(place).files == (same,)
    assert ff.Dataset("d", None, (place,)).files == (same,)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("gsiftp://h/a.root", r"gsiftp:// cannot be read.*root://.*davs://"),
        ("srm://h/a.root", "srm:// cannot be read"),
        ("file://store/a.root", r"another machine, store.*file:///store/a\.root"),
        ("root:////a.root", "after root:// come a server and a path"),
        ("http://[::x]/a.root", "no IPv6 address"),
        ("davs://h*/a.root", "a wildcard in the name of the server"),
    ],
)
def test_urls_that_cannot_be_read_are_told_before_the_run(place, message):
    with pytest.raises(DatasetError, match=message):
        ff.dataset(place)
    with pytest.raises(DatasetError, match=f"(?s)era 'A'.*{message}"):
        ff.catalog({"A": {"type": "data", "files": [place]}})["A"]


def test_a_file_url_is_read(here):
    url = f"file://{write(here / 'a b.root')}".replace(" ", "%20")
    assert rows(ff.dataset(url)) == [0, 1, 2]
    assert ff.inspect(url).events == 3
    assert ff.dataset(f"file://{here}/*.root").files == (f"{here}/a b.root",)


def test_two_dots_are_above_what_a_link_leads_to(here):
    (here / "real" / "deep").mkdir(parents=True)
    (here / "link").symlink_to("real/deep")
    write(here / "real" / "a.root")
    write(here / "a.root", Events=[7.0])
    assert rows(ff.dataset("link/../a.root")) == [0, 1, 2]


# Trees


@pytest.mark.parametrize(
    "files",
    [
        "a.root:Other",
        ["a.root:Other", "b.root:/Other/"],
        "*.root:Other",
        {"a.root": "Other"},
        {"a.root": {"object_path": "Other"}},
        {"files": {"a.root": "Other", "b.root": "Other"}, "metadata": {"xsec": 2.0}},
        {"files": ["a.root", "b.root"], "treename": "Other", "metadata": {"xsec": 2.0}},
    ],
)
def test_the_tree_is_named_as_uproot_and_coffea_do(here, files):
    for name in ("a.root", "b.root"):
        write(name, Events=[1.0], Other=[100.0, 200.0])
    data = ff.dataset(files)
    assert data.tree == "Other"
    assert rows(data) == len(data) * [100, 200]
    assert data.meta == ({"xsec": 2.0} if "files" in files else {})


def test_the_tree_is_named_in_catalogues_urls_and_for_inspect(here):
    write("a.root", Events=[1.0], Other=[100.0, 200.0])
    for files in ("a.root:Other", {"a.root": "Other"}):
        data = ff.catalog({"A": {"type": "data", "files": files}}, base=here)["A"]
        assert (data.files, data.tree) == ((f"{here}/a.root",), "Other")
    url = ff.dataset("root://h:2//a.root:dir/Other")
    assert (url.files, url.tree) == (("root://h:2//a.root",), "dir/Other")
    assert ff.dataset("https://h/a.root?x=b.root:c").files == ("https://h/a.root?x=b.root:c",)
    assert ff.inspect("a.root:Other").events == 2
    assert ff.inspect({"a.root": "Other"}).events == 2
    with pytest.raises(DatasetError, match="takes one file, at one place, not"):
        ff.inspect([["a.root", "b.root"]])
    with pytest.raises(DatasetError, match="Events for all, Other for a.root"):
        ff.inspect("a.root:Other", "Events")
    with pytest.raises(FileError, match="no tree 'Nothing'"):
        ff.inspect("a.root:Nothing")


def test_a_file_with_a_colon_in_its_name_is_that_file(here):
    write("a.root", Events=[1.0])
    write("b.root", Events=[2.0])
    os.rename("b.root", "a.root:v2.root")
    assert ff.dataset("a.root:v2.root").files == (f"{here}/a.root:v2.root",)
    assert ff.dataset("a.root:*.root").files == (f"{here}/a.root:v2.root",)
    assert ff.dataset("a.root:v2.root").tree is None


@pytest.mark.parametrize(
    ("files", "tree"),
    [
        ({"a.root": "Events", "b.root": "Other"}, None),
        (["a.root:Events", "b.root:Other"], None),
        (["a.root:Events", "b.root"], None),
        ("a.root:Events", "Other"),
        ({"a.root": "Events"}, "Other"),
    ],
)
def test_trees_that_differ_are_refused(files, tree):
    with pytest.raises(DatasetError, match="a dataset has one tree, and these are named"):
        ff.dataset(files, tree=tree)


def test_what_else_stands_in_a_fileset_is_refused():
    with pytest.raises(DatasetError, match="'steps'.*not taken"):
        ff.dataset({"a.root": {"object_path": "Events", "steps": [[0, 5]]}})
    with pytest.raises(DatasetError, match="fileset of several datasets; give one of them"):
        ff.dataset({"A": {"files": {"a.root": "Events"}}})
    with pytest.raises(DatasetError, match="unknown key 'tree' in an entry of a fileset"):
        ff.dataset({"files": ["a.root"], "tree": "Events"})
    with pytest.raises(DatasetError, match="metadata should be a dictionary, not 5"):
        ff.dataset({"files": ["a.root"], "metadata": 5})
    with pytest.raises(DatasetError, match="Events for the fileset, Other for all"):
        ff.dataset({"files": ["a.root"], "treename": "Events"}, tree="Other")
    assert ff.dataset({"files": "Events"}).tree == "Events"
    with pytest.raises(DatasetError, match="named by text, not 5"):
        ff.dataset({"a.root": 5})
    with pytest.raises(DatasetError, match="the tree has no name"):
        ff.dataset("a.root", tree="")


# Files that would count double


def test_no_name_lets_a_file_count_double(here):
    write("a.root")
    os.symlink("a.root", "link.root")
    os.link("a.root", "hard.root")
    os.symlink(".", "folder")
    os.mkdir("sub")
    for other in ("link.root", "hard.root", "./a.root", "folder/a.root", "sub/../a.root"):
        with pytest.raises(DatasetError, match="double"):
            ff.dataset(["a.root", other])
        with pytest.raises(DatasetError, match="double"):
            ff.catalog({"A": {"type": "data", "files": ["a.root", other]}}, base=".")["A"]
    with pytest.raises(DatasetError, match=r"a\.root and .*link\.root are the same file"):
        ff.dataset("[al]*.root")


def test_a_link_made_later_or_added_counts_no_more(here):
    write("a.root")
    data = ff.dataset(["a.root", "b.root"])
    os.symlink("a.root", "b.root")
    with pytest.raises(DatasetError, match="are the same file"):
        rows(data)
    with pytest.raises(DatasetError, match="are the same file"):
        ff.certify(COUNT, data, engines=["columnar", "columnar"])
    with pytest.raises(DatasetError, match="are the same file"):
        ff.dataset("a.root") + ff.dataset("b.root")


@pytest.mark.parametrize(
    "other",
    [
        "root://H:1094//a.root", "root://h/a.root", "root://h///./a.root", "xroot://h//b/../a.root",
        "root://me@h//a.root?svcClass=x", "xroots://h//a.root",
    ],
)  # fmt: skip
def test_no_spelling_of_a_url_counts_double(other):
    with pytest.raises(DatasetError, match="double"):
        ff.Dataset("d", None, ("root://h//a.root", other))


@pytest.mark.parametrize(
    "other",
    [
        "davs://H:443/x/a.root", "https://h//x/a.root", "https://h/x//a.root", "https://h/x/./a.root",
        "https://h/x/%61.root", "https://h/x/y/../a.root",
    ],
)  # fmt: skip
def test_no_spelling_of_a_web_address_counts_double(other):
    with pytest.raises(DatasetError, match="double"):
        ff.Dataset("d", None, ("https://h/x/a.root", other))


def test_files_that_differ_are_not_taken_for_the_same():
    places = ("https://h/a/b", "https://h/a/B", "http://h/a/b", "https://h/a/b?x=1",
              "https://h:8443/a/b", "root://h//a/b", "root://h:1//a/b", "s3://h/a/b", "s3://h/a//b",
              "/a/b", "/a/B")  # fmt: skip
    assert len({file_key(place) for place in places}) == len(places)
    assert len(ff.dataset(places)) == len(places)


# Folders of catalogues


def test_an_absolute_rootpath_is_itself_where_it_is(here):
    (here / "there").mkdir()
    entry = {"A": {"type": "data", "files": "a.root", "rootpath": f"{here}/there"}}
    assert ff.catalog(entry)["A"].files == (f"{here}/there/a.root",)
    assert ff.catalog(entry, base="root://h//")["A"].files == (f"root://h/{here}/there/a.root",)
    inside = here / "base" / str(here / "there").lstrip("/")
    inside.mkdir(parents=True)
    with pytest.raises(DatasetError, match="era 'A': 'rootpath' .* can be two folders"):
        ff.catalog(entry, base=here / "base")["A"]
    entry["A"]["rootpath"] = f"file://{here}/there"
    assert ff.catalog(entry, base=here / "base")["A"].files == (f"{here}/there/a.root",)


def test_xrootd_gets_a_whole_path_whatever_the_base():
    for base in ("root://h", "root://h/", "root://h//", "xroot://H:1094"):
        entry = {"A": {"type": "data", "files": "a.root", "rootpath": "/store/x"}}
        assert ff.catalog(entry, base=base)["A"].files == ("root://h//store/x/a.root",)


# Real servers


def has_ipv6():
    """Return whether this machine has an address of IPv6."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


class SixWeb(http.server.ThreadingHTTPServer):
    """An HTTP server at an address of IPv6."""

    address_family = socket.AF_INET6


def test_http_at_an_address_of_ipv6(here):
    write("a.root")
    served = type("Served", (), {"mood": "ranges", "requests": [], "sent": 0})()
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    server = SixWeb(("::1", 0), servers._handler(served, here))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"dav://[::1]:{server.server_address[1]}/a.root:Events"
        assert rows(ff.dataset(url)) == [0, 1, 2]
    finally:
        server.shutdown()
        server.server_close()


def test_xrootd_by_every_spelling(here, no_credentials):
    server = servers.XRootD()
    try:
        url = server.put(write("a.root"))
        spellings = [url.replace("//store", "/store"), url.replace("root:", "XROOT:"),
                     url.replace("//store", "//store/x/../../store"), f"{url}:Events"]  # fmt: skip
        spellings += [url.replace("localhost", "[0:0::1]")] if has_ipv6() else []
        for spelling in spellings:
            assert rows(ff.dataset(spelling)) == [0, 1, 2]
            assert ff.inspect(spelling).events == 3
    finally:
        server.close()


@pytest.mark.parametrize("name", ["authz", "access_token"])
def test_a_token_in_a_url_is_refused_and_not_printed(name):
    url = f"root://eos.example//a.root?x=1&{name}=Bearer%20secret"
    with pytest.raises(DatasetError, match="set BEARER_TOKEN_FILE to that") as told:
        ff.dataset(url)
    assert "secret" not in str(told.value)
    assert "root://eos.example//a.root?..." in str(told.value)
    assert ff.dataset("root://eos.example//a.root?xauthz=1").files
