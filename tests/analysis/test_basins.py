"""Basins of attraction and nullclines against closed forms, and the planes they are drawn in."""

import pickle

import numpy as np
import pytest

from remission.analysis import basins, nullclines, phase_portrait, plot, separatrix, steady_states
from remission.models import Model, ProblemError, State, dose_window, kuznetsov, paracrine_loop
from remission.solvers import Problem, sample


def planar(x_rate, y_rate):
    """Two states between -3 and 3 with rates given as functions of them."""
    x, y = (State(n, 0.5, positive=False, kind=k, bounds=(-3, 3)) for n, k in (("x", "tumour"), ("y", "other")))
    return Problem(Model("planar", rates={x: x_rate(x, y), y: y_rate(x, y)}, time_unit="1"))


@pytest.fixture(scope="module")
def dormant_or_large():
    problem = Problem(kuznetsov(scaled=True))
    return basins(problem, over={"T": (0.3, 600), "E": (0.02, 3)}, scale={"T": "log"}, n=200, box={"E": (0, 5)})


def test_halves_of_a_plane():
    """x' = x - x^3, y' = -y: the sign of x decides; x = 0 is the stable manifold of the saddle."""
    found = basins(planar(lambda x, y: x - x**3, lambda x, y: -y), over=("x", "y"), n=101)
    left, right = (s["x"] for s in found.attractors)
    assert (left, right) == (-1, 1)
    signs = np.where(found.x < -1e-9, 0, np.where(found.x > 1e-9, 1, -2))
    assert np.array_equal(found.labels, np.tile(signs, (101, 1)))
    assert found.unstable == pytest.approx(1 / 101)
    assert found.undecided == 0
    assert found.n_solved < 101**2 / 2
    assert found.at(x=0.01, y=-2)["x"] == 1
    assert found.at({"x": 0, "y": 1}) is None


def test_halves_of_a_turned_plane():
    c, s = np.cos(0.4), np.sin(0.4)

    def rates(x, y):
        u, v = c * x + s * y, -s * x + c * y
        return c * (u - u**3) + s * v, s * (u - u**3) - c * v

    found = basins(planar(lambda x, y: rates(x, y)[0], lambda x, y: rates(x, y)[1]), over=("x", "y"), n=(90, 120))
    u = c * found.x + s * found.y[:, None]
    clear = np.abs(u) > 1e-9
    assert np.array_equal(found.labels[clear], (u > 0)[clear].astype(int))


def test_larger_of_two_equal_competitors_wins():
    x, y = (State(n, 0.1, kind="tumour", bounds=(0, 2)) for n in "xy")
    found = basins(Problem(Model("equals", rates={x: x * (1 - x - 2 * y), y: y * (1 - y - 2 * x)})), ("x", "y"), n=80)
    winner = np.array([s["x"] > s["y"] for s in found.attractors])
    above = np.triu(np.ones((80, 80), dtype=bool), 1)  # x > y
    assert winner[found.labels[above]].all()
    assert not winner[found.labels[above.T]].any()
    assert found.shares[0] == found.shares[1]


def test_every_start_of_the_full_grid(dormant_or_large):
    """Refined at boundaries alone, the picture is the one of all starts followed by another method and tolerance."""
    b = dormant_or_large
    assert b.n_solved < 4000 < 40_000
    rows, columns = np.random.default_rng(1).integers(0, 200, (2, 40))
    for i, j in zip(rows, columns, strict=True):
        start = {"T": b.x[j], "E": b.y[i]}
        end = sample(Problem(kuznetsov(scaled=True), t_span=(0, 400), initial=start, rtol=1e-9), [400], ["T"]).values
        assert b.attractors[b.labels[i, j]]["T"] == pytest.approx(end[0, 0], rel=1e-3)
    full = basins(b.states, over={"T": (0.3, 600), "E": (0.02, 3)}, scale={"T": "log"}, n=(25, 20))
    assert full.n_solved == 500
    assert b.shares == pytest.approx(full.shares, abs=0.03)


def test_border_is_the_separatrix(dormant_or_large):
    """Halved along the lines of the grid it lies on the stable manifold, which is found in another way."""
    edge = separatrix(dormant_or_large.states)
    (border,) = dormant_or_large.borders
    inside = border[border[:, 0] < 499]  # tumours above the capacity are outside the box of the curve
    assert len(inside) > 100
    for T, E in inside[::9]:
        assert edge.at(T=T) == pytest.approx([E], abs=2e-5)
    (line,) = (line for line in plot(dormant_or_large).lines if line.get_gid() == "border")
    np.testing.assert_allclose(line.get_xydata(), border)


def test_cycles_are_undecided():
    """r' = r (1 - r^2), and backwards in time: within the circle everything goes to the origin, outside nowhere."""

    def radial(x, y):
        return 1 - x**2 - y**2

    problem = planar(lambda x, y: x * radial(x, y) - y, lambda x, y: y * radial(x, y) + x)
    with pytest.raises(ProblemError, match="no steady state of planar is stable"):
        basins(problem, over=("x", "y"), n=20)
    backwards = planar(lambda x, y: -x * radial(x, y) + y, lambda x, y: -y * radial(x, y) - x)
    found = basins(backwards, over={"x": (-0.9, 0.9), "y": (-0.4, 0.4)}, n=20)
    assert found.shares == (1.0,)
    outside = basins(backwards, over={"x": (1.1, 1.3), "y": (-0.4, 0.4)}, n=4)
    assert outside.undecided == 1.0
    assert "100.0 % undecided at time" in str(outside)


def test_nullclines_of_the_published_tumour():
    """T' = 0 at E = alpha (1 - beta T); E' = 0 at E = sigma/(delta + mu T - rho T/(eta + T)) where that is positive."""
    lines = nullclines(Problem(kuznetsov(scaled=True)), over={"T": (0, 600), "E": (0, 3)})
    (straight,) = lines["T"]
    T, E = straight.T
    np.testing.assert_allclose(E, 1.636 * (1 - 0.002 * T), rtol=0, atol=1e-13)
    assert lines.faces == {"T": ("T",), "E": ()}
    assert len(lines["E"]) == 2
    for T, E in (curve.T for curve in lines["E"]):
        np.testing.assert_allclose(E, 0.1181 / (0.3743 + 0.00311 * T - 1.131 * T / (20.19 + T)), rtol=1e-11)
    assert lines.accuracy < 1e-12


def test_nullclines_cross_where_the_system_rests():
    lines = nullclines(Problem(dose_window()).at_constant(delta=0.012), over=("S", "R"))
    (S,), (R,) = lines["S"], lines["R"]  # S + R = 400, 3 S + R = 1000
    np.testing.assert_allclose(S.sum(axis=1), 400, rtol=1e-13)
    np.testing.assert_allclose(R @ [3, 1], 1000, rtol=1e-13)
    assert lines.faces == {"S": ("S",), "R": ("R",)}


def test_poles_are_no_nullclines():
    lines = nullclines(planar(lambda x, y: 1 / (x - 0.123) + 0 * y, lambda x, y: y - x), over=("x", "y"))
    assert lines["x"] == ()
    assert sum(map(len, lines["y"])) > 100


def test_other_states_at_rest_or_held():
    """The loop with fast signals: T' = 0 where the protection balances the kill."""
    problem = Problem(paracrine_loop()).at_constant(e=0.6)
    lines = nullclines(problem, {"T": (0.1, 1000), "P": (0.03, 2.5)}, scale="log", others="quasi-steady")
    ((T, P),) = (c.T for c in lines["P"])
    X = T / 10 * (1 + 4 * 0.6 / 1.1)
    np.testing.assert_allclose(P, (0.02 + 0.98 * X / (1 + X)) / 0.5, rtol=1e-12)
    rest = basins(problem, {"T": (0.1, 1000), "P": (0.03, 2.5)}, scale="log", others="quasi-steady", n=40)
    bare = basins(problem, {"T": (0.1, 1000), "P": (0.03, 2.5)}, scale="log", at={"F": 0.6, "X": 0, "M": 0.02}, n=40)
    assert rest.shares[0] < bare.shares[0]  # with the signals there already fewer tumours clear
    assert rest.at(T=1, P=0.05)["T"] == 0
    assert bare.at(T=100, P=0.05, M=1.0)["T"] == pytest.approx(364.955, abs=1e-3)


def test_what_is_refused():
    problem = Problem(dose_window()).at_constant(delta=0.012)
    for over, message in (
        ({"S": (0, 10)}, "over names two states of S, R, got S"),
        ({"S": (0, 10), "Q": (0, 1)}, "over names 'Q', no state"),
        ({"S": (10, 0), "R": (0, 1)}, "the range of S is 10 to 0"),
    ):
        with pytest.raises(ProblemError, match=message):
            basins(problem, over)
    with pytest.raises(ProblemError, match="S from 0 has no logarithm"):
        nullclines(problem, ("S", "R"), scale="log")
    with pytest.raises(ProblemError, match="E declares no bounds; say over="):
        nullclines(Problem(kuznetsov()), ("T", "E"))
    with pytest.raises(ProblemError, match="give R too"):
        basins(problem, ("S", "R"), n=10).at(S=1)
    loop = Problem(paracrine_loop(uptake=True)).at_constant(e=0.6)
    with pytest.raises(ProblemError, match="at rest are not given by equations that are linear in them"):
        nullclines(loop, {"T": (0, 10), "P": (0, 1)}, others="quasi-steady")


def test_portrait_of_the_window_of_doses():
    """All parts on one axes: areas, both nullclines, the curve through the saddle, four points, lines of the flow."""
    states = steady_states(Problem(dose_window()).at_constant(delta=0.012))
    portrait = pickle.loads(pickle.dumps(phase_portrait(states, over=("S", "R"), n=60)))
    assert len(portrait.states) == 4
    (edge,) = portrait.separatrices
    ax = plot(portrait)
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == [
        "to S = 400, R = 0", "to S = 0, R = 1000", "S' = 0", "R' = 0", "separatrix", "stable", "saddle", "unstable",
    ]  # fmt: skip
    (curve,) = (line for line in ax.lines if line.get_gid() == "separatrix")
    np.testing.assert_allclose(np.sort(curve.get_xdata()), np.sort(edge.points[:, 0]))
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().x0 > ax.get_window_extent().x1
    assert ax.get_xlim() == (0, 1000)
    for part in (portrait.basins, portrait.nullclines, edge):
        assert plot(part).get_xlabel() == "sensitive cells"
    with pytest.raises(ProblemError, match="flow is one of 'lines', 'arrows', None, got 'line'"):
        plot(portrait, flow="line")
