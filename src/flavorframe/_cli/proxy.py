"""``flavorframe proxy``: make, show and remove X.509 proxies of the user's certificate."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from flavorframe.errors import CredentialError

app = typer.Typer(
    help="Make a proxy, which lets you read from grid servers; show and remove it.",
    invoke_without_command=True,
)

OutOption = Annotated[
    str | None, typer.Option(help="By default $X509_USER_PROXY or /tmp/x509up_u<uid>.")
]
PathArgument = Annotated[
    str | None, typer.Argument(help="By default $X509_USER_PROXY or /tmp/x509up_u<uid>.")
]


@app.callback()
def make(
    context: typer.Context,
    voms: Annotated[
        str | None, typer.Option(help="Virtual organisation, such as cms or cms:/cms/Role=pilot.")
    ] = None,
    valid: Annotated[str, typer.Option(help="Lifetime, hours:minutes.")] = "12:00",
    bits: Annotated[int, typer.Option(help="Length of its key.")] = 2048,
    cert: Annotated[
        str | None, typer.Option(help="Your certificate, PEM or PKCS12; by default in ~/.globus.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Its key; by default userkey.pem beside it.")
    ] = None,
    out: OutOption = None,
) -> None:
    """Make a proxy of your certificate; you are asked for the passphrase of its key."""
    if context.invoked_subcommand is not None:
        return
    from flavorframe._files.remote.proxies import proxy_path
    from flavorframe._files.remote.proxy_making import lifetime, make_proxy, voms_proxy, write_proxy
    from flavorframe._files.remote.user_certificates import find_certificate, read_certificate

    life, path = lifetime(valid), out or proxy_path()
    certificate, its_key = find_certificate(cert, key)
    if voms is None:
        content = make_proxy(read_certificate(certificate, its_key, _passphrase), life, bits)
    else:
        content = voms_proxy(voms, certificate, its_key, valid, bits)
    write_proxy(content, path)
    _show(path)
    if path != proxy_path():
        typer.echo(f"To use it: export X509_USER_PROXY={os.path.abspath(path)}")


@app.command()
def info(
    path: PathArgument = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Show whose a proxy is and how long it is valid; exit code 1 where it is not valid now."""
    from flavorframe._files.remote.proxies import proxy_path, read_proxy

    place = path or proxy_path()
    _show(place, as_json=as_json)
    read_proxy(place).check()


@app.command()
def destroy(path: PathArgument = None) -> None:
    """Overwrite a proxy and remove it."""
    from flavorframe._files.remote.proxies import proxy_path
    from flavorframe._files.remote.proxy_making import destroy_proxy

    place = path or proxy_path()
    destroy_proxy(place)
    typer.echo(f"removed {place}")


def _passphrase(path: str) -> str:
    try:
        answer: str = typer.prompt(f"Passphrase of {path}", hide_input=True, default="",
                                   show_default=False)  # fmt: skip
    except typer.Abort:
        raise CredentialError(f"the passphrase of {path} was not given.") from None
    return answer


def _show(path: str, *, as_json: bool = False) -> None:
    from flavorframe._files.remote.credentials import USUAL
    from flavorframe._files.remote.proxies import read_proxy
    from flavorframe._files.remote.proxy_making import attributes
    from flavorframe._files.remote.times import clock, span

    proxy, found = read_proxy(path), attributes(path)
    left = max(proxy.left.total_seconds(), 0)
    mode = f"{os.stat(path).st_mode & 0o777:04o}"
    if as_json:
        told: dict[str, object] = {
            "path": path,
            "identity": proxy.identity,
            "issuer": proxy.issuer,
            "mode": mode,
        }
        told |= {"expires": proxy.expires.isoformat(), "seconds_left": int(left)}
        typer.echo(json.dumps(told | {"attributes": found}, indent=2))
        return
    until = clock(proxy.expires)
    time = f"{span(proxy.left)} left, until {until}" if left else f"none, it expired at {until}"
    rows = {"path": f"{path}, mode {mode}", "identity": proxy.identity, "issuer": proxy.issuer}
    rows |= {"attributes": "\n            ".join(found)} if found else {}
    for name, value in {**rows, "time": time}.items():
        typer.echo(f"{name:11} {value}")
    if 0 < left < USUAL.total_seconds():
        typer.echo(f"It ends in {span(proxy.left)}: make a new one by flavorframe proxy.", err=True)
