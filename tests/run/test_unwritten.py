"""Outputs that cannot be written: the others are given, and the loss is told as a file's is."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

import flavorframe as ff
from flavorframe.errors import AnalysisError, OutputError

t = ff.events().triplet
LIMIT = 80_000
"""Bytes in a file, which stand for a full disk."""


@pytest.fixture
def full_disk():
    """Have the system refuse to write more than so many bytes to a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def analysis(**where):
    return ff.Analysis(
        ff.Selection(t).cut("m", t.mass > 1.0),
        mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)),
        rows=ff.snapshot(t.mass, t.vertex_chi2, ff.events().event, **where),
        few=ff.snapshot(t.mass, path=where["path"].with_name("few.root")),
    )


@pytest.mark.parametrize(
    ("name", "format", "count"),
    [("rows.root", "ttree", 1), ("rows.root", "rntuple", 1), ("rows.parquet", "parquet", 1),
     ("rows.root", "ttree", 3)],
)  # fmt: skip
def test_a_full_disk(files, tmp_path, full_disk, name, format, count):
    path = tmp_path / name
    an = analysis(path=path, format=format, files=count)
    dataset = ff.dataset(files, luminosity=6.0)
    result = an.run(dataset, progress=False, partition_size=1500)
    full_disk()
    assert not result.failures
    assert not result.is_complete
    assert set(result.unwritten) == {"rows"}
    assert f"cannot write {name} in folder {tmp_path}: File too large" in result.unwritten["rows"]
    assert "PARTIAL, without rows" in repr(result)
    assert "rows was not written: cannot write" in repr(result)
    with pytest.raises(AnalysisError, match="Output 'rows' was not written: cannot write"):
        result["rows"]
    assert sorted(os.listdir(tmp_path)) == ["few.root", "few.root.manifest.json"]
    whole = an.run(dataset, progress=False)
    assert (result.cutflow, result.mass) == (whole.cutflow, whole.mass)
    assert len(result.few) == len(whole.few)
    completed = result.resume(progress=False)
    assert completed.is_complete
    assert len(completed.rows) == len(whole.rows)


def test_what_was_there_stays(files, tmp_path):
    path = tmp_path / "rows.root"
    analysis(path=path).run(ff.dataset(files[0]), progress=False)
    before = {
        name: (tmp_path / name).read_bytes() for name in ("rows.root", "rows.root.manifest.json")
    }
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, limit[1]))
    try:
        result = analysis(path=path).run(ff.dataset(files), progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert set(result.unwritten) == {"rows"}
    assert before == {name: (tmp_path / name).read_bytes() for name in before}


def test_raised_where_that_is_asked_for(files, tmp_path, full_disk):
    with pytest.raises(OutputError, match="File too large"):
        analysis(path=tmp_path / "rows.root").run(
            ff.dataset(files), progress=False, on_error="raise"
        )
    assert os.listdir(tmp_path) == []


def test_the_folder_is_removed(files, tmp_path):
    out = tmp_path / "out"

    @ff.function
    def removing(mass):
        shutil.rmtree(out, ignore_errors=True)
        return mass

    an = ff.Analysis(
        ff.Selection(t).cut("m", removing(t.mass) > 1.0),
        mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)),
        rows=ff.snapshot(t.mass),
    )
    result = an.run(ff.dataset(files, name="X"), progress=False, output=out)
    assert "rows" in result.unwritten
    assert not result.is_complete
    whole = analysis(path=tmp_path / "rows.root").run(ff.dataset(files), progress=False)
    assert result.mass == whole.mass


def test_a_result_that_cannot_be_saved(files, tmp_path):
    """The disk is full when the histograms are written: the rows are kept, and no other result."""
    out = tmp_path / "out"
    big = ff.Analysis(
        ff.Selection(t),
        mass=ff.hist(t.mass, bins=200_000, range=(1.6, 2.1)),
        rows=ff.snapshot(t.mass),
    )
    big.run(ff.dataset(files[0], name="X"), progress=False, output=out)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limit[1]))
    try:
        result = big.run(ff.dataset(files[:2], name="X"), progress=False, output=out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert list(result.unwritten) == [str(out / "X")]
    assert not result.is_complete
    assert sorted(os.listdir(out / "X")) == ["rows.root", "rows.root.manifest.json"]
    manifest = json.loads((out / "X" / "rows.root.manifest.json").read_text())
    assert manifest["rows"] == len(result.rows)
    completed = result.resume(progress=False)
    assert completed.is_complete
    assert completed.mass == result.mass
    assert ff.load(out)["X"].mass == result.mass


SCRIPT = """
import flavorframe as ff
t = ff.events().triplet
analysis = ff.Analysis(
    ff.Selection(t), mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)), rows=ff.snapshot(t.mass)
)
"""


def test_on_the_command_line(files, tmp_path):
    script = tmp_path / "analysis.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "flavorframe", "run", str(script), *files]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = subprocess.run(
        [*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False,
        preexec_fn=limit, timeout=120,
    )  # fmt: skip
    assert done.returncode == 3
    assert "candidates selected" in done.stdout
    assert "PARTIAL, without rows" in done.stdout
    assert "there is no report" in done.stderr
