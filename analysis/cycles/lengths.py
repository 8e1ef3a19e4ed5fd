"""Lengths along a branch of cycles, and the border that a step is measured by; compiled as `machine` is."""

import numpy as np

from ..continuation.machine import compiled

__all__ = ["border_of", "length_of"]


@compiled
def border_of(U, ends, V, direction, h, logs, slopes, values, weighted, floor):
    """The border of a step along the branch: phase, and length along the tangent.

    Parameters
    ----------
    U, V : (N m + 1, n) arrays
        Orbit and tangent.
    ends, direction : (2,) arrays
    h, logs, slopes, values
        As in `newton_step`.
    weighted : (m + 1, m) array
        From values at Gauss points to integrals with each polynomial.
    floor : float
        Least size that a state or the parameter is measured by.

    Returns
    -------
    rows : (2, N, m + 1, n) array
    sides : (2, 2) array
    here : (2,) array
        What the border gives for the orbit itself.
    size : (n + 1,) array
        Of states and parameter: states in logarithms half their range or 1, others their largest value.
    length : float
        Of the tangent in sizes.
    """
    N, n, m = h.shape[0], U.shape[1], slopes.shape[0]
    rows, sides, here = np.zeros((2, N, m + 1, n)), np.zeros((2, 2)), np.zeros(2)
    size = np.empty(n + 1)
    for k in range(n):
        low, high = U[0, k], U[0, k]
        for i in range(U.shape[0]):
            low, high = min(low, U[i, k]), max(high, U[i, k])
        size[k] = max(1.0, (high - low) / 2) if logs[k] else max(abs(low), abs(high), floor)
    size[n] = end_size = max(abs(ends[1]), floor)
    most, square = 0.0, direction[0] ** 2 + (direction[1] / end_size) ** 2
    for i in range(N):
        for k in range(n):
            for q in range(m):
                slope, value = 0.0, 0.0
                for j in range(m + 1):
                    slope += slopes[q, j] * U[i * m + j, k]
                    value += values[q, j] * V[i * m + j, k]
                most = max(most, abs(slope))
                value *= h[i] / size[k] ** 2
                for j in range(m + 1):
                    rows[0, i, j, k] += weighted[j, q] * slope
                    rows[1, i, j, k] += weighted[j, q] * value
            for j in range(m + 1):
                square += rows[1, i, j, k] * V[i * m + j, k]
    length = np.sqrt(square)
    most = max(most, 1e-300)
    for i in range(N):
        for j in range(m + 1):
            for k in range(n):
                rows[0, i, j, k] /= most
                rows[1, i, j, k] /= length
                for r in range(2):
                    here[r] += rows[r, i, j, k] * U[i * m + j, k]
    sides[1, 0], sides[1, 1] = direction[0] / length, direction[1] / end_size**2 / length
    here[1] += sides[1, 0] * ends[0] + sides[1, 1] * ends[1]
    return rows, sides, here, size, length


@compiled
def length_of(V, direction, h, values, weights, size):
    """Length of a tangent in the sizes of `border_of`."""
    N, n, m = h.shape[0], V.shape[1], values.shape[0]
    square = direction[0] ** 2 + (direction[1] / size[n]) ** 2
    for i in range(N):
        for q in range(m):
            for k in range(n):
                value = 0.0
                for j in range(m + 1):
                    value += values[q, j] * V[i * m + j, k]
                square += h[i] * weights[q] * (value / size[k]) ** 2
    return np.sqrt(square)
