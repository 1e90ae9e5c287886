"""What continuous integration runs, session by session; ``nox --list`` shows them.

``make check``, ``make test`` and ``make lint`` do the same faster in one environment that stays.
"""

from __future__ import annotations

import re
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests", "docs"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
NEWEST = PYTHONS[-1]
PACKAGES = [".", *sorted(str(file.parent) for file in Path("packages").glob("*/pyproject.toml"))]
FAST = ("-m", "not (root or servers or browser or slow)")
FOR_ANALYSTS = "corrections,dask,dashboard,http,models,parquet,parse,s3"
"""The extras that need nothing but Python packages."""


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests; what is given after ``--`` goes to pytest."""
    session.install("--editable", ".[test]")
    run_pytest(session, *session.posargs)


@nox.session(python=PYTHONS[0], venv_backend="uv")
def minimums(session: nox.Session) -> None:
    """Run the fast tests with the lowest versions that pyproject.toml allows."""
    session.install("--resolution", "lowest-direct", "--editable", f".[{FOR_ANALYSTS}]")
    session.install(*test_tools())
    newer = ("DeprecationWarning", "FutureWarning")  # of packages that old ones use as they were
    run_pytest(session, *(f"-Wignore::{kind}" for kind in newer), *(session.posargs or FAST))


@nox.session(python=NEWEST)
def without_compiled(session: nox.Session) -> None:
    """Run the fast tests of reading and of the engine without the compiled part."""
    session.install("--editable", ".[test]")
    folders = ("tests/rootio", "tests/engines", "tests/layouts")
    run_pytest(
        session, *(session.posargs or (*FAST, *folders)), env={"FLAVORFRAME_COMPILED": "off"}
    )


@nox.session(python=NEWEST)
def lint(session: nox.Session) -> None:
    """Check style, types, the direction of imports, and the files of the forge."""
    session.install("--editable", ".[lint]")
    session.run("make", "style", f"BIN={session.bin}", external=True)


@nox.session(python=NEWEST)
def docs(session: nox.Session) -> None:
    """Build the pages, and fail on any link that leads nowhere."""
    session.install("--editable", ".[docs]")
    session.run("mkdocs", "build", "--strict")


@nox.session(python=PYTHONS)
def wheels(session: nox.Session) -> None:
    """Build each package, install the wheels in a fresh environment, and import what is inside."""
    session.install("build")
    folder = Path(session.create_tmp()).resolve()
    for package in PACKAGES:  # the wheel is built from the source distribution, so both are tried
        session.run("python", "-m", "build", "--outdir", str(folder), package)
    session.install("--force-reinstall", *map(str, newest_wheels(folder)))
    session.chdir(folder)  # where no source can be imported instead
    session.run("python", "-c", "import flavorframe; import flavorframe._rootio._native")
    session.run("flavorframe", "--version")


def run_pytest(session: nox.Session, *arguments: str, env: dict[str, str] | None = None) -> None:
    """Run pytest on all cores; tests that share a server stay in one process."""
    session.run("pytest", "-n", "auto", "--dist", "loadgroup", *arguments, env=env)


def test_tools() -> list[str]:
    """Return what the extra ``test`` asks for beside this package's other extras."""
    extra = PROJECT["project"]["optional-dependencies"]["test"]
    return [requirement for requirement in extra if not requirement.startswith("flavorframe[")]


def newest_wheels(folder: Path) -> list[Path]:
    """Return the last wheel of each package that is in a folder."""
    wheels = sorted(folder.glob("*.whl"), key=lambda file: file.stat().st_mtime)
    return list({re.split("-", file.name)[0]: file for file in wheels}.values())
