"""``flavorframe facility``: JupyterHub with Dask clusters on this machine.

Each command is a function, listed here; its docstring and annotated arguments are what ``--help``
shows. Modules are imported where they are used, so that the help takes no time.

* `running`: starting and stopping.
* `backups`: copying what it keeps, and putting it back.
* `looking`: what runs, and what is wrong.
* `place`: which facility a command is about.
"""

import typer

from flavorframe_facility.cli.backups import backup, restore
from flavorframe_facility.cli.looking import doctor, logs, status
from flavorframe_facility.cli.running import down, restart, up

app = typer.Typer(
    help="JupyterHub, JupyterLab and Dask clusters on this machine.", no_args_is_help=True
)

for command in (up, doctor, status, logs, restart, down, backup, restore):
    app.command()(command)
