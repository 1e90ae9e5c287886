"""What the command does before and around starting programs."""

import os
import signal
import subprocess
import sys

import pytest

from facility_support.facility import free_block
from flavorframe.errors import FacilityError
from flavorframe_facility import secret_files
from flavorframe_facility.gateway.clusters import rules
from flavorframe_facility.gateway.limits import Rules, Usage
from flavorframe_facility.machine import homes, installation, operation, processes
from flavorframe_facility.settings import GB, ClusterLimits, load, make
from support.servers import wait_for

WITHOUT = """
import sys
for name in ("jupyterhub", "dask_gateway_server", "oauthenticator", "jwt", "jupyter_server"):
    sys.modules[name] = None
from typer.testing import CliRunner
from flavorframe._cli.main import app
found = CliRunner().invoke(app, ["facility", *sys.argv[1:]])
print(found.output, found.exception)
"""


TLS = {"certificate": os.devnull, "key": "own.key", "domain": "facility.example.org"}


@pytest.fixture
def settings(tmp_path):
    return make(folder=tmp_path / "state", port=free_block())


@pytest.fixture
def unstartable(monkeypatch):
    """Have nothing installed or made, and programs fail to start; return how that is undone."""

    def fail(settings):
        raise FacilityError("the hub ended")

    monkeypatch.setattr(installation, "install", lambda settings, tell: None)
    monkeypatch.setattr(homes, "prepare", lambda settings, tell: None)
    monkeypatch.setattr(operation, "_start", fail)
    return lambda: monkeypatch.setattr(operation, "_start", lambda settings: None)


def test_a_password_that_nobody_saw_is_not_kept(settings, unstartable):
    with pytest.raises(FacilityError, match="the hub ended"):
        operation.up(settings, print)
    assert load(settings.folder) is None
    unstartable()
    assert operation.up(settings, print)
    known = (settings.private / secret_files.PASSWORD).read_text()
    assert operation.up(settings, print) is None
    assert (settings.private / secret_files.PASSWORD).read_text() == known


def test_settings_with_which_it_does_not_start_are_not_kept(settings, unstartable):
    settings.private.mkdir(parents=True)
    settings.save()
    (settings.private / secret_files.PASSWORD).write_text("known")
    with pytest.raises(FacilityError, match="the hub ended"):
        operation.up(settings.changed(idle_server_minutes=5), print, new_password=True)
    assert load(settings.folder) == settings
    assert (settings.private / secret_files.PASSWORD).read_text() == "known"


@pytest.mark.parametrize(
    ("choices", "user", "message"),
    [
        ({"certificate": "/none.pem", "key": "/none.key"}, 0, "the certificate /none.pem is not"),
        ({"address": "0.0.0.0", **TLS}, 9, "needs root"),
        ({"login": "oidc"}, 9, "needs root here"),
        ({"login": "oidc"}, 0, "there is no file /none, which should hold the client secret"),
        ({"address": "none.invalid", **TLS}, 0, "none.invalid is no address of this machine"),
        ({"address": "0.0.0.0", **TLS}, 0, "the certificate /dev/null cannot be read"),
        ({"address": "0.0.0.0", **TLS, "key": "shared.key"}, 0,
         "shared.key of the key of the certificate has mode 0640, so that others can read it"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told_before_anything_is_installed(
    settings, monkeypatch, tmp_path, choices, user, message
):
    monkeypatch.setattr(installation, "install", lambda settings, tell: pytest.fail("installed"))
    monkeypatch.setattr("os.geteuid", lambda: user)
    if choices.get("key") in ("own.key", "shared.key"):
        key = tmp_path / choices["key"]
        key.write_text("a key")
        key.chmod(0o640 if key.name == "shared.key" else 0o600)
        choices = {**choices, "key": key}
    if "login" in choices:
        choices = {"login": {"kind": "oidc", "issuer": "https://iam.invalid", "client_id": "a",
                             "client_secret_file": "/none", "user_group": "b"}}  # fmt: skip
    with pytest.raises(FacilityError, match=message):
        operation.up(settings.changed(**choices), print)
    assert load(settings.folder) is None


@pytest.mark.parametrize("command", ["up", "doctor", "status", "logs", "down"])
def test_the_command_needs_nothing_of_what_it_installs(tmp_path, command):
    line = [sys.executable, "-c", WITHOUT, command, "--folder", tmp_path]
    (tmp_path / "settings.json").write_text('{"port": 1, "cores": []}')
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert "the settings in" in done.stdout, done.stdout + done.stderr
    (tmp_path / "settings.json").write_text('{"address": "none.invalid"}')
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert "No module" not in done.stdout + done.stderr
    assert "import of" not in done.stdout + done.stderr


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_programs_heed_interrupts_that_the_command_ignores(settings):
    for folder in (settings.private, settings.logs):
        folder.mkdir(parents=True)
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does in the background
    try:
        processes.start(settings, processes.Program("hub", (sys.executable, "-c", code), ""))
    finally:
        signal.signal(signal.SIGINT, before)
    wait_for(lambda: processes.last_lines(settings, "hub"))
    assert processes.last_lines(settings, "hub") == "True"


def test_clusters_of_all_users_together_take_no_more_memory_than_there_is(monkeypatch):
    ours = Usage("ada", frozenset(), 3, 1, 4 * GB)
    limits = Rules(ClusterLimits(memory=16), {}, ClusterLimits(memory=15))
    assert limits.workers(Usage("bob", frozenset(), 0, 1, 2 * GB), [ours]) == 1
    assert "All users have 12 of 15 GB taken" in limits.refusal(
        Usage("bob", frozenset(), 0, 1, 4 * GB), [ours]
    )
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    here = rules(make(folder="/srv/facility"))
    assert here.user.cores == 2
    assert here.everybody.memory is not None
    cloud = rules(make(folder="/srv/facility", backend="kubernetes"))
    assert (cloud.user.cores, cloud.everybody) == (8, ClusterLimits())
