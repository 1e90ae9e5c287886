"""The hub's side of access tokens: a server asks for its user's, and gets no other."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.user import User
from tornado import web

from flavorframe.errors import FacilityError
from flavorframe.facility.login_state import TokenState
from flavorframe.facility.tokens import PATH
from flavorframe.writing import writing

SCOPE = "custom:access-token:read"
"""What the token of a server must be allowed, for its own user."""

POD_FOLDER = "/tmp/flavorframe-runtime"
"""Where the file lies in a container, whose /tmp is its own."""


class AccessTokenHandler(APIHandler):  # type: ignore[misc]
    """Gives a server the access token of its own user, renewed before it ends."""

    _accept_cookie_auth = False  # no page of a browser has a use for it

    async def get(self) -> None:
        """Answer with the token and when to ask again; 403 where there is none to be had."""
        user = self.current_user
        if not isinstance(user, User) or not self.has_scope(f"{SCOPE}!user={user.name}"):
            raise web.HTTPError(403, "Only the server of a user may ask for an access token.")
        state = TokenState.load(await user.get_auth_state())
        if state is not None and state.ends_soon and await self.refresh_auth(user, force=True):
            state = TokenState.load(await user.get_auth_state())
        if state is None or state.left <= 0:
            raise web.HTTPError(403, "The login has ended.")
        self.set_header("Cache-Control", "no-store")
        answer = {
            "access_token": state.access_token,
            "expires_in": state.left,
            "ask_again_in": max(1.0, state.left - state.lifetime / 3),
        }
        self.finish(answer)


def configure(c: Any, folder: Path | None) -> None:
    """Have each server keep its user's access token in a file.

    ``folder`` holds the users' runtime folders on one machine; ``None`` where servers are
    containers.
    """
    c.JupyterHub.extra_handlers.append((PATH, AccessTokenHandler))
    c.JupyterHub.custom_scopes.update({SCOPE: {"description": "Read one's own access token."}})
    c.JupyterHub.extra_user_scopes.update({f"{SCOPE}!user"})
    c.Spawner.server_token_scopes = [
        "users:activity!user",
        "access:servers!server",
        f"{SCOPE}!user",
    ]
    c.Spawner.args.append("--ServerApp.jpserver_extensions=flavorframe.facility.tokens=True")
    where = POD_FOLDER if folder is None else lambda spawner: runtime_folder(folder, spawner)
    c.Spawner.environment.update({"XDG_RUNTIME_DIR": where})


def runtime_folder(folder: Path, spawner: Any) -> str:
    """Return the folder, made where it is missing, that only a user can enter."""
    path = folder / spawner.user.name
    with writing(path, error=FacilityError):
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            account = pwd.getpwnam(spawner.user.name)
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return str(path)
