"""The page for people whose login is refused: why, and what to do."""

from __future__ import annotations

from jupyterhub.user import User
from oauthenticator.oauth2 import OAuthCallbackHandler
from tornado import web


class RefusedError(web.HTTPError):
    """A login that is refused, with what the page says about it.

    Args:
        title: Headline of the page.
        lines: Paragraphs of the page.
        facts: Table of the page, such as the groups of the user.
        status: Status of the answer.

    """

    def __init__(
        self, title: str, *lines: str, facts: dict[str, str] | None = None, status: int = 403
    ) -> None:
        super().__init__(status, "%s", title)
        self.title = title
        self.lines = lines
        self.facts = facts or {}


class CallbackHandler(OAuthCallbackHandler):  # type: ignore[misc]
    """The address to which the provider sends people back; shows a page if the login is refused."""

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
        """Refuse the login if the provider refused it."""
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
        """Refuse a request that does not come from the provider."""
        if not self.get_argument("code", ""):
            raise _not_begun("This page is where a login ends, and there was none.")

    def check_state(self) -> None:
        """Refuse a login that began in another browser."""
        if not self.get_argument("state", ""):
            raise _not_begun("This page is where a login ends, and there was none.")
        try:
            super().check_state()
        except (web.HTTPError, ValueError, TypeError, AttributeError):  # wrong, or not decodable
            raise _not_begun(
                "The login was begun in another browser or more than a day ago, or another was "
                "begun since."
            ) from None

    def get_next_url(self, user: User | None = None) -> str:
        """Return where to go after the login: always an address of this hub."""
        return str(self._validate_next_url(super().get_next_url(user)) or self.hub.base_url)


def _not_begun(why: str) -> RefusedError:
    return RefusedError("This login was not begun here.", why, "Log in again.", status=400)
