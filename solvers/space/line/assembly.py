"""Rates and block Jacobian from the outputs of the tape: the sums of `discretise`, compiled for a line of cells.

A plan travels as a tuple of arrays:
terms (k, 4): state, carried, output of the coefficient, output of the potential or -1;
slopes (m, 4): term, 0 of the coefficient or 1 of the potential, state, output;
spreading (m, 3): carried term, state or -1 for the value itself, output of the coefficient of its own diffusion;
rates_by (m, 3): row, state, output.
Geometry: distance, area (faces), volumes. Walls (2, 2, n): [side, 0 fixed or not, value], [side, inflow].
"""

from ..upwind import SMOOTH
from .compile import compiled

__all__ = ["jacobian", "rates"]


@compiled
def _diffusion(t, spreading, out, L, R):
    found = 0.0
    for i in range(spreading.shape[0]):
        if spreading[i, 0] == t and spreading[i, 1] < 0:
            found -= 0.5 * (out[spreading[i, 2], L] + out[spreading[i, 2], R])
    return max(found, 0.0)


@compiled
def _carried(S, state, v, D, d, L, R, N):
    """Value at a face and its derivatives by S upwind, downwind and beyond; by v, by D; the cell beyond or -1."""
    up, down, far = (L, R, L - 1) if v >= 0 else (R, L, R + 1)
    far = far if 0 <= far < N else -1
    size = abs(v) * d
    w = max(1.0 - SMOOTH * D / size, 0.0) if size > 0.0 else 0.0
    a = S[up, state] - S[far, state] if far >= 0 else 0.0
    b = S[down, state] - S[up, state]
    value, by_up, by_down, by_far, by_v, by_D = S[up, state] + 0.5 * b, 0.5, 0.5, 0.0, 0.0, 0.0
    if w > 0.0:
        limited, by_a, by_b = 0.0, 0.0, 0.0
        if a * b > 0.0:
            s = 1.0 / (a + b)
            limited, by_a, by_b = a * b * s, (b * s) ** 2, (a * s) ** 2
        beyond = limited - 0.5 * b
        by_far = -w * by_a if far >= 0 else 0.0
        by_up += w * (by_a - by_b + 0.5)
        by_down += w * (by_b - 0.5)
        value += w * beyond
        if w < 1.0:
            by_v, by_D = SMOOTH * D / (size * v) * beyond, -SMOOTH / size * beyond
    return value, by_up, by_down, by_far, by_v, by_D, up, down, far


@compiled
def rates(y, out, plan, geometry, infusion, f):
    """f (N, n) from states y (N, n) and outputs (n_out, N); infusion (n,) goes into every cell."""
    terms, spreading = plan[0], plan[2]
    distance, area, volumes = geometry
    N, n = y.shape
    for i in range(n):
        for c in range(N):
            f[c, i] = out[i, c] + infusion[i]
    for t in range(terms.shape[0]):
        s, carried, at, phi = terms[t, 0], terms[t, 1], terms[t, 2], terms[t, 3]
        for k in range(N - 1):
            J = 0.5 * (out[at, k] + out[at, k + 1])
            if phi >= 0:
                J *= (out[phi, k + 1] - out[phi, k]) / distance[k]
            if carried:
                D = _diffusion(t, spreading, out, k, k + 1)
                J *= _carried(y, s, J, D, distance[k], k, k + 1, N)[0]
            J *= area[k]
            f[k, s] -= J / volumes[k]
            f[k + 1, s] += J / volumes[k + 1]


@compiled
def _add(J, k, s, cell, j, value, volumes):
    """A derivative of the flux from cell k to k + 1, by state j of a cell."""
    J[k, 2 + cell - k, s, j] -= value / volumes[k]
    J[k + 1, 1 + cell - k, s, j] += value / volumes[k + 1]


@compiled
def jacobian(y, out, plan, geometry, J):
    """Blocks J (N, 5, n, n) of the inner cells; returns the reach: 2 where an upwind value looks beyond."""
    terms, slopes, spreading, rates_by = plan
    distance, area, volumes = geometry
    N, reach = y.shape[0], 1
    J[:] = 0.0
    for r in range(rates_by.shape[0]):
        i, j, at = rates_by[r, 0], rates_by[r, 1], rates_by[r, 2]
        for c in range(N):
            J[c, 2, i, j] += out[at, c]
    for t in range(terms.shape[0]):
        s, carried, at, phi = terms[t, 0], terms[t, 1], terms[t, 2], terms[t, 3]
        for k in range(N - 1):
            L, R, d, A = k, k + 1, distance[k], area[k]
            c = 0.5 * (out[at, L] + out[at, R])
            slope = (out[phi, R] - out[phi, L]) / d if phi >= 0 else 1.0
            gain, D = 1.0, 0.0
            if carried:
                v = c * slope
                D = _diffusion(t, spreading, out, L, R)
                value, by_up, by_down, by_far, by_v, by_D, up, down, far = _carried(y, s, v, D, d, L, R, N)
                gain = value + v * by_v
                _add(J, k, s, up, s, v * by_up * A, volumes)
                _add(J, k, s, down, s, v * by_down * A, volumes)
                if by_far != 0.0:
                    reach = 2
                    _add(J, k, s, far, s, v * by_far * A, volumes)
                if by_D != 0.0:
                    for i in range(spreading.shape[0]):
                        if spreading[i, 0] == t and spreading[i, 1] >= 0:
                            _add(J, k, s, L, spreading[i, 1], -0.5 * v * by_D * out[spreading[i, 2], L] * A, volumes)
                            _add(J, k, s, R, spreading[i, 1], -0.5 * v * by_D * out[spreading[i, 2], R] * A, volumes)
            for i in range(slopes.shape[0]):
                if slopes[i, 0] == t:
                    j, at_j = slopes[i, 2], slopes[i, 3]
                    if slopes[i, 1] == 0:
                        _add(J, k, s, L, j, 0.5 * out[at_j, L] * slope * gain * A, volumes)
                        _add(J, k, s, R, j, 0.5 * out[at_j, R] * slope * gain * A, volumes)
                    else:
                        _add(J, k, s, L, j, -c * out[at_j, L] / d * gain * A, volumes)
                        _add(J, k, s, R, j, c * out[at_j, R] / d * gain * A, volumes)
    return reach
