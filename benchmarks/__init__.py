"""Measurements of flavorframe beside its peers: ``make bench``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))  # dsphi.py is what is timed
