"""What people see who are not let in: why, and what to do."""

from __future__ import annotations

from typing import Any

from oauthenticator.oauth2 import OAuthCallbackHandler
from tornado import web


class RefusedError(web.HTTPError):
    """Somebody who is not let in: a headline, what to read, and what there is to know."""

    def __init__(
        self, title: str, *lines: str, facts: dict[str, str] | None = None, status: int = 403
    ) -> None:
        super().__init__(status, "%s", title)
        self.title = title
        self.lines = lines
        self.facts = facts or {}


class CallbackHandler(OAuthCallbackHandler):  # type: ignore[misc]
    """Where the provider sends people back to; who is refused sees a page that says why."""

    async def get(self) -> None:
        """Log the user in, or show the page."""
        try:
            await super().get()
        except RefusedError as refused:
            self.log.warning("Login refused: %s %s", refused.title, refused.facts)
            self.set_status(refused.status_code)
            self.finish(
                await self.render_template(
                    "refused.html",
                    refused=refused,
                    service=self.authenticator.login_service,
                    contact=self.authenticator.contact,
                )
            )

    def check_error(self) -> None:
        """Refuse where the provider did."""
        error = self.get_argument("error", "")
        if error:
            said = self.get_argument("error_description", "") or error
            raise RefusedError(
                f"{self.authenticator.login_service} did not log you in.",
                "If you pressed Deny or Cancel there, log in again and allow it: the facility "
                "asks for your name and your groups.",
                facts={"It says": said[:300]},
            )

    def check_code(self) -> None:
        """Refuse a call that does not come from the provider."""
        if not self.get_argument("code", ""):
            raise _not_begun("This page is where a login ends, and there was none.")

    def check_state(self) -> None:
        """Refuse a login that this browser did not begin."""
        if not self.get_argument("state", ""):
            raise _not_begun("This page is where a login ends, and there was none.")
        try:
            super().check_state()
        except (web.HTTPError, ValueError, TypeError, AttributeError):  # or it cannot be read
            raise _not_begun(
                "The login was begun in another browser or more than a day ago, or another was "
                "begun since."
            ) from None

    def get_next_url(self, user: Any = None) -> str:
        """Return where to go after the login: on this hub, wherever the browser was told."""
        return str(self._validate_next_url(super().get_next_url(user)) or self.hub.base_url)


def _not_begun(why: str) -> RefusedError:
    return RefusedError("This login was not begun here.", why, "Log in again.", status=400)
