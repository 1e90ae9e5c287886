"""Boosted decision trees of TMVA, from its XML: made to ONNX, which onnxruntime evaluates.

What the numbers in the file mean is what TMVA's own reader makes of them (class ``MethodBDT``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from flavorframe._models.evaluator import Array, Evaluator
from flavorframe._models.onnx import session_of
from flavorframe.errors import ModelError, needs

Xml = ElementTree.Element


@dataclass(frozen=True)
class Forest:
    """What a file says.

    Attributes:
        inputs: The variables, as the training called them.
        outputs: The names of the outputs.
        trees: The outermost node of each tree.
        weights: What each tree counts.
        leaf: The attribute of a leaf that is its value.
        shape: Makes the outputs of the sums over trees.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    trees: tuple[Xml, ...]
    weights: tuple[float, ...]
    leaf: str
    shape: Callable[[Array], Array]


def opened(content: bytes, path: str) -> Evaluator:
    """Open the ``.weights.xml`` of a method BDT that tells two or more classes apart."""
    forest = _forest(ElementTree.fromstring(content), path)
    session = session_of(_as_onnx(forest, path))

    def compute(rows: Array) -> Array:
        (sums,) = session.run(None, {"x": rows.astype(np.float64)})
        return forest.shape(sums.astype(np.float64))

    default = 0 if len(forest.outputs) == 1 else None
    return Evaluator(compute, forest.inputs, len(forest.inputs), forest.outputs, default)


def _forest(xml: Xml, path: str) -> Forest:
    options = {each.get("name"): each.text for each in xml.findall("Options/Option")}
    info = {each.get("name"): each.get("value") for each in xml.findall("GeneralInfo/Info")}
    analysis = str(info.get("AnalysisType", "Classification")).lower()
    _check(xml, analysis, path)
    inputs = tuple(str(each.get("Expression")) for each in xml.findall("Variables/Variable"))
    trees = xml.findall("Weights/BinaryTree")
    roots = tuple(root for tree in trees for root in tree.findall("Node"))
    alike = (1.0,) * len(trees)
    if analysis == "multiclass":
        outputs = tuple(str(each.get("Name")) for each in xml.findall("Classes/Class"))
        return Forest(inputs, outputs, roots, alike, "res", _softmax)
    if options.get("BoostType") == "Grad":
        return Forest(inputs, ("score",), roots, alike, "res", _between_minus_one_and_one)
    weights = [float(tree.get("boostWeight", 1)) for tree in trees]
    total = sum(weights)
    leaf = "purity" if str(options.get("UseYesNoLeaf")).lower() in ("false", "0") else "nType"
    return Forest(
        inputs, ("score",), roots, tuple(weight / total for weight in weights), leaf, np.asarray
    )


def _check(xml: Xml, analysis: str, path: str) -> None:
    """Raise ModelError for what is no forest, or does more than its trees say."""
    method = xml.get("Method", "")
    if xml.tag != "MethodSetup" or not method.startswith("BDT"):
        raise ModelError(
            f"{path} is no BDT of TMVA but {method or xml.tag}: only boosted trees are read."
        )
    if analysis not in ("classification", "multiclass"):
        raise ModelError(f"{path} is a BDT for {analysis}: only those that tell classes apart are "
                         "read.")  # fmt: skip
    if any(int(each.get("NTransformations", 0)) for each in xml.iter("Transformations")):
        raise ModelError(f"{path} transforms its variables first (VarTransform): train on them "
                         "as they are, which trees do not mind.")  # fmt: skip
    if any(int(node.get("NCoef", 0)) for node in xml.iter("Node")):
        raise ModelError(f"{path} cuts on Fisher discriminants: train without UseFisherCuts.")


def _softmax(sums: Array) -> Array:
    shifted = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _between_minus_one_and_one(sums: Array) -> Array:
    return np.asarray(np.tanh(sums))  # TMVA writes it as 2 / (1 + exp(−2 x)) − 1


def _as_onnx(forest: Forest, path: str) -> bytes:
    """Return the sums over the trees as a model in ONNX."""
    try:
        from onnx import TensorProto, helper
    except ImportError as error:
        raise ModelError(needs(f"ff.model of {path}", "onnx", "models")) from error
    columns = _columns(forest)
    values = np.array(columns.pop("nodes_values"), np.float32).tolist()  # as TMVA reads them
    weights = columns.pop("target_weights")
    tensor = helper.make_tensor
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["sums"], domain="ai.onnx.ml", **columns,
        nodes_values_as_tensor=tensor("values", TensorProto.DOUBLE, [len(values)], values),
        target_weights_as_tensor=tensor("weights", TensorProto.DOUBLE, [len(weights)], weights),
        n_targets=len(forest.outputs),
    )  # fmt: skip
    rows = helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, len(forest.inputs)])
    sums = helper.make_tensor_value_info("sums", TensorProto.FLOAT, [None, len(forest.outputs)])
    graph = helper.make_graph([node], "trees", [rows], [sums])
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(graph, opset_imports=versions, ir_version=8)
    content: bytes = made.SerializeToString()
    return content


def _columns(forest: Forest) -> dict[str, list[Any]]:
    """Return all nodes, side by side, as ONNX has them."""
    columns: dict[str, list[Any]] = {}

    def add(**values: Any) -> None:
        for name, value in values.items():
            columns.setdefault(name, []).append(value)

    for tree, root in enumerate(forest.trees):
        for number, node, left, right in _numbered(root):
            cut = left is not None
            above = node.get("cType") == "1"  # where values from the cut on go: right or left
            add(
                nodes_treeids=tree, nodes_nodeids=number,
                nodes_featureids=int(node.get("IVar", 0)) if cut else 0,
                nodes_values=float(node.get("Cut", 0)) if cut else 0.0,
                nodes_modes="BRANCH_GTE" if cut else "LEAF",
                nodes_truenodeids=(right if above else left) or 0,
                nodes_falsenodeids=(left if above else right) or 0,
            )  # fmt: skip
            if not cut:
                value = float(np.float32(node.get(forest.leaf, "0")))
                add(
                    target_treeids=tree, target_nodeids=number,
                    target_ids=tree % len(forest.outputs),
                    target_weights=forest.weights[tree] * value,
                )  # fmt: skip
    return columns


def _numbered(root: Xml) -> Iterator[tuple[int, Xml, int | None, int | None]]:
    """Yield each node of a tree with its number, and those of the nodes on its left and right.

    A leaf, which has nodes on neither side, is one by its type: what it was before pruning may hang
    on below it.
    """
    waiting, used = [(0, root)], 0
    while waiting:
        number, node = waiting.pop()
        if node.get("nType") != "0":
            yield number, node, None, None
            continue
        sides = {child.get("pos"): child for child in node.findall("Node")}
        left, right = used + 1, used + 2
        used += 2
        waiting += [(left, sides["l"]), (right, sides["r"])]
        yield number, node, left, right
