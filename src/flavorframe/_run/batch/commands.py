"""Calling the commands of a batch system, such as ``sbatch``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from flavorframe.errors import RunError

SECRETS = ("BEARER_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables that are not passed to a batch system: credentials travel as files."""


def command(*words: str, folder: Path | None = None) -> str:
    """Run a command of the batch system and return its output; raises RunError where it fails."""
    environment = {name: x for name, x in os.environ.items() if name not in SECRETS}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = re.sub(rf"^{words[0]}: (error: )?", "", done.stderr or done.stdout, flags=re.M)
        reason = "; ".join(said.split("\n")).strip("; ") or f"exit code {done.returncode}"
        raise RunError(f"{words[0]} refused: {reason}")
    return done.stdout


def require_commands(system: str, *names: str) -> None:
    """Raise RunError where a command is not on the path."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise RunError(
            f"{system} cannot be reached from this machine: {', '.join(missing)} is not on the "
            f"PATH. Submit from a login node of the site."
        )
