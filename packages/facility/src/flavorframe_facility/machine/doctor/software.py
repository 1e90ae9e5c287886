"""Checks of what is installed: Python, its packages, Node.js and the proxy."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from flavorframe_facility.machine import installation, versions
from flavorframe_facility.machine.doctor.finding import Finding, ok, problem, tried, warning
from flavorframe_facility.machine.sessions import DATABASE
from flavorframe_facility.settings import Settings

PACKAGE = "flavorframe-facility"
NAMED = ("jupyterhub", "dask-gateway-server", "jupyterlab")
"""Packages whose versions are told."""


def python(settings: Settings) -> Iterator[Finding]:
    """Check the Python that runs the facility, and those of other environments."""
    yield ok("python", f"{platform.python_version()} in {sys.prefix}")
    for known in settings.environments:
        if known.python is not None and not known.python.exists():
            yield problem(
                "python",
                f"there is no {known.python}, of the environment {known.name}: correct it in "
                f"{settings.file}",
            )


def packages(settings: Settings) -> Iterator[Finding]:
    """Check that the packages which the facility needs are installed."""
    missing = [name for name in _needed() if _version(name) is None]
    if missing:
        text = f"{', '.join(missing)} cannot be found: run {sys.executable} -m pip install "
        yield problem("packages", f"{text}{PACKAGE}")
        return
    yield ok("packages", ", ".join(f"{name} {_version(name)}" for name in (PACKAGE, *NAMED)))


def state(settings: Settings) -> Iterator[Finding]:
    """Check that what is kept was written by this version, or by one that is upgraded."""
    yield tried("state", lambda: _state(settings))


def _state(settings: Settings) -> str:
    found = versions.noted(settings.folder)
    versions.require_known(found, f"the state in {settings.folder}")
    if not (settings.private / DATABASE).exists():
        return "there is none yet"
    if found == versions.here():
        return f"it is that of flavorframe {found.flavorframe} and JupyterHub {found.jupyterhub}"
    return "it is that of an older version: the next `up` or `restart` upgrades it"


def _needed() -> list[str]:
    requirements = metadata.requires(PACKAGE) or []
    plain = [text for text in requirements if "extra ==" not in text]
    return [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in plain]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def node(settings: Settings) -> Iterator[Finding]:
    """Check Node.js, and the hub's proxy."""
    yield tried("node", installation.require_node)
    found = installation.proxy_version(settings)
    pinned = json.loads((installation.PINNED / "package.json").read_text())
    wanted = pinned["dependencies"][installation.PROXY]
    if found is None:
        yield ok("proxy", f"{installation.PROXY} is not installed yet: `up` does it")
    elif found != wanted:
        yield warning(
            "proxy",
            f"{installation.PROXY} is {found}, and {wanted} was tried: remove it, and `up` "
            "installs that one",
        )
    else:
        yield ok("proxy", f"{installation.PROXY} {found}")
