"""A build without a compiler says once what is lost, and goes on."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent


def test_a_build_without_a_compiler_says_so_once(tmp_path):
    built = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "-b", tmp_path, "-t", tmp_path],
        cwd=PROJECT,
        env=os.environ | {"CC": "/nowhere/cc"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0
    assert built.stderr.count("installed WITHOUT its compiled part") == 1
    assert "/nowhere/cc" in built.stderr
    assert "speed only" in built.stderr
