"""What a measurement says about a prediction: one residual per value whose half square is minus its log-likelihood.

A value y seen with normal noise of standard deviation s at the prediction g has N = (g - y)^2 / (2 s^2). A value only
known to lie below a limit L has N = -log Phi((L - g) / s), above it N = -log Phi((g - L) / s), and between two limits
N = -log(Phi((U - g) / s) - Phi((L - g) / s)). The residual is sqrt(2 N), with the sign of g - y where y was seen.
For log-normal noise y, L, U and g are logarithms.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Seen", "noise_terms", "update_sigma"]

NOISES = ("normal", "lognormal", "relative")
SEEN, LEFT, RIGHT, INTERVAL = 0, 1, 2, 3
HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True, eq=False)
class Seen:
    """Values of one subject and observable on the scale of the noise, arrays of shape (n,).

    Attributes
    ----------
    y : where the code is SEEN, else 0
    lower, upper : limits; `lower` is the limit of left- and right-censored values
    code : SEEN, LEFT, RIGHT or INTERVAL
    unit_sd : standard deviation for sigma = 1
    weight : weight of each value
    log_jacobian : log of dy / d(value), so that likelihoods of different noises compare
    group : position of the sigma that belongs to it
    """

    y: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    code: np.ndarray
    unit_sd: np.ndarray
    weight: np.ndarray
    log_jacobian: np.ndarray
    group: int

    @property
    def all_seen(self) -> bool:
        """Whether nothing is censored."""
        return not self.code.any()


def noise_terms(seen, g, sigma):
    """Residuals of predictions, with what optimisers and error bars need.

    Parameters
    ----------
    seen : Seen
    g : (n,) array
        Predictions on the scale of the noise.
    sigma : float

    Returns
    -------
    (residual, slope, first, second) : (n,) arrays
        The residual, its derivative by g, and first and second derivative of N by g; weights are not in them.
    """
    sd = sigma * seen.unit_sd
    residual, slope = (g - seen.y) / sd, 1 / sd
    first, second = residual / sd, 1 / sd**2
    if seen.all_seen:
        return residual, slope, first, second
    slope, second = slope.copy(), second.copy()
    for code in (LEFT, RIGHT, INTERVAL):
        here = seen.code == code
        if here.any():
            value, one, two = _censored(code, g[here], seen.lower[here], seen.upper[here], sd[here])
            size = np.sqrt(2 * value)
            residual[here], first[here], second[here] = size, one, two
            slope[here] = np.where(size > 1e-100, one / np.maximum(size, 1e-100), 0.0)
    return residual, slope, first, second


def _censored(code, g, lower, upper, sd):
    """N and its first two derivatives by g."""
    from scipy.special import log_ndtr

    if code == INTERVAL:
        return _between((lower - g) / sd, (upper - g) / sd, sd)
    side = 1.0 if code == LEFT else -1.0
    z = side * (lower - g) / sd
    log_part = log_ndtr(z)
    ratio = np.exp(_log_density(z) - log_part)
    return -log_part, side * ratio / sd, ratio * (ratio + z) / sd**2


def _between(a, b, sd):
    from scipy.special import log_ndtr

    far = a > 0  # both limits above: use the other tail, where the difference does not cancel
    high, low = np.where(far, log_ndtr(-a), log_ndtr(b)), np.where(far, log_ndtr(-b), log_ndtr(a))
    log_part = high + np.log1p(-np.exp(low - high))
    at_a, at_b = np.exp(_log_density(a) - log_part), np.exp(_log_density(b) - log_part)
    one = at_b - at_a
    return -log_part, one / sd, (one**2 + b * at_b - a * at_a) / sd**2


def _log_density(z):
    return -0.5 * z**2 - HALF_LOG_2PI


def log_likelihood(seen, g, sigma) -> float:
    """Log-likelihood of the values, constants included, weights applied."""
    residual = noise_terms(seen, g, sigma)[0]
    each = -0.5 * residual**2
    each = np.where(seen.code == SEEN, each - HALF_LOG_2PI - np.log(sigma * seen.unit_sd) + seen.log_jacobian, each)
    return float(seen.weight @ each)


def update_sigma(pairs, sigma) -> float:
    """Standard deviation of largest likelihood at fixed predictions.

    Parameters
    ----------
    pairs : list of (Seen, (n,) array)
        Values and their predictions.
    sigma : float
        Where to start.

    Returns
    -------
    float
        The closed form where nothing is censored, else found by a bounded search within a factor of 1000.
    """
    from scipy.optimize import minimize_scalar

    if all(seen.all_seen for seen, _ in pairs):
        total = sum(float(seen.weight @ ((g - seen.y) / seen.unit_sd) ** 2) for seen, g in pairs)
        return float(np.sqrt(total / sum(float(seen.weight.sum()) for seen, _ in pairs)))

    def cost(log_sigma):
        return -sum(log_likelihood(seen, g, np.exp(log_sigma)) for seen, g in pairs)

    centre = np.log(sigma)
    found = minimize_scalar(cost, bounds=(centre - 7, centre + 7), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))
