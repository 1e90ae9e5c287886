"""An extension of the Jupyter server: keeps the user's access token in a file, and renews it.

The file is where WLCG's bearer token discovery looks for it. Servers of other kinds run
``python -m flavorframe_facility.server.access_token``. The server has its own token for the hub
only; the refresh token stays at the hub.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from flavorframe._files.remote.private_files import write_own
from flavorframe._files.remote.tokens import token_places
from flavorframe.errors import FacilityError

PATH = "/api/access-token"
"""Path at the hub where a server gets its user's access token."""

_TIMEOUT = 20  # seconds for the hub's answer; it may have to ask the provider
_RETRY_AFTER = 10  # seconds until the hub is asked again after a failure

log = logging.getLogger("flavorframe_facility")


class LoginEndedError(Exception):
    """The hub has no access token for the user, until the next login."""


class TokenFile:
    """A file with the user's current access token, renewed until it is stopped.

    Args:
        path: The file.
        url: Address at the hub that gives the access token.
        token: The server's own token for the hub.

    """

    def __init__(self, path: Path, url: str, token: str) -> None:
        self.path = path
        self._url = url
        self._token = token
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._logged = ""

    @classmethod
    def from_environment(cls) -> TokenFile:
        """Return the file for this server.

        Raises:
            FacilityError: The server was not started by a hub.

        """
        url, token = os.environ.get("JUPYTERHUB_API_URL"), os.environ.get("JUPYTERHUB_API_TOKEN")
        if not url or not token:
            raise FacilityError(
                "there is no JUPYTERHUB_API_URL or JUPYTERHUB_API_TOKEN in the environment: "
                "access tokens come from a hub, to the servers that it starts."
            )
        hub = url.removesuffix("/api")
        return cls(Path(token_places()[0]), hub + PATH, token)

    def run(self) -> None:
        """Renew the file until `stop`; each new problem is logged once."""
        while not self._stopping.wait(self._renew()):
            pass

    def stop(self) -> None:
        """Stop renewing the file, and remove it."""
        with self._writing:
            self._stopping.set()
            self._remove()

    def _renew(self) -> float:
        """Renew the file; return in how many seconds to renew it again."""
        try:
            answer = self._ask()
            self._write(answer["access_token"])
        except LoginEndedError:
            self._remove()
            self._log_once(
                "There is no access token any more, for your login at the hub has ended: log in "
                "there again, and it comes back."
            )
        except (OSError, ValueError, KeyError, FacilityError) as problem:
            self._log_once(f"The access token could not be renewed: {problem}")
        else:
            self._log_once(f"The access token is in {self.path}.")
            return float(answer["ask_again_in"])
        return _RETRY_AFTER

    def _ask(self) -> dict[str, Any]:
        request = urllib.request.Request(
            self._url, headers={"Authorization": f"token {self._token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            if error.code == 403:
                raise LoginEndedError from None
            raise

    def _write(self, token: str) -> None:
        with self._writing:
            if not self._stopping.is_set():
                write_own(str(self.path), f"{token}\n".encode("ascii"), "bearer token")

    def _log_once(self, text: str) -> None:
        if text != self._logged:
            log.warning("%s", text)
        self._logged = text

    def _remove(self) -> None:
        with contextlib.suppress(OSError):  # its folder may be gone as well
            self.path.unlink(missing_ok=True)


def use_private_folder() -> None:
    """Set XDG_RUNTIME_DIR for this server and its kernels to a new folder for the file.

    XDG_RUNTIME_DIR and BEARER_TOKEN_FILE are left as they are if one of them is set.
    """
    if not os.environ.get("XDG_RUNTIME_DIR") and not os.environ.get("BEARER_TOKEN_FILE"):
        folder = tempfile.mkdtemp(prefix="flavorframe-")  # mode 0700
        os.environ["XDG_RUNTIME_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(_: object) -> None:
    use_private_folder()
    file = TokenFile.from_environment()
    atexit.register(file.stop)
    threading.Thread(target=file.run, name="access-token", daemon=True).start()


def main() -> None:
    """Renew the file until the process gets a signal to end."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        file = TokenFile.from_environment()
    except FacilityError as error:
        sys.exit(f"error: {error}")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())
    try:
        file.run()
    finally:
        file.stop()


if __name__ == "__main__":
    main()
