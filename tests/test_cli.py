"""The command line: what it prints, what it leaves, and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import uproot
from typer.testing import CliRunner

import flavorframe
from flavorframe import samples
from flavorframe._cache import Store
from flavorframe._cli.main import app, main
from flavorframe._cli.output import INVALID_FIT, PARTIAL
from flavorframe._cli.script import load_script, with_variations
from flavorframe.errors import FlavorframeError

SCRIPT = '''"""The text of the analysis."""
import flavorframe as ff

t = ff.events().triplet
analysis = ff.Analysis(
    ff.Selection(t).cut("window", t.mass.between(1.65, 2.01)),
    mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01), label="m [GeV]"),
    rows=ff.snapshot(t.mass),
)
'''


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return samples.write(tmp_path_factory.mktemp("sample"), eras=("2017B", "2017D"), fraction=0.002)


def test_cache_is_shown_and_cleared(tmp_path):
    Store(tmp_path).put("ab" * 32, bytes(2_000_000))
    runner = CliRunner()
    shown = runner.invoke(app, ["cache", "--folder", str(tmp_path)])
    assert shown.output == f"1 entry, 2.0 MB in {tmp_path}\n"
    cleared = runner.invoke(app, ["cache", "clear", "--folder", str(tmp_path)])
    assert cleared.output.startswith("cleared: 1 entry, 2.0 MB")
    shown = runner.invoke(app, ["cache"], env={"FLAVORFRAME_CACHE": str(tmp_path)})
    assert shown.output == f"0 entries, 0.0 MB in {tmp_path}\n"


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "analysis.py"
    path.write_text(SCRIPT)
    return path


def call(*arguments, code=0):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(result.exception, FlavorframeError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def test_run_leaves_results_snapshot_and_report(sample, script, tmp_path):
    out = tmp_path / "out"
    printed = call("run", script, "--catalog", sample, "--era", "2017B", "--output", out)
    assert "2017B: 2,880 events" in printed
    assert "The text of the analysis" in (out / "report.html").read_text()
    assert uproot.open(out / "2017B" / "rows.root")["candidates"].num_entries > 0


def test_run_prints_json_for_machines(sample, script, tmp_path):
    printed = call("run", script, "--catalog", sample, "--output", tmp_path / "out", "--json")
    content = json.loads(printed)
    assert set(content) == {"2017B", "2017D"}
    assert content["2017B"]["cutflow"][1]["name"] == "window"


def test_run_on_files_and_partial_results(sample, script, tmp_path):
    file = next(sample.parent.rglob("*.root"))
    arguments = ("run", script, file, tmp_path / "none.root", "--output", tmp_path / "out")
    printed = call(*arguments, code=PARTIAL)
    assert "1 of 2 files could not be read" in printed


@pytest.mark.slow
def test_fit_and_report_of_saved_results(sample, script, tmp_path):
    out = tmp_path / "out"
    call("run", script, "--catalog", sample, "--output", out)
    result = CliRunner().invoke(app, ["fit", str(out)])
    assert result.exit_code in (0, INVALID_FIT)
    assert (out / "2017B" / "mass_fit.png").stat().st_size > 10_000
    (out / "report.html").unlink()
    assert call("report", out, "--script", script).strip() == str(out / "report.html")
    assert (out / "report.html").exists()


def test_an_invalid_fit_has_its_own_exit_code(sample, script, tmp_path):
    script.write_text(SCRIPT + '\nmodels = {"mass": ff.fit.dsphi()}\n')
    file = next(sample.parent.rglob("*.root"))
    script.write_text(script.read_text().replace("1.65, 2.01))", "1.65, 1.70))"))
    printed = call("run", script, file, "--output", tmp_path / "out", code=INVALID_FIT)
    assert "NOT VALID" in printed.upper()


REGIONS = '''"""Two regions."""
import flavorframe as ff

t = ff.events().triplet
pt = ff.vary("scale", t.pt, up=1.05 * t.pt, down=0.95 * t.pt)
mass = ff.hist(t.mass, bins=62, range=(1.65, 2.01), label="m [GeV]")
base = ff.Selection(t).weight("sf", ff.vary("sf", 0.9, up=0.95))
halves = ff.categories(barrel=abs(t.eta) < 1.2, endcap=abs(t.eta) >= 1.2)
analysis = ff.Analysis(
    signal=ff.Region(base.cut("pt", pt > 12), by=halves, mass=mass),
    control=ff.Region(base.cut("pt", pt < 12), mass=mass),
)
'''


def test_regions_are_run_and_fitted_with_the_variations_that_are_wanted(sample, script, tmp_path):
    models = "{'signal.mass.barrel': ff.fit.dsphi(), 'control.mass': ff.fit.dsphi()}"
    script.write_text(f"{REGIONS}\nmodels = {models}\n")
    out, file = tmp_path / "out", next(sample.parent.rglob("*.root"))
    arguments = ("run", script, file, "--output", out, "--variations", "sf", "--json")
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code in (0, INVALID_FIT)
    assert set(json.loads(result.stdout)["files"]["fits"]) == {"signal", "control"}
    axes = flavorframe.load(out)["files"].signal.mass.axes
    assert next(list(axis) for axis in axes) == ["nominal", "sf up"]
    assert '<section id="region-control">' in (out / "report.html").read_text()
    with pytest.raises(FlavorframeError, match=r"'mass' to fit.* signal\.mass\.barrel"):
        call("fit", out)


def test_variations_of_a_file_are_chosen(script):
    script.write_text(REGIONS)
    loaded = load_script(script)

    def labels(*names):
        return [each.label for each in with_variations(loaded, names).analysis.plan.variations]

    assert labels("all") == ["sf up", "scale up", "scale down"]
    assert labels("scale up", "sf") == ["sf up", "scale up"]
    assert labels("none") == []
    script.write_text(f"{REGIONS}\nmodels = {{'signal.mass.barrel': 1, 'signal.mass.endcap': 2}}")
    with pytest.raises(FlavorframeError, match=r"'signal.mass.endcap', and .* of region signal"):
        call("run", script, "x.root")
    with pytest.raises(FlavorframeError, match=r"'scal'. Did you mean 'scale'"):
        call("run", script, "x.root", "--variations", "scal")


def test_sample_and_inspect(tmp_path):
    path = call("sample", tmp_path, "--fraction", "0.0001", "--era", "2017B").strip()
    assert json.loads(Path(path).read_text())["2017B"]["type"] == "data"
    file = next(tmp_path.rglob("*.root"))
    assert "layout nano" in call("inspect", file)
    assert json.loads(call("inspect", file, "--json"))["layout"] == "nano"


def test_a_layout_is_drafted_and_shown(small_nano, tmp_path):
    path = tmp_path / "mine.toml"
    assert f"wrote {path}: edit it" in call("inspect", small_nano, "--write-layout", path)
    shown = call("inspect", small_nano, "--layout", path)
    assert "layout mine (GeV, cm)" in shown
    assert "triplet.mu1 → muon, by triplet_mu1_idx" in shown


def test_sample_in_another_layout(tmp_path):
    arguments = ("--fraction", "0.0001", "--era", "2017B", "--layout", "belle2")
    path = call("sample", tmp_path, *arguments).strip()
    assert json.loads(Path(path).read_text())["2017B"]["treename"] == "variables"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "none.py", "x.root"), "there is no analysis file none.py"),
        (("inspect", "none.root"), "there is no such file"),
        (("fit", "nowhere"), "holds no results"),
    ],
)
def test_errors_are_one_sentence(arguments, message):
    with pytest.raises(FlavorframeError, match=message):
        call(*arguments)


def test_eras_of_any_name_are_fitted_certified_and_reported(sample, script, tmp_path):
    era = json.loads(sample.read_text())["2017B"]
    catalogue = tmp_path / "catalogue.json"
    catalogue.write_text(json.dumps({"2017/B": era, "../../evil": era}))
    where = ("--catalog", catalogue, "--base", sample.parent)
    call("run", script, *where, "--output", tmp_path / "deep" / "out")
    result = CliRunner().invoke(app, ["fit", str(tmp_path / "deep" / "out")])
    assert result.exit_code in (0, INVALID_FIT)
    engines = ("--engines", "columnar,columnar")
    call("certify", script, *where, *engines, "--output", tmp_path / "deep" / "certificates")
    made = {p.name for p in tmp_path.iterdir()} - {"__pycache__"}
    assert made == {"analysis.py", "catalogue.json", "deep"}
    out = {p.name for p in (tmp_path / "deep" / "out" / "2017%2FB").iterdir()}
    assert out >= {"result.json", "rows.root", "mass_fit.png"}
    assert len(list((tmp_path / "deep" / "certificates").iterdir())) == 4


def test_a_tree_and_a_scheme_are_named_with_the_file(sample, script, tmp_path):
    file = next(sample.parent.rglob("*.root"))
    for name in (f"{file}:Events", f"file://{file}"):
        assert "files: " in call("run", script, name, "--output", tmp_path / "out")
        assert "tree Events" in call("inspect", name)
    for name, message in {"": "name is empty", "srm://h/a": "srm:// cannot be read"}.items():
        with pytest.raises(FlavorframeError, match=message):
            call("run", script, name, "--output", tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--era", "2017B"), "--era is about a catalogue"),
        (("--base", "/data"), "--base is about a catalogue"),
        (("--engine", "rdataframe", "--cache"), "engine 'rdataframe' keeps nothing"),
        (("--on", "tcp://127.0.0.1:1", "--threads", 2), "threads=2: the workers of"),
    ],
)
def test_options_that_mean_nothing_are_refused(script, tmp_path, arguments, message):
    with pytest.raises(FlavorframeError, match=message):
        call("run", script, tmp_path / "none.root", "--output", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("{'mas': ff.fit.dsphi()}", "'mas', which is no histogram.*Did you mean 'mass'"),
        ("{'rows': ff.fit.dsphi()}", "'rows', which is no histogram"),
        ("ff.fit.dsphi()", "models should be"),
    ],
)
def test_models_that_cannot_all_be_fitted_are_told_before_the_run(
    sample, script, tmp_path, models, message
):
    call("run", script, "--catalog", sample, "--era", "2017B", "--output", tmp_path / "out")
    script.write_text(f"{SCRIPT}\nmodels = {models}\n")
    with pytest.raises(FlavorframeError, match=message):
        call("run", script, tmp_path / "none.root", "--output", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(FlavorframeError, match=message):
        call("report", tmp_path / "out", "--script", script)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1", "defines no `analysis"),
        ("import flavorframe\n1/0", "analysis.py, line 2: ZeroDivisionError"),
        ("def f(:\n", "line 1: SyntaxError"),
    ],
)
def test_errors_in_the_script_name_the_line(tmp_path, content, message):
    script = tmp_path / "analysis.py"
    script.write_text(content)
    with pytest.raises(FlavorframeError, match=message):
        call("run", script, "x.root")


def test_files_or_catalogue_not_both(script, sample):
    for arguments in (("run", script), ("run", script, "x.root", "--catalog", sample)):
        with pytest.raises(FlavorframeError, match="give either files or --catalog"):
            call(*arguments)


def test_unknown_model_and_era(script, sample, tmp_path):
    with pytest.raises(FlavorframeError, match="2017B"):
        call("run", script, "--catalog", sample, "--era", "2018", "--output", tmp_path / "out")
    call("run", script, "--catalog", sample, "--output", tmp_path / "out")
    with pytest.raises(FlavorframeError, match="Did you mean 'dsphi'"):
        call("fit", tmp_path / "out", "--model", "dsphy")


def test_main_prints_the_error_and_exits_with_one(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["flavorframe", "inspect", "none.root"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "FileError: none.root: there is no such file.\n"


def test_version():
    assert call("--version").strip() == flavorframe.__version__


def test_import_is_quick_and_light():
    code = (
        "import sys, flavorframe; heavy = {'numpy', 'uproot', 'matplotlib', 'numba', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
