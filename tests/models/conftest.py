"""Small trained models of each library, and what the libraries say themselves."""

import numpy as np
import pytest

INPUTS = ("mass", "chi2", "muon_pt")


def training(classes=2):
    rng = np.random.default_rng(5)
    inputs = rng.uniform([1.6, 0, 2], [2.1, 10, 9], (300, 3))
    return inputs, np.digitize(inputs[:, 1] + inputs[:, 2], [10, 14][: classes - 1])


def logistic(names=(), outputs=1):
    """Return a model in ONNX: sigmoid of a sum, of one array or of an array for each name."""
    from onnx import TensorProto, helper

    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, outputs], [0.1, -0.2, 0.05] * outputs)
    steps = [
        helper.make_node("MatMul", ["x", "w"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["score"]),
    ]
    if names:
        steps.insert(0, helper.make_node("Concat", list(names), ["x"], axis=1))
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1 if names else 3])
        for name in names or ["x"]
    ]
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, outputs])
    graph = helper.make_graph(steps, "logistic", given, [score], [weights])
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def of_logistic(rows):
    weights = np.array([0.1, -0.2, 0.05], np.float32)
    return 1 / (1 + np.exp(-(rows.astype(np.float32) @ weights)))


def onnx(folder):
    path = folder / "bdt.onnx"
    path.write_bytes(logistic())
    return path, of_logistic


def xgboost(folder):
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1).fit(*training())
    model.save_model(folder / "bdt.json")
    return folder / "bdt.json", lambda rows: model.predict_proba(rows)[:, 1]


def lightgbm(folder):
    import lightgbm

    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    model = lightgbm.train(settings, lightgbm.Dataset(*training()), 20)
    model.save_model(folder / "bdt.txt")
    return folder / "bdt.txt", model.predict


def sklearn(folder):
    import joblib
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(n_estimators=20).fit(*training())
    joblib.dump(model, folder / "bdt.joblib")
    return folder / "bdt.joblib", lambda rows: model.predict_proba(rows)[:, 1]


LIBRARIES = {"onnxruntime": onnx, "xgboost": xgboost, "lightgbm": lightgbm, "sklearn": sklearn}


@pytest.fixture(scope="session", params=LIBRARIES)
def trained(request, tmp_path_factory):
    """Return a model's file, and a function of arrays that asks the library directly."""
    pytest.importorskip(request.param)
    return LIBRARIES[request.param](tmp_path_factory.mktemp(request.param))
