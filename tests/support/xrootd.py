"""XRootD servers that take tokens, and redirectors with data servers behind them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support import grid
from support.servers import GSI, XRootD, answers, free_port, wait_for

PROTOCOLS = "xrootd.seclib libXrdSec.so\n{protocols}\nsec.protbind * only {names}\n"
PROXIES = GSI.strip().splitlines()[1:-1]
TLS = """
xrd.tls {folder}/host.pem {folder}/host.key
xrd.tlsca certdir {authorities}
xrootd.tls all
"""
RIGHTS = """
ofs.authorize 1
ofs.authlib libXrdAccSciTokens.so config={folder}/scitokens.cfg
scitokens.trace all
"""
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""The system's authorities, which the library that asks issuers for their keys knows alone."""
CLUSTER = """
all.role {role}
all.manager localhost:{meeting}
cms.delay startup 1 lookup 1 servers 1 suspend 1 full 1 overload 1 hold 1 drop 2 service 1
if exec cmsd
xrd.port {cmsd}
fi
"""


def protocols(*lines):
    """Return the security of a server that lets in by these protocols alone."""
    names = " ".join(line.split()[1] for line in lines if line.startswith("sec.protocol"))
    return PROTOCOLS.format(protocols="\n".join(lines), names=names)


def taking_tokens(authority, issuer, folder, **options):
    """Return a server that takes the issuer's tokens for what is below ``/store``.

    It is told of the authority of the issuer's certificate in a mount namespace of its own.
    """
    require_scitokens()
    (folder / "bundle.pem").write_bytes(grid.pem(authority.certificate))
    rights = folder / "scitokens.cfg"
    rights.write_text(
        f"[Global]\naudience = https://wlcg.cern.ch/jwt/v1/any, https://localhost\n"
        f"[Issuer tests]\nissuer = {issuer.url}\nbase_path = /store\n"
    )
    for path in (rights, *rights.parents[:3]):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    telling = f"mount --bind {folder}/bundle.pem {BUNDLE} && exec \"$@\""
    behind = ["unshare", "--mount", "--propagation", "private", "sh", "-c", telling, "xrootd"]
    security = protocols("sec.protocol ztn") + TLS + RIGHTS.replace("{folder}/sci", f"{folder}/sci")
    return XRootD(authority, security=security, behind=behind, **options)


def require_scitokens():
    library = any(Path("/usr/lib").glob("*/libXrdAccSciTokens-5.so"))
    if not library or os.geteuid() != 0 or not Path(BUNDLE).exists():
        pytest.skip("needs root, and XRootD's plugin for tokens (Debian: xrootd-scitokens-plugins)")
