"""Commands that other packages add to the command line."""

from importlib.metadata import EntryPoint

import pytest
import typer
from typer.testing import CliRunner

from flavorframe._cli import packages
from flavorframe._cli.main import app
from flavorframe.errors import FacilityError

other = typer.Typer(help="What another package does.")


@other.command()
def greet():
    """Say hello."""
    typer.echo("hello")


@other.command()
def leave():
    """Say goodbye."""


@pytest.fixture
def installed(monkeypatch):
    """Return the entry points that are installed, to be filled."""
    found = []
    monkeypatch.setattr(
        packages,
        "entry_points",
        lambda group, name=None: [p for p in found if name in (None, p.name)],
    )
    return found


def point(name):
    return EntryPoint(name, f"{__name__}:other", packages.GROUP)


def test_a_command_of_another_package_runs_and_is_in_the_help(installed, monkeypatch):
    monkeypatch.setattr(EntryPoint, "load", lambda self: other)
    installed.append(point("other"))
    assert CliRunner().invoke(app, ["other", "greet"]).output == "hello\n"
    assert "What another package does." in CliRunner().invoke(app, ["--help"]).output


def test_other_packages_are_not_looked_up_for_commands_of_flavorframe(monkeypatch):
    def fail(**_):
        raise AssertionError

    monkeypatch.setattr(packages, "entry_points", fail)
    assert CliRunner().invoke(app, ["run", "--help"]).exit_code == 0


def test_without_its_package_the_facility_says_how_to_install_it(installed):
    with pytest.raises(FacilityError, match="pip install flavorframe-facility"):
        CliRunner().invoke(app, ["facility", "up"], catch_exceptions=False)


def test_an_unknown_command_is_wrong_usage(installed):
    assert CliRunner().invoke(app, ["nothing"]).exit_code == 2
