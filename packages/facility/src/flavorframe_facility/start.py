"""Start a module of JupyterHub's as Python's ``-m`` does, in half the processor's time.

``python -m flavorframe_facility.start jupyterhub -f config.py``. The validator that comes with
JupyterHub makes grammars of international addresses as it is imported, a second and a half for
something that nothing here asks for. It does without where their package is not installed.
"""

from __future__ import annotations

import runpy
import sys

_GRAMMARS = "rfc3987_syntax"


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that starts a module with some arguments.

    >>> command("jupyterhub", "--version")[1:]
    ['-m', 'flavorframe_facility.start', 'jupyterhub', '--version']
    """
    return [sys.executable, "-m", "flavorframe_facility.start", module, *arguments]


def main() -> None:
    """Execute the module that the command line names, which gets the arguments after it."""
    sys.modules[_GRAMMARS] = None  # type: ignore[assignment]  # what is so cannot be imported
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
