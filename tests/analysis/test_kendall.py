"""The lineage process against closed forms, the master equation, and the numbers of the withdrawal model."""

import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from remission.analysis.kendall import (
    establishment_probability,
    expected_cells,
    expected_established,
    lineage_process,
    relapse_free,
    relapse_hazard,
    size_probability,
)
from remission.models.errors import KeywordError, ProblemError

REFERENCE = tomllib.loads((Path(__file__).parents[1] / "reference.toml").read_text(encoding="utf-8"))
WITHDRAWAL = REFERENCE["oncogene_withdrawal"]


def constant(b, d, J=0.0):
    return lambda t: (b, d, J)


def closed_form(b, d, age, size):
    """P(n >= size) at an age, constant rates."""
    G = np.exp((b - d) * age)
    I = b * age if b == d else b * np.expm1((b - d) * age) / (b - d)
    return G / (1 + I) * (I / (1 + I)) ** (size - 1)


@pytest.mark.parametrize(("b", "d"), [(0.3, 0.22), (0.22, 0.3), (0.5, 0.5), (0.7, 0.0), (0.0, 0.4), (5.0, 4.0)])
@pytest.mark.parametrize("size", [1, 2, 2.5, 40])
def test_constant_rates_give_the_geometric_law(b, d, size):
    """Growing, shrinking, critical b = d, pure birth (Yule), pure death; also at sizes that are not whole."""
    times, born = np.array([1.0, 7.0, 20.0]), np.array([0.0, 0.3])
    got = size_probability(lineage_process(constant(b, d), [0, 20]), times, born, size=size)
    np.testing.assert_allclose(got, closed_form(b, d, times[:, None] - born, size), rtol=1e-10, atol=0)


def test_sizes_of_a_yule_family_are_exact():
    got = size_probability(lineage_process(constant(0.3, 0.0), [0, 50]), [50], [0], size=1e6)[0, 0]
    np.testing.assert_allclose(got, np.exp((1e6 - 1) * np.log1p(-np.exp(-15.0))), rtol=1e-8)


def test_large_families_follow_the_exponential_limit():
    """P(n_t >= N) -> pi exp(-pi N exp(-r (t - s))) for large N (used by Stana et al. 2025, Genetics, iyaf098)."""
    b, d, N = 0.3, 0.22, 1e7
    pi, r = 1 - d / b, b - d
    ages = np.linspace(120, 400, 57)
    got = size_probability(lineage_process(constant(b, d), [0, 400]), ages, [0], size=N)[:, 0]
    # the next term of the expansion is of order N exp(-2 r t), below 1e-4 of the exponent here
    limit = pi * np.exp(-pi * N * np.exp(-r * ages))
    np.testing.assert_allclose(got[ages > 180], limit[ages > 180], rtol=2e-4)
    np.testing.assert_allclose(got, closed_form(b, d, ages, N), rtol=1e-8, atol=0)


def test_a_family_is_one_cell_when_it_is_founded_and_nothing_before():
    process = lineage_process(constant(0.3, 0.2), [0, 10])
    assert size_probability(process, [4.0], [4.0, 5.0]).tolist() == [[1.0, 0.0]]
    assert size_probability(process, [4.0], [4.0, 5.0], size=2).tolist() == [[0.0, 0.0]]


def test_exp_of_hundreds_neither_overflows_nor_cancels():
    """G = exp(900) and then exp(-900): the logarithm of the survival probability stays exact."""
    up = lineage_process(constant(10.0, 1.0), [0, 100])
    assert size_probability(up, [100.0], [0.0])[0, 0] == pytest.approx(0.9, rel=1e-12)
    np.testing.assert_allclose(size_probability(up, [100.0], [0.0], size=1e300), 0.9, rtol=1e-8)
    down = lineage_process(constant(1.0, 4.0), [0, 200])
    # P = r / (b - d exp(-r t)), r = -3, t = 200
    np.testing.assert_allclose(size_probability(down, [200.0], [0.0])[0, 0], 0.75 * np.exp(-600.0), rtol=1e-9)


# -- establishment ----------------------------------------------------------------------------------------------


def test_establishment_composes_through_the_segments():
    """Growth, then a bottleneck, then growth: generating functions composed by hand (linear fractional maps)."""
    phases = [(0.3, 0.15, 30.0), (0.2, 0.35, 12.0), (0.3, 0.22, np.inf)]

    def rates(t):
        which = np.digitize(t, [30.0, 42.0])
        return np.array([0.3, 0.2, 0.3])[which], np.array([0.15, 0.35, 0.22])[which], 0.0

    def extinct(q, b, d, age):
        """F(q, age): probability that all of one cell's descendants meet an end that each meets with q."""
        if np.isinf(age):
            return min(1.0, d / b)
        e = np.exp(-(b - d) * age)
        return (d * (q - 1) - e * (b * q - d)) / (b * (q - 1) - e * (b * q - d))

    process = lineage_process(rates, [0, 30, 42, 100])
    for born in (0.0, 10.0, 29.9, 30.0, 35.0, 60.0):
        q, end = 1.0, np.inf
        for (b, d, _), (start, stop) in reversed(list(zip(phases, pairwise([0, 30, 42, np.inf]), strict=True))):
            if born < stop:
                q = extinct(q, b, d, end if np.isinf(stop) else stop - max(start, born))
        np.testing.assert_allclose(establishment_probability(process, [born]), 1 - q, rtol=1e-11)


@pytest.mark.parametrize(("tail", "probability"), [((0.3, 0.22), 1 - 0.22 / 0.3), ((0.2, 0.2), 0.0), ((0.2, 0.3), 0.0)])
def test_the_rates_after_the_end_decide(tail, probability):
    process = lineage_process(constant(0.4, 0.1, 1.0), [0, 1], tail=tail)
    assert establishment_probability(process, [1.0])[0] == pytest.approx(probability, abs=1e-15)
    assert (expected_established(process).total > 0) == (probability > 0)


def test_founders_and_segments_add_up():
    process = lineage_process(constant(0.3, 0.2, 0.05), [0, 4, 10], founders=2.0)
    got = expected_established(process)
    np.testing.assert_allclose(got.by_segment, [0.2 / 3, 0.3 / 3], rtol=1e-12)
    assert got.founders == pytest.approx(2 / 3, rel=1e-12)
    assert got.total == pytest.approx(2 / 3 + 0.5 / 3, rel=1e-12)
    assert got.cure_fraction + got.relapse_probability == pytest.approx(1, rel=1e-15)
    assert relapse_hazard(process, [0.0], size=1)[0] == 2.0
    assert relapse_hazard(process, [0.0], size=2)[0] == 0.0


# -- rates that change in time: a second method that knows nothing of Kendall's formula ----------------------------


def wobbling(t):
    """Births that swing, deaths that jump at 6, a source that jumps there too."""
    on = t > 6
    return 0.5 + 0.3 * np.sin(t), np.where(on, 0.6, 0.2), np.where(on, 0.0, 0.1 + 0.05 * np.cos(2 * t))


def master_equation(born, end, most=400):
    """P(n = 0..most-1) at end by integrating the truncated equation of the whole distribution."""
    n = np.arange(most)

    def slope(t, p):
        b, d, _ = (float(v) for v in wobbling(np.asarray(t)))
        flow = -(b + d) * n * p
        flow[1:] += b * n[:-1] * p[:-1]
        flow[:-1] += d * n[1:] * p[1:]
        return flow

    p = np.zeros(most)
    p[1] = 1.0
    for a, b in pairwise([born, 6.0, end]):
        p = solve_ivp(slope, (a, b - 1e-13), p, method="DOP853", rtol=1e-11, atol=1e-15).y[:, -1]
    return p


def test_against_the_master_equation():
    process = lineage_process(wobbling, [0, 6, 10])
    for born in (0.0, 3.3):
        p = master_equation(born, 10.0)
        assert p.sum() == pytest.approx(1, abs=1e-10)
        for size in (1, 2, 5, 30):
            got = size_probability(process, [10.0], [born], size=size)[0, 0]
            assert got == pytest.approx(p[size:].sum(), rel=1e-8)
        mean = size_probability(process, [10.0], [born])[0, 0]
        assert p @ np.arange(len(p)) == pytest.approx(np.exp(_net(born, 10.0)), rel=1e-8)
        assert mean < p @ np.arange(len(p))


def _net(a, b):
    """Integral of births minus deaths of `wobbling` in closed form, for a before the jump at 6."""
    return 0.5 * (b - a) - 0.3 * (np.cos(b) - np.cos(a)) - 0.2 * (6 - a) - 0.6 * (b - 6)


def test_hazard_against_nested_quadrature():
    process = lineage_process(wobbling, [0, 6, 10])

    def births(s, t):
        return quad(lambda x: wobbling(np.asarray(x))[0] * np.exp(E(x, t)), s, t, points=[6.0], epsabs=0, epsrel=1e-11)[
            0
        ]

    def E(s, t):
        return 0.5 * (t - s) - 0.3 * (np.cos(t) - np.cos(s)) - 0.2 * max(6 - s, 0) - 0.6 * (t - max(s, 6))

    def integrand(s):
        G, I = np.exp(E(s, 10.0)), births(s, 10.0)
        return wobbling(np.asarray(s))[2] * G / (1 + I) * (I / (1 + I)) ** 19

    expected = quad(integrand, 0, 6, epsabs=0, epsrel=1e-10)[0]
    assert relapse_hazard(process, [10.0], size=20)[0] == pytest.approx(expected, rel=1e-8)


def test_expected_cells_solve_the_mean_equation():
    process = lineage_process(wobbling, [0, 6, 10], founders=0.7)
    times = [0.0, 2.0, 5.999]
    ode = solve_ivp(
        lambda t, R: (wobbling(np.asarray(t))[0] - wobbling(np.asarray(t))[1]) * R + wobbling(np.asarray(t))[2],
        (0, 5.999),
        [0.7],
        t_eval=times,
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
    )
    np.testing.assert_allclose(expected_cells(process, times), ode.y[0], rtol=1e-9)


def test_a_jump_nobody_named_is_found():
    named, found = lineage_process(wobbling, [0, 6, 10]), lineage_process(wobbling, [0, 10])
    assert expected_cells(found, [10])[0] == pytest.approx(expected_cells(named, [10])[0], rel=1e-7)
    assert len(found.times) > len(named.times)


def test_the_limit_of_a_late_look_is_establishment():
    """H(t) at size 1 falls to Lambda as dying families are gone; S falls to the cure fraction."""
    process = lineage_process(lambda t: (0.3, 0.2, np.where(t < 50, 0.01, 0.0)), [0, 50, 1000])
    total = expected_established(process)
    assert relapse_hazard(process, [1000.0], size=1)[0] == pytest.approx(total.total, rel=1e-9)
    assert relapse_free(process, [1000.0], size=1e7)[0] == pytest.approx(total.cure_fraction, rel=1e-9)
    assert relapse_free(process, [0.0], size=1e7)[0] == 1


def test_panels_can_be_used_again_for_smooth_differences():
    """dLambda/db by central differences on frozen panels: Lambda = J T (b - d)/b, derivative J T d / b^2."""
    base = lineage_process(constant(0.3, 0.2, 0.05), [0, 10])
    up, down = (
        expected_established(lineage_process(constant(0.3 + h, 0.2, 0.05), [0, 10], edges=base.edges)).total
        for h in (1e-5, -1e-5)
    )
    assert (up - down) / 2e-5 == pytest.approx(0.5 * 0.2 / 0.09, rel=1e-8)


# -- what is refused -----------------------------------------------------------------------------------------------


def test_refusals_name_the_reason():
    with pytest.raises(ProblemError, match=r"birth.*-1 at t"):
        lineage_process(constant(-1.0, 0.1), [0, 1])
    with pytest.raises(ProblemError, match=r"death.*nan"):
        lineage_process(constant(1.0, np.nan), [0, 1])
    with pytest.raises(ProblemError, match="increasing"):
        lineage_process(constant(1.0, 0.1), [0, 2, 1])
    with pytest.raises(ProblemError, match="birth, death and source"):
        lineage_process(lambda t: (t, t), [0, 1])
    with pytest.raises(ProblemError, match="founders"):
        lineage_process(constant(1.0, 0.1), [0, 1], founders=-1)
    with pytest.raises(ProblemError, match="tail"):
        lineage_process(constant(1.0, 0.1), [0, 1], tail=(1.0, -0.1))
    with pytest.raises(ProblemError, match="panels"):
        lineage_process(lambda t: (1.0 + 0.5 * np.sin(1e7 * t), 0.1, 0.0), [0, 1])
    with pytest.raises(KeywordError, match="founders"):
        lineage_process(constant(1.0, 0.1), [0, 1], founder=1)
    process = lineage_process(constant(1.0, 0.1), [0, 1])
    with pytest.raises(ProblemError, match=r"t = 2 is outside"):
        relapse_free(process, [0.5, 2.0], size=10)
    with pytest.raises(ProblemError, match="size"):
        relapse_free(process, [0.5], size=0.5)


# -- the numbers of the withdrawal model, its equations written out here ------------------------------------------

b_S, d_S, b_A, d_A, b_R, d_R = 0.5, 0.3, 0.47, 0.3, 0.3, 0.15
kap_S, kap_A, kap_R, f_v, f_r, n, K = 0.55, 0.42, 0.07, 0.8, 2e-8, 40, 1e9


def withdrawal(p_on, brake, days=400.0):
    """Lineage process of the two-phase protocol, time from the first cell, and T1."""

    def slope(t, y, p, u):
        m, h = 1 - (1 - p) ** n, 1 - (y[0] + y[1]) / K
        return [
            (b_S - d_S) * h * y[0] - 2 * m * b_S * y[0] - kap_S * u * y[0],
            (b_A - d_A) * h * y[1] - 2 * m * (1 - f_v) * b_A * y[1] + 2 * m * f_v * b_S * y[0] - kap_A * u * y[1],
        ]

    def full(t, y, p, u):
        return y[0] + y[1] - 1e8

    full.terminal = True
    settings = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-9, "dense_output": True, "max_step": 2.0}
    grown = solve_ivp(slope, (0, 1000), [1.0, 0.0], args=(p_on, 0), events=full, **settings)
    T1 = grown.t[-1]
    treated = solve_ivp(slope, (T1, T1 + days), grown.y[:, -1], args=(2.5e-4, 1), **settings)

    def rates(t):
        on = t > T1
        S, A = np.where(on, treated.sol(np.maximum(t, T1)), grown.sol(np.minimum(t, T1)))
        m = 1 - (1 - np.where(on, 2.5e-4, p_on)) ** n
        h = 1 - brake * (S + A) / K
        return d_R + h * (b_R - d_R), d_R + kap_R * on, 2 * m * f_r * (b_S * S + b_A * A)

    return lineage_process(rates, [0, T1, T1 + days], rtol=1e-9), T1


@pytest.mark.parametrize("arm", ["low", "high"])
@pytest.mark.parametrize("brake", ["free", "braked"])
def test_withdrawal_numbers(arm, brake):
    reference = WITHDRAWAL[arm][brake]
    process, T1 = withdrawal(WITHDRAWAL[arm]["p_on"], brake == "braked")
    np.testing.assert_allclose(T1, WITHDRAWAL[arm]["T1"], rtol=1e-8)
    lineages = expected_established(process)
    np.testing.assert_allclose(lineages.by_segment, reference["Lambda"], rtol=1e-8)
    assert lineages.relapse_probability == pytest.approx(reference["P"], rel=1e-8)
    assert expected_cells(process, [T1])[0] == pytest.approx(reference["R_T1"], rel=1e-8)
    # the mean is carried by rare early families: it must not be taken for the number of lineages
    assert -np.expm1(-reference["R_T1"]) > 2 * lineages.relapse_probability
    for day, relapsed in reference.get("relapsed", {}).items():
        got = 1 - relapse_free(process, [T1 + float(day.removeprefix("day_"))], size=1e7)[0]
        assert got == pytest.approx(relapsed, rel=1e-6)


def test_critical_missegregation():
    for brake, critical in ((0, "critical_free"), (1, "critical_braked")):
        process, _ = withdrawal(WITHDRAWAL["P_of_p"][critical], brake)
        assert expected_established(process).relapse_probability == pytest.approx(0.5, rel=1e-7)


def test_relapse_rises_with_missegregation_without_a_falling_branch():
    table = WITHDRAWAL["P_of_p"]
    chosen = slice(0, None, 3)
    got = [expected_established(withdrawal(p, 0, days=200.0)[0]).relapse_probability for p in table["p_on"][chosen]]
    np.testing.assert_allclose(got, table["free"][chosen], rtol=1e-7)
    assert np.all(np.diff(got) > 0)
