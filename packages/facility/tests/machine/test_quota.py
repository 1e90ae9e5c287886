"""How much of the disk a home takes, and what is said where it is too much."""

import os

import pytest

from flavorframe.errors import FacilityError
from flavorframe_facility.machine import quota
from flavorframe_facility.machine.accounts import Account
from flavorframe_facility.settings import make


def test_what_is_in_a_home_counts_once_and_what_is_elsewhere_does_not(tmp_path):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home / "inner", elsewhere):
        folder.mkdir(parents=True)
    (elsewhere / "large").write_bytes(os.urandom(4_000_000))
    before = quota.size(home)
    (home / "link").symlink_to(elsewhere / "large")
    (home / "folder").symlink_to(elsewhere)
    assert quota.size(home) - before < 100_000
    (home / "inner" / "file").write_bytes(os.urandom(1_000_000))
    once = quota.size(home)
    assert 1_000_000 <= once - before < 1_200_000
    os.link(home / "inner" / "file", home / "again")
    assert quota.size(home) == once


def test_a_home_that_is_too_large_gets_no_server(tmp_path, monkeypatch):
    owner = Account("ada", os.getuid(), os.getgid(), tmp_path)
    (tmp_path / "file").write_bytes(os.urandom(2_000_000))
    quota.require(make(folder=tmp_path), owner)
    quota.require(make(folder=tmp_path, home_quota=1), owner)
    monkeypatch.setattr(quota, "GB", 10**6)
    with pytest.raises(FacilityError, match=r"takes 2\.\d GB, and no more than 1 GB"):
        quota.require(make(folder=tmp_path, home_quota=1), owner)
