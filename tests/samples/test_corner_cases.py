import numpy as np
import pytest

from flavorframe.errors import SampleError
from flavorframe.samples import CORNER_CASES, corner_case

DECAYS = ("dsphipi", "tau3mu")


@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("name", CORNER_CASES)
def test_links_lead_into_the_lists(name, decay):
    events = corner_case(name, decay)
    third = ("track_idx", "Track") if decay == "dsphipi" else ("mu3_idx", "Muon")
    for link, target in (("mu1_idx", "Muon"), ("mu2_idx", "Muon"), third):
        idx = events.triplet.fields[link]
        assert (idx < events.collections[target].counts[events.triplet.event]).all()


@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("name", CORNER_CASES)
def test_linked_muons_are_the_first_with_their_pt(name, decay):
    events = corner_case(name, decay)
    fields, muons = events.triplet.fields, events.muon
    pts = np.split(muons.fields["pt"], muons.offsets[1:-1]) if len(events) else []
    for member in ("mu1", "mu2", "mu3")[: 2 if decay == "dsphipi" else 3]:
        for event, pt, idx in zip(
            events.triplet.event, fields[f"{member}_pt"], fields[f"{member}_idx"], strict=True
        ):
            equal = np.flatnonzero(pts[event] == pt)
            assert idx == (equal[0] if len(equal) else -1)


@pytest.mark.parametrize("decay", DECAYS)
def test_sizes(decay):
    assert len(corner_case("no_events", decay)) == 0
    assert len(corner_case("one_event", decay)) == 1
    assert corner_case("no_candidates", decay).triplet.counts.sum() == 0
    assert corner_case("no_candidates", decay).muon.counts.sum() > 0
    assert corner_case("many_candidates", decay).triplet.counts[0] >= 300


def test_merged_candidates_keep_their_muons():
    fields, muons = (corner_case("many_candidates").triplet.fields), corner_case("many_candidates")
    first = slice(0, muons.triplet.counts[0])
    idx = fields["mu1_idx"][first]
    listed = idx >= 0
    assert np.array_equal(
        muons.muon.fields["pt"][idx[listed]].astype(float), fields["mu1_pt"][first][listed]
    )


def test_all_nan():
    for collection in corner_case("all_nan").collections.values():
        floats = [v for v in collection.fields.values() if v.dtype.kind == "f"]
        assert all(np.isnan(values).all() for values in floats)


def test_equal_pt_is_within_events_and_ambiguous():
    muons = corner_case("equal_pt").muon
    pairs = np.diff(muons.event) == 0
    assert (np.diff(muons.fields["pt"])[pairs] == 0).all()
    assert pairs.any()


def test_unknown_case_is_answered_with_the_nearest():
    with pytest.raises(SampleError, match=r"no corner case 'no_event'.* Did you mean 'no_events'"):
        corner_case("no_event")
