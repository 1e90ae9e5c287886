"""Cut strings mean what they mean to ROOT, and what means two things is refused."""

import functools
import operator
import random
import warnings

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import BranchError, ExpressionError

events = ff.events()
x, y, z = (events[name] for name in "xyz")
t = events.triplet


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("abs(x)<1.2 && y>3.5", (abs(x) < 1.2) & (y > 3.5)),
        ("x>1||y>1&&!z", (x > 1) | np.logical_and(y > 1, np.logical_not(z))),
        ("-x^2", -(x**2)),
        ("2**-x", 2 ** (-x)),
        ("x-y-z", (x - y) - z),
        ("x/y*z", (x / y) * z),
        ("!x==1", np.logical_not(x) == 1),
        ("(x<y)==z", (x < y) == z),
        ("x>-1", x > -1),
        ("std::fabs(x)+TMath::Abs(y)+fabs(z)", abs(x) + abs(y) + abs(z)),
        ("TMath::ATan2(x,y)<TMath::Pi()", ff.arctan2(x, y) < np.pi),
        ("asinh(x)*pi", ff.arcsinh(x) * np.pi),
        ("pow(x,2)+TMath::Power(y,3)", x**2 + y**3),
        ("max(x,y)-TMath::Min(x,y)", ff.maximum(x, y) - ff.minimum(x, y)),
        ("Sum$(x>1)>=2", (x > 1).sum() >= 2),
        ("Max$(x)-Min$(x)", x.max() - x.min()),
        ("x[0]>1", x.first() > 1),
        ("tau*hbar>lambda", events["tau"] * events["hbar"] > events["lambda"]),
        ("Muons.fCoordinates.fPt>.5e1", events["Muons.fCoordinates.fPt"] > 5.0),
        ("1./2*x", ff.parse("(1./2)*x")),
        ("x & 4", x & 4),
        ("x|y+1 & 1<<2*z", x | ((y + 1) & (1 << (2 * z)))),
        ("(x & 4) == 4 && !(y&1)", ((x & 4) == 4) & np.logical_not(y & 1)),
        ("2*~(x|y) - ~~z", 2 * ~(x | y) - ~~z),
        ("max(x & 3, y >> 1)", ff.maximum(x & 3, y >> 1)),
        ("Sum$(x & 1)", (x & 1).sum()),
        ("(x>1) & (y>2)", (x > 1) & (y > 2)),
    ],
)
def test_means(text, expression):
    assert ff.parse(text) is expression


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("x>1 && 0<y<1", 10, r"Write 0 < y && y < 1; or, if it is meant, \(0 < y\) < 1"),
        ("x<y==z", 3, "compares the outcome of the first comparison, 0 or 1, with z"),
        ("abs(0<x<1)", 7, "0 < x && x < 1"),
        ("x^y^z", 3, "write brackets"),
        ("x^-y**z", 4, "write brackets"),
        ("7%4*y", 1, "write brackets"),
        ("x & 4 == 4", 2, r"after comparisons in C\+\+ and before them in Python"),
        ("x < 4 & y", 6, r"brackets, such as \(flags & 2\) == 2"),
        ("x ^ 2 & y", 2, "a power, as in TTree::Draw, or 'exclusive or'"),
        ("x<<2==8", 1, "write brackets"),
        ("x>>y<<2", 1, r"comes after \+ in C\+\+ and before it in TTree::Draw"),
        ("1+x<<y", 3, "write brackets"),
        ("x & ", 2, "something is missing"),
        ("x && | y", 5, "something is missing"),
        ("~-x", 0, "takes a name or brackets"),
        ("~x**2", 0, "before the power or after it"),
        ("1e400>x", 0, "larger than any number"),
        ("x>1 | y>1", 4, r"write && and \|\| and !"),
        ("x ? y : z", 2, "ff.where"),
        ("x:y", 1, "parse each by itself"),
        ("x=1", 1, "equality is =="),
        ("x and y", 2, "write && instead of 'and'"),
        ("fab(x)", 0, "Did you mean 'abs'"),
        ("1+sqr(x)", 2, "Did you mean 'sqrt'"),
        ("TMath::Erf(x)", 0, "For others, use ff.function"),
        ("my::abs(x)", 0, "no function my::abs"),
        ('name=="HLT"', 6, "matches"),
        ("x>0.03f", 2, "plain decimal number"),
        ("010*x", 0, "plain decimal number"),
        ("(x>1", 0, "not closed"),
        ("x>1)", 3, "closes no bracket"),
        ("(x>1]", 4, "closes no bracket"),
        ("x>1 y", 4, "cannot go on"),
        ("x>1 &&", 4, "cannot go on"),
        ("@x.size()", 0, "has no meaning"),
        ("Length$>1", 0, "without a branch in brackets"),
    ],
)
def test_refuses_and_shows_the_place(text, place, reason):
    with pytest.raises(ExpressionError, match=reason) as error:
        ff.parse(text)
    assert str(error.value).splitlines()[-2:] == [f"  {text}", f"  {' ' * place}^"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("1<2", "no branch"),
        ("1/2*x", r"write 1\./2"),
        ("x[1]>2", r"events.muon.at\(index\)"),
        ("pow(x)", "takes 2 argument"),
        ("Sum$(x,y)", r"Sum\$ takes 1 argument"),
        ("Sum$(2)*x", "2 has one value per event already"),
        ("x & 1.5", "1.5 is a decimal number"),
        ("(x > 1) & 2", "is a truth value and 2 is a whole number"),
        ("x>18446744073709551616", "no whole number of 64 bits"),
        (5, "not 5"),
    ],
)
def test_refuses(text, reason):
    with pytest.raises(ExpressionError, match=reason):
        ff.parse(text)


def test_names_stand_for_expressions_and_numbers():
    cut = ff.parse("DR_MIN<dR12 && dR12<0.8", dR12=ff.delta_r(t.mu1, t.mu2), DR_MIN=1e-4)
    dr = ff.delta_r(t.mu1, t.mu2)
    assert cut is (operator.and_(ff.parse("low<d", low=1e-4, d=dr), dr < 0.8))
    assert cut.axis.name == "triplet"


def test_two_collections_do_not_combine():
    with pytest.raises(ExpressionError, match="two collections do not combine"):
        ff.parse("a > b", a=t.mass, b=events.muon.pt)


def test_a_misspelt_branch_is_told_when_the_file_is_open(small_nano):
    analysis = ff.Analysis(ff.Selection(t).cut("mass", ff.parse("triplet_mas>1.7")))
    with pytest.raises(BranchError, match="Did you mean 'triplet_mass'"):
        analysis.run(ff.dataset(small_nano), progress=False)


# against ROOT


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """Return the path of a file with numbers of several types, and lists."""
    path = tmp_path_factory.mktemp("cuts") / "numbers.root"
    rng, size = np.random.default_rng(4), 200
    counts = rng.integers(0, 4, size)
    content = {
        "entry": np.arange(size),
        "x": rng.normal(size=size).round(1),
        "y": rng.uniform(0.5, 3, size).astype(np.float32),
        "i": rng.integers(-6, 7, size).astype(np.int32),
        "j": rng.integers(1, 4, size),
        "b": rng.integers(0, 256, size).astype(np.uint8),
        "u": rng.integers(0, 2**20, size).astype(np.uint32),
        "v": ak.unflatten(rng.normal(size=counts.sum()), counts),
    }
    with uproot.recreate(path) as file:
        file.mktree("Events", {name: ak.type(values) for name, values in content.items()})
        file["Events"].extend(content)
    return path


@pytest.fixture(scope="module")
def root():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ROOT
    ROOT.gErrorIgnoreLevel = ROOT.kError
    return ROOT


def random_number(rng, depth):
    if depth == 0 or rng.random() < 0.25:
        return rng.choice(["x", "y", "i", "j", "2", "0.5", "1e-1", "x", "y"])
    a, b = (random_number(rng, depth - 1) for _ in "ab")
    return rng.choice(
        [f"{a}+{b}", f"{a} - {b}", f"{a}*{b}", f"-({a})", f"({a}) - ({b})", f"({a})*-({b})",
         f"({a})/(2.5+abs({b}))", f"abs({a})", f"fabs({a})", f"sqrt(abs({a}))", f"cos({a})",
         f"TMath::Max(1.*({a}),1.*({b}))", f"TMath::ATan2({a},.1+abs({b}))", "(i%j)",
         f"((i-1)%j) - {b}", "y/j", f"j/y*{a}"]
    )  # fmt: skip


def random_cut(rng, depth):
    if depth == 0:
        sign = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        return f"{random_number(rng, 2)}{sign}{random_number(rng, 1)}"
    a, b = (random_cut(rng, rng.randrange(depth)) for _ in "ab")
    return rng.choice([f"{a} && {b}", f"{a}||{b}", f"({a}) && !({b})", f"!({a})||({b})", a])


def entries_by_us(path, cuts):
    """Return, for each cut, the entries that pass."""
    passed = {f"c{i}": ff.parse(cut) for i, cut in enumerate(cuts)}
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(events["entry"], **passed))
    rows = analysis.run(ff.dataset(path), progress=False).rows
    return [rows["entry"][rows[name] == 1].tolist() for name in passed]


def entries_by_draw(root, path, cuts):
    """Return what TTree::Draw selects."""
    file = root.TFile(str(path))
    tree = file.Get("Events")
    found = []
    for cut in cuts:
        size = tree.Draw("entry", cut, "goff")
        assert size >= 0, cut
        found.append([int(tree.GetV1()[i]) for i in range(size)])
    file.Close()
    return found


def entries_by_rdataframe(root, path, cuts):
    """Return what RDataFrame's filters select, in one loop."""
    frame = root.RDataFrame("Events", str(path)).Redefine("y", "double(y)")  # else float + float
    taken = [frame.Filter(cut).Take["Long64_t"]("entry") for cut in cuts]
    return [list(values.GetValue()) for values in taken]


def compare(cuts, ours, theirs):
    assert [(c, a) for c, a, b in zip(cuts, ours, theirs, strict=True) if a != b] == []
    assert sum(0 < len(entries) < 200 for entries in ours) > len(cuts) // 2


@pytest.mark.xdist_group("root")
def test_random_strings_select_what_draw_selects(root, numbers):
    rng = random.Random(1)
    cuts = [random_cut(rng, 2) for _ in range(400)]
    cuts += ["-y^2<-1 && x^2>.5", "2^-y<.5", "y**2-x*y>1", "!x>0", "!i==1", "x--y>0", "y^x*2>1"]
    cuts += ["x+i%j>1", "i%j-x>0", "-i%j<0", "2<(i%j)*y", "(x/y)*i<y/(j*2)", "!(i%2)", "!!i"]
    compare(cuts, entries_by_us(numbers, cuts), entries_by_draw(root, numbers, cuts))


@pytest.mark.xdist_group("root")
def test_random_strings_select_what_rdataframe_selects(root, numbers):
    rng = random.Random(2)
    cuts = [random_cut(rng, 2) for _ in range(60)]
    cuts += ["!x>0", "!i==1 || -x*-y>1"]
    compare(cuts, entries_by_us(numbers, cuts), entries_by_rdataframe(root, numbers, cuts))


def random_bits(rng, depth):  # of nothing negative, which to TTree::Draw is 1.8e19
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(["(i*i)", "j", "b", "u", "1", "5", "12", "(b%j)"])
    a, b = (random_bits(rng, depth - 1) for _ in "ab")
    return rng.choice(
        [f"{a} & {b}", f"({a})&{b}", f"{a}|{b}", f"{a} | ({b})", f"(({a})<<(j))", f"({a}) >> 2|j",
         f"({a}) + ({b})", f"2*({a})"]
    )  # fmt: skip


def random_cut_on_bits(rng):
    bits = f"({random_bits(rng, 3)}) + j"
    cut = rng.choice([f"({bits}) > 4", f"({bits}) != 0", f"({bits}) == 4", f"!({bits})"])
    other = rng.choice(["x > 0", "(u & 7) != 3", "!(b & 1)"])
    return rng.choice([f"{cut} && {other}", f"{cut} || ({other})", cut, other])


@pytest.mark.xdist_group("root")
@pytest.mark.parametrize("by", [entries_by_draw, entries_by_rdataframe])
def test_bits_select_what_root_selects(root, numbers, by):
    rng = random.Random(3)
    cuts = [random_cut_on_bits(rng) for _ in range(150 if by is entries_by_draw else 40)]
    cuts += ["b&1|4&j && x>0", "(b & 1<<2) != 0", "(b|1 & j+1) > 9", "(b & 3*j) > 1"]
    compare(cuts, entries_by_us(numbers, cuts), by(root, numbers, cuts))


@pytest.mark.xdist_group("root")
def test_reductions_select_what_draw_selects(root, numbers):
    cuts = ["Sum$(v)>0.5", "Sum$(v>0)>=2 && x>0", "Length$(v)==2", "v[0]>0 && x>-1",
            "Max$(v)>1 && Length$(v)>0", "Min$(v)<-1", "!(v[0]>0)"]  # fmt: skip
    compare(cuts, entries_by_us(numbers, cuts), entries_by_draw(root, numbers, cuts))


@pytest.mark.xdist_group("root")
def test_strings_of_the_published_notebook_select_what_rdataframe_selects(root, sample):
    texts = [
        "((abs(Mu01_Eta)<1.2 && Mu01_Pt>3.5) || (abs(Mu01_Eta)>=1.2 && abs(Mu01_Eta)<2.4 && "
        "Mu01_Pt>2.0)) && Tr_Pt>1.2",
        "Triplet2_Mass>1.62 && Triplet2_Mass<2.02 && RefittedPV2_NTracks > 1",
        "abs(Track_dz)<20 && Track_dxy<0.3",
    ]
    path = sample("bph")
    frame = root.RDataFrame("Tree3Mu/ntuple", str(path))
    theirs = [frame.Filter(f"ROOT::VecOps::Sum({text}) > 0").Count() for text in texts]
    for text, count in zip(texts, theirs, strict=True):
        selection = ff.Selection(events).cut("some", ff.parse(text).any())
        result = ff.Analysis(selection).run(ff.dataset(path), progress=False)
        assert 0 < result.cutflow["some"].events == count.GetValue()


@pytest.mark.parametrize(("between", "combine"), [("||", operator.or_), ("&&", operator.and_)])
def test_long_cut_strings(between, combine):
    terms = range(2000)
    expected = functools.reduce(combine, [x == i for i in terms])
    assert ff.parse(between.join(f"x=={i}" for i in terms)) is expected


def test_cut_strings_of_many_brackets():
    expected = x
    for _ in range(500):
        expected = 1 - expected
    assert ff.parse("1-(" * 500 + "x" + ")" * 500) is expected
