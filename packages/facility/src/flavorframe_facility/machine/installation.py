"""What a facility on one machine needs beside Python packages: Node.js, a proxy, and accounts."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import flavorframe
import flavorframe_facility
from flavorframe.errors import FacilityError
from flavorframe_facility.isolation import users_have_accounts
from flavorframe_facility.settings import Settings

PROXY = "configurable-http-proxy"
PINNED = Path(__file__).parent / "proxy"
"""Folder with the versions of the proxy and all that it needs, and their checksums."""

NODE_VERSION = 18

Report = Callable[[str], None]
"""Shows a line to the administrator."""


def install(settings: Settings, report: Report) -> None:
    """Install the proxy if it is missing, and check what an administrator has to install.

    Args:
        settings: Settings of the facility.
        report: Gets a line about each step that takes long.

    Raises:
        FacilityError: Something is missing that cannot be installed here.

    """
    require_node()
    if _found_proxy(settings) is None:
        report(f"installing {PROXY} with npm")
        _install_pinned(_node_folder(settings))
    if users_have_accounts():
        require_accounts()


def proxy_command(settings: Settings) -> str:
    """Return the path of the proxy.

    Raises:
        FacilityError: It is not installed.

    """
    found = _found_proxy(settings)
    if found is None:
        raise FacilityError(f"{PROXY} is not installed.")
    return found


def proxy_version(settings: Settings) -> str | None:
    """Return the version of the proxy; None where it is not installed, or cannot say it."""
    found = _found_proxy(settings)
    return None if found is None or shutil.which("node") is None else _said([found, "--version"])


def require_free_port(settings: Settings, port: int, purpose: str) -> None:
    """Raise FacilityError if a port cannot be used.

    Args:
        settings: Settings of the facility.
        port: The port.
        purpose: What the port is for, for the message.

    """
    address = settings.address if port == settings.port else "127.0.0.1"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except PermissionError:
            raise FacilityError(
                f"port {port} is reserved for root: choose one above 1023 with --port."
            ) from None
        except socket.gaierror:
            raise FacilityError(f"{address} is no address of this machine.") from None
        except OSError as error:
            raise FacilityError(
                f"{address}:{port}, for {purpose}, cannot be used ({error.strerror}): choose "
                f"another with --port; it and the five ports after it are needed."
            ) from None


def require_node() -> str:
    """Return the versions of Node.js and npm.

    Raises:
        FacilityError: They are missing or too old.

    """
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise FacilityError(
            f"{' and '.join(missing)} cannot be found: the facility's proxy needs Node.js "
            f"{NODE_VERSION} or newer and npm. Install them (Debian: apt install nodejs npm; "
            "AlmaLinux: dnf install nodejs) and try again."
        )
    version = _said(["node", "--version"]).lstrip("v")
    if int(version.partition(".")[0] or 0) < NODE_VERSION:
        raise FacilityError(
            f"Node.js {version} is too old for the facility's proxy, which needs "
            f"{NODE_VERSION} or newer."
        )
    return f"Node.js {version}, npm {_said(['npm', '--version'])}"


def require_accounts() -> None:
    """Raise FacilityError where accounts cannot be made, or could not run this Python."""
    if shutil.which("useradd") is None:
        raise FacilityError(
            "useradd cannot be found, which makes an account for each user: install it "
            "(Debian: apt install passwd), or run the facility as somebody else than root."
        )
    packages = {Path(package.__path__[0]) for package in (flavorframe, flavorframe_facility)}
    for folder in {Path(sys.prefix), Path(sys.base_prefix), *packages}:
        for above in [folder, *folder.parents]:
            if not above.stat().st_mode & 0o001:
                raise FacilityError(
                    f"users' servers cannot run the Python in {folder}, for {above} is closed to "
                    "other users: install flavorframe where all can read it, such as /opt."
                )


def _found_proxy(settings: Settings) -> str | None:
    own = _node_folder(settings) / "node_modules" / ".bin"
    return shutil.which(PROXY, path=str(own)) or shutil.which(PROXY)


def _node_folder(settings: Settings) -> Path:
    return settings.folder / "node"


def _install_pinned(folder: Path) -> None:
    """Install the proxy as it is pinned, and execute nothing of what is installed meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in PINNED.glob("*.json"):
        shutil.copyfile(file, folder / file.name)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(["npm", "ci", *options, "--prefix", str(folder)])


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip()


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        reason = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        raise FacilityError(f"{' '.join(command)} failed:\n{reason}")
