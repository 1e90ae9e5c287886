"""Dask is an optional package: runs on this machine do without, and others say what to install."""

import subprocess
import sys
import textwrap

BLOCKED = "import sys\nsys.modules['dask'] = sys.modules['distributed'] = None\n"
ANALYSIS = """
import flavorframe as ff
t = ff.events().triplet
outputs = {"mass": ff.hist(t.mass, bins=20, range=(1.6, 2.1)), "rows": ff.snapshot(t.mass)}
analysis = ff.Analysis(ff.Selection(t), **outputs)
"""


def run(script):
    """Return what a script prints in a process that has no Dask."""
    lines = BLOCKED + ANALYSIS + textwrap.dedent(script)
    command = [sys.executable, "-c", lines]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_runs_on_this_machine_do_without(files, tmp_path):
    shown = run(f"""
        result = analysis.run(ff.dataset({files[:2]!r}), progress=False, output={str(tmp_path)!r})
        print(result.is_complete, ff.load({str(tmp_path)!r})["dataset"].events == result.events)
    """)
    assert shown == "True True\n"


def test_a_run_on_dask_says_what_to_install(files):
    shown = run(f"""
        data, address = ff.dataset({files[:1]!r}), "tcp://127.0.0.1:1"
        for act, on in (
            (analysis.run, "dask"),
            (analysis.run, "gateway"),
            (analysis.run, address),
            (analysis.submit, address),
        ):
            try:
                act(data, on=on)
            except ff.errors.RunError as error:
                print(error)
    """)
    assert shown.splitlines() == 4 * [
        "a run on Dask needs distributed: run pip install 'flavorframe[dask]'."
    ]
