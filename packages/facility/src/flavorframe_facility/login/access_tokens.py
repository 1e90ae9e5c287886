"""The hub's part of access tokens: a user's server gets the token of its user, and no other."""

from __future__ import annotations

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.user import User
from tornado import web
from traitlets.config import Config

from flavorframe_facility.login.state import TokenState
from flavorframe_facility.server.access_token import PATH

SCOPE = "custom:access-token:read"
"""Scope that the hub's token of a server needs, for its own user."""


class AccessTokenHandler(APIHandler):  # type: ignore[misc]
    """Gives a server the access token of its own user, renewed before it expires."""

    _accept_cookie_auth = False  # for programs alone, never for pages in a browser

    async def get(self) -> None:
        """Answer with the token and when to ask again; 403 if the user has no valid login."""
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


def configure(c: Config) -> None:
    """Configure each server to keep its user's access token in a file.

    Args:
        c: Configuration of JupyterHub, which is changed.

    """
    c.JupyterHub.extra_handlers.append((PATH, AccessTokenHandler))
    c.JupyterHub.custom_scopes.update({SCOPE: {"description": "Read one's own access token."}})
    c.JupyterHub.extra_user_scopes.update({f"{SCOPE}!user"})
    c.Spawner.server_token_scopes.append(f"{SCOPE}!user")
    c.Spawner.args.append(
        "--ServerApp.jpserver_extensions=flavorframe_facility.server.access_token=True"
    )
