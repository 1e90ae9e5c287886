"""Dask clusters of batch jobs: on a real Slurm, and HTCondor's description under its parser."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

import flavorframe as ff
from flavorframe.errors import RunError
from support.analyses import assert_same_bits, weighted

LOOPBACK = {
    "interface": "lo", "scheduler_options": {"host": "127.0.0.1", "dashboard_address": ":0"},
}  # fmt: skip


def test_a_run_on_slurm_workers(slurm, data, tmp_path):
    site = replace(slurm(), time="00:30:00", setup="export FROM=setup", folder=tmp_path)
    with site.cluster(workers=2, **LOOPBACK) as cluster:
        assert cluster.scheduler_address.startswith("tls://127.0.0.1")
        result = weighted().run(data, on=cluster, partition_size=20, progress=False)
        with cluster.get_client() as client:
            client.wait_for_workers(1, timeout=60)
            assert set(client.run(os.getenv, "FROM").values()) == {"setup"}
    assert_same_bits(result, weighted().run(data, progress=False))


def test_a_folder_that_dask_jobqueue_cannot_use(slurm):
    with pytest.raises(RunError, match="cannot use folder .*give folder= without blanks"):
        slurm().cluster(workers=1)


def test_the_job_script_of_htcondor_workers(tmp_path):
    htcondor2 = pytest.importorskip("htcondor2", reason="HTCondor's bindings are not installed")
    site = ff.HTCondor(
        cores=2, memory="3GiB", disk="5GiB", time="02:00:00", flavour="longlunch",
        setup=["source /cvmfs/setup.sh"], options={"requirements": "(OpSysMajorVer =?= 9)"},
        folder=tmp_path,
    )  # fmt: skip
    with site.cluster(**LOOPBACK) as cluster:
        submit = htcondor2.Submit(cluster.job_script())
    assert submit["MY.DaskWorkerCores"] == "2"
    assert submit["MY.DaskWorkerMemory"] == str(3 * 2**30)
    assert submit["MY.DaskWorkerDisk"] == str(5 * 2**30)
    assert submit["MY.MaxRuntime"] == "7200"
    assert submit["requirements"] == "(OpSysMajorVer =?= 9)"
    assert "source /cvmfs/setup.sh; " in submit["arguments"]
    assert "--lifetime 6480s" in submit["arguments"]


def test_interrupts_stay_what_they_are():
    code = (
        "import signal; from flavorframe._run.batch import dask_cluster as ours\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "ours._jobqueue()\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
