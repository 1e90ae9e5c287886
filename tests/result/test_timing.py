"""Timing: rates, shares and sums."""

import math

import pytest

from flavorframe.result import Timing

RUN = Timing(
    wall=123.4,
    opening=4,
    reading=16,
    decompressing=200,
    computing=180,
    bytes_read=3_200_000_000,
    events=12_345_678,
    threads=4,
)


def test_rates():
    assert RUN.events_per_second == pytest.approx(12_345_678 / 123.4)
    assert RUN.megabytes_per_second == pytest.approx(3200 / 123.4)


def test_rates_without_a_clock_are_undefined():
    assert math.isnan(Timing(events=5).events_per_second)
    assert math.isnan(Timing(bytes_read=5).megabytes_per_second)


def test_shares():
    assert RUN.shares() == {
        "opening": 0.01,
        "reading": 0.04,
        "decompressing": 0.5,
        "decoding": 0.0,
        "computing": 0.45,
        "waiting": 0.0,
    }
    assert set(Timing().shares().values()) == {0.0}


def test_addition_has_a_zero_and_is_associative():
    a, b = Timing(wall=1.0, reading=2.0, bytes_read=3, events=4, threads=2), Timing(computing=0.5)
    assert RUN + Timing() == Timing() + RUN == RUN
    assert (a + b) + RUN == a + (b + RUN)
    assert a + b == Timing(wall=1.0, reading=2.0, computing=0.5, bytes_read=3, events=4, threads=2)


def test_text():
    assert repr(RUN) == (
        "123 s on 4 threads: 12,345,678 events, 100,046 events/s, 3,200.0 MB read, 25.9 MB/s\n"
        "  opening 1 %, reading 4 %, decompressing 50 %, computing 45 %"
    )
    assert repr(Timing()) == "0 s on 1 thread: 0 events, 0.0 MB read"


def test_html():
    assert (
        Timing(wall=0.5, reading=0.125, events=10)._repr_html_()
        == """\
<table class="ff ff-timing">
<caption>0.5 s on 1 thread: 10 events, 20 events/s, 0.0 MB read, 0.0 MB/s</caption>
<thead><tr><th>stage</th><th>seconds</th><th>share [%]</th></tr></thead>
<tbody>
<tr><td>opening</td><td class="number">0</td><td class="number">0</td></tr>
<tr><td>reading</td><td class="number">0.125</td><td class="number">100</td></tr>
<tr><td>decompressing</td><td class="number">0</td><td class="number">0</td></tr>
<tr><td>decoding</td><td class="number">0</td><td class="number">0</td></tr>
<tr><td>computing</td><td class="number">0</td><td class="number">0</td></tr>
<tr><td>waiting</td><td class="number">0</td><td class="number">0</td></tr>
</tbody>
</table>"""
    )
