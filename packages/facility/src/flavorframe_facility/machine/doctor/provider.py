"""Checks of the OpenID provider, and of the clock against the provider's."""

from __future__ import annotations

from collections.abc import Iterator

from flavorframe.errors import FacilityError
from flavorframe_facility.machine.doctor.finding import Finding, ok, problem, tried, warning
from flavorframe_facility.secret_files import read_secret
from flavorframe_facility.settings import Oidc, Settings

NOTABLE = 5
"""Seconds by which clocks may differ without a word; answers take time, and dates have seconds."""


def secret(settings: Settings) -> Iterator[Finding]:
    """Check that the client's secret is there, and the hub's alone."""
    login = settings.login
    if isinstance(login, Oidc):
        yield tried("client secret", lambda: _secret(login))


def _secret(login: Oidc) -> str:
    read_secret(login.client_secret_file, "client secret of the OpenID provider")
    return f"{login.client_secret_file} is for its owner alone"


def check(settings: Settings) -> Iterator[Finding]:
    """Check that the provider answers and is who it should be, and that clocks agree."""
    login = settings.login
    if not isinstance(login, Oidc):
        yield ok("clock", "there is no OpenID provider to compare it with")
        return
    try:
        from flavorframe_facility.login import provider  # takes long to import
    except ModuleNotFoundError as error:
        yield problem("provider", f"it cannot be asked without the package {error.name}")
        return
    try:
        answer = provider.ask(login.issuer)
    except FacilityError as error:
        yield problem("provider", str(error))
        yield warning("clock", "the OpenID provider cannot be asked for its time")
        return
    yield ok("provider", f"{answer.provider.issuer} answers, and is the issuer that was chosen")
    yield _clock(answer.seconds_ahead, provider.LEEWAY)


def _clock(ahead: float | None, leeway: int) -> Finding:
    if ahead is None:
        return warning("clock", "the OpenID provider does not tell its time")
    text = f"it is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} that of the provider"
    if abs(ahead) > leeway:
        return problem("clock", f"{text}, and logins fail beyond {leeway} s: check NTP on both")
    if abs(ahead) > NOTABLE:
        return warning("clock", f"{text}: check NTP; logins fail beyond {leeway} s")
    return ok("clock", "it agrees with that of the provider")
