"""The plots: their files, and histograms of every kind."""

import os

import hist
import matplotlib.pyplot as plt
import numpy as np
import pytest

from flavorframe.errors import RunError
from flavorframe.report import save_plots
from flavorframe.report.drawing import EraHistogram, draw_eras, draw_histogram
from flavorframe.report.files import image

from .conftest import mass_histogram, plane, result_of


def names(paths):
    return [path.name for path in paths]


def test_every_plot_of_several_eras_is_saved_as_png_and_pdf(tmp_path, eras, fits):
    chosen = {
        era: result_of(era, 1.0, outputs={"mass": mass_histogram(1.0)}) for era in list(eras)[:2]
    }
    paths = save_plots(tmp_path / "new" / "plots", chosen, {"2017B": fits["2017B"]})
    stems = ["mass", "2017B_mass", "2017C_mass", "mass-by-era", "2017B_fit-result"]
    assert names(paths) == [f"{stem}.{suffix}" for stem in stems for suffix in ("png", "pdf")]
    assert sorted(names((tmp_path / "new" / "plots").iterdir())) == sorted(names(paths))
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert paths[1].read_bytes().startswith(b"%PDF")
    assert plt.get_fignums() == []


def test_yields_by_era_are_saved(tmp_path, fits):
    results = {era: result_of(era) for era in ("2017B", "2017C")}
    paths = save_plots(tmp_path, results, {era: fits[era] for era in results})
    assert names(paths)[::2][:2] == ["Ds_yield-by-era.png", "D+_yield-by-era.png"]


def test_a_single_era_needs_no_prefix(tmp_path):
    paths = save_plots(tmp_path, result_of("2017B", outputs={"plane": plane()}))
    assert names(paths) == ["plane.png", "plane.pdf"]


def test_names_that_are_no_file_names_are_made_so(tmp_path):
    results = {era: result_of(era, outputs={"x": plane()}) for era in ("a/b", "../c")}
    assert "a_b_x.png" in names(save_plots(tmp_path, results))
    assert list(tmp_path.parent.glob("c_x*")) == []


def test_the_same_plot_has_the_same_bytes(tmp_path):
    result = result_of(outputs={"plane": plane()})
    first, second = (save_plots(tmp_path / name, result) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"plots in folder .*file"):
        save_plots(tmp_path / "file" / "plots", result_of())


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="permission denied"):
        save_plots(tmp_path, result_of())


# Histograms


def steps(counts, *, weighted=False, label="x"):
    axis = hist.axis.Variable([0, 1, 2, 5], name="x", label=label)
    histogram = hist.Hist(axis, storage=hist.storage.Weight() if weighted else hist.storage.Int64())
    histogram.view()[...] = np.stack([counts, np.abs(counts)], -1) if weighted else counts
    return histogram


@pytest.mark.parametrize(
    "histogram",
    [
        steps([0, 0, 0]),
        steps([3.5, -1.0, 2.0], weighted=True),
        steps([np.nan, 1.0, 2.0], weighted=True),
        steps([1, 2, 3], label="cost $_$ <b>"),
        steps([1, 2, 3], label=r"$\chi^2$ of φ → μμ"),
        hist.Hist.new.Reg(2, 0, 1, label="a")
        .Reg(2, 0, 1, label="b")
        .Reg(2, 0, 1, label="c")
        .Int64(),
    ],
    ids=["empty", "negative weights", "NaN", "no mathematics", "mathematics", "three axes"],
)
def test_histograms_of_every_kind_are_drawn(histogram):
    assert image(draw_histogram(histogram)).startswith(b"\x89PNG")


def test_long_labels_are_broken():
    label = " and ".join(["triplet.mu1.pt > 3.5"] * 5)
    lines = draw_histogram(steps([1, 2, 3], label=label)).axes[0].get_xlabel().splitlines()
    assert len(lines) == 3
    assert " ".join(lines) == label


def test_a_map_has_a_colour_bar():
    assert [ax.get_ylabel() for ax in draw_histogram(plane()).axes] == ["y", "Entries / bin"]


def test_three_axes_are_drawn_as_projections():
    cube = hist.Hist.new.Reg(2, 0, 1, label="a").Reg(2, 0, 1, label="b").Reg(2, 0, 1, label="c")
    assert [ax.get_xlabel() for ax in draw_histogram(cube.Int64()).axes] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("weighted", "label", "expected"),
    [
        (False, "m [GeV]", "Entries / 5.81 MeV"),
        (True, "m [GeV]", "Sum of weights / 5.81 MeV"),
        (False, "L [cm]", "Entries / 0.00581 cm"),
        (False, "x", "Entries / 0.00581"),
    ],
)
def test_the_bin_width_is_on_the_axis(weighted, label, expected):
    histogram = mass_histogram(1.0, weighted=weighted)
    histogram.axes[0].label = label
    assert draw_histogram(histogram).axes[0].get_ylabel() == expected


def test_eras_of_known_luminosity_share_a_scale():
    eras = {
        "a": EraHistogram(steps([10, 20, 30]), 1.0),
        "b": EraHistogram(steps([20, 40, 60]), 2.0),
    }
    first, second = draw_eras(eras).axes
    assert first.get_ylim() == second.get_ylim()
    assert first.get_ylim()[1] < 50


def test_eras_of_unknown_luminosity_have_scales_of_their_own():
    eras = {era: EraHistogram(steps([n, n, n]), None) for era, n in [("a", 1), ("b", 1000)]}
    first, second = draw_eras(eras).axes
    assert first.get_ylim()[1] < 10 < 1000 < second.get_ylim()[1]


def test_many_eras_stand_four_in_a_row():
    eras = {str(n): EraHistogram(steps([1, 2, 3]), 1.0) for n in range(5)}
    figure = draw_eras(eras)
    assert len(figure.axes) == 5
    assert figure.get_figwidth() == 24
