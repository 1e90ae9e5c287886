"""Certificates: engines that agree, and a seeded difference down to its candidate."""

import json
from dataclasses import replace
from importlib import import_module

import pytest
from typer.testing import CliRunner

import flavorframe as ff
from flavorframe._cli.main import app
from flavorframe._expr import nodes as n
from flavorframe._planning.rewriting import leaves_changed, rewritten
from flavorframe.engines import get_engine
from flavorframe.errors import AnalysisError, RunError
from flavorframe.result import Cutflow
from support.reference import published


class OtherMass:
    """The columnar engine, but for one cut that is at 1.63 where the plan says 1.62 GeV."""

    name = "other"

    def __init__(self):
        self._engine = get_engine("columnar")

    def prepare(self, plan, file, tree):
        return self._engine.prepare(plan, file, tree)

    def empty(self, plan):
        return self._engine.empty(plan)

    def evaluate(self, plan, partition):
        steps = tuple(replace(s, node=_moved(s.node)) for s in plan.selection.steps)
        moved = replace(plan, selection=replace(plan.selection, steps=steps))
        found = self._engine.evaluate(moved, partition)
        labelled = zip(found.cutflow, self.empty(plan).cutflow, strict=True)
        rows = tuple(replace(row, formula=own.formula) for row, own in labelled)
        return replace(found, cutflow=Cutflow(rows))


def _moved(node):
    return n.Literal(1.63) if node == n.Literal(1.62) else node.map(_moved)


@pytest.mark.root
@pytest.mark.parametrize("layout", ["bph", "nano-rntuple"])
def test_engines_agree(sample, layout):
    certificate = ff.certify(published(), ff.dataset(str(sample(layout))))
    assert certificate.agrees
    assert certificate.events == 1200
    assert "columnar and rdataframe agree" in repr(certificate)
    assert all(len(set(cut.counts.values())) == 1 for cut in certificate.cuts)


def test_skims_are_no_part_of_it(sample, tmp_path):
    declared = ff.Analysis(published().selection, skim=ff.skim(path=tmp_path / "skim.root"))
    certificate = ff.certify(declared, ff.dataset(str(sample("nano"))), engines=["columnar"] * 2)
    assert certificate.agrees
    assert certificate.plan == declared.plan.digest
    assert certificate.outputs == ()
    assert list(tmp_path.iterdir()) == []


def test_difference_is_followed_to_its_candidate(sample, tmp_path):
    data = ff.dataset(str(sample("nano")))
    certificate = ff.certify(published(), data, engines=["columnar", OtherMass()])
    assert not certificate.agrees
    difference = certificate.differences[0]
    assert (difference.kind, difference.name) == ("cut", "2μ+track mass")
    assert set(difference.identity) == {"run", "luminosity_block", "event"}
    assert all(1.62 <= c.values["triplet.mass"][0] < 1.63 for c in difference.candidates)
    assert all(c.kept == (True, False) for c in difference.candidates)
    assert "DIFFER" in repr(certificate)
    assert "not kept by other" in certificate._repr_html_()
    page = certificate.save(tmp_path / "certificate.html").read_text()
    assert "not kept by other" in page
    saved = json.loads(certificate.save(tmp_path / "certificate.json").read_text())
    assert saved["agrees"] is False


def test_differing_candidates_are_all_that_differ(sample):
    """The events told are those between the two thresholds, found without any engine's help."""
    file = str(sample("nano", events=150))
    ours = published()
    first = ff.Analysis(ff.Selection(ff.events().triplet, ours.selection.steps[:3]))
    t, events = ff.events().triplet, ff.events()
    between = first.with_outputs(rows=ff.snapshot(events.event, t.mass)).run(
        ff.dataset(file), progress=False
    )
    expected = {
        int(event)
        for event, mass in zip(between.rows["event"], between.rows["mass"], strict=True)
        if 1.62 <= mass < 1.63
    }
    certificate = ff.certify(ours, ff.dataset(file), engines=["columnar", OtherMass()])
    assert {d.identity["event"] for d in certificate.differences} == expected


# Regions, categories and variations


class Other:
    """The columnar engine, but for a number that it takes for another."""

    name = "other"

    def __init__(self, number, instead):
        self._engine = get_engine("columnar")
        self.prepare, self.empty = self._engine.prepare, self._engine.empty
        self._number, self._instead = n.Literal(number), n.Literal(instead)

    def evaluate(self, plan, partition):
        changed = rewritten(plan, lambda tree: leaves_changed(tree, self._changed))
        found = self._engine.evaluate(changed, partition)
        own = self.empty(plan)
        regions = {name: labelled(flow, own.regions[name]) for name, flow in found.regions.items()}
        return replace(found, cutflow=labelled(found.cutflow, own.cutflow), regions=regions)

    def _changed(self, leaf):
        return self._instead if leaf == self._number else leaf


def labelled(flow, own):
    """Return a cutflow with the formulas of another, as engines that err would have them."""
    rows = (replace(row, formula=o.formula) for row, o in zip(flow, own, strict=True))
    return replace(flow, rows=tuple(rows))


def regional():
    t = ff.events().triplet
    pt = ff.vary("scale", t.pt, up=1.05 * t.pt, down=0.95 * t.pt)
    base = ff.Selection(t).weight("sf", ff.vary("sf", 0.9, up=0.97))
    halves = ff.categories(barrel=abs(t.eta) < 1.2, endcap=abs(t.eta) >= 1.2)
    mass = ff.hist(t.mass, bins=5, range=(1.6, 2.1))
    return ff.Analysis(
        signal=ff.Region(base.cut("pt", pt > 12), by=halves, mass=mass, rows=ff.snapshot(pt=pt)),
        control=ff.Region(base.cut("window", t.mass > 1.62), mass=mass),
    )


@pytest.mark.root
def test_engines_agree_on_regions(sample):
    certificate = ff.certify(regional(), ff.dataset(str(sample("nano", events=150))))
    assert certificate.agrees, certificate
    assert "at every one of 4 steps" in repr(certificate)
    assert [cut.region for cut in certificate.cuts] == ["signal"] * 3 + ["control"] * 3
    assert len(certificate.cuts[0].counts["columnar"]) == 5  # events, candidates, categories
    labels = {output.name for output in certificate.outputs if "[" in output.name}
    shifts = "signal.mass [scale up]", "signal.mass [scale down]"
    assert labels == {*shifts, "signal.mass [sf up]", "control.mass [sf up]"}


@pytest.mark.parametrize(
    ("number", "instead", "where"),
    [
        (1.62, 1.75, "cut 'window' of region control (triplet.mass > 1.62)"),
        (1.05, 1.5, "histogram 'signal.mass [scale up]'"),
        (1.2, 0.9, "cut 'all' of region signal"),
    ],
    ids=["cut", "shift", "category"],
)
def test_a_difference_is_followed_into_its_region(sample, monkeypatch, number, instead, where):
    monkeypatch.setattr(import_module("flavorframe.certificate.certify"), "MOST_EVENTS", 2)
    data = ff.dataset(str(sample("nano", events=150)))
    certificate = ff.certify(regional(), data, engines=["columnar", Other(number, instead)])
    assert not certificate.agrees
    difference = certificate.differences[0]
    assert where in repr(certificate)
    assert set(difference.identity) == {"run", "luminosity_block", "event"}
    kept = {candidate.kept for each in certificate.differences for candidate in each.candidates}
    if number == 1.62:
        assert kept == {(True, False)}
    if number == 1.05:
        assert (False, True) in kept


def test_file_that_nobody_can_read(sample, tmp_path):
    broken = tmp_path / "broken.root"
    broken.write_text("no ROOT file")
    data = ff.dataset([str(sample("nano", events=150)), str(broken)])
    certificate = ff.certify(published(), data, engines=["columnar", "columnar"])
    assert certificate.agrees
    assert "broken.root" in certificate.unread[0]
    with pytest.raises(RunError, match="Nothing of dataset"):
        ff.certify(published(), ff.dataset(str(broken)), engines=["columnar", "columnar"])


def test_one_engine_is_not_enough(sample):
    with pytest.raises(AnalysisError, match="two engines"):
        ff.certify(published(), ff.dataset(str(sample("nano"))), engines=["columnar"])


def test_section_of_the_report(sample, tmp_path):
    data = ff.dataset(str(sample("nano", events=150)))
    certificate = ff.certify(published(), data, engines=["columnar", "columnar"])
    result = published().run(data, progress=False)
    page = ff.report.write(tmp_path / "report.html", result, certificate=certificate)
    assert '<section id="certificate">' in page.read_text()


def test_command_line(sample, tmp_path):
    script = tmp_path / "a.py"
    script.write_text(
        "import flavorframe as ff\nt = ff.events().triplet\n"
        "analysis = ff.Analysis(ff.Selection(t).cut('mass', t.mass > 1.8))\n"
    )
    out = tmp_path / "out"
    arguments = ["certify", str(script), str(sample("nano", events=150)), "--output", str(out)]
    found = CliRunner().invoke(app, [*arguments, "--engines", "columnar,columnar"])
    assert found.exit_code == 0, found.output
    assert "agree" in found.output
    assert {path.name for path in out.iterdir()} == {
        "files_certificate.html", "files_certificate.json",
    }  # fmt: skip
