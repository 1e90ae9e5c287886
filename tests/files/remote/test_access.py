"""Files on real servers: the same result as the local file, and errors that say what is wrong."""

import base64
import os
import ssl
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

import flavorframe as ff
from flavorframe._files.remote import access
from flavorframe._run.delivery.delivery import Delivery
from flavorframe.engines._rdataframe.runtime.files import describe
from flavorframe.errors import AccessError, CredentialError, FileError, RunError
from support import grid, servers
from support.sessions import Session

pytestmark = pytest.mark.usefixtures("no_credentials")


def analysis():
    t = ff.events().triplet
    selection = ff.Selection(t).cut("mass", t.mass.between(1.7, 2.0)).best(lowest=t.vertex_chi2)
    return ff.Analysis(selection, mass=ff.hist(t.mass, bins=31, range=(1.7, 2.0)))


def same(url, path):
    """Assert that the remote file gives the bits of the local one."""
    far, near = (analysis().run(ff.dataset(str(place))) for place in (url, path))
    assert far.cutflow == near.cutflow
    assert (far.mass.values() == near.mass.values()).all()
    assert near.mass.sum() > 0


@pytest.mark.servers
def test_encrypted_xrootd(authority, sample, tmp_path):
    """In a process of its own, as the client reads once which authorities there are."""
    server = servers.XRootD(authority, tls=True)
    try:
        url = server.put(sample("nano")).replace("root://", "xroots://")
        code = f"""
import flavorframe as ff
t = ff.events().triplet
data = ff.dataset({url.replace("nano", "n*o")!r})
analysis = ff.Analysis(ff.Selection(t).cut("mass", t.mass > 1.9))
print(*data.files, analysis.run(data, progress=False).cutflow[-1].candidates)
"""
        proxy = str(authority.proxy(tmp_path / "proxy"))
        shown = dict.fromkeys(("X509_USER_PROXY", "X509_USER_CERT", "X509_USER_KEY"), proxy)
        found = python(code, X509_CERT_DIR=str(authority.folder), **shown)
    finally:
        server.close()
    t = ff.events().triplet
    near = ff.Analysis(ff.Selection(t).cut("mass", t.mass > 1.9)).run(ff.dataset(sample("nano")))
    assert found.split() == [url.replace("xroots", "roots"), str(near.cutflow[-1].candidates)]


def test_root_does_not_know_encrypted_xrootd():
    with pytest.raises(FileError, match="ROOT does not know roots://.*engine='columnar'"):
        describe("roots://h//a.root", None, None, ())


class TestXRootD:
    def test_gives_what_the_local_file_gives(self, xrootd, sample):
        path = sample("nano")
        same(xrootd.put(path), path)

    def test_missing_file(self, xrootd):
        with pytest.raises(AccessError, match="has no such file"):
            ff.inspect(f"root://localhost:{xrootd.port}//store/none.root")

    def test_what_is_no_root_file(self, xrootd, tmp_path):
        (tmp_path / "text.root").write_text("hello" * 1000)
        with pytest.raises(FileError, match="not a readable ROOT file: first four bytes"):
            ff.inspect(xrootd.put(tmp_path / "text.root"))

    def test_a_changed_file_is_opened_anew(self, xrootd, sample):
        url = xrootd.put(sample("nano"), "changing.root")
        before = analysis().run(ff.dataset(url)).cutflow[0].events
        xrootd.put(sample("nano", 600), "changing.root")
        assert (before, analysis().run(ff.dataset(url)).cutflow[0].events) == (1200, 600)

    @pytest.mark.parametrize("state", ["closed", "dying"])
    def test_a_server_that_is_gone(self, xrootd, sample, state):
        """Told in bounded time; in a process of its own, as clients remember servers."""
        url = xrootd.put(sample("nano"))
        code = f"""
import os, signal, numpy, flavorframe as ff
from flavorframe._rootio.root_file import RootFile
from flavorframe._rootio.read_stats import ReadStats
file = RootFile({url!r}) if {state!r} == "dying" else None
os.kill({xrootd._process.pid}, signal.SIGKILL)
try:
    rows = numpy.arange(1200)
    file.read("triplet_mass", 0, 1200, rows, ReadStats()) if file else ff.inspect({url!r})
except ff.FlavorframeError as error:
    print(type(error).__name__, error, flush=True)
os._exit(0)
"""
        settings = {"XRD_REQUESTTIMEOUT": "3", "XRD_CONNECTIONRETRY": "1"}
        try:
            said = python(code, **settings)
        finally:
            xrootd._process.wait()
            xrootd.start()
        assert said.startswith("ServerError")
        told = ("cannot be reached", "did not answer in 3 seconds", "broke off in the middle")
        assert any(words in said for words in told)


def python(code, **environment):
    """Run Python in a process of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


class TestSecurity:
    """Each in a process of its own: the client keeps what it was let in with."""

    def inspect(self, url, **environment):
        code = f"""
import flavorframe as ff
try:
    print(ff.inspect({url!r}))
except ff.FlavorframeError as error:
    print(type(error).__name__, error)
"""
        return python(code, **environment)

    @pytest.fixture
    def url(self, secured, sample, authority, monkeypatch):
        monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
        return secured.put(sample("nano"))

    def test_a_good_proxy_is_let_in(self, url, authority, tmp_path):
        proxy = authority.proxy(tmp_path / "proxy")
        assert "1200 events" in self.inspect(url, X509_USER_PROXY=str(proxy)).replace(",", "")

    def test_without_a_proxy(self, url):
        said = self.inspect(url)
        if Path(f"/tmp/x509up_u{os.getuid()}").exists():
            pytest.skip("whoever runs this has a proxy at the usual place")
        assert said.startswith("AccessError")
        assert f"neither a proxy (/tmp/x509up_u{os.getuid()}) nor a bearer token" in said

    def test_a_proxy_that_is_made_later(self, url, authority, tmp_path):
        session = Session()
        try:
            assert "neither a proxy" in session.opens(url)
            proxy = authority.proxy(tmp_path / "proxy")
            assert session.opens(url, X509_USER_PROXY=str(proxy)) == "let in"
        finally:
            session.close()

    def test_with_an_expired_proxy(self, url, authority, tmp_path):
        proxy = authority.proxy(tmp_path / "proxy", life=-2 * grid.HOUR)
        assert f"the proxy {proxy} expired 2 hours ago" in self.inspect(
            url, X509_USER_PROXY=str(proxy)
        )

    def test_with_a_proxy_of_somebody_unknown(self, url, authority, tmp_path):
        proxy = authority.proxy(tmp_path / "proxy", name="Somebody Else")
        said = self.inspect(url, X509_USER_PROXY=str(proxy))
        assert "of /DC=test/CN=Somebody Else is valid until" in said
        assert "the server does not know this user" in said

    def test_with_a_proxy_of_another_authority(self, url, tmp_path):
        other = grid.Authority(tmp_path / "other", "Other Authority")
        said = self.inspect(url, X509_USER_PROXY=str(other.proxy(tmp_path / "proxy")))
        assert "its authority /DC=test/CN=Other Authority is not among those in" in said

    def test_without_a_folder_of_authorities(self, url, authority, tmp_path):
        proxy = authority.proxy(tmp_path / "proxy")
        said = self.inspect(url, X509_USER_PROXY=str(proxy), X509_CERT_DIR="/none")
        assert "there is no folder of authorities /none" in said


class TestHttp:
    @pytest.fixture(autouse=True)
    def _aiohttp(self):
        pytest.importorskip("aiohttp")

    def test_gives_what_the_local_file_gives(self, web, sample, tmp_path):
        url = publish(web, sample("nano"), tmp_path)
        same(url, sample("nano"))

    def test_a_changed_file_is_opened_anew(self, web, sample, tmp_path):
        url = publish(web, sample("nano"), tmp_path)
        before = analysis().run(ff.dataset(url)).cutflow[0].events
        publish(web, sample("nano", 600), tmp_path)
        assert (before, analysis().run(ff.dataset(url)).cutflow[0].events) == (1200, 600)

    def test_what_is_needed_is_asked_for_at_once_and_no_more(self, web, sample, tmp_path):
        """Not branch after branch, and neither twice nor the whole file."""
        url = publish(web, sample("nano"), tmp_path)
        t = ff.events().triplet
        names = ("mass", "vertex_chi2", "pt", "eta", "phi", "mu1_pt", "mu2_pt")
        outputs = {f"h_{name}": ff.hist(getattr(t, name), bins=9, range=(0, 9)) for name in names}
        ff.inspect(url)
        opening, web.sent = len(web.requests), 0
        result = ff.Analysis(ff.Selection(t), **outputs).run(ff.dataset(url))
        asked = web.requests[opening:]
        assert sum(method == "GET" for method, *_ in asked) <= 4
        assert web.sent < result.timing.bytes_read + 4 * 256 * 1024

    @pytest.mark.parametrize(
        ("mood", "kind", "told"),
        [
            (404, AccessError, "has no such file"),
            (403, AccessError, "refuses: over http:// neither proxy nor token is shown"),
            (500, FileError, "failed: 500"),
            ("whole", FileError, "sends only whole files"),
            ("breaks", FileError, "broke off in the middle"),
        ],
    )
    def test_what_goes_wrong(self, web, sample, tmp_path, mood, kind, told):
        url = publish(web, sample("nano"), tmp_path)
        web.mood = mood
        with pytest.raises(kind, match=told):
            analysis().run(ff.dataset(url), retries=0)

    def test_a_whole_file_is_not_fetched_for_a_part(self, web, sample, tmp_path):
        url = publish(web, sample("nano"), tmp_path)
        web.mood = "whole"
        with pytest.raises(FileError, match="copy the file"):
            ff.inspect(url)
        assert len(web.requests) <= 2

    def test_a_server_that_breaks_off_while_reading_is_a_failure(self, web, sample, tmp_path):
        url = publish(web, sample("nano"), tmp_path)
        file = ff.dataset([url, str(sample("nano"))])
        ff.inspect(url)  # so that it is open
        web.mood = "breaks"
        result = analysis().run(file, retries=0)
        assert [failure.file for failure in result.failures] == [url]
        assert result.cutflow[0].events == 1200

    def test_a_closed_port(self):
        with pytest.raises(FileError, match="cannot be reached"):
            ff.inspect("http://localhost:1/x.root")

    def test_silence_is_bounded(self, monkeypatch):
        import socket

        monkeypatch.setattr(access, "PATIENCE", 0.5)
        with socket.create_server(("127.0.0.1", 0)) as mute:
            url = f"http://localhost:{mute.getsockname()[1]}/x.root"
            with pytest.raises(FileError, match="did not answer in 0.5 seconds"):
                ff.inspect(url)

    def test_no_token_over_http(self, web, sample, tmp_path, monkeypatch):
        monkeypatch.setenv("BEARER_TOKEN", "secret")
        ff.inspect(publish(web, sample("nano"), tmp_path))
        assert {asked[3] for asked in web.requests} == {None}


class TestHttps:
    """Tokens and proxies are shown over HTTPS, to whom they are for."""

    @pytest.fixture
    def secure(self, authority, tmp_path, monkeypatch, sample):
        pytest.importorskip("aiohttp")
        monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
        certificate, key = authority.issue("localhost")
        grid.write(tmp_path / "host", grid.pem(certificate) + grid.key_pem(key), 0o600)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "host")
        context.load_verify_locations(capath=str(authority.folder))
        context.verify_flags |= 0x40  # X509_V_FLAG_ALLOW_PROXY_CERTS
        context.verify_mode = ssl.CERT_OPTIONAL
        server = servers.Web(tmp_path, context)
        fsspec.get_filesystem_class("https").clear_instance_cache()  # they keep what was shown
        yield server, publish(server, sample("nano"), tmp_path)
        server.close()

    def test_a_token_is_shown_and_renewed(self, secure, tmp_path, monkeypatch):
        web, url = secure
        monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "token"))
        for text in ("first", "second"):
            grid.write(tmp_path / "token", text.encode(), 0o600)
            web.requests.clear()
            ff.inspect(url)
            assert {asked[3] for asked in web.requests} == {f"Bearer {text}"}

    def test_a_token_for_somebody_else_is_not(self, secure, monkeypatch):
        web, url = secure
        claims = base64.urlsafe_b64encode(b'{"aud": "https://other.example"}').decode().rstrip("=")
        monkeypatch.setenv("BEARER_TOKEN", f"e30.{claims}.c2ln")
        ff.inspect(url)
        assert {asked[3] for asked in web.requests} == {None}
        web.mood = 403
        with pytest.raises(AccessError, match=r"is for https://other.example, so it was not shown"):
            ff.inspect(url)

    def test_expired_and_unsafe_tokens_are_told(self, secure, tmp_path, monkeypatch):
        web, url = secure
        web.mood = 401
        claims = base64.urlsafe_b64encode(b'{"exp": 1600000000}').decode().rstrip("=")
        grid.write(tmp_path / "token", f"e30.{claims}.c2ln".encode(), 0o600)
        monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "token"))
        with pytest.raises(AccessError, match=r"refuses: the bearer token of .* expired \d+ days"):
            ff.inspect(url)
        (tmp_path / "token").chmod(0o644)
        with pytest.raises(AccessError, match=r"mode 0644"):
            ff.inspect(url)

    def test_a_proxy_is_shown(self, secure, authority, tmp_path, monkeypatch):
        web, url = secure
        monkeypatch.setenv("X509_USER_PROXY", str(authority.proxy(tmp_path / "proxy")))
        web.demand_certificate()
        ff.inspect(url)

    @pytest.mark.parametrize("planted", ["pipe", "link"])
    def test_what_lies_in_a_proxys_place_is_not_opened(
        self, secure, authority, tmp_path, monkeypatch, planted
    ):
        web, url = secure
        place = tmp_path / "usual"
        monkeypatch.setattr("flavorframe._files.remote.proxies.usual_place", lambda: str(place))
        if planted == "pipe":
            os.mkfifo(place)
        else:
            place.symlink_to(authority.proxy(tmp_path / "proxy"))
        web.demand_certificate()
        with pytest.raises(FileError):  # however the server breaks off
            ff.inspect(url)
        place.unlink()
        authority.proxy(place)
        ff.inspect(url)

    def test_without_any_where_it_is_demanded(self, secure):
        web, url = secure
        web.mood = 403
        with pytest.raises(AccessError, match="refuses: it asks for credentials, and there is"):
            ff.inspect(url)

    def test_an_unknown_authority_is_told(self, secure, monkeypatch):
        _, url = secure
        monkeypatch.setenv("X509_CERT_DIR", "/none")
        with pytest.raises(FileError, match=r"certificate.* X509_CERT_DIR"):
            ff.inspect(url)


def publish(web, file, folder):
    grid.write(folder / "file.root", file.read_bytes(), 0o644)
    return f"{web.url}/file.root"


class TestBeforeTheRun:
    """Credentials are checked before anything starts, and only where they may be asked for."""

    def launch(self, *files):
        return Delivery.of(analysis().plan, ff.dataset(list(files)))

    def test_local_files_need_none(self, monkeypatch):
        monkeypatch.setenv("X509_USER_PROXY", "/none")
        assert not self.launch("/data/a.root")
        assert not self.launch("http://localhost/a.root")

    @pytest.mark.parametrize("url", ["root://localhost//a.root", "https://localhost/a.root"])
    @pytest.mark.parametrize(
        ("life", "mode", "told"), [(-1, 0o600, "expired"), (1, 0o644, "mode 0644")]
    )
    def test_a_proxy_that_will_not_do(
        self, authority, tmp_path, monkeypatch, url, life, mode, told
    ):
        proxy = authority.proxy(tmp_path / "proxy", life=life * grid.HOUR, mode=mode)
        monkeypatch.setenv("X509_USER_PROXY", str(proxy))
        with pytest.raises(CredentialError, match=told):
            self.launch(url)

    def test_a_proxy_that_ends_soon_is_told(self, authority, tmp_path, monkeypatch):
        proxy = authority.proxy(tmp_path / "proxy", life=grid.HOUR / 6)
        monkeypatch.setenv("X509_USER_PROXY", str(proxy))
        with pytest.warns(UserWarning, match="credentials end in 9 minutes"):
            delivery = self.launch("root://localhost//a.root")
        assert delivery.credentials.proxy.path == str(proxy)

    def test_an_old_proxy_left_behind_is_not_in_the_way(self, authority, tmp_path, monkeypatch):
        old = authority.proxy(tmp_path / "proxy", life=-grid.HOUR)
        monkeypatch.setattr("flavorframe._files.remote.proxies.usual_place", lambda: str(old))
        with pytest.warns(UserWarning, match="expired 1 hour ago.* goes on without it"):
            assert not self.launch("root://localhost//a.root")

    def test_the_run_itself_refuses(self, authority, tmp_path, monkeypatch):
        proxy = authority.proxy(tmp_path / "proxy", life=-grid.HOUR)
        monkeypatch.setenv("X509_USER_PROXY", str(proxy))
        with pytest.raises(CredentialError, match="expired 1 hour ago"):
            analysis().run(ff.dataset("root://localhost:1//a.root"))


def test_nothing_readable_tells_the_reason_once(web):
    files = [f"{web.url}/{name}.root" for name in "ab"]
    with pytest.raises(RunError, match=r"None of the 2 files .* has no such file"):
        analysis().run(ff.dataset(files))
