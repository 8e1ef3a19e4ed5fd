"""Explicit steps (Tsit5) where diffusion and reaction are slow enough for them: order 5 at the price of one W step.

Stabilised explicit methods of order 2 were measured too: on Fisher's equation they cost more than the W method at every
error, so there are none here.
"""

import numpy as np

from ...kernels.tables import TSIT5
from .compile import compiled

__all__ = ["ORDER", "REACH", "Explicit", "spectral_radius"]

ORDER, STAGES = TSIT5.order, len(TSIT5.a)
REACH = 3.2  # of the negative axis, over which steps are stable
A = np.zeros((STAGES, STAGES))
for _i, _row in enumerate(TSIT5.a):
    A[_i, : len(_row)] = _row
ERROR = np.array(TSIT5.error)
PART = 1024  # cells at once: the stages of a part stay in the processor's cache


def spectral_radius(stepper) -> float:
    """A bound of the spectral radius: of diffusion, and of the rows of the reaction's Jacobian.

    Parameters
    ----------
    stepper : Stepper
        After `begin`.

    Returns
    -------
    float
    """
    _, _, dy, dx, _, _ = stepper.plan.geometry
    found = []
    for s, field in enumerate(stepper.fields):
        row = sum(_largest(v) for (i, _), v in stepper.by.items() if i == s)
        wall = 1.5 if any(field.walls) else 1.0
        found.append(row + wall * 4.0 * _largest(field.diffusion) * (dx**-2 + dy**-2))
    return max(found)


def _largest(value):
    return float(np.abs(value).max()) if np.ndim(value) else abs(value)


@compiled
def _stage(y, K, a, count, h, out):
    """out = y + h sum of a[e] K[e] over e < count."""
    n, N = y.shape
    for i in range(n):
        for start in range(0, N, PART):
            end = min(N, start + PART)
            found = out[i, start:end]
            found[:] = y[i, start:end]
            for e in range(count):
                x, k = h * a[e], K[e, i, start:end]
                if x != 0.0:
                    for c in range(end - start):
                        found[c] += x * k[c]


@compiled
def _estimate(y, new, K, error, h, rtol, atol, sizes, low):
    """Mean square of the error over tolerance, and smallest value, field by field."""
    n, N = y.shape
    room = np.empty(PART)
    for i in range(n):
        total, lowest = 0.0, np.inf
        for start in range(0, N, PART):
            end = min(N, start + PART)
            room[:] = 0.0
            for e in range(error.shape[0]):
                x, k = h * error[e], K[e, i, start:end]
                for c in range(end - start):
                    room[c] += x * k[c]
            a, b = y[i, start:end], new[i, start:end]
            for c in range(end - start):
                q = room[c] / (atol[i] + rtol * max(abs(a[c]), abs(b[c])))
                total += q * q
                lowest = min(lowest, b[c])
        sizes[i], low[i] = total / N, lowest


class Explicit:
    """Explicit steps with the rates of a `Stepper`; the last rates of a step are the first of the next."""

    def __init__(self, stepper):
        self.stepper = stepper
        self.K = np.empty((STAGES, stepper.n, stepper.size))
        self.known = self.began = None  # times of the rates in the last and in the first stage

    def attempt(self, t, y, h, new, rtol, atol) -> float:
        """A step from y to `new`, (n, N): its error in units of the tolerance; `stepper.low` has the smallest values.

        The first rates have to be in `stepper.first`.
        """
        stepper, K = self.stepper, self.K
        K[0] = stepper.first
        for s in range(1, STAGES):
            _stage(y, K, A[s], s, h, new)
            stepper.rates(t + A[s].sum() * h, new, K[s])
        _estimate(y, new, K, ERROR, h, rtol, atol, stepper.sizes, stepper.low)
        self.began, self.known = t, t + h
        return float(np.sqrt(stepper.sizes.max()))

    def field(self, t, y, new):
        """Values within the last step, from y to `new`, to order 4."""
        h = self.known - self.began
        theta = (t - self.began) / h
        weights = h * theta * (1 - theta) * (theta ** np.arange(len(TSIT5.dense)) @ np.array(TSIT5.dense))
        return (1 - theta) * y + theta * new + np.tensordot(weights, self.K, 1)
