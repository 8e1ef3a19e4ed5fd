"""The seven growth laws of one comparison: closed forms, and forecasts that part company."""

import numpy as np
import pytest
from scipy.special import lambertw

from remission import models
from remission.solvers import Problem, sample

DAYS = np.array([0.0, 10, 50, 100, 200, 365])
DAY_200 = {
    "exponential_growth": 30141,
    "power_law_growth": 13311,
    "surface_growth": 12408,
    "von_bertalanffy_growth": 10167,
    "linear_growth": 10146,
    "logistic_growth": 6387,
    "gompertz_growth": 4602,
}


def volume(name, times=DAYS):
    problem = Problem(getattr(models, name)(), t_span=(0, 365), rtol=1e-11, atol=1e-9)
    return sample(problem, times, ["V"]).values[:, 0]


def test_power_law():
    """V^(1 - b) grows by (1 - b) a a day, with the paper's a = 0.105 and b = 0.785."""
    wanted = (220**0.215 + 0.215 * 0.105 * DAYS) ** (1 / 0.215)
    np.testing.assert_allclose(volume("power_law_growth"), wanted, rtol=1e-8)


def test_linear():
    wanted = 4300 * lambertw(220 / 4300 * np.exp((220 + 132 * DAYS) / 4300)).real
    np.testing.assert_allclose(volume("linear_growth"), wanted, rtol=1e-8)


def test_surface():
    """The time that a volume takes is closed."""

    def F(V):
        y, c = np.cbrt(V + 708), np.cbrt(708)
        bend = np.log(y - c) - np.log(y * y + c * y + c * c) / 2 - np.sqrt(3) * np.arctan((2 * y + c) / np.sqrt(3) / c)
        return 3 * y + c * bend

    V = volume("surface_growth")
    np.testing.assert_allclose((F(V) - F(220)) / 0.291, DAYS, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("linear_growth", 132 / 4300),
        ("surface_growth", 0.291 / 708 ** (1 / 3)),
        ("logistic_growth", 0.0295),
        ("exponential_growth", 0.0246),
    ],
)
def test_early_growth(name, rate):
    problem = Problem(getattr(models, name)(), t_span=(0, 1), initial={"V": 1e-3}, rtol=1e-12, atol=1e-15)
    V = sample(problem, [0, 1], ["V"]).values[:, 0]
    assert np.log(V[1] / V[0]) == pytest.approx(rate, rel=1e-4)


def test_same_data_different_forecasts():
    at_100 = [volume(name, [100])[0] for name in DAY_200]
    assert min(at_100) >= 2575
    assert max(at_100) <= 2677
    for name, wanted in DAY_200.items():
        assert volume(name, [200])[0] == pytest.approx(wanted, abs=0.6), name
