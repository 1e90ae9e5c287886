"""Results of made-up eras, with a mass peak of known size, and their fits."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import hist
import numpy as np
import pytest

from flavorframe import fit
from flavorframe.datasets import Dataset
from flavorframe.report import write
from flavorframe.result import (
    Cutflow,
    CutRow,
    Failure,
    Failures,
    Link,
    Provenance,
    Result,
    Table,
    Timing,
)

VERSIONS = {"flavorframe": "0.1.0", "numpy": "2.0.0"}
CUTS = (("HLT", "HLT_DoubleMu3_* fired"), ("mass", "1.65 ≤ triplet.mass < 2.01"))
LOST = Failure("/data/2017D_2.root", "Events", 0, 500, "a basket is damaged", "OSError")


def mass_histogram(luminosity, *, weighted=False):
    """Return the expected spectrum of ``luminosity`` fb⁻¹, 1000 Ds and 350 D+ in each, rounded."""
    histogram = hist.Hist.new.Reg(62, 1.65, 2.01, name="mass", label="m(μμπ) [GeV]")
    histogram = histogram.Weight() if weighted else histogram.Int64()
    yields = [1000 * luminosity, 350 * luminosity, 12_000 * luminosity]
    truth = [*yields, 1.968, 0.012, 2.0, 3.0, -1.2]
    components = fit.dsphi().expected(histogram.axes[0].edges, truth).values()
    counts = np.rint(sum(components))
    histogram.view()[...] = np.stack([counts, counts], -1) if weighted else counts
    return histogram


def plane():
    histogram = hist.Hist.new.Reg(4, 0, 1, name="x", label="x").Reg(5, 0, 2, name="y", label="y")
    return histogram.Int64().fill([0.1, 0.1, 0.9], [0.3, 0.3, 1.7])


def result_of(
    era="2017B",
    luminosity=1.0,
    *,
    outputs=None,
    cuts=CUTS,
    failures=(),
    weighted=False,
    kind="data",
):
    """Return a result of an era; half of it is read where there are failures."""
    fraction = 0.5 if failures else 1.0
    scale = 1.5 if weighted else None
    events = [round((luminosity or 1) * n) for n in (300_000, 40_000, 16_000)]
    rows = [
        CutRow(name, formula, "triplet", n, n, *(scale and scale * n for _ in range(3)))
        for (name, formula), n in zip((("all", ""), *cuts), events, strict=False)
    ]
    files = tuple(f"/data/{era}_{number}.root" for number in (1, 2))
    return Result(
        Dataset(era, era, files, luminosity=luminosity, kind=kind),
        Cutflow(tuple(rows)),
        {} if outputs is None else outputs,
        Failures(tuple(failures), files=len(files)),
        Timing(wall=2.0, reading=3.0, computing=1.0, bytes_read=10**7, events=events[0], threads=2),
        {"triplet.mu1": Link(1000, 3, 1)},
        Provenance("2026-01-01T12:00:00+00:00", "5f7a" * 16, "3.10.4", VERSIONS),
        fraction,
    )


@pytest.fixture(scope="session")
def eras():
    """Three eras with all kinds of outputs, the last of them partial."""

    def outputs(luminosity):
        return {
            "mass": mass_histogram(luminosity),
            "plane": plane(),
            "candidates": Table({"mass": np.array([1.9, 2.0])}),
        }

    return {
        "2017B": result_of("2017B", 1.0, outputs=outputs(1.0)),
        "2017C": result_of("2017C", 2.0, outputs=outputs(2.0)),
        "2017D": result_of("2017D", 1.0, outputs=outputs(0.5), failures=[LOST]),
    }


@pytest.fixture(scope="session")
def fits(eras):
    return {
        era: fit.dsphi().fit(result.outputs["mass"], luminosity=result.luminosity)
        for era, result in eras.items()
    }


@pytest.fixture(scope="session")
def invalid_fit():
    """A fit without a peak."""
    flat = hist.Hist.new.Reg(62, 1.65, 2.01, label="m(μμπ) [GeV]").Int64()
    flat[...] = 100
    return fit.dsphi().fit(flat)


@dataclass
class Page:
    """What a browser would make of a file: elements with attributes, ids, and the text."""

    source: str
    elements: list[tuple[str, dict[str, str]]]
    texts: list[str]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def images(self):
        return [a for tag, a in self.elements if tag == "img"]

    def section(self, name):
        return re.search(rf'<section id="{name}">(.*?)</section>', self.source, re.DOTALL)[1]


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.elements, self.texts, self.inside = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data):
        if self.inside not in ("style", "script"):
            self.texts.append(data)


def read(path):
    reader = _Reader()
    source = path.read_text("utf-8")
    reader.feed(source)
    return Page(source, reader.elements, reader.texts)


@pytest.fixture
def report(tmp_path):
    """Return a function that writes a report and reads it; arguments as for `write`."""
    return lambda results, **options: read(write(tmp_path / "report.html", results, **options))


@pytest.fixture(scope="session")
def full_page(eras, fits, tmp_path_factory):
    """The report of three eras with everything in it."""
    folder = tmp_path_factory.mktemp("report")
    text = "The normalisation channel.\n\nOn **all** of 2017, see `selection`."
    page = read(write(folder / "report.html", eras, fits=fits, text=text))
    assert [file.name for file in folder.iterdir()] == ["report.html"]
    return page
