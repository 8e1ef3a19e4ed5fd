"""Published models of resistance: survival times, nadirs, and who wins."""

import numpy as np
import pytest
import sympy as sp

from remission import Problem, Treatment, models, solve
from remission.analysis import nadir, steady_states


@pytest.mark.parametrize(
    ("C0", "days"),
    [(0, 226.17), (0.5, 452.17), (0.9, 631.63), (1.0, 581.58), (1.2, 527.62), (2.0, 464.58), (3.0, 444.05)],
)
def test_monro_gaffney_survival(C0, days):
    """The burden is not yet lethal half a unit of the last digit before, and is half a unit after."""
    problem = Problem(models.monro_gaffney(), t_span=(0, 800), treatment=Treatment.constant({"C0": C0}))
    when = [days - 0.006, days + 0.006]
    before, after = solve(problem, rtol=1e-11, atol=1e-3, t_eval=when)["lethal_fraction"]
    assert before < 1 < after


def test_monro_gaffney_untreated_is_gompertzian():
    """S + R follows N' = -b N ln(N/Ninf) without drug, whatever mutates: closed form."""
    days = np.linspace(0, 700, 8)
    N = solve(Problem(models.monro_gaffney(), t_span=(0, 700)), rtol=1e-11, t_eval=days)["burden"]
    expected = 2e12 * np.exp(np.log((1e10 + 2e5) / 2e12) * np.exp(-0.005928 * days))
    np.testing.assert_allclose(N, expected, rtol=1e-8)


def treated_at_a_tenth(alpha, ends):
    """Treat once the burden passes 0.1; the day of the switch and the burden at times after it."""
    model = models.greene()
    treatment = Treatment.switch_when({"u": 1.5}, of="burden", above=0.1)
    problem = Problem(model, t_span=(0, 120), parameters={"alpha": alpha}, treatment=treatment)
    (switch,) = [e.time for e in solve(problem, rtol=1e-11, atol=1e-15).events if e.kind == "switch"]
    solution = solve(problem, rtol=1e-11, atol=1e-15, t_eval=switch + np.array(ends))
    return switch, solution["burden"], problem


@pytest.mark.parametrize(
    ("alpha", "lowest", "at", "back"), [(0.01, 0.0097908, 6.60790, 42.296), (0.0, 1.6538e-5, 19.55535, 87.273)]
)
def test_greene_treatment_from_a_tenth(alpha, lowest, at, back):
    """The nadirs are flat: a grid of times puts them some thousandths earlier or later."""
    switch, V, problem = treated_at_a_tenth(alpha, [at - 0.02, at, at + 0.02, back - 6e-4, back + 6e-4])
    assert switch == pytest.approx(2.397897, abs=6e-7)
    assert V[1] == pytest.approx(lowest, rel=6e-6)
    assert V[1] < min(V[0], V[2])
    assert (V[2] - V[0]) / (V[0] + V[2] - 2 * V[1]) == pytest.approx(0, abs=0.02)  # vertex of the parabola
    assert V[3] < 0.9 < V[4]
    assert nadir("burden")(solve(problem, rtol=1e-10, atol=1e-14)) == pytest.approx(lowest, rel=1e-4)


def test_greene_without_mutation_switches_at_ln_11():
    changes = {"eps": 0.0, "alpha": 0.0}
    treatment = Treatment.switch_when({"u": 1.5}, of="burden", above=0.1)
    problem = Problem(models.greene(), t_span=(0, 5), parameters=changes, treatment=treatment)
    (switch,) = [e.time for e in solve(problem, rtol=1e-11).events if e.kind == "switch"]
    assert switch == pytest.approx(np.log(11), abs=1e-8)


def test_dose_window_stability_is_the_closed_form():
    """Sensitive cells alone: eigenvalues -(r - delta) and r (1 - c (1 - delta/r)); resistant alone: -r and -delta."""
    model = models.dose_window()
    S, R = model.states
    r, c, K, delta = (model.symbol(n) for n in ("r", "c", "K", "delta"))
    J = models.derive.jacobian(model)
    held = J.subs({S: K * (1 - delta / r), R: 0})
    assert sp.simplify(held[0, 0] + r - delta) == 0
    assert sp.simplify(held[1, 1] - r * (1 - c * (1 - delta / r))) == 0
    assert held[1, 0] == 0
    (edge,) = sp.solve(held[1, 1], delta)
    assert sp.simplify(edge - r * (1 - 1 / c)) == 0
    escaped = J.subs({S: 0, R: K})
    assert (sp.simplify(escaped[0, 0] + delta), escaped[0, 1], sp.simplify(escaped[1, 1] + r)) == (0, 0, 0)
    assert pytest.approx(0.0133333, abs=5e-8) == 0.02 * (1 - 1 / 3)


@pytest.mark.parametrize(
    ("delta", "ends"),
    [(0.005, [(750, 0)] * 3), (0.012, [(400, 0), (0, 1000), (0, 1000)]), (0.014, [(0, 1000)] * 3)],
)
def test_dose_window_starts_of_the_figure(delta, ends):
    for (S0, R0), end in zip([(800, 190), (200, 200), (450, 500)], ends, strict=True):
        problem = Problem(
            models.dose_window(),
            t_span=(0, 3e4),
            initial={"S": S0, "R": R0},
            treatment=Treatment.constant({"delta": delta}),
        )
        solution = solve(problem, rtol=1e-9, t_eval=[3e4])
        np.testing.assert_allclose([solution["S"][-1], solution["R"][-1]], end, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(("delta", "stable"), [(0.005, 2), (0.012, 2), (0.014, 1)])
def test_dose_window_is_bistable_inside(delta, stable):
    problem = Problem(models.dose_window(), treatment=Treatment.constant({"delta": delta}))
    found = [s for s in steady_states(problem) if s.stability == "stable"]
    assert len(found) == stable
    assert all(
        s["burden"] == pytest.approx(1000) or s["burden"] == pytest.approx(1000 * (1 - delta / 0.02)) for s in found
    )
