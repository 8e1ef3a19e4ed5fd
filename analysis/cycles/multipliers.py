"""Floquet multipliers of a period given in pieces, small ones not lost beside large ones."""

import numpy as np

from ..continuation.machine import compiled

__all__ = ["multipliers_of", "triangular_product"]

SPLIT = 1e-12  # entries of an orthogonal matrix that are zero
SWEEPS = 6


def multipliers_of(steps) -> tuple:
    """Floquet multipliers from the derivatives of the pieces of a period.

    Parameters
    ----------
    steps : (N, n, n) array

    Returns
    -------
    multipliers : (n,) complex array
        Largest absolute value first.
    error : float
        Distance from 1 of the nearest multiplier.
    """
    n = steps.shape[1]
    turned, R, size = triangular_product(np.ascontiguousarray(steps), np.eye(n), SWEEPS)
    found, first = [], 0
    for k in range(1, n + 1):
        if k < n and np.abs(turned[k:, :k]).max() >= SPLIT:
            continue
        with np.errstate(over="ignore"):
            if k == first + 1:
                found.append(np.array([turned[first, first] * np.exp(size[first])]))
            else:
                block = turned[first:k, first:k] @ (np.exp(size[first:k] - size[first])[:, None] * R[first:k, first:k])
                found.append(np.linalg.eigvals(block) * np.exp(size[first]))
        first = k
    values = np.concatenate(found).astype(complex)
    values = values[np.argsort(-np.abs(values), kind="stable")]
    return values, float(np.min(np.abs(values - 1)))


@compiled
def triangular_product(steps, Q, sweeps):
    """Triangular factors of a product of matrices by orthogonal iteration, which keeps small multipliers apart.

    Parameters
    ----------
    steps : (N, n, n) array
        The product is steps[N - 1] ... steps[0].
    Q : (n, n) array
        Orthogonal; changed to that after the last sweep but one.
    sweeps : int

    Returns
    -------
    turned : (n, n) array
        Orthogonal: product Q = Q turned R.
    R : (n, n) array
        Upper triangular, its diagonal divided out row by row.
    size : (n,) array
        Logarithms of the absolute values of the diagonal.
    """
    N, n = steps.shape[0], steps.shape[1]
    B = np.empty((n, n))
    now = Q.copy()
    R, size = np.eye(n), np.zeros(n)
    for _sweep in range(sweeps):
        Q[:] = now
        R[:] = np.eye(n)
        size[:] = 0.0
        for i in range(N):
            for k in range(n):
                for l in range(n):
                    B[k, l] = 0.0
                    for j in range(n):
                        B[k, l] += steps[i, k, j] * now[j, l]
            step = np.zeros((n, n))
            for l in range(n):  # Gram-Schmidt, twice
                for _again in range(2):
                    for j in range(l):
                        dot = 0.0
                        for k in range(n):
                            dot += now[k, j] * B[k, l]
                        step[j, l] += dot
                        for k in range(n):
                            B[k, l] -= dot * now[k, j]
                norm = 0.0
                for k in range(n):
                    norm += B[k, l] ** 2
                norm = max(np.sqrt(norm), 1e-300)
                step[l, l] = norm
                for k in range(n):
                    now[k, l] = B[k, l] / norm
            # R has rows divided by exp(size): new R = step R, row k divided by its own diagonal
            for k in range(n):
                for l in range(k, n):
                    value = 0.0
                    for j in range(k, l + 1):
                        value += step[k, j] / step[k, k] * np.exp(size[j] - size[k]) * R[j, l]
                    B[k, l] = value
            for k in range(n):
                for l in range(k, n):
                    R[k, l] = B[k, l]
                size[k] += np.log(step[k, k])
    turned = np.zeros((n, n))
    for k in range(n):
        for l in range(n):
            for j in range(n):
                turned[k, l] += Q[j, k] * now[j, l]
    return turned, R, size
