"""Fingerprints: different for what computes something else, and equal in every process."""

import functools
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.special import expit

import flavorframe as ff
from flavorframe._expr.identity.fingerprints import UnknownIdentityError, fingerprint

t = ff.events().triplet
LIMIT = 3.0
TABLE = {"low": np.array([1.0, 2.0])}


def of(function):
    return fingerprint(ff.function(function)(t.mass).node)


def made(text, **names):
    content = {"np": np, **names}
    exec(text, content)
    return content["f"]


SAME = "def f(x):\n    return np.sqrt(x) + 1"


def test_literals_of_other_types_differ():
    nodes = [(t.mass > value).node for value in (1, 1.0, 2.0, 0.0, -0.0)]
    assert len(set(map(fingerprint, nodes))) == 5
    assert fingerprint((t.mass > 2).node) == fingerprint((t.mass > 2).node)


def test_the_same_code_is_the_same():
    assert of(made(SAME)) == of(made("# a comment\n\n" + SAME)) == of(made(SAME))


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return np.sqrt(x) + 2",
        "def f(x):\n    return np.sqrt(x) - 1",
        "def f(x):\n    return np.exp(x) + 1",
        "def f(x, y=1):\n    return np.sqrt(x) + 1",
        "f = lambda x: [np.sqrt(x) for _ in (1, 2)][0] + 1",
    ],
)
def test_other_code_is_another(other):
    assert of(made(SAME)) != of(made(other))


def test_what_a_function_refers_to_counts():
    text = "def f(x):\n    return x > limit"
    assert of(made(text, limit=1)) != of(made(text, limit=2))
    assert of(made(text, limit=np.arange(3))) != of(made(text, limit=np.arange(3.0)))
    inner = "def f(x):\n    return g(x)"
    assert of(made(inner, g=made(text, limit=1))) != of(made(inner, g=made(text, limit=2)))
    nested = "def f(x):\n    return (lambda y: y > limit)(x)"
    assert of(made(nested, limit=1)) != of(made(nested, limit=2))
    default = "def f(x, *, cut=limit):\n    return x > cut"
    assert of(made(default, limit=1)) != of(made(default, limit=2))


def test_closures_and_globals_count_at_once(monkeypatch):
    def above(limit):
        return ff.function(lambda x: x > limit)

    assert of(above(1).compute) != of(above(2).compute)
    cut = ff.function(lambda x: x > LIMIT + TABLE["low"][0])(t.mass).node
    before = fingerprint(cut)
    assert fingerprint(cut) == before
    monkeypatch.setitem(globals(), "LIMIT", 4.0)
    assert fingerprint(cut) != before
    monkeypatch.undo()
    assert fingerprint(cut) == before
    TABLE["low"][0] = 9
    assert fingerprint(cut) != before
    TABLE["low"][0] = 1


def test_functions_that_call_themselves():
    text = "def f(x, n={}):\n    return x if n == 0 else f(x, n - 1)"
    assert of(made(text.format(2))) == of(made(text.format(2)))
    assert of(made(text.format(2))) != of(made(text.format(3)))


def test_libraries_and_partials():
    assert of(np.sqrt) != of(np.exp) != of(expit)
    power = functools.partial(np.power, 2.0)
    assert of(power) == of(functools.partial(np.power, 2.0)) != of(functools.partial(np.power, 3.0))
    assert of(np.nan_to_num) != of(np.median)


class Scale:
    factor = 2

    def __call__(self, x):
        return self.factor * x


@pytest.mark.parametrize(
    "function",
    [
        Scale(),
        lambda x: np.random.default_rng().random(len(x)),
        lambda x: x + time.time(),
        lambda x: np.load("table.npy")[0] * x,
        lambda x: float(open("limit").read()) * x,  # noqa: SIM115
        lambda x: x * Scale.factor,
        np.frompyfunc(lambda x: x + 1, 1, 1),
        np.vectorize(lambda x: x + 1),
        made("def f(x):\n    import helpers\n    return helpers.scale(x)"),
        made("def f(x):\n    return x > missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_has_none(function):
    with pytest.raises(UnknownIdentityError):
        of(function)


SCRIPT = """
import numpy as np, flavorframe as ff
t = ff.events().triplet
limits = {"a", "b", "c"}
@ff.function
def f(x, scale=2.5):
    return np.hypot(x, scale) * len(limits) + (x in {1, 2, 3, "x", "y"})
s = ff.Selection(t).cut("f", f(t.mass) > 3).cut("m", t.mu1.is_global & t.mass.between(1, 2))
print(ff.Analysis(s, h=ff.hist(t.mass, bins=3, range=(0, 1))).plan.digest)
"""


def test_the_same_in_every_process():
    def digest(seed):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))}
        line = [sys.executable, "-c", SCRIPT]
        return subprocess.run(line, env=environment, capture_output=True, check=True).stdout

    assert digest("1") == digest("2") != b""
