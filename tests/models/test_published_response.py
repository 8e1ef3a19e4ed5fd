"""Published models of tumour size under treatment: closed forms, steady states, nadirs."""

import numpy as np
import pytest
import sympy as sp

from remission import Problem, Treatment, models, solve
from remission.models import Model, ModelError


def test_hahnfeldt_limits_itself():
    """Both volumes come to rest at (b/d)^1.5, with the published values at 17346.52 mm^3."""
    model = models.hahnfeldt()
    V, K, g = model.states
    number = {p: sp.Float(p.info.value) for p in model.parameters}
    size = (5.85 / 0.00873) ** 1.5
    assert size == pytest.approx(17346.52, abs=5e-3)
    here = number | {V: sp.Float(size), K: sp.Float(size), g: sp.Float(0)}
    assert all(abs(float(e.xreplace(here))) < 1e-8 for e in model.equations.values())
    J = np.array(models.derive.jacobian(model).xreplace(here)).astype(float)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(J[:2, :2]))[::-1], (-0.126585, -5.915415), atol=6e-7)


def test_hahnfeldt_run():
    solution = solve(Problem(models.hahnfeldt(), t_span=(0, 300)), rtol=1e-11, t_eval=[10, 20, 300])
    np.testing.assert_allclose(solution["V"][:2], (3700.62, 11157.50), rtol=0, atol=6e-3)
    np.testing.assert_allclose([solution["V"][2], solution["K"][2]], 17346.5229, rtol=1e-7)


def test_hahnfeldt_under_a_constant_inhibitor():
    """With loss e g + l2 the volumes meet at ((b - e g - l2)/d)^1.5; a dose decays with clr."""
    changes = {"clr": 0.0, "e": 0.5, "l2": 0.1}
    problem = Problem(models.hahnfeldt(), t_span=(0, 500), parameters=changes, initial={"g": 4.0})
    end = solve(problem, rtol=1e-10, t_eval=[500])
    expected = ((5.85 - 0.5 * 4 - 0.1) / 0.00873) ** 1.5
    np.testing.assert_allclose([end["V"][-1], end["K"][-1]], expected, rtol=1e-8)
    dosed = Problem(models.hahnfeldt(), t_span=(0, 3), treatment=Treatment.bolus({"g": 20}, at=1))
    assert solve(dosed, rtol=1e-9, t_eval=[3])["g"][-1] == pytest.approx(20 * np.exp(-1.5 * 2), rel=1e-7)


@pytest.mark.parametrize(("E", "week", "size"), [(1, 3.28969, 198.726), (2, 16.36794, 163.183), (3, 24.01822, 119.562)])
def test_claret_nadir(E, week, size):
    problem = Problem(models.claret(), t_span=(0, 40), treatment=Treatment.constant({"E": E}))
    y = solve(problem, rtol=1e-11, t_eval=[week - 0.02, week, week + 0.02])["y"]
    assert y[1] == pytest.approx(size, abs=6e-4)
    assert y[1] < min(y[0], y[2])
    assert y[0] == pytest.approx(y[2], rel=1e-8)  # symmetric about the nadir to that digit
    assert np.log(0.025 * E / 0.021) / 0.053 == pytest.approx(week, abs=6e-6)


def test_claret_closed_form():
    weeks = np.linspace(0, 60, 13)
    problem = Problem(models.claret(), t_span=(0, 60), treatment=Treatment.constant({"E": 2.0}))
    y = solve(problem, rtol=1e-11, t_eval=weeks)["y"]
    expected = 200 * np.exp(0.021 * weeks - 0.025 * 2 / 0.053 * (1 - np.exp(-0.053 * weeks)))
    np.testing.assert_allclose(y, expected, rtol=1e-9)


def six_doses():
    return Treatment.bolus({"C": 1}, every=1.5, times=6)


def test_ribba_shrinks_long_after_the_drug():
    """Smallest in month 27.1, at 35.24 mm; the last of six doses was in month 7.5."""
    months = np.arange(0, 120, 0.05)
    problem = Problem(models.ribba(), t_span=(0, 120), treatment=six_doses())
    size = solve(problem, rtol=1e-10, t_eval=months)["burden"]
    assert size[0] == pytest.approx(48.33)
    assert months[size.argmin()] == pytest.approx(27.1, abs=0.051)
    assert size.min() == pytest.approx(35.24, abs=5e-3)
    left = solve(problem, rtol=1e-10, t_eval=[27.1])["C"][-1]
    assert left / np.exp(-0.24 * (7.5 - 1.5 * np.arange(6))).sum() == pytest.approx(np.exp(-0.24 * 19.6), rel=1e-6)
    alone = solve(problem.replace(treatment=Treatment.none()), t_eval=[120])["burden"][-1]
    assert 99 < alone < 100


def test_ribba_closed_form_without_proliferation():
    """With nothing in P and no return, Q falls by the drug used up, and Qp decays after it."""
    months = np.linspace(0, 40, 9)
    changes = {"k_QpP": 0.0, "P0": 0.0}
    problem = Problem(models.ribba(), t_span=(0, 40), parameters=changes, initial={"C": 2.0})
    solution = solve(problem, rtol=1e-11, atol=1e-12, t_eval=months)
    np.testing.assert_allclose(solution["C"], 2 * np.exp(-0.24 * months), rtol=1e-8)
    Q = 41.2 * np.exp(-0.729 * 2 * (1 - np.exp(-0.24 * months)))
    np.testing.assert_allclose(solution["Q"], Q, rtol=1e-8)
    grid = np.linspace(0, 1, 4001)
    for month, found in zip(months[1:], solution["Qp"][1:], strict=True):
        s = month * grid
        rate = 0.729 * 2 * 0.24 * np.exp(-0.24 * s) * 41.2 * np.exp(-0.729 * 2 * (1 - np.exp(-0.24 * s)))
        made = rate * np.exp(-0.0087 * (month - s))
        assert found == pytest.approx(np.trapezoid(made, s), rel=1e-5)


def test_ribba_has_the_factor_that_the_public_file_lost():
    """Nothing is made by resting: P, Q and Qp together grow only by lambda_P, and shrink only by drug and death.

    The public file's Q' = k_PQ - gamma C KDE Q is refused: a rate per month is no size per month.
    """
    model = models.ribba()
    P, Q, Qp, C = model.states
    k = {p.name: p for p in model.parameters}
    total = sum(model.equations[s] for s in (P, Q, Qp))
    grown = k["lambda_P"] * P * (1 - (P + Q + Qp) / k["K"])
    lost = k["gamma"] * C * k["KDE"] * P + k["delta_Qp"] * Qp
    assert sp.simplify(total - grown + lost) == 0
    wrong = dict(model.equations) | {Q: k["k_PQ"] - k["gamma"] * C * k["KDE"] * Q}
    with pytest.raises(ModelError, match=r"dQ/dt: the term k_PQ"):
        Model("public_file", rates=wrong, time_unit="month")
