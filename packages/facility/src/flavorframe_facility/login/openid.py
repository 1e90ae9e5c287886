"""Login by OpenID Connect, for INDIGO IAM and other providers."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.user import User
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthLogoutHandler
from tornado import web
from tornado.httpclient import HTTPClientError
from traitlets import Unicode

from flavorframe_facility.login.logout import RevokingLogoutHandler
from flavorframe_facility.login.names import why_unsafe
from flavorframe_facility.login.pages import CallbackHandler, RefusedError
from flavorframe_facility.login.provider import Keys, TokenRefusedError, verified
from flavorframe_facility.login.state import TokenState

GRACE = 3600
"""Seconds for which a user stays logged in while the provider does not answer."""

GROUP_CLAIMS = ("groups", "wlcg.groups")
"""Claims with a user's groups (INDIGO IAM; WLCG Common JWT Profiles 1.0)."""


class ProviderUnavailableError(Exception):
    """The provider gives no usable answer now; the text says which."""


class OpenIDLogoutHandler(RevokingLogoutHandler, OAuthLogoutHandler):  # type: ignore[misc]
    """Logs a user out, revokes the user's tokens, and forgets a login that was begun."""


class OpenIDAuthenticator(GenericOAuthenticator):  # type: ignore[misc]
    """Admits the members of a group, with verified tokens that only the hub keeps."""

    callback_handler = CallbackHandler
    logout_handler = OpenIDLogoutHandler

    issuer = Unicode(config=True, help="The issuer, as its tokens spell it.")
    keys_url = Unicode(config=True, help="Where the issuer publishes its keys.")
    user_group = Unicode(config=True, help="Members of this group get in.")
    admin_group = Unicode(config=True, help="Members of this group are administrators.")
    contact = Unicode(config=True, help="Whom users ask, such as an address for electronic mail.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._keys = Keys(lambda: self.httpfetch(self.keys_url, "asking for keys"))
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def authenticate(
        self, handler: BaseHandler, data: dict[str, str] | None = None, **_: Any
    ) -> dict[str, Any]:
        """Return the hub's model of the user who logs in.

        Raises:
            RefusedError: The provider's answer is not valid, or the user is not allowed in.

        """
        try:
            request = self.build_access_tokens_request_params(handler, data)
            tokens = await self._fetch_tokens(request)
            claims = await self._claims(tokens)
            model = await self._model(TokenState.of(tokens, subject=claims["sub"]))
        except (TokenRefusedError, ProviderUnavailableError) as problem:
            self.log.error("Login by %s failed: %s", self.issuer, problem)
            raise RefusedError(
                f"The answer of {self.login_service} could not be used.",
                "You have done nothing wrong: please log in again in some minutes, and tell those "
                "who run the facility if it stays like this.",
                facts={"For them": str(problem)},
            ) from None
        await self._require_same_person(handler, model)
        self._require_group(model)
        return model

    async def check_allowed(self, username: str, auth_model: dict[str, Any]) -> bool:
        """Return whether a user is in one of the groups that are admitted."""
        return bool(self._admitted_groups() & set(auth_model["groups"]))

    async def refresh_user(
        self, user: User, handler: BaseHandler | None = None, **_: Any
    ) -> bool | dict[str, Any]:
        """Return the hub's model of a user as of now; False if a new login is needed.

        Requests for one user are made one after the other, because some providers accept each
        refresh token once.
        """
        async with self._locks[user.name]:
            state = TokenState.load(await user.get_auth_state())
            if state is None:
                return False
            try:
                model = await self._refresh(user.name, state)
            except ProviderUnavailableError as problem:
                self.log.error("%s could not be asked for %s: %s", self.issuer, user.name, problem)
                return time.time() - state.checked < GRACE
            except (RefusedError, TokenRefusedError) as refused:
                why = getattr(refused, "title", str(refused))
                self.log.warning("%s has to log in again: %s", user.name, why)
                await user.save_auth_state({"subject": state.subject})
                return False
            await user.save_auth_state(model["auth_state"])
            return model

    async def _refresh(self, name: str, state: TokenState) -> dict[str, Any]:
        """Return the model of a user, with new tokens if the old ones expire soon."""
        if state.ends_soon:
            state = await self._renew(state)
        try:
            model = await self._model(state)
        except TokenRefusedError:  # revoked before it expired
            model = await self._model(await self._renew(state))
        if model["name"] != name:
            raise RefusedError(f"{self.login_service} calls {name} {model['name']} now.")
        self._require_group(model)
        return model

    async def _renew(self, state: TokenState) -> TokenState:
        if not state.refresh_token:
            raise RefusedError("There is no refresh token, and the access token has ended.")
        tokens = await self._fetch_tokens(
            self.build_refresh_token_request_params(state.refresh_token)
        )
        if "id_token" in tokens and (await self._claims(tokens))["sub"] != state.subject:
            raise TokenRefusedError("the refreshed ID token is of somebody else")
        return TokenState.of({"refresh_token": state.refresh_token, **tokens}, state.subject)

    async def _fetch_tokens(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            tokens: dict[str, Any] = await self.get_token_info(None, request)
        except HTTPClientError as error:
            code = _error_code(error)
            if code == "invalid_grant":
                raise TokenRefusedError("the login, or its refresh token, has ended") from None
            raise ProviderUnavailableError(_reason(error, code)) from None
        except web.HTTPError:  # its text may contain tokens
            raise ProviderUnavailableError("it gives no access token") from None
        except (OSError, ValueError) as error:
            raise ProviderUnavailableError(str(error)) from None
        return tokens

    async def _claims(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Return the verified claims of the ID token."""
        text = tokens.get("id_token")
        if not text:
            raise TokenRefusedError("there is no ID token: does the client have the scope openid?")
        try:
            key = await self._keys.of(text)
        except (OSError, ValueError, HTTPClientError) as error:
            raise ProviderUnavailableError(f"its keys cannot be had: {error}") from None
        return verified(text, key, issuer=self.issuer, client=self.client_id)

    async def _model(self, state: TokenState) -> dict[str, Any]:
        """Return the hub's model of a user, as the provider's userinfo describes the user."""
        try:
            info = await self.token_to_user(
                {"access_token": state.access_token, "token_type": "Bearer"}
            )
        except HTTPClientError as error:
            if error.code in (401, 403):
                raise TokenRefusedError("its access token is not taken") from None
            raise ProviderUnavailableError(_reason(error, "")) from None
        except (OSError, ValueError) as error:
            raise ProviderUnavailableError(str(error)) from None
        if info.get("sub") != state.subject:
            raise TokenRefusedError("userinfo is of somebody else than the ID token")
        groups = groups_of(info)
        return {
            "name": self._safe_name(info),
            "groups": sorted(groups),
            "admin": bool(groups & {group_name(self.admin_group)} - {""}),
            "auth_state": state.checked_now().to_json(),
        }

    def _safe_name(self, info: dict[str, Any]) -> str:
        name = info.get(self.username_claim)
        wrong = why_unsafe(name)
        if wrong:
            raise RefusedError(
                "Your user name cannot be used here.",
                wrong,
                "Those who run the facility can choose another claim for user names.",
                facts={f"{self.username_claim} at {self.login_service}": str(name)[:60]},
            )
        return str(name)

    async def _require_same_person(self, handler: BaseHandler, model: dict[str, Any]) -> None:
        """Refuse a name that another person of the provider has logged in with."""
        known = handler.find_user(model["name"])
        before = (await known.get_auth_state() or {}) if known else {}
        if before.get("subject", model["auth_state"]["subject"]) != model["auth_state"]["subject"]:
            raise RefusedError(
                f"The name {model['name']} belongs to somebody else here.",
                f"Another person of {self.login_service} has logged in with it before.",
            )

    def _require_group(self, model: dict[str, Any]) -> None:
        if self._admitted_groups() & set(model["groups"]):
            return
        raise RefusedError(
            f"You are not in the group {self.user_group}.",
            f"The facility is for members of the group {self.user_group} of "
            f"{self.login_service}. Ask to join it there, or ask those who run it. Once you "
            "are a member, log in again.",
            facts={
                "You are": model["name"],
                "Group needed": self.user_group,
                "Your groups": ", ".join(model["groups"]) or "none",
            },
        )

    def _admitted_groups(self) -> set[str]:
        return {group_name(g) for g in (self.user_group, self.admin_group) if g}


def groups_of(claims: dict[str, Any]) -> set[str]:
    """Return the names of a user's groups, without the slash at their beginning in some profiles.

    >>> sorted(groups_of({"groups": ["flavour"], "wlcg.groups": ["/cms", "/cms/flavour"]}))
    ['cms', 'cms/flavour', 'flavour']
    """
    found: set[str] = set()
    for claim in GROUP_CLAIMS:
        groups = claims.get(claim)
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        found |= {group for group in named if isinstance(group, str)}
    return {group_name(group) for group in found} - {""}


def group_name(name: str) -> str:
    """Return the name of a group without slashes around it."""
    return name.strip("/")


def _error_code(error: HTTPClientError) -> str:
    """Return the error code in the answer of a token endpoint (RFC 6749, section 5.2)."""
    body = error.response.body if error.response else b""
    try:
        return str(json.loads(body)["error"])
    except (KeyError, TypeError, ValueError):
        return ""


def _reason(error: HTTPClientError, code: str) -> str:
    if code == "invalid_client":
        return "it does not take the client's id and secret: were they changed?"
    return f"it answers {error.code}{f' ({code})' if code else ''}"
