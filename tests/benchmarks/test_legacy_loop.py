"""The compiled event loop selects the same, and its parts add up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe import samples
from support.reference import published

ROOT_FOLDER = Path(__file__).parents[2]
pytestmark = pytest.mark.root


def legacy_loop(*arguments):
    command = [sys.executable, "-m", "benchmarks.contenders.legacy_loop", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT_FOLDER)


def test_counts_equal_those_of_the_other_engines(sample, tmp_path):
    files = [sample("bph"), sample("bph", events=150)]
    parts = [tmp_path / "0.json", tmp_path / "1.json"]
    for part, file in zip(parts, files, strict=True):
        legacy_loop("--output", part, file)
    legacy_loop("--merge", tmp_path / "whole.json", *parts)
    found = json.loads((tmp_path / "whole.json").read_text())
    result = published().run(ff.dataset([str(file) for file in files]), progress=False)
    assert found["events"] == [row.events for row in result.cutflow]
    assert found["candidates"] == [row.candidates for row in result.cutflow]
    assert found["mass"] == result.mass.values(flow=True).astype(int).tolist()
    assert found["candidates"][-1] > 10


def test_corner_cases(corner_case, tmp_path):
    files = [corner_case(case, "bph") for case in samples.CORNER_CASES]
    legacy_loop("--output", tmp_path / "found.json", *files)
    found = json.loads((tmp_path / "found.json").read_text())
    result = published().run(ff.dataset([str(file) for file in files]), progress=False)
    assert found["events"] == [row.events for row in result.cutflow]
    assert found["candidates"] == [row.candidates for row in result.cutflow]
    assert found["mass"] == result.mass.values(flow=True).astype(int).tolist()
