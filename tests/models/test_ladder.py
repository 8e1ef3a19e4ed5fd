"""Karyotype ladders against dense matrices, published eigenvalues and a second construction of the same numbers."""

import numpy as np
import pytest
import sympy as sp
from scipy.linalg import eig, expm
from scipy.optimize import brentq
from scipy.special import comb

from remission.models import Model, ModelError, Parameter, derive, karyotype_ladder
from remission.solvers import Problem, Treatment, sample, solve

COPIES = np.arange(1, 9)
BIRTHS = 0.5 * (1 - 0.06 * abs(COPIES - 2))
DEATHS = np.full(8, 0.3)
KILLS = 0.55 * np.exp(-0.7 * np.maximum(COPIES - 2, 0))


def dense(beta, births, deaths, kills=0.0):
    """The matrix of the science text, entry by entry: daughters in class i of a division of class j."""
    n = len(births)
    A = -np.diag(births + deaths + kills)
    for j in range(1, n + 1):
        for k in range(j + 1):
            weight = comb(j, k) * beta**k * (1 - beta) ** (j - k)
            for i in (j + k, j - k):
                if 1 <= i <= n:
                    A[i - 1, j - 1] += weight * births[j - 1]
    return A


def matrix(problem, **inputs):
    """The model's own matrix: its Jacobian at the empty tumour."""
    levels = [inputs.get(name, 0.0) for name in problem.system.inputs]
    return problem.system.jac(0.0, np.zeros(problem.system.n), problem.p, levels)


def leading(A):
    """Largest growth rate and the mix that grows with it."""
    values, vectors = eig(A)
    k = values.real.argmax()
    mix = np.abs(vectors[:, k].real)
    return values[k].real, mix / mix.sum()


def default(beta, **options):
    return Problem(karyotype_ladder(crowding=False, **options)).replace(parameters={"beta": beta})


# --- KIM23 ------------------------------------------------------------------------------------------------------------

BETAS = (1e-3, 1e-2, 0.1, 0.5)
CRITICAL = {  # classes: dominant eigenvalue for births 1 and deaths 0
    2: (0.998732, 0.987305, 0.871555, 0.309017),
    8: (0.999590, 0.995836, 0.952503, 0.647305),
    46: (0.999921, 0.999115, 0.984210, 0.808406),
    92: (0.999959, 0.999501, 0.988576, 0.837421),
}


@pytest.mark.parametrize("K", [2, 8, 46, pytest.param(92, marks=pytest.mark.slow)])
def test_critical_ratio_of_deaths_to_births(K):
    problem = Problem(karyotype_ladder(K, birth=lambda i: 1, crowding=False))
    for beta, wanted in zip(BETAS, CRITICAL[K], strict=True):
        A = matrix(problem.replace(parameters={"beta": beta, "b": 1.0, "d": 0.0}))
        assert leading(A)[0] == pytest.approx(wanted, abs=6e-7)
        np.testing.assert_allclose(A, dense(beta, np.ones(K), np.zeros(K)), rtol=1e-12, atol=1e-15)


def test_two_classes_at_one_half_are_a_golden_section():
    problem = Problem(karyotype_ladder(2, birth=[1, 1], crowding=False))
    A = matrix(problem.replace(parameters={"beta": 0.5, "b": 1.0, "d": 0.0}))
    assert leading(A)[0] == pytest.approx((np.sqrt(5) - 1) / 4, rel=1e-14)


@pytest.mark.parametrize(("beta", "most"), [(1e-5, 1e-9), (1e-4, 1e-7), (1e-3, 1e-5)])
def test_one_step_agrees_to_first_order_only(beta, most):
    binomial, step = (matrix(default(beta, missegregation=rule)) for rule in ("binomial", "one-step"))
    apart = np.abs(binomial - step).max()
    assert 0.1 * most < apart < 30 * most  # falls with the square of beta


def test_one_step_is_the_event_of_any_stray():
    A = matrix(default(0.01, missegregation="one-step"))
    for j in range(1, 9):
        any_stray = 1 - 0.99**j
        assert A[j - 1, j - 1] == pytest.approx(BIRTHS[j - 1] * (2 * (1 - any_stray) - 1) - 0.3, rel=1e-13)
        for i in (j - 1, j + 1):
            if 1 <= i <= 8:
                assert A[i - 1, j - 1] == pytest.approx(BIRTHS[j - 1] * any_stray, rel=1e-13)


# --- M2-L: the test landscape of 8 classes ----------------------------------------------------------------------------

# beta: untreated growth, share of 4 copies and more, growth under therapy, nadir, day of return to 1e7.
# The days were computed twice (eigenvectors; LSODA). The science text has 494.8, 333.3, 178.5, 48.8 and 23.5, up to
# 0.3 days later, and a share of 0.120 at 5e-2: it reads a coarser grid, and rounds 0.11946 twice. At 5e-2 the tumour
# never falls to 1e7; the day given there is that of the nadir.
LANDSCAPE = {
    1e-5: (0.1999800, 7.908612e-8, 0.0465090, 21.23367, 494.508),
    1e-4: (0.1998006, 7.836537e-6, 0.0461149, 2010.993, 333.139),
    1e-3: (0.1980628, 7.155300e-4, 0.0433640, 179469.8, 178.318),
    1e-2: (0.1853984, 3.129962e-2, 0.0329005, 6622734.0, 48.590),
    5e-2: (0.1642092, 0.1194551, 0.0054390, 18217457.0, 23.200),
}


def test_net_rates_under_full_therapy():
    net = [-0.38, -0.35, -0.1031, 0.0044, 0.0426, 0.0466, 0.0334, 0.0118]
    A = matrix(default(0.0), u=1.0)
    np.testing.assert_allclose(np.diag(A), net, atol=6e-5)
    assert np.all(A[~np.eye(8, dtype=bool)] == 0)


@pytest.mark.parametrize("beta", list(LANDSCAPE))
def test_default_landscape(beta):
    growth, share, therapy, nadir, day = LANDSCAPE[beta]
    problem = default(beta)
    np.testing.assert_allclose(matrix(problem, u=1.0), dense(beta, BIRTHS, DEATHS, KILLS), rtol=1e-12, atol=1e-15)
    rate, mix = leading(matrix(problem))
    assert rate == pytest.approx(growth, abs=6e-8)
    assert mix[3:].sum() == pytest.approx(share, rel=2e-6)
    assert leading(matrix(problem, u=1.0))[0] == pytest.approx(therapy, abs=6e-8)
    start = {f"x_{i}": 1e8 * part for i, part in zip(COPIES, mix, strict=True)}
    run = problem.replace(initial=start, t_span=(0, 600), treatment=Treatment.constant({"u": 1}), rtol=1e-10, atol=1e-9)
    solution = solve(run)
    times = np.linspace(0, 600, 6001)
    burden = solution.at(times, "burden")
    lowest = burden.argmin()
    assert burden[lowest] == pytest.approx(nadir, rel=2e-5)
    if nadir > 1e7:
        assert times[lowest] == pytest.approx(day, abs=0.1)
    else:
        back = brentq(lambda t: solution.at(t, "burden") - 1e7, times[lowest], 600)
        assert back == pytest.approx(day, abs=6e-3)


def test_instability_above_beta_c_prevents_relapse():
    problem = default(1e-3)

    def growth(beta):
        return leading(matrix(problem.replace(parameters={"beta": beta}), u=1.0))[0]

    assert brentq(growth, 0.05, 0.07, xtol=1e-12) == pytest.approx(0.0585267, abs=6e-8)


@pytest.mark.slow
def test_ladder_of_ninety_two_classes():
    width, b = Parameter("width", 16.1, unit="1", plausible=(5, 50)), Parameter("b", 0.5, unit="1/day")
    ladder = karyotype_ladder(92, birth=lambda i: b * sp.exp(-(((i - 46) / width) ** 2) / 2), normal=46, crowding=False)
    rate, mix = leading(matrix(Problem(ladder)))
    copies = np.arange(1, 93)
    mean = copies @ mix
    assert rate == pytest.approx(0.1952673, abs=6e-8)
    assert mean == pytest.approx(45.944, abs=6e-4)
    assert np.sqrt((copies - mean) ** 2 @ mix) == pytest.approx(2.2306, abs=6e-5)


# --- crowding, the drug against unstable cells, tables ----------------------------------------------------------------


def test_no_class_grows_on_the_diagonal_at_capacity():
    problem = Problem(karyotype_ladder()).replace(parameters={"beta": 0.0})
    rng = np.random.default_rng(3)
    for total in (1e9, 2e9):
        y = rng.dirichlet(np.ones(8)) * total
        assert np.all(problem.system.f(0.0, y, problem.p, [0.0]) <= 1e-6)
    unfit = Problem(karyotype_ladder(3, birth=[0.2, 1, 0.2])).replace(parameters={"beta": 0.0})
    net = unfit.system.f(0.0, np.array([1e8, 9e8, 1e9]), unfit.p, [0.0])
    assert net[0] == pytest.approx(-0.2 * 1e8)  # the brake does not help a class that dies anyway


def test_crowding_stops_the_tumour_near_capacity():
    problem = Problem(karyotype_ladder(), t_span=(0, 400))
    assert 0.9e9 < sample(problem, [400], ["burden"]).values[0, 0] < 1e9


def test_drug_against_unstable_cells():
    problem = Problem(karyotype_ladder(unstable_drug=True, crowding=False))
    kill = np.diag(matrix(problem) - matrix(problem, v=1.0))
    np.testing.assert_allclose(kill, 0.3 * abs(COPIES - 2) / 8, rtol=1e-12)


def test_missegregation_keeps_its_sensitivity():
    problem = Problem(
        karyotype_ladder(5), t_span=(0, 60), initial={"x_2": 1e6}, rtol=1e-9, treatment=Treatment.constant({"u": 0.5})
    )
    solution = solve(problem, sensitivities=["beta", "cost"])
    for name, step in (("beta", 1e-6), ("cost", 1e-5)):
        ends = [
            sample(problem.replace(parameters={name: problem.parameters[name] + s}), [60], ["burden"]).values[0, 0]
            for s in (-step, step)
        ]
        assert solution.sensitivity("burden", name)[-1] == pytest.approx((ends[1] - ends[0]) / 2 / step, rel=2e-4)


def test_rare_daughters_are_left_out_of_large_ladders():
    """120 classes: what is left out below beta_max changes no entry by more than the tolerance."""
    births = np.ones(120)
    kept = Problem(karyotype_ladder(120, birth=lambda i: 1, crowding=False))
    A = matrix(kept.replace(parameters={"beta": 0.01, "b": 1.0, "d": 0.0}))
    full = dense(0.01, births, np.zeros(120))
    assert np.abs(A - full).max() < 2e-12
    assert np.count_nonzero(A) < 0.4 * np.count_nonzero(full)


@pytest.mark.slow
def test_two_hundred_classes_build_and_run():
    ladder = karyotype_ladder(200, birth=lambda i: float(np.exp(-(((i - 92) / 40) ** 2))), normal=92, crowding=False)
    problem = Problem(ladder, t_span=(0, 60))
    solution = solve(problem)
    wanted = expm(matrix(problem) * 60)[:, 91]
    assert solution["burden"][-1] == pytest.approx(wanted.sum(), rel=1e-4)
    assert solution["x_80"][-1] == pytest.approx(wanted[79], rel=1e-3)


def test_equality_and_refusals():
    assert karyotype_ladder(4) == karyotype_ladder(4)
    assert karyotype_ladder(4) != karyotype_ladder(5)
    for options, words in (
        ({"n": 1}, "2 or more"),
        ({"normal": 9}, "1 to 8"),
        ({"missegregation": "binominal"}, "binomial"),
        ({"birth": [1, 1]}, "2 values for 8"),
        ({"death": lambda i: sp.oo}, "death of class 1"),
    ):
        with pytest.raises(ModelError, match=words):
            karyotype_ladder(**options)


def test_observables():
    ladder = karyotype_ladder(3, normal=2)
    values = dict(zip(ladder.states, (10.0, 70.0, 20.0), strict=True))
    read = {name: float(e.subs(values)) for name, e in ladder.observables.items()}
    assert read == pytest.approx({"burden": 100, "mean_copies": 2.1, "aneuploid_fraction": 0.3})
    assert isinstance(ladder, Model)
    assert derive.conserved_totals(ladder) == ()


@pytest.mark.optional
def test_large_ladders_are_left_to_lsoda():
    """Compiled code for hundreds of states would take longer than the runs that it speeds up."""
    pytest.importorskip("llvmlite")
    problem = Problem(karyotype_ladder(260, birth=lambda i: 1, missegregation="one-step", crowding=False))
    assert "more than 256 states" in solve(problem, "Rodas5P").method
    assert sample(problem, [30], ["burden"]).success
