"""Bits or logic, and what is a quantity at all: told where it is written, if it is known there."""

import decimal
import pickle

import numpy as np
import pytest

import flavorframe as ff
from flavorframe._expr import nodes as n
from flavorframe._expr.kinds import kind_of
from flavorframe.errors import ExpressionError

events = ff.events()
t, muon = events.triplet, events.muon
flags = muon.flags
high, low = muon.pt > 5, muon.pt < 9


@pytest.mark.parametrize(
    ("expression", "operation"),
    [
        (high & low, "and"),
        (high | low, "or"),
        (high ^ low, "xor"),
        (~high, "not"),
        (high & True, "and"),
        (~muon.is_global, "not"),
        (high & ff.where(high, low, high), "and"),
        (muon.index & 2, "bit_and"),
        (1 | muon.index, "bit_or"),
        (muon.index ^ 2, "bit_xor"),
        (~muon.index, "bit_not"),
        (np.bitwise_and(high, low), "and"),
        (np.bitwise_or(muon.index, 1), "bit_or"),
        (np.bitwise_xor(high, low), "xor"),
        (np.invert(muon.index), "bit_not"),
        (np.left_shift(flags, 2), "shift_left"),
        (2 >> flags, "shift_right"),
        (np.logical_and(flags, 2), "and"),
        (np.logical_xor(flags, 2), "xor"),
        (np.int64(2) & flags, "&"),
        (flags & 2, "&"),
        (high & flags, "&"),
    ],
)
def test_operators_are_bits_or_logic_as_soon_as_that_is_known(expression, operation):
    assert expression.node.operation == operation


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        ((flags & 2) != 0, "(muon.flags & 2) ≠ 0"),
        (flags & (flags | 3), "muon.flags & (muon.flags | 3)"),
        (high & muon.is_pf & flags, "muon.pt > 5 and muon.is_pf and muon.flags"),
        (high ^ (low | high), "muon.pt > 5 xor (muon.pt < 9 or muon.pt > 5)"),
        (~(flags ^ 1), "~(muon.flags ^ 1)"),
        ((flags << 2) + 1, "(muon.flags << 2) + 1"),
        (flags.bit(13) & ~high, "bit(muon.flags, 13) and not muon.pt > 5"),
        (events.event == 2**63 + 1, "event = 9223372036854775809"),
    ],
)
def test_formula(expression, formula):
    assert expression.formula == formula


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: high & 2, r"\(muon.pt > 5\) & 2: muon.pt > 5 is a truth value and 2 is a whole"),
        (lambda: high & 2, r"Put comparisons in brackets: \(x > 1\) & \(y > 2\)"),
        (lambda: muon.index | high, r"\(index\(muon\) & 2\) != 0\) or index\(muon\).bit\(1\)"),
        (lambda: (muon.pt / 2) & high, r"Compare the number, in brackets: \(\(muon.pt / 2\) > 0\)"),
        (lambda: flags & 2.0, "2 is a decimal number"),
        (lambda: ~(muon.pt / 2), "works on the bits of whole numbers, or as 'not'"),
        (lambda: high << 1, "muon.pt > 5 is a truth value"),
        (lambda: flags >> 0.5, "0.5 is a decimal number; >> works on the bits of whole numbers"),
        (lambda: flags.bit(64), "from 0 to 63, not 64"),
        (lambda: flags.bit(True), "from 0 to 63, not True"),
        (lambda: high.bit(1), "works on the bits of whole numbers"),
        (lambda: flags + "a", "'a' is a text, and only numbers and truth values are computed with"),
        (lambda: events["name"] == "HLT", "'HLT' is a text"),
        (lambda: ff.function(np.sqrt)(flags, "a"), "'a' is a text"),
        (lambda: flags > 2**64, r"18446744073709551616 is no whole number of 64 bits"),
        (lambda: flags > -(2**63) - 1, "write a decimal number, such as 1e30"),
        (lambda: flags > 10**5000, "It is no whole number of 64 bits"),
        (lambda: flags.isin(1, 2**70), "no whole number of 64 bits"),
        (lambda: flags.isin([1, None, "a"]), "NoneType None cannot be part"),
        (lambda: events["x"][0], r"x\[...\]: an expression has no elements before the run"),
        (lambda: flags & decimal.Decimal(2), "Decimal"),
        (lambda: flags * 2j, "complex"),
        (lambda: ff.Selection(t).cut("a", "mass > 2"), "only numbers and truth values are cut on"),
        (lambda: ff.Selection(t).weight("a", "mass"), "Weight 'a': 'mass' is a text"),
        (lambda: ff.Selection(t).best(lowest="mass"), "are chosen by"),
        (lambda: ff.hist(t.mass, bins=[0, 1], weight="pt"), "are weights"),
    ],
)
def test_mistakes_are_told_where_they_are_written(mistake, message):
    with pytest.raises(ExpressionError, match=message):
        mistake()


@pytest.mark.parametrize(
    "value",
    [np.int8(3), np.uint64(2**64 - 1), np.float16(0.5), np.float32(0.1), np.longdouble(2), np.True_,
     np.str_("a"), float("nan"), float("inf"), -(2**63), 2**64 - 1],
)  # fmt: skip
def test_constants_of_numpy_are_constants(value):
    held = muon.pt.isin(value).node.values[0]
    assert type(held) in (bool, int, float, str)
    assert held == value or held != held


def test_kinds_are_known_below_deep_trees_and_from_pickles():
    x = muon.index
    for _ in range(5000):
        x = x + 1
    assert kind_of(x.node) == "int"
    assert b"_kind" not in pickle.dumps(x.node)


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        (lambda u: u + 1, "unsigned"),
        (lambda u: u - 1, "int"),
        (lambda u: -u, "int"),
        (lambda u: u * -1, "int"),
        (lambda u: u % 10, "unsigned"),
        (lambda u: muon.index % u, "unsigned"),
        (lambda u: u % muon.index, "int"),
        (lambda u: ff.maximum(u, muon.index), "unsigned"),
        (lambda u: ff.minimum(u, muon.index), "int"),
        (lambda u: u & -2, "unsigned"),
        (lambda u: muon.index << u, "int"),
        (lambda u: ff.where(u > 1, u, 0), "unsigned"),
        (lambda u: ff.where(u > 1, u, -1), "int"),
        (lambda u: u + 0.5, "float"),
        (lambda u: u.sum(), "unsigned"),
        (lambda u: u > 1, "bool"),
    ],
)
def test_what_is_unsigned(expression, kind):
    from flavorframe._rootio.schema import BranchInfo, Schema
    from flavorframe.layouts import bind, recognise

    schema = Schema("Events", (BranchInfo("Muon_code", "uint64_t[]", "unsigned", "list"),))
    bound = bind(expression(muon.code).node, recognise(schema), schema)
    assert kind_of(bound) == kind
    assert isinstance(bound, n.Apply | n.Reduce)
