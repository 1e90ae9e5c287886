"""A Rucio server of a few files, as far as its own client asks it when it lists replicas."""

import http.server
import json
import threading

CONFIG = """
[client]
rucio_host = {url}
auth_host = {url}
auth_type = userpass
username = tester
password = secret
account = tester
request_retries = 1
auth_token_file_path = {folder}/token
"""


def replica(name, **places):
    """Return the record of a file; each place is (URL, type, priority), by its storage."""
    pfns = {
        url: {
            "rse_id": rse.lower(), "rse": rse, "type": kind, "volatile": False,
            "domain": "wan", "priority": priority, "client_extract": False,
        }
        for rse, (url, kind, priority) in places.items()
    }  # fmt: skip
    return {
        "scope": "cms", "name": name, "bytes": 1000, "adler32": "00000abc", "md5": None,
        "pfns": pfns, "rses": {rse: [url] for rse, (url, *_) in places.items()},
        "states": dict.fromkeys(places, "AVAILABLE"),
    }  # fmt: skip


class Rucio:
    """Answers for one dataset, by its scope and name; ``asked`` has what was asked for."""

    def __init__(self, folder, did, replicas):
        self.asked, outer = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                self.answer(
                    b"",
                    {
                        "X-Rucio-Auth-Token": "a-token",
                        "X-Rucio-Auth-Token-Expires": "Fri, 01 Jan 2100 00:00:00 UTC",
                    },
                )

            def do_POST(self):
                wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, self.headers["X-Rucio-Auth-Token"], wanted))
                if wanted["dids"] == [did]:
                    lines = "".join(json.dumps(each) + "\n" for each in replicas)
                    self.answer(lines.encode(), {"Content-Type": "application/x-json-stream"})
                    return
                told = "Data identifier not found"
                headers = {
                    "ExceptionClass": "DataIdentifierNotFound", "ExceptionMessage": told,
                    "Content-Type": "application/json",
                }  # fmt: skip
                content = {"ExceptionClass": "DataIdentifierNotFound", "ExceptionMessage": told}
                self.answer(json.dumps(content).encode(), headers, status=404)

            def answer(self, content, headers, status=200):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.config = folder / "rucio.cfg"
        url = f"http://localhost:{self._server.server_port}"
        self.config.write_text(CONFIG.format(url=url, folder=folder))

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
