"""What a facility on one machine needs: found, or installed into its folder, or asked for."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from flavorframe.errors import FacilityError
from flavorframe.facility.accounts import are_separate
from flavorframe.facility.settings import Settings

PROXY = "configurable-http-proxy"
PROXY_VERSION = "^5.0.0"
NODE_VERSION = 18
MODULES = ("jupyterhub", "jupyterlab", "jupyterhub_idle_culler", "dask_gateway_server")

Tell = Callable[[str], None]


def install(settings: Settings, tell: Tell) -> None:
    """Install what is missing; raise FacilityError for what only an administrator can install."""
    if any(importlib.util.find_spec(name) is None for name in MODULES):
        tell("installing JupyterHub, JupyterLab and Dask Gateway with pip")
        _run([sys.executable, "-m", "pip", "install", "--quiet", *_requirements()])
        importlib.invalidate_caches()
    _require_node()
    if _found_proxy(settings) is None:
        tell(f"installing {PROXY} with npm")
        folder = str(_node_folder(settings))
        options = ["--no-audit", "--no-fund", "--loglevel=error"]
        _run(["npm", "install", *options, "--prefix", folder, f"{PROXY}@{PROXY_VERSION}"])
    if are_separate():
        _require_accounts()


def proxy_command(settings: Settings) -> str:
    """Return the path of the proxy."""
    found = _found_proxy(settings)
    if found is None:
        raise FacilityError(f"{PROXY} is not installed.")
    return found


def require_free_port(settings: Settings, port: int, purpose: str) -> None:
    """Raise FacilityError where somebody else listens at a port."""
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


def _requirements() -> list[str]:
    """Return what the extra `facility` of this package asks for."""
    wanted = importlib.metadata.requires("flavorframe") or []
    parts = [line.partition(";") for line in wanted]
    marked = [(text.strip(), marker) for text, _, marker in parts if "facility" in marker]
    return [text for text, _ in marked if not text.startswith("flavorframe")]


def _require_node() -> None:
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise FacilityError(
            f"{' and '.join(missing)} cannot be found: the facility's proxy needs Node.js "
            f"{NODE_VERSION} or newer and npm. Install them (Debian: apt install nodejs npm; "
            "AlmaLinux: dnf install nodejs) and try again."
        )
    text = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True).stdout
    if int(text.strip().lstrip("v").partition(".")[0] or 0) < NODE_VERSION:
        raise FacilityError(
            f"Node.js {text.strip()} is too old for the facility's proxy, which needs "
            f"{NODE_VERSION} or newer."
        )


def _require_accounts() -> None:
    if shutil.which("useradd") is None:
        raise FacilityError(
            "useradd cannot be found, which makes an account for each user: install it "
            "(Debian: apt install passwd), or run the facility as somebody else than root."
        )
    for folder in {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parent}:
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


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        reason = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        raise FacilityError(f"{' '.join(command)} failed:\n{reason}")
