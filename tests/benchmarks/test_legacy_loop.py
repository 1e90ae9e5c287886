"""The compiled event loop selects the same, and its parts add up."""

import json
import subprocess
import sys
from itertools import chain
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


def counts(found):
    return found["events"], found["candidates"], found["mass"]


def expected(files):
    result = published().run(ff.dataset([str(file) for file in files]), progress=False)
    events, candidates = zip(*((row.events, row.candidates) for row in result.cutflow), strict=True)
    return list(events), list(candidates), result.mass.values(flow=True).astype(int).tolist()


def test_counts_equal_those_of_the_other_engines_and_parts_add_up(sample, corner_case, tmp_path):
    shares = [
        [sample("bph"), sample("bph", events=150)],
        [corner_case(case, "bph") for case in samples.CORNER_CASES],
    ]
    parts = [tmp_path / "0.json", tmp_path / "1.json"]
    for part, files in zip(parts, shares, strict=True):
        legacy_loop("--output", part, *files)
        assert counts(json.loads(part.read_text())) == expected(files)
    legacy_loop("--merge", tmp_path / "whole.json", *parts)
    whole = json.loads((tmp_path / "whole.json").read_text())
    assert counts(whole) == expected([*chain.from_iterable(shares)])
    assert whole["candidates"][-1] > 10
