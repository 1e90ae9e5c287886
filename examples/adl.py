"""The eight benchmark tasks for languages of analysis, in one pass over files like NanoAOD's.

Each function is a task, in the words of https://github.com/iris-hep/adl-benchmarks-index.
``python examples/adl.py FILE`` runs all of them on ROOT files whose branches are called as in CMS's
open data, such as ``Jet_pt``, ``Jet_btag`` and ``MET_pt``.
"""

import sys

import flavorframe as ff

events = ff.events()
jet, muon, electron, met = events.jet, events.muon, events.electron, events.met
lepton = ff.concatenate(muon, electron)
missing_pt = ff.hist(met.pt, bins=100, range=(0, 200), label="missing pT [GeV]")
jet_pt = ff.hist(jet.pt, bins=100, range=(15, 60), label="pT [GeV]")


def task1() -> ff.Region:
    """The missing transverse momentum of all events."""
    return ff.Region(ff.Selection(events), met=missing_pt)


def task2() -> ff.Region:
    """The pT of all jets."""
    return ff.Region(ff.Selection(jet), pt=jet_pt)


def task3() -> ff.Region:
    """The pT of jets with |η| < 1."""
    return ff.Region(ff.Selection(jet).cut("central", abs(jet.eta) < 1), pt=jet_pt)


def task4() -> ff.Region:
    """The missing transverse momentum of events with two or more jets above 40 GeV."""
    selection = ff.Selection(events).cut("two jets", (jet.pt > 40 * ff.GeV).count() >= 2)
    return ff.Region(selection, met=missing_pt)


def task5() -> ff.Region:
    """The missing transverse momentum of events with a μ⁺μ⁻ of a mass from 60 to 120 GeV."""
    a, b = ff.pairs(muon).members
    resonant = (a.charge != b.charge) & ff.mass(a, b).between(60 * ff.GeV, 120 * ff.GeV)
    return ff.Region(ff.Selection(events).cut("μ⁺μ⁻", resonant.any()), met=missing_pt)


def task6() -> ff.Region:
    """Of the three jets whose mass is closest to 172.5 GeV, their pT and their largest b-tag."""
    three = ff.triples(jet)
    a, b, c = three.members
    momentum = ff.p4(a) + ff.p4(b) + ff.p4(c)
    top = ff.Selection(three).best(lowest=abs(momentum.mass - 172.5 * ff.GeV))
    tag = ff.maximum(ff.maximum(a.btag, b.btag), c.btag)
    return ff.Region(
        top,
        pt=ff.hist(momentum.pt, bins=100, range=(15, 40), label="pT [GeV]"),
        tag=ff.hist(tag, bins=100, range=(0, 1), label="largest b-tag"),
    )


def task7() -> ff.Region:
    """The sum of pT of jets above 30 GeV with no lepton above 10 GeV within ΔR = 0.4."""
    hard = jet[jet.pt > 30 * ff.GeV]
    near = lepton[lepton.pt > 10 * ff.GeV].per(hard)
    alone = hard[(ff.delta_r(near, hard) >= 0.4).all()]
    total = ff.hist(alone.pt.sum(), bins=100, range=(15, 200), label="sum of pT [GeV]")
    return ff.Region(ff.Selection(events), total=total)


def task8() -> ff.Region:
    """The transverse mass of missing pT and the hardest lepton beside the pair closest to the Z."""
    hardest = lepton.sorted(lepton.pt, descending=True)
    pair = ff.pairs(hardest)
    a, b = pair.members  # a before b
    other = hardest.at(ff.where(a.index > 0, 0, ff.where(b.index > 1, 1, 2)))
    selection = (
        ff.Selection(pair)
        .cut("three leptons", lepton.count() >= 3)
        .cut("same flavour", a.source == b.source)
        .cut("opposite charge", a.charge != b.charge)
        .best(lowest=abs(ff.mass(a, b) - 91.2 * ff.GeV))
    )
    mt = ff.hist(ff.transverse_mass(met, other), bins=100, range=(0, 200), label="mT [GeV]")
    return ff.Region(selection, mt=mt)


analysis = ff.Analysis(
    task1=task1(),
    task2=task2(),
    task3=task3(),
    task4=task4(),
    task5=task5(),
    task6=task6(),
    task7=task7(),
    task8=task8(),
)

if __name__ == "__main__":
    print(analysis.run(ff.dataset(sys.argv[1:])))
