"""What is known to be pure, and kept; and what is not known to be, whatever name it goes by."""

import functools
import glob
import math
import operator
import os
import platform
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import types
import urllib.request
from datetime import datetime
from pathlib import Path
from time import perf_counter

import awkward as ak
import correctionlib
import numpy as np
import numpy.linalg as la
import pytest
import scipy.constants
import scipy.io
import scipy.special
import scipy.stats
import uproot
from numpy.random import default_rng
from scipy.special import expit

import flavorframe as ff
from flavorframe._expr.identity.digests import UnknownIdentityError
from flavorframe._expr.identity.fingerprints import fingerprint
from flavorframe._expr.kinematics import delta_phi

t = ff.events().triplet

EDGES = np.array([0.0, 2.0, 4.0, 8.0])
FACTORS = np.array([0.9, 1.0, 1.1])
TABLE = {"low": 1.0, "high": {"a": [1.0, 2.0]}}
NUMBERS = {3: 0.5}
KIND = np.dtype([("lo", "f4"), ("hi", "f4")])
BELOW = functools.partial(np.minimum, 5.0)


def of(function):
    return fingerprint(ff.function(function)(t.mass).node)


def helper(x, power=2):
    return x**power


def in_a_loop(x):
    out = np.empty_like(x)
    for i, value in enumerate(x.tolist()):
        if value > 3 and math.isfinite(value):
            out[i] = math.sqrt(value)
        else:
            out[i] = max(0.0, value)
    return out


def in_place(x):
    y = x.copy()
    y[y > 2] = 0
    y += 1
    np.add.at(y, np.array([0]), 1)
    return y


def quiet(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, 1 / x, 0)


def tried(x):
    try:
        return la.norm(np.stack([x, x]), axis=0)
    except ValueError as error:
        raise RuntimeError("no norm") from error


def with_attribute(x):
    return x * with_attribute.scale


with_attribute.scale = 2.0


def closure():
    edges, scale = np.linspace(0, 5, 6), [1.0, 1.1]
    inner = np

    def scaled(x):
        def once(y):
            return y * scale[0] + inner.pi

        return once(x) + edges[0]

    return scaled


def mutual(x, n=2):
    return x if n == 0 else mutual_too(x, n - 1)


def mutual_too(x, n):
    return mutual(x, n)


def generated(x):
    return np.array(list(map(sum, ((each, 2) for each in x))))


KEPT = {
    "arithmetic": lambda x: 2 * x**2 - x / 3 + (x % 2) // 1,
    "comparison": lambda x: (x > 1) & ~(x < 0.5) | (x == 3),
    "ufuncs": lambda x: np.sqrt(np.abs(np.arctan2(x, 1) + np.exp(-x))),
    "where": lambda x: np.where(x > 2, 1.0, np.nan),
    "clip": lambda x: np.clip(x, 0, 5),
    "method clip": lambda x: x.clip(0, 5).astype(np.float32).astype("f8"),
    "searchsorted": lambda x: FACTORS[np.searchsorted(EDGES, x).clip(0, 2)],
    "digitize": lambda x: FACTORS[np.clip(np.digitize(x, EDGES) - 1, 0, len(FACTORS) - 1)],
    "interp": lambda x: np.interp(x, EDGES[:-1], FACTORS),
    "select": lambda x: np.select([x < 1, x < 2], [0.0, 1.0], default=2.0),
    "piecewise": lambda x: np.piecewise(x, [x < 1], [lambda y: 0 * y, lambda y: y]),
    "look-up in dicts": lambda x: x * TABLE["low"] + TABLE.get("none", 0) + TABLE["high"]["a"][1],
    "one by one": lambda x: np.array([NUMBERS.get(int(v), 1.0) for v in x]),
    "keys of text": lambda x: np.array([TABLE.get(f"bin{int(v)}", str(v) == "1") for v in x]),
    "reductions": lambda x: (x - x.mean()) / x.std() + x.sum() + np.median(x),
    "shapes": lambda x: x.reshape(-1, 1).repeat(2, axis=1).T.ravel()[: x.size],
    "structured": lambda x: x.astype("f8").view(KIND)["hi"],
    "polynomial": lambda x: np.polyval([1.0, 2.0, 3.0], x),
    "linear algebra": lambda x: la.norm(np.stack([x, x]), axis=0),
    "constants": lambda x: x * np.pi + math.e + scipy.constants.c + ff.MUON_MASS,
    "special": lambda x: scipy.special.erf(x) + expit(x),
    "physics": lambda x: delta_phi(x, x[::-1]),
    "helper": lambda x: helper(x, power=3),
    "vectorize": lambda x: np.vectorize(helper)(x),
    "operators": lambda x: functools.reduce(operator.add, [x, x, x]),
    "sorted": lambda x: np.array(sorted(x.tolist(), key=lambda v: -v)),
    "einsum": lambda x: np.einsum("i,i->i", x, x),
    "histogram": lambda x: np.histogram(x, bins=EDGES)[0][np.zeros(len(x), int)],
    "partial": BELOW,
    "ufunc": np.sqrt,
    "of scipy": expit,
    "nan": np.nan_to_num,
    "loop": in_a_loop,
    "in place": in_place,
    "errstate": quiet,
    "errors": tried,
    "own attribute": with_attribute,
    "closure": closure(),
    "mutual": mutual,
    "generator": generated,
}


@pytest.mark.parametrize("name", KEPT)
def test_what_analysts_write_is_known(name):
    assert of(KEPT[name]) == of(KEPT[name])
    KEPT[name](np.array([1.0, 2.5, 3.5]))  # it is what one would write


class Scale:
    factor = 2.0

    def __init__(self, scale=1.0):
        self.scale = scale

    def __call__(self, x):
        return self.scale * x

    def of(self, x):
        return self.scale * x


read = np.genfromtxt
rng = np.random.default_rng(1)
spline = scipy.stats.norm(0, 1)
counts = [0]
total = 0


def importing(x):
    import flavorframe._expr.kinematics as formulas

    return formulas.delta_phi(x, x)


def counting(x):
    global total  # noqa: PLW0603
    total += 1
    return x * total


def noting(x):
    helper.calls = 1
    return x


def remembering():
    number = 0

    def remembered(x):
        nonlocal number
        number += 1
        return x * number

    return remembered


def local_class(x):
    class Local:
        value = time.time()

    return x * Local.value


def either(x):
    return (np if len(x) else FACTORS).loadtxt("f")


def by_default(x, numpy=np):
    return x * numpy.loadtxt("f")


def through(x):
    return in_turn(x)


def in_turn(x):
    return x * read("f")


def matched(x):
    match x:
        case np.ndarray(ctypes=address):
            return x + id(address)


async def awaited(x):
    return x


NOT_KEPT = {
    "np.loadtxt": lambda x: x * np.loadtxt("f"),
    "np.load": lambda x: x * np.load("f"),
    "alias": lambda x: x * read("f"),
    "np.fromfile": lambda x: x * np.fromfile("f"),
    "np.memmap": lambda x: x * np.memmap("f")[0],
    "np.lib.format": lambda x: x * np.lib.format.open_memmap("f")[0],
    "np.lib.npyio": lambda x: x * np.lib.npyio.NpzFile("f")["a"],
    "tofile": lambda x: x.tofile("f") or x,
    "dump": lambda x: x.dump("f") or x,
    "ctypes": lambda x: x + x.ctypes.data,
    "open": lambda x: x * float(open("f").read()),  # noqa: SIM115
    "Path": lambda x: x * float(Path("f").read_text()),
    "delivered": lambda x: x * np.loadtxt(ff.delivered("f")),
    "uproot.concatenate": lambda x: x * uproot.concatenate("f", library="np")["w"][0],
    "uproot.iterate": lambda x: x * next(iter(uproot.iterate("f", library="np")))["w"][0],
    "uproot.open": lambda x: x * uproot.open("f:t")["w"].array()[0],
    "ak.from_parquet": lambda x: x * ak.from_parquet("f")["w"][0],
    "awkward": lambda x: ak.to_numpy(ak.Array(x)),
    "loadmat": lambda x: x * scipy.io.loadmat("f")["w"][0, 0],
    "correctionlib": lambda x: x * correctionlib.CorrectionSet.from_file("f")["a"].evaluate(),
    "sqlite3": lambda x: x * sqlite3.connect("f").execute("select 1").fetchone()[0],
    "urlopen": lambda x: x * float(urllib.request.urlopen("http://f").read()),
    "socket": lambda x: x * len(socket.gethostname()),
    "subprocess": lambda x: x * len(subprocess.check_output(["date"])),
    "glob": lambda x: x * len(glob.glob("*")),
    "listdir": lambda x: x * len(os.listdir(".")),
    "environ": lambda x: x * float(os.environ["X"]),
    "getenv": lambda x: x * float(os.getenv("X")),
    "tempfile": lambda x: x * len(tempfile.gettempdir()),
    "platform": lambda x: x * len(platform.node()),
    "time.time": lambda x: x * time.time(),
    "perf_counter": lambda x: x * perf_counter(),
    "datetime": lambda x: x * datetime.now().hour,
    "np.datetime64": lambda x: x * np.datetime64("now").astype(int),
    "random": lambda x: x * random.random(),
    "np.random": lambda x: x * np.random.default_rng().random(len(x)),
    "np.random.normal": lambda x: x + np.random.normal(size=len(x)),  # noqa: NPY002
    "default_rng": lambda x: x * default_rng().random(len(x)),
    "generator": lambda x: x + rng.normal(size=len(x)),
    "rvs": lambda x: x + scipy.stats.norm.rvs(0, 0.01, len(x)),
    "frozen": lambda x: spline.pdf(x),
    "id": lambda x: x + id(x),
    "hash": lambda x: x + hash("text"),
    "print": lambda x: print(x) or x,
    "getattr": lambda x: x * getattr(np, "loadtxt")("f"),  # noqa: B009
    "attrgetter": lambda x: operator.attrgetter("loadtxt")(np)("f") * x,
    "methodcaller": lambda x: operator.methodcaller("tofile", "f")(x) or x,
    "globals": lambda x: x * globals()["total"],
    "eval": lambda x: x * eval("total"),
    "module as a value": lambda x: x * vars(np)["loadtxt"]("f"),
    "np.geterr": lambda x: x * (np.geterr()["under"] == "ignore"),
    "np.seterr": lambda x: x * len(np.seterr(all="raise")),
    "import": importing,
    "global that is set": counting,
    "attribute that is set": noting,
    "variable around it that is set": remembering(),
    "class within": local_class,
    "one of two": either,
    "module as default": by_default,
    "helper of a helper": through,
    "pattern": matched,
    "asynchronous": awaited,
    "object": Scale(),
    "method": Scale().of,
    "class": lambda x: x * Scale.factor,
    "np.vectorize": np.vectorize(helper),
    "np.frompyfunc": np.frompyfunc(helper, 1, 1),
    "lru_cache": functools.lru_cache(helper),
    "partial": functools.partial(in_turn),
    "missing": lambda x: x * missing,  # noqa: F821
}


@pytest.mark.parametrize("name", NOT_KEPT)
def test_what_is_not_known_to_be_pure_has_no_fingerprint(name):
    with pytest.raises(UnknownIdentityError):
        of(NOT_KEPT[name])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("np.random", "uses np.random.default_rng$"),
        ("helper of a helper", "^through: in_turn uses read$"),
        ("tofile", "uses an attribute tofile"),
        ("import", "^importing: imports flavorframe._expr.kinematics when it is called"),
        ("global that is set", "^counting: sets the global total"),
        ("generator", "uses rng.normal$"),
        ("object", "test_purity.Scale is not known to be pure"),
    ],
)
def test_the_reason_names_what_is_used(name, reason):
    with pytest.raises(UnknownIdentityError, match=reason):
        of(NOT_KEPT[name])


def test_attributes_of_functions_count(monkeypatch):
    def table(x):
        return x * table.values[0]

    table.values = [1.0]
    before, through_it = of(table), of(lambda x: table(x))
    table.values = [2.0]
    assert of(table) != before
    assert of(lambda x: table(x)) != through_it
    before = of(with_attribute)
    monkeypatch.setattr(with_attribute, "scale", 3.0)
    assert of(with_attribute) != before


def test_names_of_fields_count():
    def viewed(names):
        kind = np.dtype([(name, "f4") for name in names])
        return lambda x: x.view(kind)["hi"]

    def filled(names):
        table = np.zeros(3, [(name, "f4") for name in names])
        return lambda x: x * table["hi"][0]

    for made in (viewed, filled):
        assert of(made(["lo", "hi"])) == of(made(["lo", "hi"])) != of(made(["hi", "lo"]))


def test_what_a_library_was_told_counts(monkeypatch):
    def massive(x):
        return x * ff.MUON_MASS

    before = of(massive)
    monkeypatch.setattr(ff, "MUON_MASS", 0.107)
    assert of(massive) != before
    monkeypatch.undo()
    assert of(massive) == before
    with np.printoptions(precision=1):
        assert of(massive) != before


def test_what_was_put_in_a_library_is_seen(monkeypatch):
    def rooted(x):
        return np.sqrt(x)

    before = of(rooted)
    monkeypatch.setattr(np, "sqrt", lambda x: x + 1)
    assert of(rooted) != before
    monkeypatch.setattr(np, "sqrt", lambda x: x + time.time())
    with pytest.raises(UnknownIdentityError):
        of(rooted)


@pytest.mark.parametrize("folder", [".", "site-packages"])
def test_packages_of_ones_own_count_by_their_code(folder, tmp_path, monkeypatch):
    """A package that was installed anew, under the version that it had, is another."""
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    monkeypatch.syspath_prepend(place)
    found = []
    for number, factor in enumerate((1.0, 1.02, 1.0)):
        path = place / "ffowncode.py"
        path.write_text(f"__version__ = '1'\nSCALE = {factor}\ndef scale(x):\n return x * SCALE\n")
        os.utime(path, (number, number))
        sys.modules.pop("ffowncode", None)
        import ffowncode

        scale = ffowncode.scale
        plan = digest(ff.function(lambda x, scale=scale: scale(x) + np.loadtxt("f")))
        found.append((of(scale), of(lambda x, scale=scale: scale(x)), plan))
    monkeypatch.delitem(sys.modules, "ffowncode")
    assert found[0] == found[2]
    assert all(one != other for one, other in zip(*found[:2], strict=True))


def test_modules_of_ones_own_may_be_used_whole():
    own = types.ModuleType("own")
    exec("import numpy as np\nLIMITS = [1.0]\ndef cut(x):\n    return x > LIMITS[0]", vars(own))

    def used(x):
        return own.cut(x) & (x < own.LIMITS[0])

    before = of(used)
    own.LIMITS[0] = 2.0
    assert of(used) != before


# Plans, which any function may be part of


def digest(function, **options):
    return ff.Analysis(ff.Selection(t).cut("f", function(t.mass) > 1, **options)).plan.digest


def test_plans_tell_functions_apart_that_are_not_kept():
    def reading(factor, table):
        return ff.function(lambda x: x * factor * np.loadtxt(table))

    assert digest(reading(1, "a")) == digest(reading(1, "a"))
    plans = [digest(reading(*each)) for each in ((1, "a"), (2, "a"), (1, "b"))]
    models = [digest(ff.function(Scale(factor).of)) for factor in (1.0, 2.0)]
    objects = [digest(ff.function(Scale(factor))) for factor in (1.0, 2.0)]
    assert len(set(plans + models + objects)) == 7


def test_plans_tell_cpp_apart():
    texts = ["double f(double x) { return 2 * x; }", "double f(double x) { return 3 * x; }"]
    assert len({digest(ff.cpp(text)) for text in texts}) == 2
    python = [digest(ff.cpp(texts[0], python=each)) for each in (helper, in_turn)]
    assert len(set(python)) == 2


def test_plans_with_objects_of_any_depth_have_a_digest():
    model = Scale()
    for _ in range(5000):
        model = Scale(model)
    assert digest(ff.function(model)) != digest(ff.function(Scale()))


SCRIPT = """
import random, numpy as np, flavorframe as ff
t = ff.events().triplet
class Model:
    names = {"a", "b", "c"}
    def __init__(self, size):
        self.weights, self.names = np.arange(size), {"x", "y", "z"}
        self.random, self.lock = random.Random(1), __import__("threading").Lock()
    def __call__(self, x):
        return x * self.weights[0] * self.random.random()
model = Model(3)
@ff.function
def f(x):
    return model(x) + np.loadtxt("f") + len({"p", "q"})
print(ff.Analysis(ff.Selection(t).cut("f", f(t.mass) > 3).cut("m", ff.function(model)(t.mass) > 2)
      ).plan.digest)
"""


def test_plans_with_such_functions_are_the_same_in_every_process():
    def printed(seed):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))}
        line = [sys.executable, "-c", SCRIPT]
        return subprocess.run(line, env=environment, capture_output=True, check=True).stdout

    assert printed("1") == printed("2") != b""
