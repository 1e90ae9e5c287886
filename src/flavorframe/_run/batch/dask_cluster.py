"""Dask clusters whose workers are batch jobs, by dask-jobqueue."""

from __future__ import annotations

import secrets
import shlex
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flavorframe._files.writing import make_folder
from flavorframe._run.batch.folder import DEFAULT
from flavorframe._run.batch.request import mebibytes, seconds
from flavorframe._run.core import interrupts
from flavorframe.errors import RunError

if TYPE_CHECKING:
    from flavorframe._run.batch.system import BatchSystem


def dask_cluster(
    system: BatchSystem,
    kind: str,
    options: Mapping[str, Any],
    workers: int | None,
    *,
    encrypted: bool,
) -> Any:
    """Return a cluster of a class of dask-jobqueue, ``kind``; ``options`` replace the usual ones.

    ``encrypted`` asks for a file system that the workers read the keys from.
    """
    folder = _folder(system)
    asked = {
        "cores": system.cores,
        "processes": 1,
        "memory": f"{mebibytes('memory', system.memory)}MiB",
        "python": system.python,
        "job_script_prologue": system.setup_lines,
        "worker_extra_args": _ends_in_time(system),
        "log_directory": str(folder),
        # Without it anyone on the network could have the workers run code as the user.
        "security": _security(folder) if encrypted else None,
        **options,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    cluster = getattr(_jobqueue(), kind)(**given)
    weakref.finalize(cluster, _remove_keys, folder)
    if workers is not None:
        cluster.scale(workers)
    return cluster


def _ends_in_time(system: BatchSystem) -> list[str]:
    """Return options that have a worker hand its work over before its job is killed."""
    if system.time is None:
        return []
    return ["--lifetime", f"{int(0.9 * seconds(system.time))}s", "--lifetime-stagger", "1m"]


def _folder(system: BatchSystem) -> Path:
    """Make a folder for keys and logs, which only the user can read."""
    below = Path(system.folder or DEFAULT).expanduser().absolute()
    folder = below / f"dask-{secrets.token_hex(4)}"
    if shlex.quote(str(folder)) != str(folder):
        raise RunError(
            f"dask-jobqueue cannot use folder {below}: give folder= without blanks and signs that "
            f"mean something to a shell."
        )
    make_folder(folder)
    folder.chmod(0o700)
    return folder


def _security(folder: Path) -> Any:
    """Return keys of the cluster's own, in files that the workers' command lines name."""
    from distributed.security import Security

    made = Security.temporary()
    texts = {"ca": made.tls_ca_file, "cert": made.tls_worker_cert, "key": made.tls_worker_key}
    files = {name: folder / f"{name}.pem" for name in texts}
    for name, path in files.items():
        path.write_text(texts[name], "utf-8")
    of_roles = {
        f"tls_{role}_{name}": str(files[name])
        for role in ("scheduler", "worker", "client")
        for name in ("cert", "key")
    }
    return Security(tls_ca_file=str(files["ca"]), require_encryption=True, **of_roles)


def _remove_keys(folder: Path) -> None:
    for path in folder.glob("*.pem"):
        path.unlink(missing_ok=True)


def _jobqueue() -> Any:
    try:
        with interrupts.handler_restored():  # which dask-jobqueue replaces by one that ends Python
            import dask_jobqueue
    except ImportError:
        raise RunError(
            "Dask clusters of batch jobs need dask-jobqueue: run pip install 'flavorframe[batch]'."
        ) from None
    return dask_jobqueue
