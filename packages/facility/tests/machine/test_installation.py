"""The proxy is installed as it is pinned, or not at all."""

import json
import shutil
import subprocess

import pytest

from flavorframe.errors import FacilityError
from flavorframe_facility.machine import installation
from flavorframe_facility.settings import make

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


def test_all_that_the_proxy_needs_is_pinned_with_a_checksum():
    locked = json.loads((installation.PINNED / "package-lock.json").read_text())["packages"]
    asked = json.loads((installation.PINNED / "package.json").read_text())["dependencies"]
    assert asked == {"configurable-http-proxy": "5.1.0"}
    assert len(locked) > 20
    for name, package in locked.items():
        assert not name or package["integrity"].startswith("sha512-"), name


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Return settings of a facility that has no proxy yet."""
    monkeypatch.setattr(installation, "_found_proxy", lambda settings: None)
    monkeypatch.setattr(installation, "require_accounts", lambda: None)
    return make(folder=tmp_path)


@pytest.mark.slow
def test_what_differs_from_its_checksum_is_not_installed(settings, tmp_path, monkeypatch):
    if not _registry_answers():
        pytest.skip("npm's registry cannot be reached")
    installation.install(settings, print)
    proxy = tmp_path / "node" / "node_modules" / ".bin" / "configurable-http-proxy"
    told = subprocess.run([proxy, "--version"], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "5.1.0"
    pinned = tmp_path / "changed"
    shutil.copytree(installation.PINNED, pinned)
    lock = json.loads((pinned / "package-lock.json").read_text())
    package = lock["packages"]["node_modules/configurable-http-proxy"]
    package["integrity"] = "sha512-" + "A" * 86 + "=="
    (pinned / "package-lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(installation, "PINNED", pinned)
    with pytest.raises(FacilityError, match="EINTEGRITY"):
        installation.install(settings, print)


def _registry_answers():
    done = subprocess.run(["npm", "ping"], check=False, capture_output=True, timeout=60)
    return done.returncode == 0
