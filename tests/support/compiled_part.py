"""Tests of the compiled part, which are skipped where it was not compiled, or is switched off."""

import pytest

from flavorframe._rootio import compiled

needs_compiled = pytest.mark.skipif(
    compiled.native is None, reason="the compiled part is not installed, or is switched off"
)
