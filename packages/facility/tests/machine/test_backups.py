"""What is kept of a facility is copied, put back, and brought up to date; nothing else is taken."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from facility_support.facility import NODE, free_block
from facility_support.users import Login, is_known
from flavorframe.errors import FacilityError
from flavorframe_facility.cli import app
from flavorframe_facility.machine import backups, operation, versions
from flavorframe_facility.machine.sessions import DATABASE
from flavorframe_facility.settings import load, make

OLDER = "ff1860e38070"
"""A revision of JupyterHub's database that is not the last."""


def alembic(database, *words):
    """Run a command on a database of JupyterHub."""
    code = "import sys; from jupyterhub.dbutil import _temp_alembic_ini as ini\n"
    code += "from alembic.config import main\n"
    code += "with ini(sys.argv[1]) as file: main(['-c', file, *sys.argv[2:]])"
    line = [sys.executable, "-c", code, f"sqlite:///{database}", *words]
    return subprocess.run(line, check=True, capture_output=True, text=True, cwd="/").stdout


@pytest.mark.xdist_group("facility")
def test_a_facility_that_was_lost_is_back_with_an_older_backup(public, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public.settings.certificate))
    settings, file = public.settings, tmp_path / "backup.tar.gz"
    jane = Login(public, "jane")
    token = jane.new_token()
    assert jane.is_in()
    assert is_known(public, token)
    told = public.command("backup", str(file))
    assert f"not in it: {settings.homes}, {settings.certificate}, {settings.key}" in told
    assert file.stat().st_mode & 0o777 == 0o600
    refused = public.command("restore", str(file), "--yes", check=False)
    assert "runs: stop it with `flavorframe facility down`" in refused

    public.command("down")
    shutil.rmtree(settings.private)
    settings.file.unlink()
    assert "all logins and tokens end" in public.command("restore", str(file))
    assert load(settings.folder) == settings
    database = settings.private / DATABASE
    assert users(database) >= {"jane"}
    alembic(database, "downgrade", OLDER)
    versions.note(settings.folder, versions.Version(1, "0.0.9", "4.0.0"))

    programs = f"{NODE}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = public.command("up", path=programs)  # with alembic, which is not beside its Python here
    assert "upgrading the hub's database to that of JupyterHub" in told
    assert "password" not in told.partition("Log in")[2].partition("its password")[0]
    assert "head" in alembic(database, "current")
    assert versions.noted(settings.folder) == versions.here()
    assert not jane.is_in()
    assert not is_known(public, token)
    assert Login(public, "jane").is_in()  # with the password of that time
    assert "no problems" in public.command("doctor")


def users(database):
    with closing(sqlite3.connect(database)) as connection:
        return {name for (name,) in connection.execute("select name from users")}


# Without programs


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a facility that is down, with secrets and databases."""
    settings = make(folder=tmp_path / "state", port=free_block())
    operation.make_folders(settings)
    settings.save()
    for name in ("service-token", "crypt-key", "cookie-secret"):
        (settings.private / name).write_text(f"the {name}")
    for name in ("lock", "hub.process.json", "gateway_config.py", f"{DATABASE}.2026-01-01"):
        (settings.private / name).write_text("not kept")
    with closing(sqlite3.connect(settings.private / DATABASE)) as database, database:
        database.execute("create table api_tokens (user_id, hashed)")
        database.execute("create table oauth_codes (code)")
        database.execute("insert into api_tokens values (1, 'of a user'), (null, 'of a service')")
    with closing(sqlite3.connect(settings.private / "gateway.sqlite")) as database, database:
        database.execute("create table clusters (name)")
    versions.note(settings.folder, versions.here())
    return settings


@pytest.fixture
def file(settings, tmp_path):
    file = tmp_path / "backup.tar.gz"
    backups.write(settings, file)
    return file


def command(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_what_is_in_a_backup(file):
    with tarfile.open(file) as archive:
        kept = {member.name: member.mode for member in archive}
    private = ("cookie-secret", "crypt-key", "service-token", DATABASE, "gateway.sqlite")
    assert set(kept) == {"version.json", "settings.json", *(f"private/{one}" for one in private)}
    assert set(kept.values()) == {0o600}
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_database_is_copied_between_transactions(settings, tmp_path):
    ended = threading.Event()
    database = settings.private / DATABASE

    def write():
        with closing(sqlite3.connect(database, timeout=60)) as connection:
            while not ended.is_set():
                with connection:
                    connection.execute("insert into oauth_codes values ('one')")
                    connection.execute("insert into oauth_codes values ('two')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for attempt in range(3):
            file = tmp_path / f"{attempt}.tar.gz"
            backups.write(settings, file)
            copy = tmp_path / f"{attempt}.sqlite"
            copy.write_bytes(backups.read(file, tmp_path / "new").content[f"private/{DATABASE}"])
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
                assert connection.execute("select count(*) from oauth_codes").fetchone()[0] % 2 == 0
    finally:
        ended.set()
        writer.join()


def test_what_is_replaced_is_told_asked_and_kept(settings, file):
    (settings.private / "crypt-key").write_text("another")
    settings.changed(idle_server_minutes=5).save()
    done = command("restore", file, "--folder", settings.folder)  # nobody says yes
    assert done.exit_code == 1
    assert f"it replaces {settings.file} and {settings.private}" in done.output
    assert (settings.private / "crypt-key").read_text() == "another"
    done = command("restore", file, "--yes", "--folder", settings.folder)
    assert done.exit_code == 0, done.output
    assert load(settings.folder) == settings
    assert (settings.private / "crypt-key").read_text() == "the crypt-key"
    old = settings.folder / "private.replaced"
    assert (old / "crypt-key").read_text() == "another"
    assert json.loads((old / "settings.json").read_text())["idle_server_minutes"] == 5
    assert (settings.private.stat().st_mode | old.stat().st_mode) & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.private.rglob("*"))


def test_logins_of_users_end_and_those_of_services_do_not(settings, file):
    backups.restore(backups.read(file, settings.folder))
    assert not (settings.private / "cookie-secret").exists()
    with closing(sqlite3.connect(settings.private / DATABASE)) as database:
        tokens = database.execute("select hashed from api_tokens").fetchall()
    assert tokens == [("of a service",)]


def test_a_backup_goes_to_another_folder(settings, file, tmp_path):
    backups.restore(backups.read(file, tmp_path / "new" / "place"))
    moved = load(tmp_path / "new" / "place")
    assert moved == settings.changed(folder=tmp_path / "new" / "place")
    assert (moved.private / "service-token").read_text() == "the service-token"


def test_nothing_is_restored_under_what_runs(settings, file, monkeypatch):
    found = backups.read(file, settings.folder)
    monkeypatch.setattr("flavorframe_facility.machine.usage.anything_runs", lambda settings: True)
    with pytest.raises(FacilityError, match="servers or clusters .* still run"):
        backups.restore(found)
    created = psutil.Process().create_time()
    note = json.dumps({"process": os.getpid(), "created": created})
    (settings.private / "gateway.process.json").write_text(note)
    with pytest.raises(FacilityError, match="runs: stop it with"):
        backups.restore(found)
    with (
        operation.locked(settings),
        pytest.raises(FacilityError, match="another command is changing or copying"),
    ):
        backups.write(settings, file)


def test_state_of_a_newer_version_is_refused(settings, tmp_path):
    versions.note(settings.folder, versions.Version(versions.STATE + 1, "9.0.0", "9.9"))
    newer = tmp_path / "newer.tar.gz"
    backups.write(settings, newer)
    refusal = r"flavorframe 9\.0\.0, in a form .* install flavorframe-facility 9\.0\.0 or newer"
    for attempt in (
        lambda: backups.read(newer, tmp_path / "new"),
        lambda: operation.up(settings, print),
        lambda: operation.restart(settings, print),
    ):
        with pytest.raises(FacilityError, match=refusal):
            attempt()
    done = command("doctor", "--folder", settings.folder)
    assert "problem  state" in done.output
    (settings.folder / "version.json").write_text("[]")
    with pytest.raises(FacilityError, match=r"version\.json is damaged"):
        operation.up(settings, print)


def test_a_database_of_a_newer_jupyterhub_is_refused(settings):
    with closing(sqlite3.connect(settings.private / DATABASE)) as database, database:
        database.execute("create table alembic_version (version_num)")
        database.execute("insert into alembic_version values ('from-the-future')")
    versions.note(settings.folder, versions.Version(1, "0.1.0", "99.0"))
    with pytest.raises(FacilityError, match=r"(?s)JupyterHub 99\.0, .*Can't locate .*future"):
        versions.upgrade(settings, print)
    assert versions.noted(settings.folder).jupyterhub == "99.0"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../outside", "file"), ("private/../../outside", "file"), ("/outside", "file"),
     ("private/link", "link"), ("private/logs/hub.log", "file")],
)  # fmt: skip
def test_what_does_not_belong_in_a_backup_is_refused(file, tmp_path, name, kind):
    backups.read(file, tmp_path / "new")  # as it is written
    with tarfile.open(file) as archive:
        content = {member.name: archive.extractfile(member).read() for member in archive}
    with tarfile.open(file, "w:gz") as archive:
        for known, text in content.items():
            member = tarfile.TarInfo(known)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        member = tarfile.TarInfo(name)
        if kind == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member, None if kind == "link" else io.BytesIO(b""))
    with pytest.raises(FacilityError, match="is no backup .* does not belong in one"):
        backups.read(file, tmp_path / "new")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08damaged"])
def test_what_is_no_backup_is_refused(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(FacilityError, match="is no backup of a facility, or damaged"):
        backups.read(file, tmp_path / "new")
    done = command("restore", tmp_path / "none", "--folder", tmp_path / "new")
    assert isinstance(done.exception, FacilityError)
