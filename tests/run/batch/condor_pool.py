#!/usr/bin/env python3
"""A stand-in for HTCondor's commands, which cannot be had here without its daemons.

``condor_submit`` reads the description with HTCondor's own parser, carries files as it says, runs
the jobs one after the other and writes the job event log; ``condor_rm`` notes what it is asked. It
takes the place of the queue alone: description, job script and event log are what HTCondor gets.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(os.environ["CONDOR_POOL"])

USAGE = """\
\t\tUsr 0 00:00:10, Sys 0 00:00:01  -  Run Remote Usage
\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Run Local Usage
\t\tUsr 0 00:00:10, Sys 0 00:00:01  -  Total Remote Usage
\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Total Local Usage
\t0  -  Run Bytes Sent By Job
\t0  -  Run Bytes Received By Job
\t0  -  Total Bytes Sent By Job
\t0  -  Total Bytes Received By Job
"""


def condor_submit(*arguments):
    import htcondor2

    description = htcondor2.Submit(Path(arguments[-1]).read_text())
    cluster = len(list(HERE.glob("cluster*"))) + 1
    (HERE / f"cluster{cluster}").write_text(str(description))
    jobs = list(description.itemdata())
    print(f"{cluster}.0 - {cluster}.{len(jobs) - 1}")
    sys.stdout.flush()
    log = Path(description["initialdir"].replace("$(DOLLAR)", "$")) / description["log"]
    held = int(os.environ.get("CONDOR_HOLD", "-1"))
    for process, job in enumerate(jobs):
        names = {**job, "ClusterId": cluster, "ProcId": process, "DOLLAR": "$"}
        note(log, 0, cluster, process, "Job submitted from host: <127.0.0.1:9618>")
        note(log, 1, cluster, process, "Job executing on host: <127.0.0.1:9618>")
        if cluster == 1 and process == held:
            reason = "Error from slot1@host: memory usage exceeded request_memory"
            note(log, 12, cluster, process, f"Job was held.\n\t{reason}\n\tCode 34 Subcode 0")
            continue
        code = run({name: expanded(value, names) for name, value in description.items()})
        end = f"Job terminated.\n\t(1) Normal termination (return value {code})\n{USAGE}".rstrip()
        note(log, 5, cluster, process, end)


def run(job):
    """Run a job as HTCondor does, in a folder of its own where files are carried."""
    there = Path(job["initialdir"])
    with tempfile.TemporaryDirectory() as scratch:
        carried = job["should_transfer_files"] == "YES"
        for name in job["transfer_input_files"].split(", ") if carried else []:
            shutil.copy(there / name, scratch)
        with open(there / job["output"], "wb") as output:
            done = subprocess.run(
                [job["executable"], *unquoted(job["arguments"])],
                cwd=scratch if carried else there, stdout=output, stderr=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin"}, check=False,
            )  # fmt: skip
        if carried and done.returncode == 0:
            source, target = job["transfer_output_remaps"].strip('"').split(" = ")
            shutil.copy(Path(scratch) / source, there / target)
    return done.returncode


def expanded(text, names):
    for name, value in names.items():
        text = text.replace(f"$({name})", str(value))
    return text


def unquoted(arguments):
    """Return the arguments of HTCondor's quoting, of which the shell's is a part here."""
    inside = arguments[1:-1].replace('""', '"').replace("''", "'\\''")
    return shlex.split(inside)


def note(log, number, cluster, process, text):
    with open(log, "a") as file:
        job = f"({cluster:03d}.{process:03d}.000)"
        file.write(f"{number:03d} {job} 2026-03-01 12:00:00 {text}\n...\n")


def condor_rm(*job_ids):
    with open(HERE / "removed", "a") as file:
        file.write(" ".join(job_ids) + "\n")


if __name__ == "__main__":
    {"condor_submit": condor_submit, "condor_rm": condor_rm}[Path(sys.argv[0]).name](*sys.argv[1:])
