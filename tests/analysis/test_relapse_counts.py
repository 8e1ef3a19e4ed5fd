"""Counts and times of relapse: closed forms, exact coverage by enumeration, published rules of thumb."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, chi2

from remission.analysis.relapse_counts import (
    compare_counts,
    count_log_likelihood,
    expected_from_counts,
    gamma_frailty,
    lognormal_frailty,
    relapse_time_log_likelihood,
)
from remission.models.errors import DataError, KeywordError, ProblemError

FRAILTY = tomllib.loads((Path(__file__).parents[1] / "reference.toml").read_text(encoding="utf-8"))["frailty"]
LAMBDA = np.array(FRAILTY["Lambda"])


# -- subjects that differ --------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", FRAILTY["monte_carlo"], ids=lambda row: f"sd={row['sd']}")
def test_lognormal_frailty_against_monte_carlo(row):
    # 2e5 draws of z: standard error of the mean below 0.0005 at Lambda = 0.47
    np.testing.assert_allclose(lognormal_frailty(LAMBDA, sd=row["sd"]), row["P"], atol=1.5e-3)


def test_lognormal_frailty_to_the_digits_of_twenty_nodes():
    row = FRAILTY["gauss_hermite_20"]
    np.testing.assert_allclose(lognormal_frailty(LAMBDA, sd=row["sd"]), row["P"], atol=6e-5)


@pytest.mark.parametrize("sd", [0.0, 0.3, 0.8, 1.0])
def test_lognormal_frailty_against_quadrature(sd):
    def integrand(x, hazard):
        return np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * -np.expm1(-hazard * np.exp(sd * x - sd**2 / 2))

    expected = [quad(integrand, -12, 12, args=(hazard,), epsabs=0, epsrel=1e-11)[0] for hazard in LAMBDA]
    np.testing.assert_allclose(lognormal_frailty(LAMBDA, sd=sd, nodes=60), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [0.3, 1.0, 4.0])
def test_gamma_frailty_against_quadrature(shape):
    from scipy.stats import gamma

    law = gamma(shape, scale=1 / shape)
    expected = [quad(lambda z, h=h: -np.expm1(-h * z) * law.pdf(z), 0, np.inf, epsrel=1e-9)[0] for h in LAMBDA]
    np.testing.assert_allclose(gamma_frailty(LAMBDA, shape=shape), expected, rtol=1e-6)


def test_frailty_lowers_relapse_and_vanishes_with_the_spread():
    none = -np.expm1(-LAMBDA)
    np.testing.assert_allclose(lognormal_frailty(LAMBDA, sd=0), none, rtol=1e-13)
    np.testing.assert_allclose(gamma_frailty(LAMBDA, shape=1e9), none, rtol=1e-8)
    assert np.all(lognormal_frailty(LAMBDA, sd=0.5) < none)
    assert np.all(gamma_frailty(LAMBDA, shape=2) < none)


# -- likelihoods -----------------------------------------------------------------------------------------------


def test_count_likelihood_is_the_binomial_without_its_coefficient():
    k, n, p = np.array([0, 3, 9, 24]), 24, np.array([0.05, 0.2, 0.4, 0.9])
    constant = binom.logpmf(k, n, k / n).sum() - count_log_likelihood(k, n, k / n)
    assert count_log_likelihood(k, n, p) + constant == pytest.approx(binom.logpmf(k, n, p).sum(), rel=1e-12)


def test_impossible_and_certain_counts():
    assert count_log_likelihood(0, 5, 0.0) == 0
    assert count_log_likelihood(5, 5, 1.0) == 0
    assert count_log_likelihood(1, 5, 0.0) == -np.inf
    with pytest.raises(ProblemError, match="between 0 and 1"):
        count_log_likelihood(1, 5, 1.2)


def test_relapse_times_are_intervals_of_survival():
    left, right = np.array([0.0, 0.1, 0.4]), np.array([0.1, 0.4, np.inf])
    expected = np.log(np.exp(-left) - np.exp(-right)).sum()
    assert relapse_time_log_likelihood(left, right) == pytest.approx(expected, rel=1e-12)
    # the looks share out all that can happen
    total = sum(np.exp(relapse_time_log_likelihood([a], [b])) for a, b in zip(left, right, strict=True))
    assert total == pytest.approx(1, rel=1e-12)
    # a short interval keeps its digits where the difference of two survivals has none
    assert relapse_time_log_likelihood([0.5], [0.5 + 1e-14]) == pytest.approx(-0.5 + np.log(1e-14), rel=2e-3)
    assert relapse_time_log_likelihood([0.2], [0.2]) == -np.inf
    with pytest.raises(DataError, match="interval 1 ends before it starts"):
        relapse_time_log_likelihood([0.1, 0.5], [0.2, 0.4])


# -- one group -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "n"), [(1, 24), (9, 24), (23, 24)])
def test_clopper_pearson_ends_leave_the_stated_tails(k, n):
    """At the lower end k or more has probability 2.5 %, at the upper end k or fewer has."""
    got = expected_from_counts(k, n)
    lower, upper = -np.expm1(-got.lower), -np.expm1(-got.upper)
    assert binom.sf(k - 1, n, lower) == pytest.approx(0.025, rel=1e-9)
    assert binom.cdf(k, n, upper) == pytest.approx(0.025, rel=1e-9)
    assert got.lower < got.estimate < got.upper
    assert got.estimate == pytest.approx(-np.log(1 - k / n), rel=1e-12)


def test_none_and_all_give_one_sided_bounds():
    none, everyone = expected_from_counts(0, 24), expected_from_counts(24, 24)
    assert (none.estimate, none.lower) == (0, 0)
    assert none.upper == pytest.approx(-np.log(0.05) / 24, rel=1e-12)  # the rule of three: 2.9957 / n
    assert (everyone.estimate, everyone.upper) == (np.inf, np.inf)
    assert (-np.expm1(-everyone.lower)) ** 24 == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize("expected", [0.0534, 0.4693, 2.0])
def test_exact_interval_never_covers_less_than_it_says(expected):
    k = np.arange(25)
    weights = binom.pmf(k, 24, -np.expm1(-expected))
    inside = [(e := expected_from_counts(j, 24)).lower <= expected <= e.upper for j in k]
    # the one-sided bounds at none and all are tighter: they cost at most the other half of the tail, at one end
    assert weights[inside].sum() >= 0.925


# -- two groups ------------------------------------------------------------------------------------------------


def test_ratio_is_recovered_from_large_groups():
    """k = n p exactly: the log-ratio of the two expected numbers comes back well within its standard error."""
    n = 24_000_000
    k = np.round(-n * np.expm1(-LAMBDA))
    got = compare_counts(k, [n, n])
    assert got.log_ratio == pytest.approx(FRAILTY["log_ratio"], abs=1e-3)
    assert abs(got.log_ratio - np.log(LAMBDA[1] / LAMBDA[0])) < got.standard_error
    assert got.upper - got.lower == pytest.approx(2 * 1.959964 * got.standard_error, rel=1e-3)


def test_profile_interval_covers_ninety_five_percent_by_enumeration():
    """All 61 x 61 outcomes of two groups, each with its probability: no simulation."""
    n, truth = 60, np.array([0.25, 0.75])
    theta = np.log(truth[1] / truth[0])
    weights = [binom.pmf(np.arange(n + 1), n, p) for p in -np.expm1(-truth)]
    covered = seen = 0.0
    for i in range(n + 1):
        for j in range(n + 1):
            weight = weights[0][i] * weights[1][j]
            if weight < 2e-4:  # what is left out is reported by `seen`
                continue
            seen += weight
            got = compare_counts([i, j], [n, n])
            covered += weight * (got.lower <= theta <= got.upper)
    assert seen > 0.95
    assert covered / seen == pytest.approx(0.95, abs=0.02)


def test_profile_ends_are_where_the_likelihood_has_fallen():
    """Against a brute grid over both expected numbers."""
    k, n = np.array([2, 9]), np.array([24, 24])
    got = compare_counts(k, n)
    hazard = np.exp(np.linspace(-7, 2, 40_001))
    best = count_log_likelihood(k, n, k / n)
    for theta in (got.lower, got.upper):
        p0, p1 = -np.expm1(-hazard), -np.expm1(-hazard * np.exp(theta))
        profile = np.max(2 * np.log(p0) + 22 * np.log1p(-p0) + 9 * np.log(p1) - 15 * hazard * np.exp(theta))
        assert 2 * (best - profile) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-5)


def test_equal_groups_have_ratio_one():
    got = compare_counts([5, 10], [20, 40])
    assert got.log_ratio == pytest.approx(0, abs=1e-12)
    assert got.p_likelihood == pytest.approx(1, abs=1e-6)
    assert got.lower < 0 < got.upper


def test_the_order_of_the_groups_changes_the_sign_only():
    one, other = compare_counts([2, 9], [24, 20]), compare_counts([9, 2], [20, 24])
    np.testing.assert_allclose([one.log_ratio, one.lower, one.upper], [-other.log_ratio, -other.upper, -other.lower])


def test_open_sides():
    none = compare_counts([0, 9], [24, 24])
    assert none.log_ratio == np.inf
    assert none.upper == np.inf
    assert 0 < none.lower < 5
    everyone = compare_counts([9, 24], [24, 24])
    assert everyone.upper == np.inf
    assert everyone.lower > 0
    nobody = compare_counts([0, 0], [24, 24])
    assert np.isnan(nobody.log_ratio)
    assert (nobody.lower, nobody.upper) == (-np.inf, np.inf)


def test_refusals():
    for k, n in (([-1], [5]), ([6], [5]), ([0.5], [5]), ([0], [0])):
        with pytest.raises(DataError, match="whole numbers"):
            count_log_likelihood(k, n, 0.5)
    with pytest.raises(DataError, match="two groups"):
        compare_counts([1, 2, 3], [5, 5, 5])
    with pytest.raises(ProblemError, match="level"):
        expected_from_counts(1, 5, level=95)
    with pytest.raises(ProblemError, match="sd"):
        lognormal_frailty(0.1, sd=-1)
    with pytest.raises(ProblemError, match="shape"):
        gamma_frailty(0.1, shape=0)
    with pytest.raises(ProblemError, match="hazard"):
        gamma_frailty(-0.1, shape=1)
    with pytest.raises(KeywordError, match="shape"):
        gamma_frailty(0.1, shpe=1)
