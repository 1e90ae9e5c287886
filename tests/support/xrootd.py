"""XRootD servers that take tokens, and redirectors with data servers behind them."""

import os
from pathlib import Path

import pytest

from support import grid
from support.servers import XRootD, answers, free_port, wait_for

PROTOCOLS = "xrootd.seclib libXrdSec.so\n{protocols}\nsec.protbind * only {names}\n"
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
SCITOKENS = """
[Global]
audience = https://wlcg.cern.ch/jwt/v1/any, https://localhost
[Issuer tests]
issuer = {issuer}
base_path = /store
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


def tokens_of(issuer, authority):
    """Return the options of a server that takes the issuer's tokens for what is below ``/store``.

    It is told of the authority of the issuer's certificate in a mount namespace of its own.
    """
    require_scitokens()
    telling = f'mount --bind "$(dirname "$3")/authority.pem" {BUNDLE} && exec "$@"'
    return {
        "security": protocols("sec.protocol ztn") + TLS + RIGHTS,
        "behind": ["unshare", "--mount", "--propagation", "private", "sh", "-c", telling, "sh"],
        "files": {
            "authority.pem": grid.pem(authority.certificate),
            "scitokens.cfg": SCITOKENS.format(issuer=issuer.url).encode(),
        },
    }


def require_scitokens():
    library = any(Path("/usr/lib").glob("*/libXrdAccSciTokens-5.so"))
    if not library or os.geteuid() != 0 or not Path(BUNDLE).exists():
        pytest.skip("needs root, and XRootD's plugin for tokens (Debian: xrootd-scitokens-plugins)")


class Redirector(XRootD):
    """A manager that sends clients on to the data servers behind it; ``url`` names a file there."""

    role = "manager"

    def __init__(self, *security, **options):
        self.meeting = free_port()
        self._cmsd = None
        super().__init__(*security, more=self._cluster(self.meeting), **options)

    def _cluster(self, cmsd):
        return CLUSTER.format(role=self.role, meeting=self.meeting, cmsd=cmsd)

    def url(self, name):
        return f"root://localhost:{self.port}//store/{name}"

    def start(self):
        self._cmsd = self.launched("cmsd")
        if self.role == "manager":  # who does not find it tries again after 42 seconds
            wait_for(lambda: answers(self.meeting), told=lambda: self.log)
        super().start()

    def stop(self):
        self._cmsd.kill()
        self._cmsd.wait()
        super().stop()


class DataServer(Redirector):
    """A server behind a redirector, with files of its own."""

    role = "server"

    def __init__(self, redirector, *security, **options):
        self.meeting = redirector.meeting
        XRootD.__init__(self, *security, more=self._cluster("any"), **options)
