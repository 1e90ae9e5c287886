"""The compiled event loop as batch jobs: its outputs are added up, and the counts are ours."""

import pytest
from benchmarks.legacy_engine import LegacyLoop

import flavorframe as ff
from flavorframe.errors import AnalysisError
from support.jobs import submissions
from support.reference import published

pytestmark = pytest.mark.root


def mass_only():
    analysis = published()
    return ff.Analysis(analysis.selection, mass=dict(analysis.outputs)["mass"])


def check(site, sample, jobs):
    data = ff.dataset([str(sample("bph")), str(sample("bph", events=150))])
    result = mass_only().run(data, engine=LegacyLoop(), on=site, progress=False)
    expected = mass_only().run(data, progress=False)
    assert [(r.name, r.events, r.candidates) for r in result.cutflow] == [
        (r.name, r.events, r.candidates) for r in expected.cutflow
    ]
    assert result.mass.values(flow=True).tolist() == expected.mass.values(flow=True).tolist()
    assert result.mass.sum() > 10
    assert result.is_complete
    assert submissions(site) == [list(range(jobs))]


def test_as_slurm_jobs(slurm, sample):
    check(slurm(jobs=2, memory="1500MB"), sample, 2)


def test_as_condor_jobs(pool, sample, tmp_path):
    check(ff.HTCondor(jobs=1, folder=tmp_path / "runs"), sample, 1)


def test_of_another_analysis(sample):
    t = ff.events().triplet
    mass = ff.hist(t.mass, bins=9, range=(1, 2))
    other = ff.Analysis(ff.Selection(t).cut("mass", t.mass > 1.7), mass=mass)
    with pytest.raises(AnalysisError, match="The legacy loop has the steps all, HLT.* all, mass"):
        other.run(ff.dataset(str(sample("bph"))), engine=LegacyLoop(), progress=False)
