"""Memory is bounded by the partitions in flight, not by the data."""

import shutil
import subprocess
import sys

from flavorframe import samples

CODE = """
import re, sys
import flavorframe as ff
t = ff.events().triplet
analysis = ff.Analysis(
    ff.Selection(t).cut("mass", t.mass > 1.62).cut("ID", t.mu1.is_global & t.mu2.is_global),
    mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)),
    rows=ff.snapshot(t.mass, path=sys.argv[1]),
)
result = analysis.run(ff.dataset(sys.argv[2:]), progress=False)
with open("/proc/self/status") as status:  # ru_maxrss would count the parent's memory
    print(result.events, int(re.search("VmHWM:[^0-9]*([0-9]+)", status.read())[1]) / 2**20)
"""


def peak(output, files):
    """Return the events read, and the peak memory of a new process that reads them [GiB]."""
    command = [sys.executable, "-c", CODE, str(output), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    events, memory = done.stdout.split()
    return int(events), float(memory)


def test_ten_times_the_data_takes_no_more_memory(tmp_path):
    file = samples.write_file(tmp_path / "one.root", events=samples.chunks(60_000))
    names = [tmp_path / f"{i}.root" for i in range(10)]
    for name in names:
        shutil.copy(file, name)
    (few, small), (many, large) = (peak(tmp_path / "rows.root", x) for x in ([file], names))
    assert (few, many) == (60_000, 600_000)
    assert large < 1.2 * small + 0.05
    assert large < 1.0
