"""The configuration of the login at the hub, from the settings."""

from __future__ import annotations

from pathlib import Path

from traitlets.config import Config

from flavorframe._files.writing import make_folder
from flavorframe.errors import FacilityError
from flavorframe_facility.isolation import require_accounts, users_have_accounts
from flavorframe_facility.login import access_tokens, names
from flavorframe_facility.login.provider import discover
from flavorframe_facility.secret_files import PASSWORD, crypt_key, read_secret
from flavorframe_facility.settings import Oidc, Settings, Workshop

TEMPLATES = Path(__file__).parent / "templates"
SCOPES = ("openid", "profile", "offline_access")
"""What the login asks a provider for: identity, name and groups, and a refresh token."""

CHECK_EVERY = 120
"""Seconds after which an active user's groups are checked again."""


def configure(c: Config, settings: Settings) -> None:
    """Configure the login that was chosen.

    Args:
        c: Configuration of JupyterHub, which is changed.
        settings: Settings of the facility.

    Raises:
        FacilityError: The provider has never answered, a secret is missing or can be read by
            others, or the login is unsafe because all users share an account.

    """
    require_accounts(settings)
    shared = settings.backend == "local" and not users_have_accounts()
    c.JupyterHub.template_vars.update({"one_account": shared})
    _end_logins(c, settings.login_days)
    if isinstance(settings.login, Workshop):
        hashed = read_secret(settings.private / PASSWORD, "workshop's hashed password")
        workshop(c, hashed)
        c.WorkshopAuthenticator.trusted_proxies = list(settings.trusted_proxies)
    else:
        openid(c, settings.login, settings.private)
        access_tokens.configure(c)


def workshop(
    c: Config,
    password_hash: str,
    admins: frozenset[str] = frozenset(),
    admin_password_hash: str = "",
) -> None:
    """Configure the login of a workshop.

    Args:
        c: Configuration of JupyterHub, which is changed.
        password_hash: Hash of the password that all share, of `login.password.hash_password`.
        admins: Names of administrators.
        admin_password_hash: Hash of the password of administrators.

    Raises:
        FacilityError: There are administrators without a password of their own.

    """
    from flavorframe_facility.login.workshop import WorkshopAuthenticator

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
    c.Authenticator.allow_all = True  # everybody who knows the password
    c.JupyterHub.template_vars.update({"name_rule": names.RULE})


def openid(c: Config, chosen: Oidc, private: Path) -> None:
    """Configure the login by an OpenID provider.

    Args:
        c: Configuration of JupyterHub, which is changed.
        chosen: The provider and who gets in.
        private: The hub's folder of secrets.

    Raises:
        FacilityError: No group is named, a secret cannot be read, or the provider has never
            answered.

    """
    from flavorframe_facility.login.openid import OpenIDAuthenticator

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
    # Otherwise the server of a user who left the group would still answer.
    login.auth_refresh_strict = True
    c.CryptKeeper.keys = [crypt_key(private)]
    c.JupyterHub.template_vars.update({"user_group": chosen.user_group, "contact": chosen.contact})


def _end_logins(c: Config, days: float) -> None:
    """Have cookies, and tokens that users make, end after some days."""
    c.JupyterHub.cookie_max_age_days = days
    c.JupyterHub.token_expires_in_max_seconds = int(days * 24 * 3600)


def _require_group(chosen: Oidc) -> None:
    if not chosen.user_group.strip("/ "):
        raise FacilityError(
            f"name the group of {chosen.issuer} whose members get in: without one, everybody with "
            "an account there would."
        )


def _pages(c: Config) -> None:
    c.JupyterHub.template_paths.insert(0, str(TEMPLATES))  # before the hub's own templates
    c.Authenticator.username_pattern = names.PATTERN
