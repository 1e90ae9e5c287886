"""Representations: golden texts, and alarms that cannot be overlooked."""

from html.parser import HTMLParser

import numpy as np
import pytest

from flavorframe.fit import dsphi
from flavorframe.fit.toys import ToyStudy

MODEL = """
MassModel on 1.65–2.01 GeV

component   shape        kind        parameters
Ds          CrystalBall  signal      mean, sigma, alpha, n
D+          CrystalBall  signal      0.9499·mean, 0.9499·sigma, alpha, n
background  Exponential  background  slope

parameter  start    limits         unit
mean       1.96835  [1.94, 2]      GeV
sigma      0.012    [0.003, 0.04]  GeV
alpha      2        fixed
n          3        fixed
slope      -1       [-20, 20]      1/GeV
"""

VALID = """
Fit 2017B: 62 bins, 1.65–2.01 GeV: valid

χ²/ndf = 58.3/57 = 1.02, p = 0.43, EDM = 3.1e-06, 4.8 fb⁻¹

parameter      value    error    MINOS      limits            unit
N(Ds)          5280     175      -174 +176  [-70000, 140000]
N(background)  63236    312                 [0, 140000]
mean           1.96835  0.00042             [1.94, 2]         GeV
sigma          0.01200  0.00035             [0.003, 0.04]     GeV
alpha          2        fixed
n              3        fixed
slope          -1.171   0.050               [-20, 20]         1/GeV
"""

INVALID = """
Fit: 62 bins, 1.65–2.01 GeV: NOT VALID, do not use these numbers
  ✗ MIGRAD did not converge
  ✗ sigma is at its limit
"""

TOYS = """
ToyStudy: 4 of 5 fits valid (80.0%)
  ✗ slope is at its limit

yield  truth  pull mean    pull width
Ds     528    0.50 ± 0.65  1.29 ± 0.53
"""


@pytest.fixture
def study():
    pulls = {"Ds": np.array([-1.0, 0.0, 1.0, 2.0])}
    return ToyStudy(5, {"Ds": 528.0}, pulls, ("slope is at its limit",))


class Text(HTMLParser):
    """Collects the text of a page, and checks that its tags are balanced."""

    def __init__(self, page):
        super().__init__()
        self.open, self.words = [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_model_text():
    assert repr(dsphi()) == MODEL.strip()


def test_fit_text(handmade):
    assert repr(handmade(luminosity=4.8, label="2017B")) == VALID.strip()


def test_fit_text_begins_with_what_is_wrong(handmade):
    text = repr(handmade("MIGRAD did not converge", "sigma is at its limit"))
    assert text.startswith(INVALID.strip() + "\n\nχ²/ndf")


def test_columns_that_say_nothing_are_left_out(handmade):
    text = repr(handmade(fitted=handmade().fitted[1:], model=dsphi().only("background")))
    assert "MINOS" not in text


def test_toys_text(study):
    assert repr(study) == TOYS.strip()


def test_html_says_what_the_text_says(handmade, study):
    objects = {
        handmade(luminosity=4.8, label="2017B"): VALID,
        dsphi(): MODEL,
        study: "4 of 5 fits valid, slope is at its limit, 0.50 ± 0.65",
    }
    for thing, text in objects.items():
        words = " ".join(Text(thing._repr_html_()).words)
        for word in text.replace(": valid", "").replace("ToyStudy: ", "").split():
            assert word.strip(",") in words


def test_html_of_a_failed_fit_is_an_alarm(handmade):
    page = handmade("sigma < 3 MeV")._repr_html_()
    assert "NOT VALID: do not use these numbers" in page
    assert "background: #bd1f01" in page
    assert "sigma &lt; 3 MeV" in page
    assert "NOT VALID" not in handmade()._repr_html_()
