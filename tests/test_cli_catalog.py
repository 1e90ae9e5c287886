"""Catalogues that are made: of globs and lists, and of what DAS and Rucio answer."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import types

import pytest
from typer.testing import CliRunner

import flavorframe as ff
from flavorframe._cli.main import app
from flavorframe.errors import DatasetError, FileError, FlavorframeError
from support.rucio_server import Rucio, replica

DATA = "/DoubleMuonLowMass/Run2017C-UL2017_MiniAODv2-v1/MINIAOD"
SIMULATION = "/DsToPhiPi_TuneCP5/RunIISummer20UL17NanoAODv9-v2/NANOAODSIM"
AAA = "root://cms-xrd-global.cern.ch//store"


def make(path, *arguments):
    """Return the catalogue that a call leaves, as JSON."""
    result = CliRunner().invoke(app, ["catalog", "make", str(path), *map(str, arguments)])
    if isinstance(result.exception, FlavorframeError):
        raise result.exception
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Catalog '{path}':")
    return json.loads(path.read_text())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "2017.json"


@pytest.fixture
def ntuples(tmp_path):
    """Return a folder of empty files: to list them, none is opened."""
    for name in ("C/0000/b.root", "C/0001/a.root", "D/a.root"):
        (tmp_path / "skim" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "skim" / name).touch()
    return tmp_path / "skim"


def test_of_globs(path, ntuples):
    made = make(
        path, "--era", f"C={ntuples}/C/*/*.root", "--era", f"D={ntuples}/D", "--tree", "Events",
        "--luminosity", "C=9.57", "--simulation", "D", "--cross-section", "D=1.2e3",
    )  # fmt: skip
    files = [f"{ntuples}/C/0000/b.root", f"{ntuples}/C/0001/a.root"]
    assert made["C"] == {"type": "data", "files": files, "treename": "Events", "lumi": 9.57}
    eras = ff.catalog(path)
    assert (eras["C"].luminosity, eras["C"].tree, eras["C"].files) == (9.57, "Events", tuple(files))
    assert (eras["D"].kind, eras["D"].meta["cross_section"]) == ("simulation", 1200)


def test_of_a_name_twice(path, ntuples):
    globs = [f"--era=C={ntuples}/C/{number}/*.root" for number in ("0001", "0000")]
    assert len(make(path, *globs)["C"]["files"]) == 2


def test_of_a_tree_that_is_named(path, ntuples):
    made = make(path, "--era", f"C={ntuples}/C/*/*.root:Events", "--era", f"D={ntuples}/D")
    assert made["C"]["treename"] == "Events"
    assert "treename" not in made["D"]
    again = ["--replace", "--era", f"C={ntuples}/C/*/*.root:Events"]
    with pytest.raises(DatasetError, match="one tree, and these are named: Events for .*none for"):
        make(path, *again, "--era", f"C={ntuples}/D")
    with pytest.raises(DatasetError, match="Other for all"):
        make(path, *again, "--tree", "Other")


def test_of_lists(path, ntuples, tmp_path):
    listed = tmp_path / "files.txt"
    listed.write_text(
        f"# of C\n\nroot://h//x.root  root://g//x.root # two places\n{ntuples}/D/a.root\n"
    )
    files = [["root://h//x.root", "root://g//x.root"], f"{ntuples}/D/a.root"]
    assert make(path, "--list", f"C={listed}")["C"]["files"] == files
    assert ff.catalog(path)["C"].replicas == (tuple(files[0]),)
    command = ["catalog", "make", str(path), "--replace", "--list", "C=-"]
    assert CliRunner().invoke(app, command, input="root://h//y.root\n").exit_code == 0
    assert ff.catalog(path)["C"].files == ("root://h//y.root",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --era, --list, --das or --rucio"),
        (["--era", "skim/*.root"], r"give the era's name first, as --era NAME=skim/\*\.root"),
        (["--era", "https://h/a.root?x=1"], "give the era's name first"),
        (["--era", "C=none/*.root"], "no file matches .*none"),
        (["--era", "C=skim/D", "--luminosity", "c=3"], "no era 'c'. Did you mean 'C'"),
        (["--era", "C=skim/D", "--luminosity", "C=much"], "'much' is not a number"),
        (["--era", "C=skim/D", "--luminosity", "C=-1"], "era 'C', key 'lumi'"),
        (["--era", "C=skim/D", "--simulation", "X"], "--simulation: there is no era 'X'"),
        (["--era", "C=skim/D", "--cross-section", "C=3"], "belongs to simulation"),
        (["--era", "C=skim/D", "--era", "D=skim/D/a.root"], r"D/a\.root is listed 2 times"),
        (["--era", "C=skim/D", "--server", "root://h/"], "--server is about --das"),
        (["--era", "C=skim/D", "--rse", "T2"], "--rse is about --rucio"),
        (["--list", "C=none.txt"], "none.txt cannot be read: No such file"),
        (["--list", "C=empty.txt"], "empty.txt lists no file"),
        (["--das", "Charmonium"], "named /PRIMARY/ERA-PROCESSING-VERSION/TIER"),
        (["--rucio", "/Charmonium/x/y"], "named SCOPE:NAME"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_written(path, ntuples, monkeypatch, arguments, message):
    monkeypatch.chdir(ntuples.parent)
    (ntuples.parent / "empty.txt").write_text("# nothing\n")
    with pytest.raises(DatasetError, match=message):
        make(path, *arguments)
    assert not path.exists()


def test_what_is_there_is_replaced_only_if_asked_for(path, ntuples):
    path.write_text("{}")
    with pytest.raises(DatasetError, match="is there already: give --replace"):
        make(path, "--era", f"D={ntuples}/D")
    assert path.read_text() == "{}"
    assert list(make(path, "--era", f"D={ntuples}/D", "--replace")) == ["D"]


# DAS


def record(name, events=100, **changes):
    """Return a file as dasgoclient tells it."""
    das = {"expire": 1744035502, "instance": "prod/global", "primary_key": "file.name",
           "record": 1, "services": ["dbs3:files"]}  # fmt: skip
    file = {"adler32": "85bc6977", "block_name": f"{DATA}#7d06", "check_sum": "3566413521",
            "dataset": DATA, "is_file_valid": 1, "md5": None, "name": f"/store/{name}",
            "nevents": events, "size": 3776716506, "type": "EDM", **changes}  # fmt: skip
    return {"das": das, "file": [file], "qhash": "60f0caf6313aa766d4917ef60cc543c6"}


@pytest.fixture
def das(tmp_path, monkeypatch):
    """Return a function that has a program in the place of dasgoclient answer, and what it got."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def answer(*records, said="", code=0):
        lines = " ,\n".join(json.dumps(each) for each in records)
        (folder / "answer").write_text(said or f"[\n{lines}\n]\n")
        program = folder / "dasgoclient"
        program.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/asked\ncat {folder}/answer\nexit {code}\n'
        )
        program.chmod(0o755)
        return folder / "asked"

    return answer


def test_of_das(path, das):
    asked = das(record("data/b.root"), record("data/a.root"), record("data/a.root"),
                record("data/invalid.root", is_file_valid=0))  # fmt: skip
    made = make(path, "--das", DATA, "--luminosity", "Run2017C=9.57")
    assert made == {
        "Run2017C": {
            "type": "data", "files": [f"{AAA}/data/a.root", f"{AAA}/data/b.root"], "lumi": 9.57,
            "das": DATA,
        }
    }  # fmt: skip
    query = ["-query", f"file dataset={DATA}", "-json", "-limit", "0"]
    assert asked.read_text().splitlines() == query
    assert ff.catalog(path)["Run2017C"].meta == {"das": DATA}


def test_of_das_with_a_name_and_servers(path, das):
    das(record("mc/a.root", 100.0), record("mc/b.root", 50))
    servers = [f"--server=root://{host}/" for host in ("near", "far")]
    made = make(path, "--das", f"Ds={SIMULATION}", *servers)["Ds"]
    assert (made["type"], made["generated_events"]) == ("mc", 150)
    assert made["files"][0] == ["root://near//store/mc/a.root", "root://far//store/mc/a.root"]
    das(record("mc/a.root", None))
    made = make(path, "--das", SIMULATION, "--replace")["DsToPhiPi_TuneCP5"]
    assert "generated_events" not in made


def test_of_a_user(path, das):
    user = "/Charmonium/me-Run2017C-0f1e/USER"
    asked = das(record("user/a.root"))
    make(path, "--das", f"C={user}")
    assert asked.read_text().splitlines()[1] == f"file dataset={user} instance=prod/phys03"


def test_what_das_does_not_give(path, das, monkeypatch):
    das()
    with pytest.raises(DatasetError, match=f"--das {DATA}: DAS knows no valid file"):
        make(path, "--das", DATA)
    das(said="ERROR: das exit with code: 105 , error: unable\n to parse", code=105)
    with pytest.raises(FileError, match=r"failed \(exit code 105\): ERROR: .* unable to parse"):
        make(path, "--das", DATA)
    das(said="Showing only 10 records out of 20")
    with pytest.raises(FileError, match="something else than records: 'Showing only"):
        make(path, "--das", DATA)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileError, match="dasgoclient is not installed: it is in /cvmfs"):
        make(path, "--das", DATA)
    assert not path.exists()


# Rucio

DID = {"scope": "cms", "name": DATA}
REPLICAS = [
    replica("/store/b.root", T1=("root://tape:1094//store/b.root", "TAPE", 1),
            T3=("davs://far:443/store/b.root", "DISK", 3),
            T2=("root://near:1094//store/b.root", "DISK", 2)),
    replica("/store/a.root", T2=("root://near:1094//store/a.root", "DISK", 1)),
]  # fmt: skip
PLACES = [
    "root://near//store/a.root",
    ["root://near//store/b.root", "https://far/store/b.root", "root://tape//store/b.root"],
]


@pytest.fixture
def rucio(monkeypatch):
    """Return a function that has a client in the place of Rucio's answer, and what it got."""
    asked = []

    def answer(replicas):
        class Client:
            def list_replicas(self, dids, **options):
                asked.append((dids, options))
                if isinstance(replicas, Exception):
                    raise replicas
                yield from replicas

        modules = {"rucio": types.ModuleType("rucio"), "rucio.client": types.ModuleType("client")}
        modules["rucio.client"].Client = Client
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        return asked

    return answer


def test_of_rucio(path, rucio):
    asked = rucio(REPLICAS)
    made = make(path, "--rucio", f"cms:{DATA}", "--rse", "tier=2")
    expected = {"type": "data", "files": PLACES, "rucio": f"cms:{DATA}"}
    assert made == {"Run2017C": expected}
    ((dids, options),) = asked
    assert dids == [DID]
    assert options["rse_expression"] == "tier=2"
    assert ff.catalog(path)["Run2017C"].replicas == (tuple(PLACES[1]),)


def test_what_rucio_does_not_give(path, rucio, monkeypatch):
    rucio([])
    with pytest.raises(DatasetError, match="Rucio knows no file of it"):
        make(path, "--rucio", "belle:/belle/MC")
    rucio([*REPLICAS, replica("/store/lost.root")])
    with pytest.raises(DatasetError, match=r"1 of 3 files have no replica .*: /store/lost\.root\."):
        make(path, "--rucio", f"cms:{DATA}")
    rucio(RuntimeError("cannot authenticate"))
    with pytest.raises(FileError, match=r"--rucio cms:.*: cannot authenticate \(RuntimeError\)"):
        make(path, "--rucio", f"cms:{DATA}")
    monkeypatch.setitem(sys.modules, "rucio.client", None)
    with pytest.raises(FileError, match=r"rucio-clients: run pip install 'flavorframe\[rucio\]'"):
        make(path, "--rucio", f"cms:{DATA}")


@pytest.mark.skipif(not importlib.util.find_spec("rucio"), reason="rucio-clients is not installed")
def test_by_the_client_of_rucio(path, tmp_path):
    command = [sys.executable, "-m", "flavorframe", "catalog", "make", str(path), "--rucio"]
    with contextlib.closing(Rucio(tmp_path, DID, REPLICAS)) as server:
        environment = {**os.environ, "RUCIO_CONFIG": str(server.config)}

        def call(did):
            return subprocess.run(
                [*command, did], env=environment, capture_output=True, text=True, check=False
            )

        done = call(f"cms:{DATA}")
        assert done.returncode == 0, done.stderr
        assert json.loads(path.read_text())["Run2017C"]["files"] == PLACES
        ((address, token, wanted),) = server.asked
        assert (address, token) == ("/replicas/list", "a-token")
        assert (wanted["sort"], wanted["schemes"][0]) == ("geoip", "root")
        missing = call("cms:/A/B/C")
    assert missing.returncode == 1
    assert "FileError: --rucio cms:/A/B/C: Data identifier not found" in missing.stderr
