"""Boosted trees of TMVA's XML: its formulas once more, node by node, and one forest by hand."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

import flavorframe as ff
from flavorframe.errors import ModelError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

t = ff.events().triplet
VARIABLES = ("pt", "abs(eta)", "chi2")
BY_HAND = """<MethodSetup Method="BDT::BDT">
  <GeneralInfo><Info name="AnalysisType" value="Classification"/></GeneralInfo>
  <Options><Option name="BoostType">AdaBoost</Option></Options>
  <Variables NVar="1"><Variable VarIndex="0" Expression="pt" Label="pt" Type="F"/></Variables>
  <Transformations NTransformations="0"/>
  <Weights NTrees="2" AnalysisType="0">
    <BinaryTree type="DecisionTree" boostWeight="3" itree="0">
      <Node pos="s" NCoef="0" IVar="0" Cut="5" cType="1" purity="0.5" nType="0">
        <Node pos="l" NCoef="0" IVar="-1" Cut="0" cType="1" purity="0.2" nType="-1"/>
        <Node pos="r" NCoef="0" IVar="-1" Cut="0" cType="1" purity="0.9" nType="1"/>
      </Node>
    </BinaryTree>
    <BinaryTree type="DecisionTree" boostWeight="1" itree="1">
      <Node pos="s" NCoef="0" IVar="0" Cut="7" cType="0" purity="0.5" nType="0">
        <Node pos="l" NCoef="0" IVar="-1" Cut="0" cType="1" purity="0.2" nType="-1"/>
        <Node pos="r" NCoef="0" IVar="-1" Cut="0" cType="1" purity="0.7" nType="1"/>
      </Node>
    </BinaryTree>
  </Weights>
</MethodSetup>"""


def opened(folder, text, **options):
    (folder / "bdt.weights.xml").write_text(text)
    return ff.model(folder / "bdt.weights.xml", **options)


def scores(model, *inputs):
    return model(*[t.pt] * len(inputs)).node.model.compute([np.asarray(x) for x in inputs])


def test_a_forest_by_hand(tmp_path):
    """Values from a cut on go right, or left where the cut's type is 0."""
    pt = [4.0, 5.0, 6.0, 7.0, math.nan]
    model = opened(tmp_path, BY_HAND)
    assert model(pt=t.pt).formula == "bdt(pt = triplet.pt)"
    np.testing.assert_allclose(scores(model, pt), [-0.5, 1, 1, 0.5, -0.5])
    purity = BY_HAND.replace("</Options>", '<Option name="UseYesNoLeaf">False</Option></Options>')
    p = [0.2 * 3 + 0.7, 0.9 * 3 + 0.7, 0.9 * 3 + 0.7, 0.9 * 3 + 0.2, 0.2 * 3 + 0.7]
    np.testing.assert_allclose(scores(opened(tmp_path, purity), pt), np.array(p) / 4, rtol=1e-6)


# Random forests


def tree(rng, depth, pos="s"):
    node = ElementTree.Element("Node", pos=pos, NCoef="0", IVar=str(rng.integers(3)))
    node.set("Cut", repr(rng.uniform(0, 1)))
    node.set("cType", str(rng.integers(2)))
    node.set("res", repr(rng.normal()))
    node.set("purity", repr(rng.uniform()))
    leaf = depth == 0 or rng.random() < 0.2
    node.set("nType", str(rng.choice([-1, 1])) if leaf else "0")
    if not leaf:
        node.extend([tree(rng, depth - 1, "l"), tree(rng, depth - 1, "r")])
    return node


def forest(boost, analysis="Classification", trees=30):
    rng = np.random.default_rng(7)
    xml = ElementTree.fromstring(BY_HAND)
    xml.find("GeneralInfo/Info").set("value", analysis)
    xml.find("Options/Option").text = boost
    xml.append(classes := ElementTree.Element("Classes"))
    for name in ("tau", "ds", "background"):
        ElementTree.SubElement(classes, "Class", Name=name)
    variables, weights = xml.find("Variables"), xml.find("Weights")
    variables.clear()
    weights.clear()
    for name in VARIABLES:
        ElementTree.SubElement(variables, "Variable", Expression=name)
    for _ in range(trees):
        weight = repr(rng.uniform(0.1, 2))
        ElementTree.SubElement(weights, "BinaryTree", boostWeight=weight).append(tree(rng, 4))
    return xml


def leaf_of(node, row):
    while node.get("nType") == "0":
        above = row[int(node.get("IVar"))] >= np.float32(node.get("Cut"))
        side = "r" if above == (node.get("cType") == "1") else "l"
        node = next(child for child in node if child.get("pos") == side)
    return node


def leaves(xml, row):
    return [leaf_of(each[0], row) for each in xml.findall("Weights/BinaryTree")]


def adaptive(xml, row):
    weights = [float(each.get("boostWeight")) for each in xml.findall("Weights/BinaryTree")]
    values = [int(leaf.get("nType")) for leaf in leaves(xml, row)]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


def gradient(xml, row):
    total = sum(float(leaf.get("res")) for leaf in leaves(xml, row))
    return 2 / (1 + math.exp(-2 * total)) - 1


def third_of_three(xml, row):
    values = [float(leaf.get("res")) for leaf in leaves(xml, row)]
    sums = [sum(values[start::3]) for start in range(3)]
    return math.exp(sums[2]) / sum(map(math.exp, sums))


@pytest.mark.parametrize(
    ("boost", "analysis", "output", "formula"),
    [
        ("AdaBoost", "Classification", None, adaptive),
        ("Grad", "Classification", None, gradient),
        ("Grad", "Multiclass", "background", third_of_three),
    ],
)
def test_random_forests(tmp_path, boost, analysis, output, formula):
    xml = forest(boost, analysis)
    model = opened(tmp_path, ElementTree.tostring(xml, "unicode"), output=output)
    assert model.inputs == VARIABLES
    rows = np.random.default_rng(8).uniform(0, 1, (200, 3)).astype(np.float32)
    expected = [formula(xml, row) for row in rows]
    np.testing.assert_allclose(scores(model, *rows.T), expected, atol=2e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("BDT::BDT", "Likelihood::L", "no BDT of TMVA but Likelihood::L"),
        ('value="Classification"', 'value="Regression"', "a BDT for regression"),
        ('NTransformations="0"', 'NTransformations="1"', "transforms its variables"),
        ('NCoef="0"', 'NCoef="2"', "Fisher"),
        ("</MethodSetup>", "", "cannot be read as a model of TMVA: no element found"),
    ],
)
def test_what_is_not_read_is_told(tmp_path, old, new, message):
    with pytest.raises(ModelError, match=message):
        opened(tmp_path, BY_HAND.replace(old, new))
