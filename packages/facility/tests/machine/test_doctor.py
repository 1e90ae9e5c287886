"""What the doctor finds: each thing that can be wrong, and nothing where all is well."""

import json
import os
import socket
import subprocess

import pytest
from typer.testing import CliRunner

from facility_support.doctor import found, place, taken_for
from flavorframe_facility.cli import app
from flavorframe_facility.machine import groups
from flavorframe_facility.machine.doctor import disk
from flavorframe_facility.settings import GB

in_facility = pytest.mark.xdist_group("facility")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def settings(tmp_path):
    return place(tmp_path)


# The command


def test_before_the_facility_was_ever_started(tmp_path):
    folder = tmp_path / "none"
    shown = CliRunner().invoke(app, ["doctor", "--folder", str(folder)])
    assert "there is no facility in" in shown.output
    assert not folder.exists()
    listed = CliRunner().invoke(app, ["doctor", "--json", "--folder", str(folder)])
    content = json.loads(listed.output)
    problems = [one for one in content["findings"] if one["level"] == "problem"]
    assert content["problems"] == len(problems)
    for result in (shown, listed):
        assert result.exit_code == (1 if problems else 0)
    assert all(one["text"] in shown.output for one in content["findings"])


def test_a_problem_is_exit_code_1(settings):
    (settings.folder / "settings.json").write_text('{"ports": 8000}')
    shown = CliRunner().invoke(app, ["doctor", "--folder", str(settings.folder)])
    assert shown.exit_code == 1
    assert "problem  settings  " in shown.output
    assert "Did you mean 'port'" in shown.output
    assert shown.output.endswith("1 problem, no warnings\n")


@in_facility
def test_of_a_facility_that_runs(facility):
    told = facility.command("doctor")
    for program in ("proxy", "hub", "gateway-proxy", "gateway"):
        assert f"the {program}, which runs" in told
    assert told.count("runs, and answers at http://127.0.0.1") == 4
    assert "there is no OpenID provider to compare it with" in told
    assert "no problems" in told


@in_facility
@needs_root
def test_a_facility_of_somebody_elses_is_closed(facility):
    line = [facility.python, "-m", "flavorframe", "facility", "doctor", "--folder"]
    account = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
    ask = {"capture_output": True, "text": True, "env": {}, **account}
    done = subprocess.run([*line, facility.settings.folder], check=False, **ask)
    assert done.returncode == 1, done.stderr
    assert f"{facility.settings.private} is closed to you: run doctor as root" in done.stdout
    status = [facility.python, "-m", "flavorframe", "facility", "status", "--folder"]
    told = subprocess.run([*status, facility.settings.folder], check=False, **ask).stderr
    assert f"the facility in {facility.settings.folder} is root's: run this as root" in told
    mine = subprocess.run([*line, f"{facility.folder}/none"], check=False, **ask)
    assert mine.returncode == 0, mine.stdout + mine.stderr
    assert "without root all servers run as you" in mine.stdout
    assert "only root can use them" in mine.stdout


# The machine


def test_a_port_that_another_program_has(settings):
    with socket.create_server(("127.0.0.1", settings.hub_port)):
        told = found(settings, f"port {settings.hub_port}")
    assert told.startswith("problem: ")
    assert "for the hub, cannot be used" in told
    assert f"(process {os.getpid()}) that listens there" in told
    assert found(settings, f"port {settings.hub_port}") == "ok: is free for the hub"


def test_programs_that_ended_or_do_not_answer(settings, monkeypatch):
    monkeypatch.setattr(
        "flavorframe_facility.machine.programs.proxy_command", lambda settings: "proxy"
    )
    assert found(settings, "programs").startswith("ok: none runs")
    with taken_for(settings, "hub"):
        assert "problem: it runs, but http://127.0.0.1" in found(settings, "hub")
        assert "problem: does not run, though others do" in found(settings, "gateway")


def test_little_space(settings, monkeypatch):
    assert "GB are free" in found(settings, "disk")
    monkeypatch.setattr(disk, "LEAST", 10**9 * GB)
    told = found(settings, "disk")
    assert all(line.startswith("problem: ") for line in told.splitlines())
    assert "remove files" in told
    monkeypatch.setattr(disk, "LEAST", 0)
    monkeypatch.setattr(disk, "LITTLE", 1.0)
    assert found(settings, "disk").startswith("warning: ")


@needs_root
def test_control_groups(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(groups, "ROOT", tmp_path / "cgroup")
    assert "cannot be written, so that limits hold for each process" in found(settings, "control")
    for controller in ("memory", "cpu"):
        (tmp_path / "cgroup" / controller).mkdir(parents=True)
    told = found(settings, "control")
    assert told.startswith("warning: version 1")
    assert "processes cannot be limited" in told
    (tmp_path / "cgroup" / "pids").mkdir()
    assert found(settings, "control").startswith("ok: version 1")


@needs_root
def test_accounts_that_let_somebody_in(settings):
    prefix = settings.changed(accounts=f"t{os.getpid() % 10**6}-")
    name = f"{prefix.accounts}eve"
    assert found(prefix, "accounts").startswith("ok: 0 whose names")
    line = ["useradd", "--no-create-home", "--shell", "/bin/bash", "--home-dir"]
    subprocess.run([*line, f"{prefix.homes}/eve", name], check=True)
    try:
        assert f"warning: {name} have a login shell" in found(prefix, "accounts")
        subprocess.run(["usermod", "--home", "/elsewhere", name], check=True)
        assert f"problem: {name} have homes elsewhere" in found(prefix, "accounts")
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)


# What is kept


def test_who_may_read_and_write(settings):
    assert found(settings, "secrets").startswith("ok: ")
    assert found(settings, "folder").startswith("ok: ")
    (settings.private / "service-token").write_text("secret")
    (settings.private / "service-token").chmod(0o640)
    told = found(settings, "secrets")
    assert told.startswith(f"problem: others may use {settings.private}/service-token: run chmod")
    (settings.homes / "eve").mkdir()
    (settings.homes / "eve").chmod(0o755)
    assert found(settings, "homes").startswith("problem: the homes of eve are open to others")
    settings.folder.chmod(0o777)
    assert "problem: other users may write in" in found(settings, "folder")
