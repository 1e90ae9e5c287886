"""Logging out: nothing that a login gave is good for anything afterwards."""

from __future__ import annotations

from jupyterhub import orm
from jupyterhub.handlers.login import LogoutHandler
from jupyterhub.user import User
from jupyterhub.utils import new_token


class RevokingLogoutHandler(LogoutHandler):  # type: ignore[misc]
    """Logs a user out in all browsers, and revokes the user's tokens.

    A server that runs keeps the token by which it asks the hub who may use it.
    """

    def _backend_logout_cleanup(self, name: str) -> None:
        user = self.current_user
        super()._backend_logout_cleanup(name)
        if isinstance(user, User):
            revoke(user)


def revoke(user: User) -> None:
    """Revoke a user's cookies, in whatever browser they are, and the user's tokens."""
    kept = {token.id for token in map(_token_of, user.spawners.values()) if token is not None}
    for token in list(user.orm_user.api_tokens):
        if token.id not in kept:
            user.db.delete(token)
    user.orm_user.cookie_id = new_token()
    user.db.commit()


def _token_of(spawner: orm.Spawner) -> orm.APIToken | None:
    """Return the token of a server that runs: the last that was made before the server started.

    Users can give other tokens the same note, but none at that moment.
    """
    started = spawner.orm_spawner.started
    if not spawner.active or started is None:
        return None
    made = [
        token
        for token in spawner.user.orm_user.api_tokens
        if (token.note or "").startswith("Server at ") and token.created <= started
    ]
    return max(made, key=lambda token: token.id, default=None)
