"""Where a person types."""

from __future__ import annotations

import sys
from typing import Any


def ipython() -> Any:
    """Return IPython's shell, or None where this process has none.

    A notebook's has a ``kernel``. A program that has merely imported IPython has no shell.
    """
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell
