"""What is said in several files of the repository is the same in all of them."""

import re
from pathlib import Path

import pytest
import yaml

import flavorframe as ff

ROOT = Path(__file__).parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_version_is_one():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == ff.__version__
    facility = (ROOT / "packages" / "facility" / "pyproject.toml").read_text("utf-8")
    named = re.findall(r'^version = "(.+)"|"flavorframe\[.+\]==(.+)"', facility, re.MULTILINE)
    assert ["".join(version) for version in named] == [ff.__version__] * 2
    chart = yaml.safe_load((ROOT / "deploy" / "chart" / "Chart.yaml").read_text("utf-8"))
    assert chart["version"] == chart["appVersion"] == ff.__version__
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == ff.__version__


@pytest.mark.parametrize("file", ["deploy/chart/values.yaml", "docs/facility.md"])
def test_images_have_the_version_as_their_tag(file):
    image = r"registry\.example\.\w+/flavorframe/[\w$]+(?::|, tag: )([^\s\"}]+)"
    tags = re.findall(image, (ROOT / file).read_text("utf-8"))
    assert len(tags) >= 5
    assert set(tags) == {ff.__version__}


def test_the_forge_tests_every_python_that_the_package_names():
    named = re.findall(r"Python :: (3\.\d+)", PYPROJECT)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == named
    assert f'requires-python = ">={named[0]}"' in PYPROJECT


def test_the_readme_names_extras_that_exist():
    readme = (ROOT / "README.md").read_text("utf-8")
    extras = re.findall(r"^(\w+) = \[", PYPROJECT.split("[project.optional-dependencies]")[1], re.M)
    named = {name for names in re.findall(r"'\.\[([\w,]+)\]'", readme) for name in names.split(",")}
    assert named - set(extras) == set()
