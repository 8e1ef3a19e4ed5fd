"""Relapse from a ladder: families that change their class as they grow."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import comb

from remission.analysis import ladder_establishment
from remission.models import karyotype_ladder, sensitive_resistant
from remission.models.errors import ProblemError
from remission.solvers import Problem

COPIES = np.arange(1, 9)
BIRTHS = 0.5 * (1 - 0.06 * abs(COPIES - 2))
KILLS = 0.55 * np.exp(-0.7 * np.maximum(COPIES - 2, 0))


def backward(beta, u):
    """Rates of the survival probabilities, written from the division rule."""

    def rates(_, p):
        padded = np.concatenate([[0.0], p, np.zeros(9)])  # off the ladder is dead
        gains = np.zeros(8)
        for j in COPIES:
            for k in range(j + 1):
                one, other = padded[j - k], padded[j + k]
                gains[j - 1] += comb(j, k) * beta**k * (1 - beta) ** (j - k) * (one + other - one * other)
        return BIRTHS * (gains - p) - (0.3 + u * KILLS) * p

    return rates


@pytest.mark.parametrize(("beta", "u"), [(1e-3, 1.0), (1e-2, 1.0), (1e-2, 0.3), (5e-2, 1.0)])
def test_establishment_is_the_late_survival(beta, u):
    problem = Problem(karyotype_ladder()).replace(parameters={"beta": beta})
    late = solve_ivp(backward(beta, u), (0, 6000), np.ones(8), method="LSODA", rtol=1e-10, atol=1e-16).y[:, -1]
    np.testing.assert_allclose(ladder_establishment(problem, {"u": u}), late, rtol=1e-5, atol=1e-13)


def test_without_missegregation_each_class_is_on_its_own():
    """Births and deaths alone give 1 - d/b; the small beta stands for none."""
    problem = Problem(karyotype_ladder()).replace(parameters={"beta": 1e-9})
    alone = np.maximum(1 - (0.3 + KILLS) / BIRTHS, 0)
    np.testing.assert_allclose(ladder_establishment(problem, {"u": 1}), alone, atol=1e-5)


def test_above_beta_c_no_family_establishes():
    problem = Problem(karyotype_ladder()).replace(parameters={"beta": 0.06})
    assert ladder_establishment(problem, {"u": 1}).max() < 1e-12
    assert ladder_establishment(problem.replace(parameters={"beta": 0.058}), {"u": 1}).max() > 1e-4


def test_refusals():
    with pytest.raises(ProblemError, match="no karyotype ladder"):
        ladder_establishment(Problem(sensitive_resistant()))
    with pytest.raises(ProblemError, match="no input 'w'"):
        ladder_establishment(Problem(karyotype_ladder()), {"w": 1})
