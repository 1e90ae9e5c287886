"""Login by OpenID Connect at a facility: what a user's processes can see."""

import pwd
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytest.importorskip(
    "oauthenticator", reason="oauthenticator is not installed (flavorframe-facility)"
)
from facility_support.facility import is_open
from facility_support.openid import SECRET
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("login")


def running(*attributes):
    """Return attributes of each process; a process that ends meanwhile is left out."""
    return [process.info for process in psutil.process_iter(["pid", *attributes])]


def test_a_users_processes_see_the_access_token_and_no_secret(oidc_facility):
    session, _ = oidc_facility.sign_in("alice")
    oidc_facility.start_server(session, "alice")
    settings = oidc_facility.facility.settings
    account = pwd.getpwnam(f"{settings.accounts}alice")
    mine = wait_for(
        lambda: [*Path("/tmp").glob(f"flavorframe-*/bt_u{account.pw_uid}")],
        told=lambda: oidc_facility.log,
    )
    assert mine[0].stat().st_uid == account.pw_uid
    assert mine[0].stat().st_mode & 0o777 == 0o600

    private = [f for f in settings.private.rglob("*") if f.is_file()]
    secrets = {f.read_text().strip() for f in private if "-key" in f.name or "token" in f.name}
    secrets |= {SECRET, (settings.private / "cookie-secret").read_text().strip()}
    assert len(secrets) >= 4
    own = [p["environ"] for p in running("username", "environ") if p["username"] == account.pw_name]
    assert any(own)
    assert not [secret for secret in secrets if secret in str(own)]
    home = [f for f in settings.homes.rglob("*") if f.is_file()]
    for file in [*home, *settings.logs.glob("*.log")]:
        content = file.read_bytes()
        assert not [s for s in secrets if s.encode() in content], file

    hub = [
        p["pid"]
        for p in running("uids", "cmdline")
        if p["uids"].real == 0 and str(settings.folder) in " ".join(p["cmdline"] or ())
    ]
    assert hub
    closed = [str(f) for f in private] + [f"/proc/{pid}/environ" for pid in hub]
    look = (
        "import sys, os\nfor f in sys.argv[1:]:\n  try: open(f, 'rb').read(1); print(f)\n"
        "  except PermissionError: pass\n"
    )
    seen = subprocess.run(
        [sys.executable if is_open(Path(sys.base_prefix)) else "/usr/bin/python3",
         "-c", look, *closed, str(mine[0])],
        user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/", check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert seen.stdout.split() == [str(mine[0])]  # their own token is all that is open

    oidc_facility.api(session, "DELETE", "users/alice/server")
    wait_for(lambda: not mine[0].parent.exists(), told=lambda: oidc_facility.log)
