"""Folders that nobody else can write in, whatever the umask is."""

import os

import pytest

from flavorframe.errors import FacilityError
from flavorframe_facility.machine import operation
from flavorframe_facility.machine.folders import require_own
from flavorframe_facility.settings import make


@pytest.fixture
def place(tmp_path):
    """Return a folder within one of one's own."""
    folder = tmp_path / "above" / "state"
    folder.mkdir(parents=True, mode=0o755)
    return folder


def test_a_folder_of_ones_own_is_taken(place):
    require_own(place)
    require_own(place / "not" / "there" / "yet")


@pytest.mark.parametrize("mode", [0o757, 0o1777, 0o777])
def test_a_folder_that_others_may_write_is_refused(place, mode):
    place.chmod(mode)
    with pytest.raises(FacilityError, match="other users may write in .*state"):
        operation.up(make(folder=place), print)
    assert not (place / "private").exists()


def test_a_folder_in_one_that_others_may_write_is_refused(place):
    place.parent.chmod(0o757)
    with pytest.raises(FacilityError, match="other users may write in .*above"):
        require_own(place)
    place.parent.chmod(0o1777)  # as /tmp is: others cannot replace the folder
    require_own(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
@pytest.mark.parametrize("name", ["", "above", "above/state"])
def test_a_folder_of_somebody_else_is_refused(tmp_path, place, name):
    os.chown(tmp_path / name, 65534, 0)
    with pytest.raises(FacilityError, match="other users may write"):
        require_own(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give links away")
def test_a_link_is_followed_only_if_it_is_ones_own(tmp_path, place):
    link = tmp_path / "link"
    link.symlink_to(place)
    require_own(link)
    os.lchown(link, 65534, 65534)
    with pytest.raises(FacilityError, match="a link of another user's"):
        require_own(link)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_umask_does_not_matter(tmp_path, umask):
    settings = make(folder=tmp_path / "state")
    before = os.umask(umask)
    try:
        operation.make_folders(settings)
        (settings.logs / "hub.log").touch()
        operation.make_folders(settings)
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in settings.folder.rglob("*")}
    assert settings.folder.stat().st_mode & 0o777 == modes[settings.homes] == 0o711
    assert modes[settings.private] == modes[settings.logs] == 0o700
    assert modes[settings.logs / "hub.log"] == 0o600
