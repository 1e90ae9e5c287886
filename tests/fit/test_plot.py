"""Plots: all that must be on them, loud failures, and nothing left behind in the session."""

from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from flavorframe.fit.toys import ToyStudy


@pytest.fixture(autouse=True)
def untouched_session():
    mpl.use("Agg")
    before = mpl.rcParams.copy()
    yield
    assert mpl.rcParams == before
    assert plt.get_fignums() == []


def words(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_a_plot_says_everything(handmade):
    fit = handmade(luminosity=4.8, label="Simulation")
    shown = words(fit.plot(energy=13))
    for word in (
        "flavorframe",
        "Simulation",
        "4.8 fb$^{-1}$ (13 TeV)",
        "m(μμπ) [GeV]",
        "Candidates / 5.81 MeV",
        "Pull",
        "Data",
        "Fit: χ²/ndf = 58.3/57",
        "$D_s^+$: 5280 ± 175",
        "Background: 63236 ± 312",
    ):
        assert word in shown
    assert "CMS" not in shown
    assert "NOT VALID" not in shown


def test_labels_are_chosen_and_optional(handmade):
    shown = words(handmade(label="Simulation").plot(label="Preliminary", experiment="CMS"))
    assert "CMS" in shown
    assert "Preliminary" in shown
    assert "Simulation" not in shown
    assert "fb" not in shown
    assert "TeV" not in shown


def test_a_failed_fit_is_stamped_with_the_reasons(handmade):
    shown = words(handmade("sigma is at its limit").plot())
    assert "FIT NOT VALID" in shown
    assert "sigma is at its limit" in shown


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_saved_in_the_format_of_the_suffix(handmade, tmp_path, suffix, magic):
    path = tmp_path / f"mass.{suffix}"
    handmade().plot(path=path)
    assert path.read_bytes().startswith(magic)


def test_drawn_into_axes_of_ones_own(handmade):
    figure, axes = plt.subplots(1, 2)
    assert handmade().plot(axes[0]) is figure
    assert len(figure.axes) == 3
    plt.close(figure)


def test_the_curve_is_the_fit_in_candidates_per_bin(handmade):
    fit = handmade()
    main, _ = fit.plot().axes
    (total,) = (line for line in main.lines if str(line.get_label()).startswith("Fit"))
    per_bin = np.asarray(total.get_ydata()).reshape(62, -1).mean(axis=1)
    np.testing.assert_allclose(per_bin, fit.expected, rtol=1e-9)


def test_weighted_data_have_the_errors_of_their_weights(handmade):
    fit = handmade()
    data = replace(fit.data, variances=np.full(62, 25.0))
    figure = replace(fit, data=data).plot()
    segments = figure.axes[0].containers[0].lines[2][0].get_segments()
    assert segments[0][1, 1] - segments[0][0, 1] == pytest.approx(10)
    assert "Weighted candidates" in words(figure)


def test_uneven_bins_are_called_bins(handmade):
    fit = handmade()
    edges = fit.data.edges.copy()
    edges[30] += 0.002
    assert "Candidates / bin" in words(replace(fit, data=replace(fit.data, edges=edges)).plot())


def test_pulls_beyond_the_panel_widen_it(handmade):
    fit = handmade()
    assert fit.plot().axes[1].get_ylim() == (-4, 4)
    values = fit.data.values.copy()
    values[10] += 300
    low, high = replace(fit, data=replace(fit.data, values=values)).plot().axes[1].get_ylim()
    assert high == -low > 8


def test_toys_plot(tmp_path):
    pulls = {"Ds": np.linspace(-2, 9, 50), "background": np.linspace(-2, 2, 50)}
    study = ToyStudy(52, {"Ds": 1.0, "background": 9.0}, pulls, ("bad", "bad"))
    figure = study.plot(tmp_path / "toys.png")
    assert isinstance(figure, Figure)
    assert (tmp_path / "toys.png").stat().st_size > 10_000
    shown = words(figure)
    for word in ("Pull of N(Ds)", "Pull of N(background)", "50 of 52 fits valid", "mean", "width"):
        assert word in shown
