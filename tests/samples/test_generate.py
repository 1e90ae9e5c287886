import numpy as np
import pytest

from flavorframe.errors import SampleError
from flavorframe.samples import ERAS, Events, chunks, concatenate, generate
from flavorframe.samples.generate import CHUNK
from flavorframe.samples.record import LABELS
from flavorframe.samples.schema import COLLECTIONS, GEN_INDEX, SCALARS
from flavorframe.samples.triggers import menu
from support import kept_events


@pytest.fixture(autouse=True)
def generated_anew(monkeypatch):
    """Have the same asked for twice be made twice."""
    kept_events.make_chunks_anew(monkeypatch)


def assert_equal(one: Events, other: Events) -> None:
    assert np.array_equal(one.process, other.process)
    for name in ("scalars", "hlt", "l1"):
        assert_equal_columns(getattr(one, name), getattr(other, name))
    for name, collection in one.collections.items():
        assert np.array_equal(collection.counts, other.collections[name].counts)
        assert_equal_columns(collection.fields, other.collections[name].fields)


def assert_equal_columns(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert np.array_equal(values, other[name], equal_nan=values.dtype.kind == "f"), name


def mass(events: Events) -> np.ndarray:
    return events.triplet.fields["mass"]


def test_the_same_seed_gives_the_same_events():
    assert_equal(generate(3000, seed=5), generate(3000, seed=5))


def test_fewer_events_are_the_first_of_more():
    long = generate(CHUNK + 2000, seed=5)
    assert_equal(generate(700, seed=5), long.head(700))
    assert_equal(generate(CHUNK + 5, seed=5), long.head(CHUNK + 5))


def test_pieces_join_to_the_whole():
    pieces = list(chunks(CHUNK + 300, seed=5))
    assert [len(piece) for piece in pieces] == [CHUNK, 300]
    assert_equal(concatenate(pieces), generate(CHUNK + 300, seed=5))


@pytest.mark.parametrize("change", [{"seed": 6}, {"era": "2017C"}, {"file": 1}])
def test_another_seed_era_or_file_gives_other_events(change):
    usual = {"seed": 5, "era": "2017B", "file": 0}
    ours, others = mass(generate(200, **usual)), mass(generate(200, **usual | change))
    assert not np.isin(ours, others).any()


def test_columns_have_the_names_and_types_of_the_schema(events):
    types = {field.name: field.dtype for field in SCALARS if field.name != "genWeight"}
    assert {name: values.dtype.name for name, values in events.scalars.items()} == types
    for name, collection in events.collections.items():
        fields, _ = COLLECTIONS["dsphipi"][name]
        types = {field.name: field.dtype for field in fields if field != GEN_INDEX}
        assert {field: v.dtype.name for field, v in collection.fields.items()} == types
        assert {len(v) for v in collection.fields.values()} == {collection.counts.sum()}


def test_no_events_have_columns():
    assert_equal_columns(generate(0).scalars, generate(1).head(0).scalars)
    assert len(generate(0)) == 0


@pytest.mark.parametrize("era", ERAS)
def test_runs_are_those_of_the_era_and_events_are_numbered(era):
    first, last = generate(500, era=era, file=0), generate(500, era=era, file=428)
    runs = np.concatenate([first.scalars["run"], last.scalars["run"]])
    assert set(runs) <= set(ERAS[era].runs)
    numbers = np.concatenate([first.scalars["event"], last.scalars["event"]])
    assert len(set(numbers)) == 1000
    assert numbers.max() < 2**32, "the bph layout has 32 bits for it"


def test_a_sizeable_share_of_events_has_no_candidates_and_a_few_have_many(events):
    counts = events.triplet.counts
    assert 0.35 < (counts == 0).mean() < 0.55
    assert counts.max() > 30


def test_simulation_is_signal_with_interactions_and_weights(events, simulation):
    assert set(simulation.process) == {1}
    assert set(simulation.scalars["run"]) == {1}
    weights = simulation.scalars["genWeight"]
    assert 0.03 < (weights < 0).mean() < 0.07
    assert simulation.scalars["Pileup_nPU"].mean() == pytest.approx(32, abs=1)
    assert not events.scalars["Pileup_nPU"].any()
    assert "genWeight" not in events.scalars


def test_muon_identification_is_worse_in_data_than_in_simulation(events, simulation):
    def efficiency(sample: Events) -> float:
        fields, muon = sample.triplet.fields, sample.muon
        listed = np.flatnonzero((fields["truth"] > 0) & (fields["mu1_idx"] >= 0))
        rows = fields["mu1_idx"][listed] + muon.offsets[sample.triplet.event[listed]]
        return float(muon.fields["isGlobal"][rows].mean())

    assert efficiency(simulation) == pytest.approx(0.935, abs=0.01)
    assert efficiency(events) / efficiency(simulation) == pytest.approx(0.955, abs=0.015)


def test_absent_paths_do_not_fire(events):
    for run in np.unique(events.scalars["run"]):
        of_run = events.scalars["run"] == run
        for fired, present in ((events.hlt, menu(run).hlt), (events.l1, menu(run).l1)):
            assert not any(fired[name][of_run].any() for name in fired.keys() - set(present))


def test_a_luminosity_section_has_one_run(events):
    section, run = events.scalars["luminosityBlock"], events.scalars["run"]
    assert len(np.unique(np.stack([section, run]), axis=1).T) == len(np.unique(section))


def test_menus_change_within_an_era():
    menus = {menu(run) for run in ERAS["2017B"].runs}
    assert len({m.version for m in menus}) > 1
    assert len({m.hlt for m in menus}) > 1
    assert any("HLT_DoubleMu3_Trk_Tau3mu" not in m.hlt for m in menus)


def test_truth_of_candidates_agrees_with_the_collision(events):
    truth, process = events.triplet.fields["truth"], events.process[events.triplet.event]
    assert set(np.unique(truth)) == set(LABELS["dsphipi"])
    assert (process[truth == 1] == 1).all()
    assert (process[truth == 2] == 2).all()
    assert (process[truth == 3] > 0).all()


@pytest.mark.parametrize(("label", "expected"), [(1, 1.96835), (2, 1.86966)])
def test_candidates_of_a_meson_have_its_mass(events, label, expected):
    peak = mass(events)[events.triplet.fields["truth"] == label]
    assert np.median(peak) == pytest.approx(expected, abs=0.003)


def test_mass_resolution(simulation):
    peak = mass(simulation)[simulation.triplet.fields["truth"] == 1]
    low, high = np.quantile(peak, [0.1587, 0.8413])
    assert (high - low) / 2 == pytest.approx(0.013, abs=0.001)


def test_mass_is_that_of_the_refitted_tracks(events):
    fields = events.triplet.fields
    total = np.zeros((4, len(fields["mass"])))
    for number, m in ((1, 0.1056583755), (2, 0.1056583755), (3, 0.13957039)):
        pt, eta, phi = (fields[f"refit{number}_{name}"] for name in ("pt", "eta", "phi"))
        x, y, z = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        total += [np.sqrt(x**2 + y**2 + z**2 + m**2), x, y, z]
    assert np.allclose(np.sqrt(total[0] ** 2 - (total[1:] ** 2).sum(axis=0)), fields["mass"])
    assert np.allclose(np.hypot(total[1], total[2]), fields["pt"])


def test_significance_is_distance_over_error_and_some_fits_fail(events):
    fields = events.triplet.fields
    failed = np.isnan(fields["vertex_chi2"])
    assert 0.0003 < failed.mean() < 0.003
    for name in ("flight", "flight3d"):
        ratio = fields[f"{name}_distance"] / fields[f"{name}_error"]
        assert np.array_equal(fields[f"{name}_significance"], ratio, equal_nan=True)
        assert np.array_equal(np.isnan(ratio), failed)


@pytest.mark.parametrize(("label", "ctau"), [(1, 0.0151), (2, 0.0312)])
def test_decay_length_gives_the_lifetime(label, ctau):
    events = generate(40_000, seed=2)
    fields = events.triplet.fields
    mine = (fields["truth"] == label) & ~np.isnan(fields["vertex_x"])
    flown = np.hypot(fields["vertex_x"] - fields["pv_x"], fields["vertex_y"] - fields["pv_y"])[mine]
    proper = flown * fields["mass"][mine] / fields["pt"][mine]
    assert proper.mean() == pytest.approx(ctau, rel=0.12)


def links(events: Events, member: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The candidates whose member is listed, the member's row, and whether each is listed."""
    idx = events.triplet.fields[f"{member}_idx"]
    collection = events.track if member == "track" else events.muon
    listed = np.flatnonzero(idx >= 0)
    return listed, idx[listed] + collection.offsets[events.triplet.event[listed]], idx >= 0


@pytest.mark.parametrize("member", ["mu1", "mu2", "track"])
def test_linked_elements_are_those_of_the_candidate(events, member):
    candidates, rows, _ = links(events, member)
    collection = events.track if member == "track" else events.muon
    for name in ("pt", "eta", "phi"):
        stored = events.triplet.fields[f"{member}_{name}"][candidates]
        assert np.array_equal(stored, collection.fields[name][rows].astype(float)), name
    assert np.array_equal(collection.event[rows], events.triplet.event[candidates])


def test_the_first_of_equal_pt_is_the_candidates_and_a_few_are_not_listed(events):
    muons = events.muon
    equal = (np.diff(muons.event) == 0) & (np.diff(muons.fields["pt"]) == 0)
    assert 10 < equal.sum() < 200
    seconds = np.flatnonzero(equal) + 1
    for member in ("mu1", "mu2"):
        _, rows, listed = links(events, member)
        assert not np.isin(rows, seconds).any()
        assert 0.0005 < (~listed).mean() < 0.006
    lost = events.triplet.fields["mu1_idx"] < 0
    pts = [set(part) for part in np.split(muons.fields["pt"], muons.offsets[1:-1])]
    for event, pt in zip(
        events.triplet.event[lost], events.triplet.fields["mu1_pt"][lost], strict=True
    ):
        assert pt not in pts[event]


def test_candidates_share_muons_and_some_have_a_muon_as_track(events):
    event, fields = events.triplet.event, events.triplet.fields
    pairs = np.stack([event, fields["mu1_idx"], fields["mu2_idx"]])
    assert len(np.unique(pairs, axis=1).T) < 0.7 * len(event)
    assert 0 < (fields["track_pt"] == fields["mu1_pt"]).mean() < 0.1


def test_the_harder_muon_comes_first(events):
    assert (events.triplet.fields["mu1_pt"] >= events.triplet.fields["mu2_pt"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"era": "2017b"}, "era='2017b' must be one of 2017B, .* Did you mean '2017B'"),
        ({"kind": "mc"}, "kind='mc' must be one of data, simulation"),
        ({"decay": "phipi"}, "decay='phipi' must be one of dsphipi, tau3mu"),
        ({"events": -1}, "events=-1 must not be negative"),
        ({"seed": -1}, "seed=-1 must not be negative"),
        ({"file": -2}, "file=-2 must not be negative"),
        ({"events": 10_000_001}, "events=10000001 must be at most 10000000"),
        ({"file": 429}, "file=429 must be at most 428"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(arguments, message):
    with pytest.raises(SampleError, match=message):
        chunks(**{"events": 1} | arguments)
