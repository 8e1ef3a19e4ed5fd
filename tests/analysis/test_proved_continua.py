"""Continua of steady states, corners where rates have no value, degenerate points: proved and verified, or open."""

import copy

import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.analysis import steady_states, verify
from remission.models import Model, Parameter, State
from remission.solvers import Problem

pytestmark = pytest.mark.optional


def states(names, high=2):
    return [State(n, 0.1, bounds=(0, high)) for n in names]


def proved(problem, box=None):
    """What is found, all of it proved and verified."""
    found = steady_states(problem, box=box, method="proved")
    assert found.proved, found
    checked = verify(found.certificate)
    assert checked, str(checked)
    assert checked.n_states == len(found)
    return found


def test_a_line_of_two_clones_without_a_cost():
    """S + R = 1 - turnover = 0.75; its ends, where one clone is absent, belong to it."""
    found = proved(Problem(models.sensitive_resistant()), box={"S": (0, 1), "R": (0, 1)})
    none, line = found
    assert (none["S"], none["R"], none.stability, none.family) == (0, 0, "unstable", False)
    assert line.family
    assert line.proved
    assert line.family_of == "S = 0.75 - R"
    assert line["S"] + line["R"] == pytest.approx(0.75, abs=1e-15)
    assert line.enclosure["S"] == pytest.approx((0, 0.75))
    assert "family S = 0.75 - R" in str(found)
    u = proved(Problem(models.selective_kill()))
    assert [s.family_of for s in u] == ["", "S = 1 - R"]


def test_equal_numbers_make_a_line_and_nearly_equal_ones_do_not():
    """Clones with net growth a - x - y and c - x - y: a line where a = c, else each alone, however near."""
    (x, y), a = states("xy"), Parameter("a", 0.7)
    c = Parameter("c", 0.7)
    model = Model("niche", rates={x: x * (a - x - y), y: y * (c - x - y)})
    assert [s.family_of for s in proved(Problem(model))] == ["", "x = 0.7 - y"]
    near = proved(Problem(model, parameters={"c": 0.7 * (1 + 2**-50)}))
    assert not any(s.family for s in near)
    assert [(s["x"] > 0, s["y"] > 0, s.stability) for s in near] == [
        (False, False, "unstable"), (False, True, "stable"), (True, False, "unstable"),
    ]  # fmt: skip


def test_a_curve_and_a_state_beside_it():
    """(x^2 + y^2 - 1) divides both equations; the quotients x - y and x + y - 1 meet at (1/2, 1/2), off the circle."""
    x, y = states("xy")
    circle = x**2 + y**2 - 1
    found = proved(Problem(Model("circle", rates={x: circle * (x - y), y: circle * (x + y - 1)})))
    point, curve = found
    assert (point["x"], point["y"]) == (0.5, 0.5)
    assert curve.family_of == "x**2 + y**2 - 1 = 0"
    assert curve["x"] ** 2 + curve["y"] ** 2 == pytest.approx(1, abs=1e-15)
    assert [curve.enclosure[n] for n in "xy"] == [pytest.approx((0, 1))] * 2


def test_a_state_that_lies_on_a_line_is_not_counted_beside_it():
    x, y = states("xy")
    (only,) = proved(Problem(Model("meet", rates={x: (x - 1) * (x - y), y: (x - 1) * (x + y - 2)})))
    assert only.family_of == "x = 1, any y"


def test_two_lines_cross():
    x, y = states("xy")
    both = (1 - x - y) * (x - 2 * y)
    found = proved(Problem(Model("lines", rates={x: x * both, y: y * both})))
    assert {s.family_of for s in found} == {"x + y = 1", "x - 2*y = 0"}  # the origin lies on the second


def test_a_surface_and_a_line_with_followers():
    x, y, z = states("xyz")
    surface = proved(Problem(Model("surface", rates={s: s * (1 - x * y * z) for s in (x, y, z)})))
    assert [s.family_of for s in surface] == ["", "x*y*z - 1 = 0"]
    room = sp.Rational(1, 2) - x - y
    line = proved(Problem(Model("line", rates={x: x * room, y: y * room, z: x * y - z})))
    assert [s.family for s in line] == [False, True]
    at = line[1]
    assert (at["x"] + at["y"], at["z"]) == pytest.approx((0.5, at["x"] * at["y"]))


def test_a_factor_that_is_an_exponential():
    x, y = states("xy")
    room = sp.exp(-x - y) - sp.Rational(1, 2)
    _, line = proved(Problem(Model("crowding", rates={x: x * room, y: y * room})))
    assert line["x"] + line["y"] == pytest.approx(np.log(2), rel=1e-14)


def test_a_continuum_where_a_slope_is_zero():
    """y' = y (b - E k), k' = 1 - k with b = E = 0: every y rests; solving for k would divide by zero."""
    y, k = states("yk")
    E, b = Parameter("E", 0.0), Parameter("b", 0.0)
    model = Model("free", rates={y: y * (b - E * k), k: 1 - k})
    (only,) = proved(Problem(model))
    assert only.family_of == "k = 1, any y"
    (none,) = proved(Problem(model, parameters={"b": 0.1}))
    assert (none["y"], none["k"], none.stability) == (0, 1, "unstable")


def test_palliation_rests_at_its_capacity_in_any_proportion():
    """Monro and Gaffney (2009): ln((S + R) / Ninf) divides both equations; without tumour its product has a limit."""
    found = proved(Problem(models.monro_gaffney()).at_constant(C0=0.4), box=dict.fromkeys("SR", (0, 4e12)))
    none, full = found
    assert (none["S"], none["R"], none.limit, none.stability) == (0, 0, True, "undecided")
    assert full.family_of == "R + S = 2000000000000"
    corner = steady_states(Problem(models.monro_gaffney()), box=dict.fromkeys("SR", (0, 1e12)))
    assert not corner.proved  # the line touches the box in its corner only
    assert corner.undecided
    assert verify(corner.certificate)


def test_hahnfeldt():
    """V* = K* = (b/d)^1.5 = 17346.52 and eigenvalues -0.126585, -5.915415; V = 0 rests with any K where l2 = 0.

    V ln(K/V) has no value at V = 0: its limit there is 0. With l2 > 0 of that face only the corner is left.
    """
    found = proved(Problem(models.hahnfeldt()))
    face, full = found
    assert (face.family_of, face.limit, face.enclosure["V"]) == ("V = 0, g = 0, any K", True, (0, 0))
    assert (full["V"], full["K"]) == pytest.approx((17346.52, 17346.52), abs=5e-3)
    exact = (sp.Rational(5.85) / sp.Rational(0.00873)) ** sp.Rational(3, 2)
    for name in "VK":
        low, high = full.enclosure[name]
        assert sp.Rational(low) < exact < sp.Rational(high)
        assert high - low < 1e-12 * high
    assert full.eigenvalues[[0, 2]].real == pytest.approx([-0.126585, -5.915415], abs=5e-7)
    assert full.stability == "stable"
    corner, full = proved(Problem(models.hahnfeldt(), parameters={"l2": 0.01}))
    assert (corner["V"], corner["K"], corner.limit, corner.family) == (0, 0, True, False)
    assert full["V"] == full["K"] == pytest.approx(((5.85 - 0.01) / 0.00873) ** 1.5, rel=1e-13)


def test_power_law_growth_rests_only_without_tumour():
    (only,) = proved(Problem(models.power_law_growth()), box={"V": (0, 1e4)})
    assert only["V"] == 0
    assert not only.limit
    assert only.stability == "undecided"  # the slope of V^0.785 is infinite there


def test_a_degenerate_dose_is_counted_right():
    """Competition window at delta = 0: S enters at R = K exactly where R alone rests; the mixed state has merged.

    The three states are rational, so that even the degenerate one is told from its neighbours; its stability is open.
    """
    found = proved(Problem(models.dose_window()))
    assert [(s["S"], s["R"], s.stability) for s in found] == [
        (0, 0, "unstable"), (0, 1000, "undecided"), (1000, 0, "stable"),
    ]  # fmt: skip
    low = proved(Problem(models.dose_window()).at_constant(delta=1e-9))
    assert [s.stability for s in low] == ["unstable", "stable", "unstable", "stable"]
    assert low[2]["S"] == pytest.approx(1000 * 1e-9 / 0.02 / 2, rel=1e-6)


def test_a_transcritical_point_that_is_not_rational_stays_open():
    """x' = x (a - x), a = r - sqrt(r^2) is zero: in intervals it may be none or a state beside x = 0."""
    x, r = State("x", 0.1, bounds=(0, 2)), Parameter("r", 0.3)
    found = steady_states(Problem(Model("open", rates={x: x * (r - sp.sqrt(sp.Rational(0.3) ** 2 + 0 * r) - x**2)})))
    assert found[0]["x"] == 0
    assert found[0].proved
    assert all(s["x"] == pytest.approx(0, abs=1e-7) for s in found)
    assert found.complete
    if not found.proved:
        assert "undecided" in str(found)


@pytest.mark.parametrize(
    "what", ["the state beside it", "the line", "the line's ends", "the factor", "a number put in"]
)
def test_a_tampered_continuum_is_rejected(what):
    x, y = states("xy")
    a = Parameter("a", 0.7)
    c, d = Parameter("c", 0.7), Parameter("d", 2.0)
    model = Model("niche", rates={x: x * (a - x - y) * (x - d * y + 1), y: y * (c - x - y) * (x + y + d)})
    good = steady_states(Problem(model)).certificate
    assert verify(good)
    forged = copy.deepcopy(good)
    line = next(i for i, s in enumerate(forged["states"]) if s["family"])
    special = next(p["special"] for p in forged["parts"] if "special" in p)
    if what == "the state beside it":
        del forged["states"][1 - line]
    elif what == "the line":
        del forged["states"][line]
    elif what == "the line's ends":
        forged["states"][line]["enclosure"]["x"][1] = (0.5).hex()
    elif what == "the factor":
        special["steps"][0]["factor"] = special["steps"][0]["factor"].replace("y", "2*y", 1)
    else:
        special["put"]["d"] = "3"
    assert forged != good
    assert not verify(forged)
