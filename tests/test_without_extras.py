"""What works with the required packages alone, and what the rest asks for."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe._shipping import user_code
from flavorframe.errors import CorrectionError, ExpressionError, ModelError

ROOT = Path(__file__).parents[1]
OPTIONAL = (
    *("ROOT", "XRootD", "aiohttp", "bokeh", "botocore", "correctionlib", "cryptography", "dask"),
    *("dask_gateway", "dask_jobqueue", "distributed", "formulate", "htcondor2", "lightgbm", "onnx"),
    *("onnxruntime", "pyarrow", "rucio", "s3fs", "sklearn", "sweights", "xgboost"),
)


def test_selecting_fitting_and_reporting_need_no_extra(tmp_path):
    code = f"""
        import sys
        from importlib.machinery import PathFinder

        class Without(PathFinder):
            @classmethod
            def find_spec(cls, name, *arguments):
                absent = name.split(".")[0] in {OPTIONAL}
                return None if absent else super().find_spec(name, *arguments)

        sys.meta_path[:] = [Without if one is PathFinder else one for one in sys.meta_path]

        import flavorframe as ff
        from dsphi import analysis, models

        data = ff.catalog(ff.samples.write("ntuples", eras=["2017B"], fraction=0.01))
        results = analysis.run(data)
        fits = {{era: models["mass"].fit(result.mass) for era, result in results.items()}}
        ff.report.write("report.html", results, fits=fits, analysis=analysis)
        results.save("out")
        assert ff.load("out")["2017B"].events == results["2017B"].events > 0
    """
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env={
            "PYTHONPATH": f"{ROOT / 'examples'}:{ROOT / 'src'}",
            "PATH": "",
            "HOME": str(tmp_path),
        },
        check=True,
        timeout=120,
    )
    assert (tmp_path / "report.html").exists()


def test_without_formulate(monkeypatch):
    monkeypatch.setitem(sys.modules, "formulate", None)
    with pytest.raises(ExpressionError, match=r"^ff.parse needs formulate: run pip install '.*\[p"):
        ff.parse("Mu01_Pt > 3.5")


def test_without_correctionlib(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "correctionlib", None)
    (tmp_path / "weights.json").write_text("{}")
    with pytest.raises(CorrectionError, match=r"^ff.correction needs correctionlib: run pip .*\[c"):
        ff.correction(str(tmp_path / "weights.json"), "weight")


@pytest.mark.parametrize(
    ("package", "file", "install"),
    [
        ("onnxruntime", "bdt.onnx", r"'flavorframe\[models\]'"),
        ("onnxruntime", "bdt.xml", r"'flavorframe\[models\]'"),
        ("xgboost", "bdt.json", "xgboost"),
        ("lightgbm", "bdt.txt", "lightgbm"),
        ("sklearn", "bdt.pkl", "scikit-learn"),
    ],
)
def test_without_the_library_of_a_model(monkeypatch, tmp_path, package, file, install):
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / file).write_text("a model")
    with pytest.raises(
        ModelError, match=f"^ff.model of .*{file} needs .*: run pip install {install}"
    ):
        ff.model(tmp_path / file)


def test_an_environment_without_correctionlib_is_compared_all_the_same(monkeypatch):
    monkeypatch.setattr(user_code, "LIBRARIES", ("numpy", "no-such-package"))
    user_code.environment.cache_clear()
    try:
        assert user_code.environment()["no-such-package"] == "not installed"
    finally:
        user_code.environment.cache_clear()
