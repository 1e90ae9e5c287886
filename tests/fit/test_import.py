"""Importing the room is cheap: what fits and what plots comes when it is asked for."""

import subprocess
import sys

LAZY = ("iminuit", "numba", "numba_stats", "scipy", "matplotlib", "mplhep")


def test_heavy_packages_are_imported_when_needed():
    code = (
        "import sys, flavorframe.fit as fit; repr(fit.dsphi()); "
        f"print([name for name in {LAZY} if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"


def test_fitting_does_not_import_plotting():
    code = (
        "import sys, hist, flavorframe.fit as fit; "
        "h = hist.Hist.new.Reg(62, 1.65, 2.01).Int64(); h[...] = 100; fit.dsphi().fit(h); "
        "print([name for name in ('matplotlib', 'mplhep') if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"
