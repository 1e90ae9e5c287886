"""What somebody else has put where a proxy or a token would be is neither waited for nor taken."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from itertools import takewhile

import pytest

from flavorframe._files.remote import proxies, tokens
from flavorframe._files.remote.credentials import credentials_for, why_refused
from flavorframe._files.remote.private_files import NotOwnError, read_private, write_own
from flavorframe._files.remote.proxies import find_proxy_file, read_proxy
from flavorframe._files.remote.proxy_making import destroy_proxy
from flavorframe._files.remote.tokens import find_token
from flavorframe.errors import CredentialError
from support import grid

pytestmark = pytest.mark.usefixtures("no_credentials", "impatient")
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
NOBODY = 65534
URL = "root://localhost//a.root"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return where a proxy and a token would be, in a folder where anybody may write."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    proxy, token = folder / "x509up", folder / "bt"
    monkeypatch.setattr(proxies, "usual_place", lambda: str(proxy))
    monkeypatch.setattr("flavorframe._files.remote.credentials.usual_place", lambda: str(proxy))
    monkeypatch.setattr(tokens, "usual_places", lambda: [str(token)])
    monkeypatch.setattr("flavorframe._files.remote.credentials.usual_places", lambda: [str(token)])
    return proxy, token


@pytest.fixture
def impatient():
    """Fail a test that waits for a pipe."""

    def fail(*_):
        raise AssertionError("this waits for ever")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def own(path, authority):
    authority.proxy(path)


def pipe(path, authority):
    os.mkfifo(path, 0o600)


def given(path, authority):
    authority.proxy(path)
    os.chown(path, NOBODY, NOBODY)


def link(path, authority):
    path.symlink_to(authority.proxy(path.parent.parent / f"my_{path.name}"))


def folder(path, authority):
    path.mkdir()


ATTACKS = [
    pytest.param(pipe, "a pipe", id="pipe"),
    pytest.param(given, "it belongs to user nobody, not to you", marks=ROOT_ONLY, id="another's"),
    pytest.param(link, "it is a link", id="link"),
    pytest.param(folder, "it is a folder", id="folder"),
]


@pytest.mark.parametrize(("attack", "told"), ATTACKS)
class TestAttacks:
    def test_in_the_usual_place_it_is_told_of_and_not_used(self, places, authority, attack, told):
        for place in places:
            attack(place, authority)
        with pytest.warns(UserWarning, match=told) as warned:
            found = credentials_for([URL])
        assert not found
        assert [str(one.message).split(" is not used")[0].split()[-1] for one in warned] == [
            *map(str, places)
        ]
        assert told in why_refused(URL)

    def test_by_a_variable_it_is_an_error(self, places, authority, monkeypatch, attack, told):
        proxy, token = places
        for usual, variable in ((proxy, "X509_USER_PROXY"), (token, "BEARER_TOKEN_FILE")):
            place = usual.with_name(f"named_{usual.name}")
            attack(place, authority)
            with monkeypatch.context() as patch:
                patch.setenv(variable, str(place))
                with pytest.raises(NotOwnError, match=rf"{place} is not used: .*{told}"):
                    credentials_for([URL])


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_ones_own_is_taken(places, authority, mode):
    proxy, token = places
    authority.proxy(proxy, mode=mode)
    grid.write(token, b"opaque", mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = credentials_for([URL])
    assert found.proxy.path == find_proxy_file() == str(proxy)
    assert found.token.place == find_token().place == str(token)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_one_that_others_may_read_or_write_is_refused(places, authority, mode):
    proxy, _ = places
    authority.proxy(proxy, mode=mode)
    with pytest.raises(CredentialError, match=f"mode {mode:04o}"):
        credentials_for([URL])


def test_what_is_judged_is_what_was_opened(places, authority, monkeypatch):
    """The name leads to a pipe a moment after it led to a file: neither waited for nor refused."""
    proxy, _ = places
    authority.proxy(proxy)
    content = proxy.read_bytes()
    fstat = os.fstat

    def swapped(descriptor):
        if proxy.is_file():
            proxy.unlink()
            pipe(proxy, authority)
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", swapped)
    assert read_private(str(proxy), "proxy") == content
    with pytest.raises(NotOwnError, match="a pipe"):
        read_private(str(proxy), "proxy")


@ROOT_ONLY
def test_between_look_and_opening_somebody_elses_takes_its_place(places, authority, monkeypatch):
    proxy, _ = places
    authority.proxy(proxy)
    path = find_proxy_file()
    given(proxy, authority)
    with pytest.raises(NotOwnError, match="belongs to user nobody"):
        read_proxy(path)


def test_a_name_that_somebody_else_has_is_told_when_writing(places, authority):
    proxy, _ = places
    pipe(proxy, authority)
    with pytest.raises(CredentialError, match=r"x509up is not used: .*pipe.*--out FILE"):
        write_own(str(proxy), b"new", "proxy")
    proxy.unlink()
    write_own(str(proxy), b"new", "proxy")
    assert (proxy.read_bytes(), proxy.stat().st_mode & 0o777) == (b"new", 0o600)


@ROOT_ONLY
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_in_a_sticky_folder_an_ordinary_user_is_told_whose_it_is(places):
    """Root may replace what is another's; this is how it looks for everybody else."""
    proxy, _ = places
    proxy.write_bytes(b"root's")
    for above in takewhile(lambda folder: folder.stat().st_uid == os.geteuid()
                           and len(folder.parts) > 2, proxy.parents[1:]):  # fmt: skip
        above.chmod(above.stat().st_mode | 0o055)
    code = (
        "from flavorframe._files.remote.private_files import write_own\n"
        f"try: write_own({str(proxy)!r}, b'new', 'proxy')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    done = subprocess.run(
        [*as_nobody, sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": os.environ["PATH"]}, cwd="/",
    )  # fmt: skip
    assert "CredentialError cannot write x509up" in done.stdout, done.stderr
    assert "belongs to user root, not to you" in done.stdout
    assert proxy.read_bytes() == b"root's"


def test_destroying_waits_for_no_pipe(places, authority):
    proxy, _ = places
    pipe(proxy, authority)
    destroy_proxy(str(proxy))
    assert not proxy.exists()


@ROOT_ONLY
def test_destroying_does_not_write_into_somebody_elses_file(places, authority):
    proxy, _ = places
    proxy.write_bytes(b"theirs")
    other = proxy.with_name("other")
    os.link(proxy, other)
    os.chown(proxy, NOBODY, NOBODY)
    destroy_proxy(str(proxy))
    assert other.read_bytes() == b"theirs"
    own(proxy, authority)
    os.link(proxy, proxy.with_name("own"))
    destroy_proxy(str(proxy))
    assert set(proxy.with_name("own").read_bytes()) == {0}  # one's own is overwritten


def test_threads_get_the_same_copy(authority, tmp_path):
    from flavorframe._files.remote.private_copies import private_copy

    paths = []
    threads = [
        threading.Thread(target=lambda n=n: paths.append(private_copy("test", b"%d" % n)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1
    status = os.stat(paths[0])
    assert (status.st_mode & 0o777, status.st_uid) == (0o600, os.geteuid())
    assert os.stat(os.path.dirname(paths[0])).st_mode & 0o777 == 0o700


def test_copies_go_with_their_process_and_those_of_killed_ones_with_the_next(tmp_path):
    code = (
        "import os, sys\n"
        "from flavorframe._files.remote.private_copies import private_copy\n"
        "print(private_copy('x', b'secret'), flush=True)\n"
        "if sys.argv[1] == 'killed': os.kill(os.getpid(), 9)\n"
    )

    def run(how):
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-c", code, how], env=environment, capture_output=True, text=True,
            check=False,
        ).stdout.strip()  # fmt: skip

    left = run("killed")
    assert os.path.exists(left)
    run("ends")
    assert list(tmp_path.glob("flavorframe-*")) == []
