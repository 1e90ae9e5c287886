"""Forms in which libraries export to ONNX, and those that cannot be evaluated row by row."""

import numpy as np
import pytest

import flavorframe as ff
from flavorframe.errors import ModelError

helper = pytest.importorskip("onnx.helper")
pytest.importorskip("onnxruntime")

FLOAT, DOUBLE, INT64 = 1, 11, 7
t = ff.events().triplet


def written(folder, steps, inputs, outputs, constants=()):
    made = [helper.make_tensor_value_info(*each) for each in inputs]
    given = [helper.make_tensor_value_info(*each) for each in outputs]
    graph = helper.make_graph(steps, "model", made, given, list(constants))
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    content = helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()
    (folder / "net.onnx").write_bytes(content)
    return folder / "net.onnx"


def classifier(folder, *others):
    """Return a model of two inputs that says the class, and how likely each of both is."""
    steps = [
        helper.make_node("Softmax", ["x"], ["likely"]),
        helper.make_node("ArgMax", ["x"], ["class"], axis=1, keepdims=0),
        *others,
    ]
    outputs = [("class", INT64, [None]), ("likely", FLOAT, [None, 2])]
    outputs += [(each.output[0], FLOAT, [None, 2]) for each in others]
    return written(folder, steps, [("x", FLOAT, [None, 2])], outputs)


def scores(model, *inputs):
    return model(*[t.pt] * len(inputs)).node.model.compute([np.asarray(x) for x in inputs])


def test_of_two_classes_the_second_is_meant(tmp_path):
    model = ff.model(classifier(tmp_path))
    found = scores(model, [0.0, 2.0], [1.0, -1.0])
    np.testing.assert_allclose(found, 1 / (1 + np.exp([-1.0, 3.0])), rtol=1e-6)
    assert model(t.pt, t.eta).formula == "net[likely 1](triplet.pt, triplet.eta)"


def test_of_two_arrays_one_output_is_named(tmp_path):
    path = classifier(tmp_path, helper.make_node("Neg", ["x"], ["other"]))
    listed = r"has 4 outputs, 0 \(likely 0\), 1 \(likely 1\), 2 \(other 0\), 3 \(other 1\)"
    with pytest.raises(ModelError, match=listed):
        ff.model(path)
    np.testing.assert_array_equal(scores(ff.model(path, output="other 1"), [1.0], [5.0]), [-5])


def test_numbers_in_double_precision_stay_so(tmp_path):
    step = helper.make_node("Identity", ["x"], ["y"])
    shape = [None, 1]
    path = written(tmp_path, [step], [("x", DOUBLE, shape)], [("y", DOUBLE, shape)])
    assert scores(ff.model(path), [0.1, 1 / 3]).tolist() == [0.1, 1 / 3]


def test_inputs_may_be_flat(tmp_path):
    step = helper.make_node("Sub", ["a", "b"], ["y"])
    inputs = [("a", FLOAT, [None]), ("b", FLOAT, [None])]
    path = written(tmp_path, [step], inputs, [("y", FLOAT, [None])])
    np.testing.assert_array_equal(scores(ff.model(path), [3.0, 4.0], 1.0), [2, 3])


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        (FLOAT, [1, 3], r"exported for 1 rows at a time: export it with a first dimension"),
        (FLOAT, [None, None], r"an array of shape .*: export it for rows with a fixed number"),
        (FLOAT, [None, 3, 4], r"an array of shape .*: export it for rows with a fixed number"),
        (INT64, [None, 3], r"takes inputs of tensor\(int64\): only decimal numbers"),
    ],
)
def test_shapes_and_types_that_rows_do_not_have(tmp_path, kind, shape, message):
    step = helper.make_node("Identity", ["x"], ["y"])
    path = written(tmp_path, [step], [("x", kind, shape)], [("y", kind, shape)])
    with pytest.raises(ModelError, match=message):
        ff.model(path)


def test_dictionaries_of_classes_are_refused_with_what_to_do(tmp_path):
    """By default converters of scikit-learn have a last step that makes a dictionary a row."""
    step = helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    value = helper.make_tensor_type_proto(FLOAT, None)
    kind = helper.make_sequence_type_proto(helper.make_map_type_proto(INT64, value))
    made = [helper.make_tensor_value_info("x", FLOAT, [None, 2])]
    graph = helper.make_graph([step], "model", made, [helper.make_value_info("y", kind)])
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"no array of numbers.*options={'zipmap': False}"):
        ff.model(tmp_path / "net.onnx")
