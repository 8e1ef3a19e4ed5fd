"""Stability maps: areas in closed form, boundaries that are known, points at random against steady_states."""

import pickle

import numpy as np
import pytest

from remission import models
from remission.analysis import certify_fold, plots, stability_map, steady_states
from remission.models import Input, KeywordError, Model, Parameter, ProblemError, State
from remission.solvers import Problem

pytestmark = pytest.mark.optional


def killed():
    """A logistic tumour under a kill rate u: T = 1 - u/r, gone for u > r."""
    r, u, T = Parameter("r", 0.5), Input("u", 0.2), State("T", 0.1, kind="tumour", bounds=(0, 1))
    return Problem(Model("killed", rates={T: r * T * (1 - T) - u * T}))


@pytest.fixture(scope="module")
def triangle():
    return stability_map(killed(), {"r": (0.1, 1.1), "u": (0.0, 1.0)}, undecided=0.01, progress=False)


def test_areas_of_a_triangle(triangle):
    """The line u = r cuts 0.1 < r < 1.1, 0 < u < 1 into 0.595 and 0.405."""
    assert triangle.stabilities_proved
    assert triangle.decided > 0.99
    assert list(triangle.shares) == ["tumour persists", "only tumour-free", "undecided"]
    assert 0.585 < triangle.shares["tumour persists"] <= 0.595
    assert 0.395 < triangle.shares["only tumour-free"] <= 0.405
    assert [(r.count, r.n_stable) for r in triangle.regions] == [(2, 1), (1, 1)]


def test_cells_cover_the_plane_once(triangle):
    assert triangle.areas().sum() == pytest.approx(1.0, abs=1e-12)
    rng = np.random.default_rng(0)
    points = np.array([0.1, 0.0]) + rng.random((200, 2))
    inside = (triangle.cells[None, :, :, 0] < points[:, None]) & (points[:, None] < triangle.cells[None, :, :, 1])
    hits = np.sum(np.all(inside, axis=2), axis=1).tolist()
    assert set(hits) == {1}


def test_no_decided_cell_touches_the_line(triangle):
    quiet = triangle.cells[triangle.of_cell >= 0]
    above, below = quiet[:, 1, 0] > quiet[:, 0, 1], quiet[:, 1, 1] < quiet[:, 0, 0]
    assert np.all(above | below)


def test_at(triangle):
    assert triangle.at(r=0.9, u=0.1).label == "tumour persists"
    assert triangle.at(r=0.3, u=0.8).states == (((), "stable"),)
    assert triangle.at(r=0.5, u=0.5) is None
    with pytest.raises(ProblemError, match="no 'v'"):
        triangle.at(r=0.5, v=0.5)
    with pytest.raises(ProblemError, match="u is missing"):
        triangle.at(r=0.5)
    with pytest.raises(ProblemError, match="from 0 to 1, not 2"):
        triangle.at(r=0.5, u=2.0)


def test_tables_and_words(triangle):
    table = triangle.to_pandas()
    assert set(table["label"]) == {"tumour persists", "only tumour-free", "undecided"}
    assert table.loc[table["label"] == "tumour persists", "states"].unique().tolist() == [2]
    assert table["share"].sum() == pytest.approx(1.0)
    assert "decided, proved" in str(triangle)
    assert str(pickle.loads(pickle.dumps(triangle))) == str(triangle)


def test_loop_with_its_folds():
    """On both sides of the published folds of the paracrine loop, and of its transcritical dose."""
    problem = Problem(models.paracrine_loop())
    found = stability_map(problem, {"e": (0.0, 1.2), "B": (0.0, 60.0)}, undecided=0.01, progress=False)
    assert found.stabilities_proved
    assert found.decided > 0.99
    for B, e in ((5.0, 0.858466), (20.0, 0.673392), (50.0, 0.495803)):
        assert found.at(e=e - 0.02, B=B).label == "two stable: depends on size"
        assert found.at(e=e + 0.02, B=B).label == "only tumour-free"
        assert found.at(e=0.31, B=B).label == "tumour persists"
    guess = {"T": 155.3, "F": 0.673, "X": 45.0, "M": 0.7, "P": 1.4}
    fold = certify_fold(problem.at_constant(B=20.0), "e", guess, 0.6734)
    assert found.at(e=fold.value, B=20.0) is None


def test_points_at_random_agree_with_steady_states():
    problem, box = Problem(models.kuznetsov()), {"E": (0, 2e7), "T": (0, 6e8)}
    found = stability_map(problem, {"s": (1e3, 1e5), "d": (0.01, 0.3)}, box, undecided=0.03, progress=False)
    rng, compared = np.random.default_rng(1), set()
    for a, b in rng.random((25, 2)).tolist():
        at = {"s": 1e3 + 9.9e4 * a, "d": 0.01 + 0.1 * b}
        region = found.at(**at)
        if region is None:
            continue
        here = steady_states(problem.replace(parameters=at), box)
        there = sorted((("T",) if s["T"] > 0 else (), s.stability) for s in here)
        assert there == list(region.states)
        compared.add(region.label)
    assert compared == {"tumour persists", "tumour persists, small or large", "only tumour-free"}


def test_a_hopf_point_is_a_boundary():
    """x' = y, y' = m y - x - y^3 + p in coordinates at rest: stable below m = 0, no steady state attracts above."""
    m, p = Parameter("m", 0.1), Parameter("p", 0.0)
    x, y = State("x", 0.1, kind="other", bounds=(-2, 2)), State("y", 0.1, kind="other", bounds=(-2, 2))
    problem = Problem(Model("vdp", rates={x: y, y: m * y - x - y**3 + p}))
    found = stability_map(problem, {"m": (-1.0, 1.0), "p": (-1.0, 1.0)}, undecided=0.02, progress=False)
    assert found.at(m=-0.5, p=0.3).label == "1 stable"
    assert found.at(m=0.5, p=0.3).label == "no steady state attracts"
    assert found.shares["1 stable"] == pytest.approx(0.5, abs=0.02)


def test_where_pairs_are_not_looked_for():
    """Five states that act in a ring are one block: numbers are proved, stabilities belong to one point."""
    a = Parameter("a", 1.5)
    k = Parameter("k", 1.0)
    s = [State(f"x{i}", 0.5, kind="other", bounds=(0, 4)) for i in range(5)]
    ring = Model("ring", rates={s[i]: a / (1 + s[i - 1] ** 2) - k * s[i] for i in range(5)})
    found = stability_map(Problem(ring), {"a": (0.5, 1.5), "k": (0.5, 1.5)}, undecided=0.05, progress=False)
    assert not found.stabilities_proved
    assert "stabilities at one point" in str(found)
    assert any("block of 5 states" in note for note in found.notes)
    assert [r.count for r in found.regions] == [1]


def test_little_time_leaves_the_plane_undecided():
    found = stability_map(killed(), {"r": (0.1, 1.1), "u": (0.0, 1.0)}, time_limit=0.0, progress=False)
    assert found.decided == 0
    assert found.shares == {"undecided": 1.0}
    assert found.at(r=0.9, u=0.1) is None


def test_clones_by_name():
    over = {"delta": (0, 0.05), "c": (0, 3)}
    found = stability_map(Problem(models.dose_window()), over, undecided=0.02, progress=False)
    assert set(found.shares) == {"R alone persists", "R alone or S alone: depends on the start", "undecided"}


def test_ranges_of_two_parameters():
    """steady_states over two parameters takes its cells from the same proof."""
    found = steady_states(killed(), {"T": (0, 1)}, over={"r": (0.1, 1.1), "u": (0.0, 1.0)})
    area = dict.fromkeys((1, 2, None), 0.0)
    for cell in found.cells:
        area[cell.count] += np.prod([high - low for low, high in cell.ranges.values()])
        assert cell.stabilities in ({1: ("stable",), 2: ("unstable", "stable")}.get(cell.count, ()),)
    assert area[2] == pytest.approx(0.595, abs=0.006)
    assert area[1] == pytest.approx(0.405, abs=0.006)


def test_faults_of_the_caller():
    with pytest.raises(ProblemError, match="two parameters, got r"):
        stability_map(killed(), {"r": (0, 1)})
    with pytest.raises(ProblemError, match="'v'"):
        stability_map(killed(), {"r": (0, 1), "v": (0, 1)})
    with pytest.raises(ProblemError, match="finite"):
        stability_map(killed(), {"r": (1, 0), "u": (0, 1)})
    with pytest.raises(KeywordError, match="undecided"):
        stability_map(killed(), {"r": (0, 1), "u": (0, 1)}, undecide=0.1)


def test_picture(triangle):
    ax = plots.plot(triangle)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["tumour persists", "only tumour-free", "undecided"]
    assert ax.get_ylim() == (0.0, 1.0)
    ax.figure.draw_without_rendering()
    legend, frame = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.y1 <= frame.y0 or legend.x0 >= frame.x1  # not over the regions
