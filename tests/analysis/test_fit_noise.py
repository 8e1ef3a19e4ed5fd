"""The noise of a measurement: residuals, slopes and curvature against the likelihood written down directly."""

import numpy as np
import pytest
from scipy.stats import norm

from remission.analysis.fit_noise import INTERVAL, LEFT, RIGHT, SEEN, Seen, log_likelihood, noise_terms, update_sigma

CODES = np.array([SEEN, LEFT, RIGHT, INTERVAL, INTERVAL, LEFT, RIGHT])
LOWER = np.array([0.0, 1.0, 1.0, 0.5, -9.0, 0.2, 3.0])
UPPER = np.array([0.0, 0.0, 0.0, 1.5, -8.0, 0.0, 0.0])
SD = np.array([1.0, 1.0, 2.0, 1.0, 0.7, 1.0, 1.0])
SEEN_VALUES = Seen(
    np.array([2.0, 0, 0, 0, 0, 0, 0]), LOWER, UPPER, CODES, SD, np.ones(7), np.zeros(7), 0
)  # fmt: skip
G = np.array([1.3, 1.4, 0.2, 2.0, 1.0, 0.1, 5.0])


def direct(g, sigma):
    """Negative log-likelihood of each value, constants of the density left out for the one that was seen."""
    sd = sigma * SD
    terms = np.empty(7)
    terms[0] = 0.5 * ((g[0] - 2.0) / sd[0]) ** 2
    for i in np.flatnonzero(CODES == LEFT):
        terms[i] = -norm.logcdf(LOWER[i], g[i], sd[i])
    for i in np.flatnonzero(CODES == RIGHT):
        terms[i] = -norm.logsf(LOWER[i], g[i], sd[i])
    for i in np.flatnonzero(CODES == INTERVAL):
        terms[i] = -np.log(norm.cdf(UPPER[i], g[i], sd[i]) - norm.cdf(LOWER[i], g[i], sd[i]))
    return terms


def test_half_the_square_is_minus_the_log_likelihood():
    residual = noise_terms(SEEN_VALUES, G, 1.1)[0]
    np.testing.assert_allclose(0.5 * residual**2, direct(G, 1.1), rtol=1e-9)


def test_slopes_and_curvature_are_derivatives():
    h = 1e-4
    residual, slope, first, second = noise_terms(SEEN_VALUES, G, 1.1)
    up, down = (noise_terms(SEEN_VALUES, G + s, 1.1) for s in (h, -h))
    np.testing.assert_allclose(slope, (up[0] - down[0]) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(first, residual * slope, rtol=1e-9)
    np.testing.assert_allclose(second, (up[2] - down[2]) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("g", [-300.0, 300.0])
def test_far_from_the_limits_nothing_overflows(g):
    for part in noise_terms(SEEN_VALUES, np.full(7, g), 0.5):
        assert np.all(np.isfinite(part))


def test_sigma_of_largest_likelihood():
    rng = np.random.default_rng(0)
    g = np.zeros(400)
    y = rng.normal(0, 0.7, 400)
    plain = Seen(y, g, g, np.zeros(400, int), g + 1, g + 1, g, 0)
    assert update_sigma([(plain, g)], 1.0) == pytest.approx(np.sqrt(np.mean(y**2)))
    code = np.where(y < -0.5, LEFT, SEEN)  # what lies below -0.5 is known to lie below it, no more
    cut = Seen(np.where(code == SEEN, y, 0), g - 0.5, g, code, g + 1, g + 1, g, 0)
    found = update_sigma([(cut, g)], 1.0)
    nearby = [log_likelihood(cut, g, s) for s in (0.99 * found, found, 1.01 * found)]
    assert nearby[1] == max(nearby)
    assert found == pytest.approx(0.7, rel=0.1)
