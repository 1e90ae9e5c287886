"""The server's side of access tokens: a file by the WLCG's rules, renewed while the server runs.

It is an extension of the Jupyter server, and a command for servers of other kinds:
``python -m flavorframe.facility.tokens``. What it knows is the server's own token for the hub; the
refresh token stays there.
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

from flavorframe._files.remote.tokens import token_places
from flavorframe.errors import FacilityError
from flavorframe.facility.login_secrets import write_private

PATH = "/api/access-token"
"""Where the hub gives a server its user's access token."""

_ANSWER = 20  # seconds that the hub has to answer; it may have to ask the provider
_AGAIN = 10  # seconds until it is asked again when it did not

log = logging.getLogger("flavorframe.facility")


class LoginEndedError(Exception):
    """The hub has no access token for the user, until the next login."""


class Keeper:
    """Keeps a file with the user's current access token until it is stopped."""

    def __init__(self, path: Path, url: str, token: str) -> None:
        self.path = path
        self._url = url
        self._token = token
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._said = ""

    @classmethod
    def from_environment(cls) -> Keeper:
        """Return the keeper for this server; raises FacilityError where no hub has started it."""
        url, token = os.environ.get("JUPYTERHUB_API_URL"), os.environ.get("JUPYTERHUB_API_TOKEN")
        if not url or not token:
            raise FacilityError(
                "there is no JUPYTERHUB_API_URL or JUPYTERHUB_API_TOKEN in the environment: "
                "access tokens come from a hub, to the servers that it starts."
            )
        hub = url.removesuffix("/api")
        return cls(Path(token_places()[0]), hub + PATH, token)

    def run(self) -> None:
        """Keep the file until `stop`; what goes wrong is logged, once each."""
        while not self._stopping.wait(self._step()):
            pass

    def stop(self) -> None:
        """Have the file removed."""
        with self._writing:
            self._stopping.set()
            self._remove()

    def _step(self) -> float:
        """Renew the file; return in how many seconds to do it again."""
        try:
            answer = self._ask()
            self._write(answer["access_token"])
        except LoginEndedError:
            self._remove()
            self._say(
                "There is no access token any more, for your login at the hub has ended: log in "
                "there again, and it comes back."
            )
        except (OSError, ValueError, KeyError, FacilityError) as problem:
            self._say(f"The access token could not be renewed: {problem}")
        else:
            self._say(f"The access token is in {self.path}.")
            return float(answer["ask_again_in"])
        return _AGAIN

    def _ask(self) -> dict[str, Any]:
        request = urllib.request.Request(
            self._url, headers={"Authorization": f"token {self._token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            if error.code == 403:
                raise LoginEndedError from None
            raise

    def _write(self, token: str) -> None:
        with self._writing:
            if not self._stopping.is_set():
                write_private(self.path, f"{token}\n")

    def _say(self, what: str) -> None:
        if what != self._said:
            log.warning("%s", what)
        self._said = what

    def _remove(self) -> None:
        with contextlib.suppress(OSError):  # its folder may be gone as well
            self.path.unlink(missing_ok=True)


def use_private_folder() -> None:
    """Give this server, and the kernels that it starts, a folder of their own for the file.

    Where XDG_RUNTIME_DIR or BEARER_TOKEN_FILE names a place already, that is kept to.
    """
    if not os.environ.get("XDG_RUNTIME_DIR") and not os.environ.get("BEARER_TOKEN_FILE"):
        folder = tempfile.mkdtemp(prefix="flavorframe-")  # mode 0700
        os.environ["XDG_RUNTIME_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(_: Any) -> None:
    use_private_folder()
    keeper = Keeper.from_environment()
    atexit.register(keeper.stop)
    threading.Thread(target=keeper.run, name="access-token", daemon=True).start()


def main() -> None:
    """Keep the file until the process is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        keeper = Keeper.from_environment()
    except FacilityError as error:
        sys.exit(f"error: {error}")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())
    try:
        keeper.run()
    finally:
        keeper.stop()


if __name__ == "__main__":
    main()
