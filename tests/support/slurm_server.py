"""A Slurm of one node on loopback, with munge, all in one folder and of whoever runs the tests."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from support.servers import free_port, wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"

CONFIGURATION = """
ClusterName=flavorframe
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,batch_sched_delay=0,sched_min_interval=0
KillWait=2
SlurmdTimeout=6
ReturnToService=2
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 CoresPerSocket=2 RealMemory=4000
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Return which of Slurm's programs are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


class SlurmServer:
    """Daemons that run as long as the ``with`` block does; commands find them by SLURM_CONF."""

    def __init__(self) -> None:
        # Not below pytest's folders: a socket's path must be short, and munge's seen by all.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.folder.chmod(0o755)
        self.host = socket.gethostname().partition(".")[0]
        self.configuration = self.folder / "slurm.conf"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self):
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        user = getpass.getuser()
        text = CONFIGURATION.format(
            host=self.host, folder=self.folder, user=user, ctld=free_port(), slurmd=free_port()
        )
        self.configuration.write_text(text)
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start_all(self):
        munge = self.folder / "munge"
        files = {"socket": "socket", "key-file": "key", "log-file": "log", "pid-file": "pid"}
        options = [f"--{name}={munge / file}" for name, file in files.items()]
        self._start("munged", "--foreground", "--force", f"--seed-file={munge}/seed", *options)
        wait_for((munge / "socket").exists, told=self.logs)
        self._start("slurmctld", "-D", "-f", self.configuration)
        self.start_node()

    def start_node(self):
        self.command("scontrol", "update", f"NodeName={self.host}", "State=RESUME")
        self._start("slurmd", "-D", "-f", self.configuration, "-N", self.host)
        idle = ("idle", "mix")
        wait_for(lambda: self.command("sinfo", "-h", "-o", "%t") in idle, told=self.logs)

    def clear(self):
        """Cancel every job, and wait until none is left."""
        self.command("scancel", "--user", getpass.getuser())
        wait_for(lambda: not self.command("squeue", "--noheader"), told=self.logs)

    def kill_node(self):
        """Kill the node's daemon and the jobs on it, as if it lost its power."""
        slurmd = self._processes.pop("slurmd")
        steps = children(slurmd.pid)
        for process in [slurmd.pid, *steps]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, 9)
        slurmd.wait()
        # Slurm finds out by itself, after half a minute.
        self.command("scontrol", "update", f"NodeName={self.host}", "State=DOWN", "Reason=dead")

    def _start(self, name, *arguments):
        with open(self.folder / f"{name}.log", "ab") as log:
            self._processes[name] = subprocess.Popen(
                [shutil.which(name, path=PATH), *map(str, arguments)],
                stdout=log, stderr=log, env={**os.environ, **self.environment},
            )  # fmt: skip

    @property
    def environment(self):
        return {"SLURM_CONF": str(self.configuration)}

    def command(self, *words):
        environment = {**os.environ, **self.environment}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        return done.stdout.strip()

    def logs(self):
        """Return the ends of what the daemons wrote."""
        return {path.name: path.read_text()[-2000:] for path in self.folder.glob("*.log")}

    def __exit__(self, *error):
        self.command("scancel", "--user", getpass.getuser())
        for process in reversed(self._processes.values()):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def children(pid):
    """Return the descendants of a process: its job steps have left its group."""
    found, parents = [], {pid}
    table = subprocess.check_output(["ps", "-eo", "pid=,ppid="], text=True)
    pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
    while new := [child for child, parent in pairs if parent in parents and child not in found]:
        found += new
        parents = set(new)
    return found
