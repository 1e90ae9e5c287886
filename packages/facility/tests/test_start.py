"""Modules are started as by Python's ``-m``, but for what takes long and is not used."""

import os
import subprocess

from flavorframe_facility.start import command

MODULE = """
import sys
import jsonschema

print(__name__, sys.argv[1:], "lark" in sys.modules)
"""


def test_a_module_is_started_without_making_grammars(tmp_path):
    (tmp_path / "theirs.py").write_text(MODULE)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    words = command("theirs", "-f", "file")
    found = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "__main__ ['-f', 'file'] False\n"
