"""Trained models in selections: what their libraries say, and what is told before a run."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import flavorframe as ff
from flavorframe._models import evaluator, model as held
from flavorframe.errors import ModelError
from support import agreement, oracle

from .conftest import INPUTS, LIBRARIES, logistic, of_logistic, training

events = ff.events()
t, muon = events.triplet, events.muon
INPUTS_OF_TRIPLETS = (t.mass, t.vertex_chi2, t.mu1.pt)


def run(analysis, file, **options):
    return analysis.run(ff.dataset(str(file)), progress=False, **options)


def scored(score, above=0.4):
    selection = ff.Selection(t).cut("BDT", score > above)
    rows = ff.snapshot(
        **dict(zip(INPUTS, INPUTS_OF_TRIPLETS, strict=True)), score=score, event=events.event
    )
    return ff.Analysis(selection, rows=rows)


def inputs_of(rows):
    return np.column_stack([rows[name] for name in INPUTS])


def test_scores_are_those_of_the_library(trained, small_nano, monkeypatch):
    monkeypatch.setattr(evaluator, "BATCH", 7)
    path, directly = trained
    analysis = scored(ff.model(path)(*INPUTS_OF_TRIPLETS))
    rows = run(analysis, small_nano, threads=2, partition_size=11).rows
    assert 0 < len(rows) < run(ff.Analysis(ff.Selection(t)), small_nano).cutflow[-1].candidates
    np.testing.assert_allclose(rows["score"], directly(inputs_of(rows)), rtol=1e-5)


def test_inputs_that_are_missing_give_a_score_that_is_missing(trained, small_nano):
    score = ff.model(trained[0])(t.mass, muon.at(2).pt, 3)
    rows = ff.snapshot(score=score)
    analysis = ff.Analysis(ff.Selection(t).cut("not rejected", ~(score < 0.4)), rows=rows)
    answer = oracle.evaluate(analysis, oracle.open_file(str(small_nano)))
    found = run(analysis, small_nano)
    agreement.assert_agree(analysis, found, answer)
    assert not np.isnan(found.rows["score"]).any()


def test_one_process_opens_a_model_once_and_its_threads_share_it(trained):
    path, directly = trained
    rows = training()[0]
    called = ff.model(path)(*INPUTS_OF_TRIPLETS).node.model
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: called.compute(list(rows.T)), range(16)))
    assert all(np.array_equal(each, found[0]) for each in found)
    np.testing.assert_allclose(found[0], directly(rows), rtol=1e-5)
    assert called.evaluator is ff.model(path)(*INPUTS_OF_TRIPLETS).node.model.evaluator


def test_objects_are_models_as_their_files_are(trained, small_nano):
    path, _ = trained
    if path.suffix == ".onnx":
        pytest.skip("ONNX has files alone")
    given = reread(path)
    rows = run(scored(ff.model(given)(*INPUTS_OF_TRIPLETS)), small_nano).rows
    expected = run(scored(ff.model(path)(*INPUTS_OF_TRIPLETS)), small_nano).rows
    np.testing.assert_array_equal(rows["score"], expected["score"])


def reread(path):
    if path.suffix == ".json":
        import xgboost

        return xgboost.Booster(model_file=path)
    if path.suffix == ".txt":
        import lightgbm

        return lightgbm.Booster(model_file=path)
    import joblib

    return joblib.load(path)


def test_trees_after_an_early_stop_do_not_count(small_nano):
    xgboost = pytest.importorskip("xgboost")
    inputs, classes = training()
    blurred = np.where(np.arange(len(classes)) % 6, classes, 1 - classes)
    data, noise = xgboost.DMatrix(inputs, classes), xgboost.DMatrix(inputs, blurred)
    booster = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1}, data, 30, evals=[(noise, "noise")],
        early_stopping_rounds=5, verbose_eval=False,
    )  # fmt: skip
    assert 1 < booster.best_iteration + 1 < booster.num_boosted_rounds()
    found = ff.model(booster)(*INPUTS_OF_TRIPLETS).node.model.compute(list(inputs.T))
    trees = (0, booster.best_iteration + 1)
    np.testing.assert_array_equal(found, booster.predict(data, iteration_range=trees))


def test_variations_of_an_input_are_runs_with_the_shifted_input(trained, small_nano):
    model = ff.model(trained[0])

    def scores_of(chi2):
        score = model(t.mass, chi2, t.mu1.pt)
        selection = ff.Selection(t).cut("BDT", score > 0.4)
        return run(
            ff.Analysis(selection, score=ff.hist(score, bins=5, range=(0, 1))), small_nano
        ).score

    chi2 = t.vertex_chi2
    together = scores_of(ff.vary("scale", chi2, up=2 * chi2, down=chi2 / 2))
    for variation, shifted in {
        "nominal": chi2,
        "scale up": 2 * chi2,
        "scale down": chi2 / 2,
    }.items():
        alone = scores_of(shifted)
        np.testing.assert_array_equal(together[variation, :].view(flow=True), alone.view(flow=True))
    assert together["scale up", :] != together["nominal", :]


# Inputs and outputs


@pytest.fixture
def named(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "bdt.onnx").write_bytes(logistic(INPUTS))
    return ff.model(tmp_path / "bdt.onnx")


def test_inputs_by_name(named, small_nano):
    score = named(chi2=t.vertex_chi2, muon_pt=t.mu1.pt, mass=t.mass)
    assert score.formula == (
        "bdt(mass = triplet.mass, chi2 = triplet.vertex_chi2, muon_pt = triplet.mu1.pt)"
    )
    assert score.node is named(*INPUTS_OF_TRIPLETS).node
    rows = run(scored(score), small_nano).rows
    np.testing.assert_allclose(rows["score"], of_logistic(inputs_of(rows)), rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "by_name", "message"),
    [
        ((t.mass,), {"chi": t.mass}, "no input 'chi'. Did you mean 'chi2'"),
        ((t.mass,), {"mass": t.mass}, "'mass' is given twice"),
        ((t.mass,), {"chi2": t.mass}, "takes 3 inputs, not 2. muon_pt is missing"),
        ((t.mass,) * 4, {}, "takes 3 inputs, not 4"),
        ((1, 2, 3), {}, "at least one input must be an expression"),
    ],
)
def test_inputs_are_checked_where_they_are_written(named, given, by_name, message):
    with pytest.raises(ModelError, match=message):
        named(*given, **by_name)


def test_a_model_without_names_takes_none(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "bdt.onnx").write_bytes(logistic())
    with pytest.raises(ModelError, match="no names for its inputs; give the 3 in the order"):
        ff.model(tmp_path / "bdt.onnx")(mass=t.mass)


def test_which_of_several_outputs(tmp_path, small_nano):
    xgboost = pytest.importorskip("xgboost")
    trained = xgboost.XGBClassifier(n_jobs=1, n_estimators=5).fit(*training(classes=3))
    trained.save_model(tmp_path / "bdt.json")
    with pytest.raises(ModelError, match=r"bdt.json has 3 outputs, 0, 1, 2: say which"):
        ff.model(tmp_path / "bdt.json")
    with pytest.raises(ModelError, match="no output 3: it has 0, 1, 2"):
        ff.model(tmp_path / "bdt.json", output=3)
    score = ff.model(tmp_path / "bdt.json", output=2)(*INPUTS_OF_TRIPLETS)
    assert score.formula.startswith("bdt[2](")
    rows = run(scored(score, above=0), small_nano).rows
    np.testing.assert_array_equal(rows["score"], trained.predict_proba(inputs_of(rows))[:, 2])


def test_outputs_by_name(tmp_path):
    sklearn = pytest.importorskip("sklearn.ensemble")
    inputs, classes = training()
    names = np.array(["combinatorial", "tau"])[classes]
    model = sklearn.RandomForestClassifier(5, n_jobs=2).fit(inputs, names)
    found = ff.model(model, output="combinatorial")(*INPUTS_OF_TRIPLETS).node.model
    np.testing.assert_array_equal(found.compute(list(inputs.T)), model.predict_proba(inputs)[:, 0])
    with pytest.raises(ModelError, match="no output 'Tau'.* Did you mean 'tau'"):
        ff.model(model, output="Tau")


def test_what_scikit_learn_says_where_it_gives_no_probability():
    linear = pytest.importorskip("sklearn.linear_model")
    inputs, classes = training(classes=3)
    classifier = linear.RidgeClassifier().fit(inputs, classes)
    regression = linear.LinearRegression().fit(inputs, classes)
    with pytest.raises(ModelError, match="has 3 outputs, 0, 1, 2"):
        ff.model(classifier)
    for model, output, expected in [
        (classifier, 2, classifier.decision_function(inputs)[:, 2]),
        (regression, None, regression.predict(inputs)),
    ]:
        found = ff.model(model, output=output)(*INPUTS_OF_TRIPLETS).node.model
        np.testing.assert_array_equal(found.compute(list(inputs.T)), expected)


def test_a_pickle_of_another_library_is_told(tmp_path):
    xgboost, joblib = pytest.importorskip("xgboost"), pytest.importorskip("joblib")
    joblib.dump(xgboost.XGBClassifier(n_jobs=1).fit(*training()), tmp_path / "bdt.pkl")
    with pytest.raises(ModelError, match="bdt.pkl has a model of xgboost in it: save it in"):
        ff.model(tmp_path / "bdt.pkl")


def test_names_of_a_table_that_scikit_learn_was_trained_on():
    sklearn = pytest.importorskip("sklearn.linear_model")
    inputs, classes = training()
    model = sklearn.LogisticRegression().fit(inputs, classes)
    model.feature_names_in_ = np.array(INPUTS, object)  # as fit() does for a table
    score = ff.model(model)(mass=t.mass, chi2=t.vertex_chi2, muon_pt=t.mu1.pt)
    del model.feature_names_in_
    expected = model.predict_proba(inputs)[:, 1]
    np.testing.assert_array_equal(score.node.model.compute(list(inputs.T)), expected)


def test_what_the_library_does_not_take_is_told_with_the_input(small_nano):
    sklearn = pytest.importorskip("sklearn.linear_model")
    score = ff.model(sklearn.LogisticRegression().fit(*training()))(t.mass, ff.log(-t.mass), 3)
    with pytest.raises(
        ModelError, match=r"LogisticRegression.*Input 2 is NaN.* scikit-learn .*NaN"
    ):
        run(ff.Analysis(ff.Selection(t).cut("BDT", score > 0.5)), small_nano)


# Files


def test_files_that_are_no_models(tmp_path):
    for name, message in [
        ("none.onnx", "cannot be read: No such file"),
        ("bdt.h5", "known by the end of its name: .onnx, .xml"),
        ("bdt.onnx", "cannot be read as a model of ONNX"),
    ]:
        if name.startswith("bdt"):
            (tmp_path / name).write_text("nothing")
        with pytest.raises(ModelError, match=message):
            ff.model(tmp_path / name)
    with pytest.raises(ModelError, match="takes a file, or a trained model of XGBoost.*not 3"):
        ff.model(3)
    for given, fold in [(["a.onnx"], None), ("a.onnx", events.event % 1), ([], events.event % 1)]:
        with pytest.raises(ModelError, match="takes a list of models together with fold="):
            ff.model(given, fold=fold)


def test_objects_that_were_not_trained():
    xgboost = pytest.importorskip("xgboost")
    with pytest.raises(ModelError, match="cannot take XGBClassifier: need to call fit"):
        ff.model(xgboost.XGBClassifier())


def test_a_changed_file_is_another_model(tmp_path, small_nano):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "bdt.onnx"

    def analysis(content):
        path.write_bytes(content)
        return scored(ff.model(path)(*INPUTS_OF_TRIPLETS))

    first = analysis(logistic())
    again = analysis(logistic())
    changed = analysis(logistic(INPUTS))
    assert first.plan.digest == again.plan.digest != changed.plan.digest
    held._opened.cache_clear()
    with pytest.raises(ModelError, match="another file than when ff.model"):
        run(first, small_nano)


def test_another_version_of_the_library_is_refused(tmp_path, small_nano, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    (tmp_path / "bdt.onnx").write_bytes(logistic())
    analysis = scored(ff.model(tmp_path / "bdt.onnx")(*INPUTS_OF_TRIPLETS))
    held._opened.cache_clear()
    monkeypatch.setattr(onnxruntime, "__version__", "0.1")
    with pytest.raises(ModelError, match=r"opened with onnxruntime .* this process has .* 0\.1"):
        run(analysis, small_nano)


def test_formulas_and_pickles_need_neither_file_nor_library(tmp_path):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "bdt.onnx"
    path.write_bytes(logistic(INPUTS))
    score = ff.model(path)(*INPUTS_OF_TRIPLETS)
    content = pickle.dumps(score)
    assert pickle.loads(content) is score
    path.unlink()
    code = f"import pickle; print(pickle.loads({content!r}).formula)"
    program = f"import sys; sys.modules['onnxruntime'] = None; {code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == score.formula, done.stderr


def test_scores_are_kept_in_the_cache(tmp_path, small_nano, monkeypatch):
    pytest.importorskip("onnxruntime")
    (tmp_path / "bdt.onnx").write_bytes(logistic())
    analysis = scored(ff.model(tmp_path / "bdt.onnx")(*INPUTS_OF_TRIPLETS))
    monkeypatch.setattr("flavorframe.engines._columnar.caching.keys.STABLE_SECONDS", 0)
    first = run(analysis, small_nano, cache=tmp_path / "cache").rows
    asked = []
    monkeypatch.setattr(held.Model, "compute", lambda *_: asked.append(1))
    again = run(analysis, small_nano, cache=tmp_path / "cache").rows
    assert not asked
    np.testing.assert_array_equal(first["score"], again["score"])


# Folds


def test_each_event_has_the_model_of_its_fold(tmp_path, small_nano):
    xgboost = pytest.importorskip("xgboost")
    inputs, classes = training()
    models = [
        xgboost.XGBClassifier(n_jobs=1, n_estimators=n).fit(inputs, classes) for n in (2, 4, 8)
    ]
    score = ff.model(models, fold=events.event % 3)(*INPUTS_OF_TRIPLETS)
    rows = run(scored(score, above=0), small_nano).rows
    each = np.array([model.predict_proba(inputs_of(rows))[:, 1] for model in models])
    fold = rows["event"].astype(int) % 3
    assert {*fold} == {0, 1, 2}
    np.testing.assert_array_equal(rows["score"], each[fold, np.arange(len(fold))])


def test_folds_without_a_model(small_nano):
    xgboost = pytest.importorskip("xgboost")
    models = [xgboost.XGBClassifier(n_jobs=1, n_estimators=2).fit(*training())] * 2
    with pytest.raises(ModelError, match="event mod 3 has 3 folds, and there are 2 models"):
        ff.model(models, fold=events.event % 3)
    score = ff.model(models, fold=events.event % 3 + 0)(*INPUTS_OF_TRIPLETS)
    with pytest.raises(ModelError, match="an event is of fold 2, and there are the models of .* 1"):
        run(ff.Analysis(ff.Selection(t).cut("BDT", score > 0)), small_nano)


@pytest.mark.root
def test_the_engine_in_cpp_says_the_same(tmp_path, small_nano):
    for library in ("ROOT", *LIBRARIES):
        pytest.importorskip(library)
    files = [make(tmp_path)[0] for make in LIBRARIES.values()]
    inputs = (t.mass, muon.at(2).pt, t.mu1.pt)
    scores = {f"score{number}": ff.model(file)(*inputs) for number, file in enumerate(files)}
    scores["folds"] = ff.model(files, fold=events.event % len(files))(*inputs)
    selection = ff.Selection(t).cut("BDT", scores["score0"] > 0.4).weight("w", scores["score1"])
    analysis = ff.Analysis(selection, rows=ff.snapshot(**scores, event=events.event))
    expected = run(analysis, small_nano)
    found = run(analysis, small_nano, engine="rdataframe", threads=2)
    assert len(found.rows) > 0
    for name in found.rows:
        np.testing.assert_array_equal(found.rows[name], expected.rows[name])
    assert [row.candidates for row in found.cutflow] == [row.candidates for row in expected.cutflow]


@pytest.mark.root
def test_what_a_library_does_not_take_is_told_by_the_engine_in_cpp(small_nano):
    pytest.importorskip("ROOT")
    sklearn = pytest.importorskip("sklearn.linear_model")
    score = ff.model(sklearn.LogisticRegression().fit(*training()))(t.mass, ff.log(-t.mass), 3)
    analysis = ff.Analysis(ff.Selection(t).cut("BDT", score > 0.5))
    with pytest.raises(
        ModelError, match=r"LogisticRegression.*Input 2 is NaN.* scikit-learn .*NaN"
    ):
        run(analysis, small_nano, engine="rdataframe")
