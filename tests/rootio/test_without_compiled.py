"""Without the compiled part: files are read, and events selected, with the same results."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flavorframe._rootio import compiled

TESTS = Path(__file__).parent.parent
SOME = [
    "rootio/test_reader.py::test_any_range_is_the_slice_of_the_whole",
    "rootio/test_reader.py::test_common_edges_are_where_all_baskets_begin",
    "rootio/test_large_baskets.py::test_what_uproot_reads_is_read_once",
    "rootio/test_pages.py::test_clusters_are_where_partitions_end",
    "engines/test_by_hand.py",
]


@pytest.mark.slow
def test_reading_and_engines_without_the_compiled_part():
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "not rdataframe",
            *SOME,
        ],
        cwd=TESTS,
        env=os.environ | {compiled.SWITCH: "off"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_switch():
    code = "from flavorframe._rootio import compiled; print(compiled.native)"
    said = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {compiled.SWITCH: "off"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "None"
