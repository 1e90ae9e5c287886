"""Login at the hub: with a password that a workshop shares, or by OpenID Connect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flavorframe._files.writing import make_folder
from flavorframe.errors import FacilityError
from flavorframe.facility import login_names, login_tokens
from flavorframe.facility.accounts import are_separate, require_separate
from flavorframe.facility.login_provider import discover
from flavorframe.facility.login_secrets import PASSWORD, crypt_key, read_secret
from flavorframe.facility.settings import Oidc, Settings, Workshop

TEMPLATES = Path(__file__).parent / "templates"
SCOPES = ("openid", "profile", "offline_access")
"""Who somebody is, the name and groups, and a refresh token."""

CHECK_EVERY = 120
"""After how many seconds a user's groups are asked for again, while the user does something."""


def configure(c: Any, settings: Settings) -> None:
    """Configure who gets in.

    Raises FacilityError where the provider does not answer for the first time, or where a secret
    is missing or can be read by others.
    """
    require_separate(settings)
    shared = settings.backend == "local" and not are_separate()
    c.JupyterHub.template_vars.update({"one_account": shared})
    if isinstance(settings.login, Workshop):
        hashed = read_secret(settings.private / PASSWORD, "workshop's hashed password")
        workshop(c, hashed)
    else:
        openid(c, settings.login, settings.private)
        login_tokens.configure(c)


def workshop(
    c: Any, password_hash: str, admins: frozenset[str] = frozenset(), admin_password_hash: str = ""
) -> None:
    """Configure the login of a workshop; passwords as `login_workshop.hash_password` returns them.

    Raises FacilityError where there are administrators without a password of their own.
    """
    from flavorframe.facility.login_workshop import WorkshopAuthenticator

    if admins and (not admin_password_hash or admin_password_hash == password_hash):
        raise FacilityError(
            f"the administrators ({', '.join(sorted(admins))}) need a password of their own: "
            "everybody at the workshop knows the other."
        )
    _pages(c)
    c.JupyterHub.authenticator_class = WorkshopAuthenticator
    c.WorkshopAuthenticator.password_hash = password_hash
    c.WorkshopAuthenticator.admin_password_hash = admin_password_hash
    c.Authenticator.admin_users = set(admins)
    c.Authenticator.allow_all = True  # who knows the password
    c.JupyterHub.template_vars.update({"name_rule": login_names.RULE})


def openid(c: Any, chosen: Oidc, private: Path) -> None:
    """Configure the login by an OpenID provider; ``private`` is the hub's folder of secrets."""
    from flavorframe.facility.login_openid import OpenIDAuthenticator

    _require_group(chosen)
    secret = read_secret(chosen.client_secret_file, "client secret of the OpenID provider")
    make_folder(private)
    provider = discover(chosen.issuer, private / "provider.json")
    _pages(c)
    c.JupyterHub.authenticator_class = OpenIDAuthenticator
    login = c.OpenIDAuthenticator
    login.issuer, login.keys_url = provider.issuer, provider.jwks_uri
    login.authorize_url = provider.authorization_endpoint
    login.token_url = provider.token_endpoint
    login.userdata_url = provider.userinfo_endpoint
    login.client_id, login.client_secret, login.basic_auth = chosen.client_id, secret, True
    login.scope = list(dict.fromkeys([*SCOPES, *chosen.scopes]))
    login.username_claim = chosen.username_claim
    login.user_group, login.admin_group = chosen.user_group, chosen.admin_group or ""
    login.contact, login.login_service = chosen.contact, chosen.service
    login.manage_groups = True
    login.enable_pkce = True
    login.enable_auth_state = True
    login.auth_refresh_age = CHECK_EVERY
    login.auth_refresh_strict = True  # or a server would go on for who may no longer use it
    c.CryptKeeper.keys = [crypt_key(private)]
    c.JupyterHub.template_vars.update({"user_group": chosen.user_group, "contact": chosen.contact})


def _require_group(chosen: Oidc) -> None:
    if not chosen.user_group.strip("/ "):
        raise FacilityError(
            f"name the group of {chosen.issuer} whose members get in: without one, everybody with "
            "an account there would."
        )


def _pages(c: Any) -> None:
    c.JupyterHub.template_paths.insert(0, str(TEMPLATES))  # before pages of the same name
    c.Authenticator.username_pattern = login_names.PATTERN
