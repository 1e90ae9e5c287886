"""The compiled part, ``native``; None where it was not compiled, or is switched off.

``FLAVORFRAME_COMPILED=off`` in the environment of a process switches it off: then uproot reads all
files, and loops are numpy's, with the same results. The tests use it.

Look it up as ``compiled.native`` where it is used, so that tests can replace it in one place.
"""

import os

__all__ = ["SWITCH", "native"]

SWITCH = "FLAVORFRAME_COMPILED"
"""The environment variable that may be "off"."""

try:
    from flavorframe._rootio import _native as native
except ImportError:  # installed without a compiler
    native = None  # type: ignore[assignment]

if os.environ.get(SWITCH) == "off":
    native = None  # type: ignore[assignment]
