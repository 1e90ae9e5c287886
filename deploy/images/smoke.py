"""Run within the build of an image: what it is for works in it, or there is no image.

Usage: ``python smoke.py worker``, ``user`` or ``hub``.
"""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

AUTHORITIES = Path("/etc/grid-security/certificates")
COMMANDS = {
    "worker": ["dask scheduler --help", "dask worker --help", "flavorframe --help"],
    "user": ["jupyter lab --version", "jupyterhub-singleuser --version", "flavorframe --help"],
    "hub": ["jupyterhub --version", "dask-gateway-server --version", "flavorframe --help"],
}
MODULES = {
    "worker": [
        "XRootD.client",
        "aiohttp",
        "bokeh",
        "dask_gateway",
        "flavorframe_facility.gateway.scheduler",
        "pyarrow",
    ],
    "user": ["ROOT", "XRootD.client", "coffea", "dask_gateway", "dask_labextension", "ipywidgets"],
    "hub": [
        "dask_gateway_server.backends.kubernetes.backend",
        "dask_gateway_server.backends.kubernetes.controller",
        "flavorframe_facility.kubernetes.gateway",
        "flavorframe_facility.kubernetes.hub",
        "jupyterhub_idle_culler",
        "kubespawner",
        "oauthenticator",
        "psycopg2",
        "pycurl",
    ],
}
GRID = ("voms-proxy-init", "voms-proxy-info", "xrdcp", "fetch-crl")


def main(image: str) -> None:
    """Check an image by its name; an error ends the build."""
    if os.getuid() == 0:
        raise SystemExit("the image is to be tried as the user that it runs as")
    for name in MODULES[image]:
        importlib.import_module(name)
    for command in COMMANDS[image]:
        subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)
    if image != "hub":
        has_the_grid()
        finds_a_peak()
    if image == "user":
        has_the_dask_panel()
        counts_with_root()
    else:
        has_no_compiler()
    print(f"{image}: as it should be")


def has_the_grid() -> None:
    """The authorities' certificates and the grid's commands are there."""
    missing = [command for command in GRID if shutil.which(command) is None]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")
    if not any(AUTHORITIES.glob("*.0")):
        raise SystemExit(f"{AUTHORITIES} has no certificate of an authority")


def finds_a_peak() -> None:
    """A generated sample is read by the compiled part, selected and fitted."""
    import flavorframe as ff
    from flavorframe._rootio import _native  # type: ignore[attr-defined]  # noqa: F401

    t = ff.events().triplet
    selection = ff.Selection(t).cut("true", t.truth >= 1).best(lowest=t.vertex_chi2)
    mass = ff.hist(t.mass, bins=62, range=(1.65, 2.01))
    with tempfile.TemporaryDirectory() as folder:
        data = ff.catalog(ff.samples.write(folder, fraction=0.02))["2017B"]
        result = ff.Analysis(selection, mass=mass).run(data)
    fit = ff.fit.dsphi().fit(result.mass)
    if not (fit.valid and abs(fit.parameters["mean"].value - 1.968) < 0.01):
        raise SystemExit(f"the fit does not find the peak: {fit}")


def has_the_dask_panel() -> None:
    """JupyterLab has the extension."""
    command = ["jupyter", "labextension", "list"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    if "dask-labextension" not in told.stdout + told.stderr:
        raise SystemExit("JupyterLab has no Dask panel")


def counts_with_root() -> None:
    """ROOT's RDataFrame counts, with a user's C++ that the system's compiler and headers made."""
    import ROOT

    with tempfile.TemporaryDirectory() as folder:
        macro = Path(folder) / "smoke.C"
        macro.write_text("#include <regex>\nbool even(int n) { return n % 2 == 0; }\n", "utf-8")
        if not ROOT.gSystem.CompileMacro(str(macro), "k"):
            raise SystemExit("ROOT cannot compile C++: is the compiler there?")
    if ROOT.RDataFrame(100).Filter("even(rdfentry_)").Count().GetValue() != 50:
        raise SystemExit("RDataFrame counts wrongly")


def has_no_compiler() -> None:
    """Compilers stayed behind; users have one, because ROOT needs it."""
    if shutil.which("gcc"):
        raise SystemExit("gcc is in the image")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:  # what packages write there is not for the image
        os.environ["HOME"] = home
        main(sys.argv[1])
