"""Login for a workshop: any name, and a password that all share."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from flavorframe.facility.settings import Settings

WORDS = [
    "beam", "bottom", "boson", "calorimeter", "charm", "cluster", "collider", "decay", "detector",
    "flavour", "gluon", "hadron", "jet", "kaon", "lepton", "luminosity", "mass", "meson", "muon",
    "neutrino", "parton", "phi", "photon", "pion", "pixel", "proton", "quark", "silicon", "strange",
    "tau", "tracker", "trigger", "vertex",
]  # fmt: skip


def password_file(settings: Settings) -> Path:
    """Return where the shared password is kept, for the facility's owner alone."""
    return settings.private / "workshop-password"


def new_password(settings: Settings) -> str:
    """Choose a password, keep it in its file and return it."""
    password = "-".join([*(secrets.choice(WORDS) for _ in range(4)), str(secrets.randbelow(10**6))])
    write_secret(password_file(settings), password)
    return password


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def configure(c: Any, settings: Settings) -> None:
    """Have the hub let in whoever knows the password."""
    from jupyterhub.authenticators.shared import SharedPasswordAuthenticator

    class WorkshopAuthenticator(SharedPasswordAuthenticator):  # type: ignore[misc]
        async def authenticate(self, handler: Any, data: Any) -> Any:
            if not data["password"].isascii():  # wrong here, and an error there
                return None
            self.user_password = password_file(settings).read_text()  # may be a new one
            return await super().authenticate(handler, data)

    c.JupyterHub.authenticator_class = WorkshopAuthenticator
    c.JupyterHub.template_vars = {
        "announcement_login": "Choose a name of your own; the password is the workshop's."
    }
    c.Authenticator.allow_all = True
    c.Authenticator.username_pattern = r"[a-z][a-z0-9._-]{0,31}"
