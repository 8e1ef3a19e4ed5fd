"""Relapse counts and times: how k of n, and intervals between images, speak about expected established lineages.

A group with Lambda expected established lineages relapses with probability 1 - exp(-Lambda). Animals that differ
(frailty) have Lambda z with z of mean one.
"""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import DataError, ProblemError, refuse_unknown_keywords

__all__ = [
    "LineageEstimate",
    "LineageRatio",
    "compare_counts",
    "count_log_likelihood",
    "expected_from_counts",
    "gamma_frailty",
    "lognormal_frailty",
    "relapse_time_log_likelihood",
]


@refuse_unknown_keywords
def lognormal_frailty(hazard, sd, nodes=20) -> np.ndarray:
    """Relapse probability when the hazard differs between subjects by a log-normal factor of mean one.

    Parameters
    ----------
    hazard : array_like
        Lambda, or the cumulative hazard H(t), of the mean subject; 0 or more.
    sd : float
        Standard deviation of the logarithm of the factor; 0 gives 1 - exp(-hazard).
    nodes : int
        Gauss-Hermite nodes.

    Returns
    -------
    ndarray of the shape of `hazard`
        E[1 - exp(-hazard z)].

    Examples
    --------
    >>> print(lognormal_frailty([0.0534, 0.4693], sd=1.0).round(4))
    [0.0499 0.3073]
    """
    hazard = _hazard(hazard)
    if not (np.isfinite(sd) and sd >= 0):
        raise ProblemError(f"sd of a log-normal factor is 0 or more, got {sd!r}")
    x, w = np.polynomial.hermite_e.hermegauss(int(nodes))
    z = np.exp(sd * x - sd**2 / 2)
    return -np.expm1(-hazard[..., None] * z) @ (w / w.sum())


@refuse_unknown_keywords
def gamma_frailty(hazard, shape) -> np.ndarray:
    """Relapse probability when the hazard differs between subjects by a gamma factor of mean one.

    Parameters
    ----------
    hazard : array_like
        Lambda, or the cumulative hazard H(t), of the mean subject; 0 or more.
    shape : float
        Shape q of the factor, whose variance is 1/q.

    Returns
    -------
    ndarray of the shape of `hazard`
        1 - (1 + hazard/q)^-q.

    Examples
    --------
    >>> print(gamma_frailty([0.0534, 0.4693], shape=1.0).round(4))
    [0.0507 0.3194]
    """
    hazard = _hazard(hazard)
    if not (np.isfinite(shape) and shape > 0):
        raise ProblemError(f"shape of a gamma factor is above 0, got {shape!r}")
    return -np.expm1(-shape * np.log1p(hazard / shape))


def count_log_likelihood(k, n, probability) -> float:
    """Log-likelihood of k relapses among n subjects of each group, without the binomial coefficient.

    Parameters
    ----------
    k, n : array_like of int, shape (n_groups,)
        Relapses and subjects.
    probability : array_like, shape (n_groups,)
        Probability of relapse.

    Returns
    -------
    float
        sum k ln p + (n - k) ln(1 - p); -inf where the counts are impossible.

    Examples
    --------
    >>> print(f"{count_log_likelihood([1, 9], [24, 24], [0.05, 0.37]):.4f}")
    -20.0543
    """
    from scipy.special import xlog1py, xlogy

    k, n = _counts(k, n)
    p = np.asarray(probability, float)
    if not np.all((p >= 0) & (p <= 1)):
        raise ProblemError(f"a probability lies between 0 and 1, got {probability!r}")
    return float(np.sum(xlogy(k, p) + xlog1py(n - k, -p)))


def relapse_time_log_likelihood(hazard_left, hazard_right) -> float:
    """Log-likelihood of relapse times that are known to lie between two looks, or after the last one.

    Parameters
    ----------
    hazard_left : array_like of shape (n,)
        H at the last look without a relapse.
    hazard_right : array_like of shape (n,)
        H at the first look with one; infinite for a subject that was never seen to relapse. Death from another
        cause counts as that, which assumes that it says nothing about relapse.

    Returns
    -------
    float
        sum of ln[exp(-H_left) - exp(-H_right)]; -inf for an interval in which relapse is impossible.

    Examples
    --------
    >>> print(f"{relapse_time_log_likelihood([0.1, 0.3], [0.2, np.inf]):.4f}")
    -2.7522
    """
    left, right = np.broadcast_arrays(_hazard(hazard_left), _hazard(hazard_right, infinite=True))
    if np.any(right < left):
        first = np.argmax(right < left)
        raise DataError(f"interval {first} ends before it starts: H = {left.flat[first]:g}, then {right.flat[first]:g}")
    with np.errstate(divide="ignore"):
        return float(np.sum(-left + np.log(-np.expm1(-(right - left)))))


@dataclass(frozen=True)
class LineageEstimate:
    """Expected established lineages behind k relapses of n.

    Attributes
    ----------
    estimate : float
        -ln(1 - k/n); infinite if all relapsed.
    lower, upper : float
        Ends of the exact interval; one-sided (with 0 or infinity as the other end) if none or all relapsed.
    k, n : int
        Relapses and subjects.
    level : float
        Confidence level.
    """

    estimate: float
    lower: float
    upper: float
    k: int
    n: int
    level: float


@refuse_unknown_keywords
def expected_from_counts(k, n, level=0.95) -> LineageEstimate:
    """Estimate and exact interval of Lambda from k relapses among n subjects.

    The interval is that of Clopper and Pearson for the probability, carried over by -ln(1 - p). With k = 0 it is
    the one-sided bound -ln(1 - level)/n, about 3/n at 95 %.

    Parameters
    ----------
    k, n : int
        Relapses and subjects.
    level : float
        Confidence level between 0 and 1.

    Returns
    -------
    LineageEstimate

    References
    ----------
    .. [1] Clopper, Pearson (1934), Biometrika 26, 404-413.

    Examples
    --------
    >>> none = expected_from_counts(0, 24)
    >>> print(f"{none.estimate:g}, {none.lower:g} to {none.upper:.4f}")
    0, 0 to 0.1248
    """
    from scipy.stats import beta

    k, n = (int(v) for v in _counts(k, n))
    _check_level(level)
    tail = (1 - level) / (1 if k in (0, n) else 2)
    # p_upper is beta.isf(tail, k + 1, n - k); 1 - p_upper is the ppf of the mirrored law, exact near p = 1
    upper = np.inf if k == n else -np.log(beta.ppf(tail, n - k, k + 1))
    lower = 0.0 if k == 0 else -np.log(beta.isf(tail, n - k + 1, k))
    estimate = np.inf if k == n else -np.log1p(-k / n)
    return LineageEstimate(abs(float(estimate)), float(lower), float(upper), k, n, level)


@dataclass(frozen=True)
class LineageRatio:
    """How many times more established lineages one group has than another.

    Attributes
    ----------
    log_ratio : float
        ln(Lambda_1 / Lambda_0), maximum likelihood; infinite or NaN where counts are 0 or n in a group.
    standard_error : float
        Of `log_ratio`, by the curvature of the likelihood.
    lower, upper : float
        Profile-likelihood interval of `log_ratio`; infinite on a side the counts leave open.
    p_fisher, p_likelihood : float
        Two-sided p-values of equal Lambda: Fisher's exact test and the likelihood ratio.
    level : float
        Confidence level.
    """

    log_ratio: float
    standard_error: float
    lower: float
    upper: float
    p_fisher: float
    p_likelihood: float
    level: float


@refuse_unknown_keywords
def compare_counts(k, n, level=0.95) -> LineageRatio:
    """Ratio of expected established lineages of two groups from their relapse counts.

    Parameters
    ----------
    k, n : sequence of int, shape (2,)
        Relapses and subjects: the reference group first.
    level : float
        Confidence level between 0 and 1.

    Returns
    -------
    LineageRatio

    Examples
    --------
    >>> ratio = compare_counts([2, 9], [24, 24])
    >>> print(f"{ratio.log_ratio:.3f} from {ratio.lower:.3f} to {ratio.upper:.3f}, p = {ratio.p_fisher:.3f}")
    1.687 from 0.327 to 3.569, p = 0.036
    """
    from scipy.stats import chi2, fisher_exact

    k, n = _counts(k, n)
    if k.shape != (2,):
        raise DataError(f"two groups are compared, got counts of shape {k.shape}")
    _check_level(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = -np.log1p(-k / n)
        log_ratio = np.log(estimate[1]) - np.log(estimate[0])
        # variance of ln(-ln(1 - p)) by the delta method: p / (n (1 - p) ln(1 - p)^2)
        error = np.sqrt(np.sum((k / n) / (n * (1 - k / n) * estimate**2)))
    best = count_log_likelihood(k, n, k / n)
    reach = chi2.ppf(level, 1) / 2

    def short(theta):
        return best - _profile(k, n, theta) - reach

    ends = [_crossing(short, log_ratio, side) for side in (-1, 1)]
    fisher = fisher_exact([[k[0], n[0] - k[0]], [k[1], n[1] - k[1]]]).pvalue
    ratio_p = chi2.sf(2 * max(0.0, best - count_log_likelihood(k, n, k.sum() / n.sum())), 1)
    return LineageRatio(float(log_ratio), float(error), *ends, float(fisher), float(ratio_p), level)


def _profile(k, n, theta):
    """Highest log-likelihood of two counts with Lambda_1 = exp(theta) Lambda_0."""
    from scipy.optimize import brentq

    factor = np.exp([-theta / 2, theta / 2])  # Lambda_0 and Lambda_1 share exp(x): neither side overflows first

    def slope(x):
        hazard = np.exp(x) * factor
        return np.sum(k * hazard / np.expm1(np.minimum(hazard, 700.0)) - (n - k) * hazard)

    if k.sum() == 0 or np.all(k == n):
        return 0.0
    x = brentq(slope, -60 - abs(theta), 60 + abs(theta), xtol=1e-12)
    return count_log_likelihood(k, n, -np.expm1(-np.exp(x) * factor))


def _crossing(short, start, side):
    """Where the profile falls short by the quantile, going from its maximum to one side; infinite if it never does."""
    from scipy.optimize import brentq

    if not np.isfinite(start):
        if np.isnan(start) or np.sign(start) == side:
            return side * np.inf
        start = -side * 30.0
    far = start + side * np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0])
    for near, end in zip(np.append(start, far[:-1]), far, strict=True):
        if short(end) > 0:
            return float(brentq(short, near, end, xtol=1e-10))
    return side * np.inf


def _counts(k, n):
    k, n = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    if not np.all((k == np.round(k)) & (n == np.round(n)) & (k >= 0) & (k <= n) & (n >= 1)):
        raise DataError(f"counts are whole numbers with 0 <= k <= n and n >= 1, got k = {k.tolist()}, n = {n.tolist()}")
    return k, n


def _check_level(level):
    if not 0 < level < 1:
        raise ProblemError(f"level lies between 0 and 1, for example 0.95, got {level!r}")


def _hazard(values, infinite=False):
    values = np.asarray(values, float)
    if not np.all((values >= 0) & (np.isfinite(values) | infinite)):
        raise ProblemError(f"a hazard is {'' if infinite else 'finite and '}0 or more, got {values.tolist()}")
    return values
