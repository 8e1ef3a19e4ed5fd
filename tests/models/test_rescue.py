"""Rescue by aneuploidy: every number that was read in the paper or computed from its formulas."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from remission.analysis import expected_lineages, rescue
from remission.analysis.establishment import establishment_by_type
from remission.models import rescue_by_aneuploidy
from remission.models.errors import ProblemError
from remission.solvers import Problem, solve

BASE = Problem(rescue_by_aneuploidy())


def with_values(**parameters):
    return rescue(BASE.replace(parameters=parameters))


def test_threshold_sizes():
    found = rescue(BASE)
    assert found.direct == pytest.approx(4.0e7, rel=1e-12)
    assert found.by_aneuploidy == pytest.approx(4.449e6, rel=2e-4)  # the paper says about 4e6
    assert found.regime == "dying"
    assert found.growth_times_waiting == pytest.approx(-5.56, abs=5e-3)
    assert found.exact == pytest.approx(4.0329e6, rel=2e-5)
    assert found.by_aneuploidy / found.direct == pytest.approx(0.111, abs=5e-4)  # the paper: 0.11


@pytest.mark.parametrize(("l_a", "exact"), [(0.09, 3.961e5), (0.0901, 3.572e4)])
def test_exact_threshold_at_the_edge_of_growth(l_a, exact):
    assert with_values(l_a=l_a).exact == pytest.approx(exact, rel=2e-4)


def test_probability():
    found = rescue(BASE)
    assert found.probability(found.exact) == pytest.approx(1 - np.exp(-1), rel=1e-6)
    assert found.probability() == pytest.approx(1 - np.exp(-1e7 / found.exact), rel=1e-6)


def test_standing_variation():
    share, ratio = rescue(BASE).standing()
    assert share == pytest.approx(0.00143, abs=5e-6)
    assert ratio == pytest.approx(17.5, rel=1e-12)


def test_recurrence_of_a_large_tumour():
    """The authors' stored runs that were looked at lie near 1515 to 1550 days."""
    found = rescue(BASE)
    assert found.recurrence_direct == pytest.approx(1542.5, abs=0.05)
    assert found.recurrence == pytest.approx(1533.97, abs=5e-3)
    assert with_values(u=1e-300).recurrence == pytest.approx(1542.49, abs=6e-3)


def test_recurrence_on_the_solution():
    """The model itself, integrated: mutants are as many as cells were at the start."""
    problem = BASE.replace(t_span=(0, 1600), parameters={"N": 1e9}, rtol=1e-11, atol=1e-9)
    solution = solve(problem)
    assert solution.at(1533.968, "m") == pytest.approx(1e9, rel=1e-6)


@pytest.mark.parametrize(
    ("mu_a", "product", "regime"),
    [(0.076, 501, "growing"), (0.1015, -1003, "dying"), (0.1115, -1593, "dying")],
)
def test_triple_negative_clones(mu_a, product, regime):
    found = with_values(l_s=0.0845, l_a=0.0845, l_m=0.0845, mu_s=0.1215, mu_m=0.076, mu_a=mu_a)
    assert found.growth_times_waiting == pytest.approx(product, abs=0.5)
    assert found.regime == regime


def test_the_three_formulas_are_limits_of_the_branching_process():
    for values in ({"l_a": 0.06}, {"l_a": 0.0995}, {"l_a": 0.09}):
        found = with_values(v=1e-9, **values)
        both = 1 / (1 / found.direct + 1 / found.by_aneuploidy)
        assert both == pytest.approx(found.exact, rel=0.1), values


def test_mean_lineages_are_the_first_case_and_the_direct_one():
    """Lambda of the lineage model is N/N*_m + N/N*_a where aneuploid families are small."""
    problem = BASE.replace(t_span=(0, 2000), parameters={"l_a": 0.06}, rtol=1e-9)
    found = with_values(l_a=0.06)
    wanted = 1e7 / found.direct + 1e7 / found.by_aneuploidy
    assert expected_lineages(solve(problem)).total == pytest.approx(wanted, rel=2e-4)
    assert 1e7 / found.exact == pytest.approx(wanted, rel=3e-3)


def test_against_the_time_course_of_the_branching_process():
    """Survival to a late time from the backward equations, integrated: a second road to p_s."""
    l_s, mu_s, l_a, mu_a, l_m, mu_m, u, v = 0.1, 0.14, 0.0899, 0.09, 0.1, 0.05, 1e-2, 1e-4

    def backward(_, p):
        s, a, m = p
        return [
            l_s * (s - s * s) - mu_s * s + u * l_s * a * (1 - s) + v * l_s * m * (1 - s),
            l_a * (a - a * a) - mu_a * a + v * l_a * m * (1 - a),
            l_m * (m - m * m) - mu_m * m,
        ]

    late = solve_ivp(backward, (0, 1e5), [1, 1, 1], method="LSODA", rtol=1e-10, atol=1e-14).y[:, -1]
    found = with_values(mu_m=mu_m, v=v)
    assert 1 / late[0] == pytest.approx(found.exact, rel=1e-6)


def test_families_of_several_types():
    assert establishment_by_type([[(0.2, (0, 0)), (0.3, ())]])[0] == 0
    assert establishment_by_type([[(0.3, (0, 0)), (0.3, ())]])[0] < 1e-15  # critical: dies out, but slowly
    np.testing.assert_allclose(establishment_by_type([[(0.5, (0, 0)), (0.2, ())]]), 0.6, rtol=1e-14)
    for wrong in ([[(-1.0, ())]], [[(1.0, (1,))]]):
        with pytest.raises(ProblemError):
            establishment_by_type(wrong)


def test_nothing_to_rescue():
    with pytest.raises(ProblemError, match="die out"):
        with_values(mu_s=0.05)
