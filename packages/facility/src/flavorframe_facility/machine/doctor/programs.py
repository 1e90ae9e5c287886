"""Checks of the facility's programs and of their ports."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from flavorframe.errors import FacilityError
from flavorframe_facility.machine import installation, operation, processes
from flavorframe_facility.machine.doctor.finding import Finding, ok, problem, tried
from flavorframe_facility.machine.programs import programs
from flavorframe_facility.settings import Settings


def ports(settings: Settings) -> Iterator[Finding]:
    """Check that each port is free, or taken by the program that it is for."""
    for name, numbers in operation.ports(settings).items():
        process = processes.running(settings, name)
        for port in numbers:
            if process is not None:
                yield ok(f"port {port}", f"is that of the {name}, which runs")
            else:
                yield _free(settings, name, port)


def _free(settings: Settings, name: str, port: int) -> Finding:
    try:
        installation.require_free_port(settings, port, f"the {name}")
    except FacilityError as error:
        holder = _holder(port)
        told = "" if holder is None else f" It is {holder} that listens there."
        return problem(f"port {port}", f"{error}{told}")
    return ok(f"port {port}", f"is free for the {name}")


def _holder(port: int) -> str | None:
    """Return who listens at a port, as far as one may know."""
    for connection in psutil.net_connections("tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        if listens and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.NoSuchProcess:
                return None
    return None


def check(settings: Settings) -> Iterator[Finding]:
    """Check that all programs run and answer, or none of them runs."""
    running = [
        name for name in operation.ports(settings) if processes.running(settings, name) is not None
    ]
    if not running:
        yield ok("programs", "none runs: `flavorframe facility up` starts them")
        return
    for name in operation.ports(settings):
        if name in running:
            yield tried(name, lambda name=name: _answers(settings, name))  # type: ignore[misc]
        else:
            yield problem(
                name,
                "does not run, though others do: `flavorframe facility up` starts it, and "
                f"`flavorframe facility logs {name}` may say why it ended",
            )


def _answers(settings: Settings, name: str) -> str:
    health = next(program.health for program in programs(settings) if program.name == name)
    if not processes.is_healthy(health):
        raise FacilityError(
            f"it runs, but {health} does not answer: see `flavorframe facility logs {name}`; "
            "`flavorframe facility restart` starts hub and gateway anew, `down` and `up` all."
        )
    return f"runs, and answers at {health}"
