"""Servers on this machine, started by tests: XRootD, with and without security, HTTP and S3."""

import contextlib
import fcntl
import http.server
import itertools
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import pytest

PLAIN = """
xrd.port {port}
xrd.network nodnr
oss.localroot {folder}/data
all.export /store r/o
all.adminpath {folder}/admin
all.pidpath {folder}/admin
"""
GSI = """
xrootd.seclib libXrdSec.so
sec.protocol gsi -certdir:{authorities} -cert:{folder}/host.pem -key:{folder}/host.key \
-gridmap:{folder}/gridmap -gmapopt:2 -crl:0 -dlgpxy:0
sec.protbind * only gsi
"""
TLS = """
xrd.tls {folder}/host.pem {folder}/host.key
xrd.tlsca certdir {authorities}
xrootd.tls all
"""
HTTP = """
xrd.protocol http:{http_port} libXrdHttp.so
"""
CACHE = """
ofs.osslib libXrdPss.so
pss.origin {origin}
pss.cachelib libXrdPfc.so
pfc.blocksize 64k
pfc.prefetch 0
"""


class XRootD:
    """An XRootD server of its own folder; ``store`` holds what it serves.

    With an ``authority`` it lets in who has a proxy of it, unless its ``security`` says otherwise.
    With an ``origin``, the address of another, it is a cache of what that one has. With ``http`` it
    serves the same by HTTP and WebDAV, at ``http_port``. With ``tls``, which needs an authority, it
    speaks to nobody who does not. ``more`` is added to its configuration, ``files`` to its folder;
    its command is put ``behind`` another.
    """

    def __init__(
        self,
        authority=None,
        users=("Test User",),
        origin=None,
        http=False,
        tls=False,
        *,
        security=GSI,
        more="",
        behind=(),
        files=None,
    ):
        if shutil.which("xrootd") is None:
            pytest.skip("the XRootD server is not installed (Debian: xrootd-server)")
        pytest.importorskip("XRootD", reason="the XRootD client is not installed")
        # Not in pytest's own folder, which other users, such as the server's, cannot enter.
        self.folder = Path(tempfile.mkdtemp(prefix="test-xrootd-"))
        self.folder.chmod(0o755)
        self.store = self.folder / "data" / "store"
        self.store.mkdir(parents=True)
        (self.folder / "admin").mkdir()
        text = PLAIN + more if authority is None else PLAIN + security + more
        self._behind = behind
        for name, content in (files or {}).items():
            (self.folder / name).write_bytes(content)
        if authority is not None:
            self._secure(authority, users)
        if origin is not None:
            text = PLAIN + CACHE
            if os.geteuid() == 0:
                for path in (self.store.parent, self.store):
                    shutil.chown(path, "xrootd", "xrootd")
        self.port, self.http_port = free_port(), free_port()
        text += (HTTP if http else "") + (TLS if tls else "")
        names = {
            "http_port": self.http_port,
            "origin": origin,
            "port": self.port,
            "folder": self.folder,
            "authorities": self.folder / "ca",
        }
        (self.folder / "server.cfg").write_text(text.format(**names))
        self._process = None
        self.start()

    def _secure(self, authority, users):
        from support.grid import key_pem, pem

        shutil.copytree(authority.folder, self.folder / "ca")
        (self.folder / "ca").chmod(0o755)
        certificate, key = authority.issue("localhost")
        (self.folder / "host.pem").write_bytes(pem(certificate))
        (self.folder / "host.key").write_bytes(key_pem(key))
        (self.folder / "host.key").chmod(0o400)
        lines = [f'"/DC=test/CN={user}" tester\n' for user in users]
        (self.folder / "gridmap").write_text("".join(lines))

    def start(self):
        for _ in range(3):  # now and then it ends at once, and tells nobody why
            self._process = self.launched("xrootd")
            wait_for(lambda: self._process.poll() is not None or answers(self.port))
            if self._process.poll() is None:
                return
        raise AssertionError(f"xrootd ended with {self._process.returncode}: {self.log}")

    def launched(self, program):
        """Start a program of XRootD with the configuration; return its process."""
        command = [*self._behind, program, "-c", f"{self.folder}/server.cfg"]
        command += ["-l", f"{self.folder}/admin/{program}.log"]
        if os.geteuid() == 0:  # it refuses to run as root
            for path in [self.folder / "admin", *self.folder.glob("host.key")]:
                shutil.chown(path, "xrootd", "xrootd")
            command += ["-R", "xrootd"]
        environment = {**os.environ, "XDG_CACHE_HOME": f"{self.folder}/admin"}
        with (self.folder / "output.log").open("ab") as output:
            return subprocess.Popen(
                command, cwd=self.folder / "admin", stdout=output, stderr=output, env=environment
            )

    def stop(self):
        self._process.kill()
        self._process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def log(self):
        return "".join(path.read_text() for path in self.folder.rglob("*log"))

    def put(self, file, name=None):
        """Serve a copy of a file; return its URL."""
        shutil.copy(file, self.store / (name or Path(file).name))
        return f"root://localhost:{self.port}//store/{name or Path(file).name}"


class Web:
    """An HTTP server of the files of a folder, which understands ranges.

    ``mood`` is what it does today: "ranges", "whole" (it ignores ranges), "breaks" (it ends in the
    middle of what it sends), or the number of an error. ``requests`` lists (method, path, range,
    authorization) of what it was asked, and ``sent`` counts the bytes of files. With ``tls``, a
    context, it speaks HTTPS.
    """

    def __init__(self, folder, tls=None):
        self.mood, self.requests, self.sent = "ranges", [], 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, folder))
        self._server.daemon_threads = True
        self._tls = tls
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http{'s' if tls else ''}://localhost:{self._server.server_port}"

    def demand_certificate(self):
        self._tls.verify_mode = ssl.CERT_REQUIRED

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(web, folder):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *arguments):
            pass

        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            headers = self.headers
            asked = (self.command, self.path, headers.get("Range"), headers.get("Authorization"))
            web.requests.append(asked)
            file = Path(folder) / self.path.lstrip("/")
            if isinstance(web.mood, int) or not file.is_file():
                self.send_error(web.mood if isinstance(web.mood, int) else 404)
                return
            size, status, start = file.stat().st_size, 200, 0
            last = size - 1
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("Range", ""))
            if found and web.mood != "whole":
                start, last, status = int(found[1]), min(int(found[2] or size), size - 1), 206
            content = part(file, start, last) if body else b""
            self.send_response(status)
            self.send_header("Content-Length", str(last + 1 - start))
            self.send_header("ETag", f'"{file.stat().st_mtime_ns:x}"')
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{last}/{size}")
            self.end_headers()
            if body and web.mood == "breaks" and len(content) > 1000:
                self.wfile.write(content[:1000])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
            elif body:
                web.sent += len(content)
                self.wfile.write(content)

    return Handler


class Pages:
    """An HTTP server that shows folders as pages with links; with an ``answer``, it says that."""

    def __init__(self, folder, answer=None):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=folder)

            def log_message(self, *arguments):
                pass

            def do_PROPFIND(self):
                self.send_error(501) if answer != 207 else self.do_GET()

            def do_GET(self):
                if answer is None:
                    super().do_GET()
                else:
                    self.send_error(answer)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://localhost:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class S3:
    """An S3 server that asks for keys: those of one user, who may do everything, are ``keys``."""

    def __init__(self):
        pytest.importorskip("moto", reason="moto, the S3 server, is not installed")
        pytest.importorskip("s3fs", reason="s3fs is not installed")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server
        self._process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        wait_for(lambda: self._process.poll() is not None or answers(port))
        assert self._process.poll() is None, self.asked
        try:
            self.keys = self._user()
            self._client = self._service("s3", *self.keys)
            self._client.create_bucket(Bucket="store")
        except BaseException:
            self._stop()
            raise

    def _user(self):
        """Make a user, and have everything after it ask for keys."""
        iam = self._service("iam", "first", "first")
        iam.create_user(UserName="tester")
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=policy)
        made = iam.create_access_key(UserName="tester")["AccessKey"]
        from_now_on = urllib.request.Request(
            f"{self.url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(from_now_on).close()
        return made["AccessKeyId"], made["SecretAccessKey"]

    def _service(self, name, key, secret):
        from botocore.session import Session

        return Session().create_client(
            name,
            "us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    @property
    def asked(self):
        """What the server wrote of what it was asked."""
        self.log.seek(0)
        return self.log.read().decode()

    def put(self, file, name="file.root"):
        """Store a copy of a file; return its URL."""
        self._client.put_object(Bucket="store", Key=name, Body=Path(file).read_bytes())
        return f"s3://store/{name}"

    def close(self):
        self._client.close()
        self._stop()

    def _stop(self):
        self._process.kill()
        self._process.wait()
        self.log.close()


def part(file, start, last):
    with open(file, "rb") as opened:
        opened.seek(start)
        return opened.read(last + 1 - start)


WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Below those that the system gives to connections, and others for each process of a test run:
# between the look at a port and its use, nobody else takes it. From ten to ten, for those who need
# some in a row; above 10080, which browsers refuse. A locked file keeps it from other test runs.
FIRST = 11_000 + 1_000 * (WORKER % 10)
_ports = itertools.cycle(range(FIRST, FIRST + 1_000, 10))
for _ in range(os.getpid() % 100):
    next(_ports)
_locks = {}


def free_port():
    """Return a port that nobody listens at; the nine after it are rarely taken either."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _locks:
                _locks[port] = locked(port)
            return port
    raise AssertionError


def locked(port):
    """Return the handle of a file that is locked while this process lives, or raise OSError."""
    folder = Path(tempfile.gettempdir()) / f"flavorframe-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / str(port), os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


PATIENCE = 180
"""Seconds that anything may take on a busy machine; what comes sooner is not waited for."""


def wait_for(condition, seconds=PATIENCE, told=lambda: ""):
    """Return what a condition gives once it holds; fail where it never does, with what is told."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"this did not happen in time\n{told()}"
        time.sleep(0.05)
    return found
