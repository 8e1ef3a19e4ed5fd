"""Equations that define curves of steady states, folds and Hopf points, and the tests for special points on them.

Unknowns, in units of `scale`: states, then those of the kind of curve, then the moved parameters.

STEADY  f = 0
FOLD    f = 0, J v = 0, l1 v = 1                            one more kind of unknowns: v
HOPF    f = 0, (J J + kappa) v = 0, l1 v = 1, l2 v = 0      v and kappa, the square of the frequency
"""

import numpy as np

from .compile import compiled
from .elimination import determinant, eliminate, pair_sums, substitute
from .tape_machine import evaluate

__all__ = ["FOLD", "HOPF", "STEADY", "assemble", "tests_of"]

STEADY, FOLD, HOPF = 0, 1, 2


@compiled
def assemble(kind, z, system, border, f, J, H, R, A):
    """Residuals R of a kind of curve and their derivatives A by all unknowns; f, J, H are filled on the way."""
    n, m, second = system[4], system[5], system[7]
    evaluate(z, system, f, J, H)
    rows, columns = R.shape[0], z.shape[0]
    for i in range(rows):
        for j in range(columns):
            A[i, j] = 0.0
    for i in range(n):
        R[i] = f[i]
        for j in range(n):
            A[i, j] = J[i, j]
        for j in range(m):
            A[i, columns - m + j] = J[i, n + j]
    if kind == STEADY:
        return
    v = z[n : 2 * n]
    w = np.zeros(n)
    for i in range(n):
        for j in range(n):
            w[i] += J[i, j] * v[j]
    G = np.zeros((n, n + m))  # derivative of J v by states and parameters
    for k in range(second.shape[0]):
        i, j, l = second[k, 0], second[k, 1], second[k, 2]
        if j < n:
            G[i, l] += H[k] * v[j]
        if l < n and l != j:
            G[i, j] += H[k] * v[l]
    s1, s2 = -1.0, 0.0
    for j in range(n):
        s1 += border[0, j] * v[j]
        s2 += border[1, j] * v[j]
        A[2 * n, n + j] = border[0, j]
    R[2 * n] = s1
    if kind == FOLD:
        for i in range(n):
            R[n + i] = w[i]
            for j in range(n):
                A[n + i, j] = G[i, j]
                A[n + i, n + j] = J[i, j]
            for j in range(m):
                A[n + i, columns - m + j] = G[i, n + j]
        return
    kappa = z[2 * n]
    R[2 * n + 1] = s2
    K = np.zeros((n, n + m))  # derivative of J (J v): by J v first, then by the outer J
    for k in range(second.shape[0]):
        i, j, l = second[k, 0], second[k, 1], second[k, 2]
        if j < n:
            K[i, l] += H[k] * w[j]
        if l < n and l != j:
            K[i, j] += H[k] * w[l]
    for i in range(n):
        A[2 * n + 1, n + i] = border[1, i]
        A[n + i, 2 * n] = v[i]
        R[n + i] = kappa * v[i]
        A[n + i, n + i] = kappa
        for j in range(n):
            R[n + i] += J[i, j] * w[j]
            for l in range(n + m):
                K[i, l] += J[i, j] * G[j, l]
            for l in range(n):
                A[n + i, n + l] += J[i, j] * J[j, l]
        for j in range(n):
            A[n + i, j] = K[i, j]
        for j in range(m):
            A[n + i, columns - m + j] = K[i, n + j]


@compiled
def tests_of(kind, z, tangent, system, J, H, left, found):
    """Values whose change of sign marks a special point; entry 2 (the bordered determinant) is set by the driver.

    STEADY: the parameter's part of the tangent, the determinant of `pair_sums`. FOLD: the quadratic coefficient, the
    product of left and right null vector. HOPF: kappa.
    """
    n, second = system[4], system[7]
    if kind == STEADY:
        found[0] = tangent[n]
        if n == 1:
            found[1] = 1.0
        elif n == 2:
            found[1] = J[0, 0] + J[1, 1]
        else:
            size = n * (n - 1) // 2
            B = np.empty((size, size))
            pair_sums(J, n, B)
            found[1] = determinant(B, size, np.empty(size, np.int64))
        return
    if kind == HOPF:
        found[0] = z[2 * n]
        found[1] = 1.0
        return
    B = np.zeros((n + 1, n + 1))
    rhs = np.zeros(n + 1)
    rhs[n] = 1.0
    for i in range(n):
        for j in range(n):
            B[i, j] = J[j, i]
        B[i, n] = z[n + i]
        B[n, i] = left[i]
    pivots = np.empty(n + 1, np.int64)
    eliminate(B, n + 1, pivots)
    substitute(B, n + 1, pivots, rhs)
    norm = 0.0
    for i in range(n):
        norm += rhs[i] * rhs[i]
    norm = np.sqrt(norm)
    found[0], found[1] = 0.0, 0.0
    for i in range(n):
        left[i] = rhs[i] / norm
        found[1] += left[i] * z[n + i]
    for k in range(second.shape[0]):
        i, j, l = second[k, 0], second[k, 1], second[k, 2]
        if j < n and l < n:
            found[0] += left[i] * H[k] * z[n + j] * z[n + l] * (1.0 if j == l else 2.0)
