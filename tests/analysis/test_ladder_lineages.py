"""Relapse from a ladder: families that change their class as they grow."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import comb

from remission.analysis import ladder_establishment, ladder_lineages
from remission.models import karyotype_ladder, sensitive_resistant
from remission.models.errors import ProblemError
from remission.solvers import Problem, Treatment, solve

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


def test_cells_at_the_start_of_therapy_are_the_founders():
    therapy = Treatment.constant({"u": 1}, start=50)
    problem = Problem(karyotype_ladder(), t_span=(0, 90), treatment=therapy, rtol=1e-10)
    solution = solve(problem)
    found = ladder_lineages(solution)
    chances = ladder_establishment(problem, {"u": 1})
    cells = [solution.at(50, f"x_{i}") for i in COPIES]
    assert found.total == pytest.approx(np.dot(cells, chances), rel=1e-8)
    assert found.by_clone["x_5"] == pytest.approx(cells[4] * chances[4], rel=1e-8)
    assert found.phases == ((50, 90),)
    assert found.cure_fraction == pytest.approx(np.exp(-found.total))
    assert found.between_subjects(sd=1.0) < found.relapse_probability


def simulate(cells, beta, days, members, rng, step=0.05):
    """Cells of each class, divided and killed at random in short steps; whether any are left."""
    x = np.tile(cells, (members, 1))
    weights = {j: [comb(j, k) * beta**k * (1 - beta) ** (j - k) for k in range(j + 1)] for j in COPIES}
    for _ in range(int(days / step)):
        events = rng.binomial(x, 1 - np.exp(-step * (BIRTHS + 0.3 + KILLS)))
        divided = rng.binomial(events, BIRTHS / (BIRTHS + 0.3 + KILLS))
        x = x - events
        for j in COPIES:
            strays = rng.multinomial(divided[:, j - 1], weights[j])
            for k in range(j + 1):
                for i in (j - k, j + k):
                    if 1 <= i <= 8:
                        x[:, i - 1] += strays[:, k]
        if np.all((x.sum(axis=1) == 0) | (x.sum(axis=1) > 3000)):
            break
        x[x.sum(axis=1) > 3000] //= 2  # established: what is left of it need not be followed
    return x.sum(axis=1) > 0


def test_relapse_against_simulated_cells():
    """Four hundred tumours of 400 cells each, cell by cell: as many are left as the probabilities say."""
    beta, cells = 0.01, np.array([5, 380, 12, 2, 1, 0, 0, 0])
    problem = Problem(karyotype_ladder()).replace(parameters={"beta": beta})
    wanted = 1 - np.prod((1 - ladder_establishment(problem, {"u": 1})) ** cells)
    left = simulate(cells, beta, 250, 400, np.random.default_rng(7))
    assert left.mean() == pytest.approx(wanted, abs=3 * np.sqrt(wanted * (1 - wanted) / 400))
