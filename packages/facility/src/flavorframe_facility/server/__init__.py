"""What runs in each user's server: its access token, and the dashboards of its clusters."""

from pathlib import Path

JUPYTER = Path(__file__).parent / "jupyter"
"""Configuration of JupyterLab. It asks new users nothing and looks for no newer versions; terminals
are not login shells, because login shells of Debian find the programs of the system only."""
