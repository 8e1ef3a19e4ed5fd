"""Figures of fields: what is drawn is what was solved, with units, one colour a clone; moving pictures."""

import numpy as np
import pytest

import remission as rm
from remission.analysis import plots
from remission.models import glioma_invasion, paracrine_invasion, sensitive_resistant
from remission.models.errors import ProblemError
from remission.solvers import Grid, Problem, solve


@pytest.fixture(scope="module")
def line():
    seed = {"c": lambda x: 1.0 * (x < 3)}
    return solve(Problem(glioma_invasion(), t_span=(0, 300), grid=Grid(60, 40.0), initial=seed))


@pytest.fixture(scope="module")
def plane():
    grid = Grid((10, 14), (4.0, 6.0), "rectangle")
    seed = {"tau": lambda x, y: 0.8 * ((x - 3) ** 2 + (y - 2) ** 2 < 1)}
    return solve(Problem(paracrine_invasion(), t_span=(0, 5), grid=grid, initial=seed, rtol=1e-4))


def test_profiles_are_the_fields_at_their_times(line):
    ax = rm.plot(line, times=[0, 150, 300])
    for drawn, time in zip(ax.lines, (0, 150, 300), strict=True):
        np.testing.assert_allclose(drawn.get_ydata(), line.at(time, "c"))
        np.testing.assert_allclose(drawn.get_xdata(), line.problem.grid.x)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("position (mm)", "cells / carrying capacity")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["0 days", "150 days", "300 days"]


def test_a_map_of_time_and_place(line):
    ax = rm.plot(line, kind="map", level=0.5)
    mesh = ax.collections[0]
    assert mesh.get_array().shape == (60, 200)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (days)", "position (mm)")
    assert ax.figure.axes[1].get_ylabel() == "cells / carrying capacity"
    front = [path.vertices for path in ax.collections[1].get_paths() if len(path.vertices)]
    time, place = np.concatenate(front)[100]
    at = rm.front_position(solve(line.problem, t_eval=[time]), "c")[0]
    assert place == pytest.approx(at, abs=0.05)


def test_panels_of_a_rectangle_share_scale_and_aspect(plane):
    first = rm.plot(plane, names=["tau", "M"], times=[0, 5])
    panels = [ax for ax in first.figure.axes if ax.images]
    assert len(panels) == 4
    assert all(ax.get_aspect() == 1.0 for ax in panels)
    np.testing.assert_allclose(panels[1].images[0].get_array(), plane.at(5.0, "tau"))
    assert panels[0].images[0].get_clim() == panels[1].images[0].get_clim()
    assert [ax.get_title() for ax in panels[:2]] == ["0 days", "5 days"]
    assert panels[2].get_xlabel() == "x (mm)"
    one = rm.plot(plane, ax=plots.figure()[1], names="X", times=[5])
    assert one.images[0].get_extent() == [0, 6, 0, 4]


def test_means_over_the_grid(plane):
    ax = rm.plot(plane, kind="mean")
    drawn = ax.lines[0]
    np.testing.assert_allclose(np.interp(plane.t, *drawn.get_data()), plane.mean("tau"), atol=1e-12)
    assert ax.get_ylabel() == "mean of tumour / carrying capacity"


def test_one_clone_one_colour_map():
    assert plots.field_map("S", "tumour")(1.0) == plots.field_map("S", "other")(1.0)
    low, high = (np.array(plots.field_map("R", "tumour")(v))[:3].mean() for v in (0.0, 1.0))
    assert low == 1.0
    assert high < 0.4


def test_what_does_not_fit_is_refused(line, plane):
    with pytest.raises(ProblemError, match="no figure of a line"):
        rm.plot(line, kind="panels")
    with pytest.raises(ProblemError, match="is an input"):
        rm.plot(plane, names="e")
    with pytest.raises(ProblemError, match="nothing named 'd'"):
        rm.plot(line, names="d")
    with pytest.raises(ProblemError, match="one name at one time"):
        rm.plot(plane, ax=plots.figure()[1])
    with pytest.raises(ProblemError, match="times lie between"):
        rm.plot(line, times=[400])
    with pytest.raises(ProblemError, match="one well-mixed cell"):
        plots.plot_fields(solve(Problem(sensitive_resistant())))


def test_moving_pictures(line, plane, tmp_path, monkeypatch):
    from matplotlib.animation import FFMpegWriter
    from PIL import Image

    for solution, name in ((line, "c"), (plane, "tau")):
        with Image.open(rm.animate(solution, name, tmp_path / "new" / f"{name}.gif", frames=4)) as picture:
            assert picture.n_frames == 4
    with pytest.raises(ProblemError, match=r"\.gif or \.mp4"):
        rm.animate(line, "c", tmp_path / "c.avi")
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(ProblemError, match="ffmpeg"):
        rm.animate(line, "c", tmp_path / "c.mp4")
