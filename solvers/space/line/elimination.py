"""Block-banded elimination without exchange of rows, blocks (n, n), one or two neighbours each way.

For W = I / (gamma h) - J the diagonal grows as h shrinks, so a breakdown is a step that was too long.
"""

import numpy as np

from .compile import compiled

__all__ = ["factor", "solve"]


@compiled
def _invert(A, B, n):
    """B the inverse of A by Gauss-Jordan with partial pivoting; whether it exists."""
    for i in range(n):
        for j in range(n):
            B[i, j] = 1.0 if i == j else 0.0
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(A[i, k]) > abs(A[p, k]):
                p = i
        if not abs(A[p, k]) > 0.0:
            return False
        if p != k:
            for j in range(n):
                A[k, j], A[p, j] = A[p, j], A[k, j]
                B[k, j], B[p, j] = B[p, j], B[k, j]
        r = 1.0 / A[k, k]
        for j in range(n):
            A[k, j] *= r
            B[k, j] *= r
        for i in range(n):
            if i != k and A[i, k] != 0.0:
                q = A[i, k]
                for j in range(n):
                    A[i, j] -= q * A[k, j]
                    B[i, j] -= q * B[k, j]
    return True


@compiled
def factor(J, reach, gain, F, P):
    """Factors of gain I - J: F (N, 5, n, n) as J with multipliers and upper blocks, P (N, n, n) inverse pivots.

    Block J[c, 2 + k] belongs to cells c and c + k; those with |k| > reach are not looked at.
    """
    N, n = J.shape[0], J.shape[2]
    T, M = np.empty((n, n)), np.empty((n, n))
    for c in range(N):
        for k in range(-reach, reach + 1):
            for i in range(n):
                for j in range(n):
                    F[c, 2 + k, i, j] = -J[c, 2 + k, i, j]
        for i in range(n):
            F[c, 2, i, i] += gain
        for k in range(-reach, 0):
            before = c + k
            if before < 0:
                continue
            for i in range(n):  # multiplier = block times inverse pivot of that cell
                for j in range(n):
                    s = 0.0
                    for e in range(n):
                        s += F[c, 2 + k, i, e] * P[before, e, j]
                    M[i, j] = s
            for i in range(n):
                for j in range(n):
                    F[c, 2 + k, i, j] = M[i, j]
            for l in range(1, reach + 1):
                for i in range(n):
                    for e in range(n):
                        q = M[i, e]
                        if q != 0.0:
                            for j in range(n):
                                F[c, 2 + k + l, i, j] -= q * F[before, 2 + l, e, j]
        for i in range(n):
            for j in range(n):
                T[i, j] = F[c, 2, i, j]
        if not _invert(T, P[c], n):
            return False
    return True


@compiled
def solve(F, reach, P, x):
    """x (N, n) becomes the solution."""
    N, n = x.shape
    t = np.empty(n)
    for c in range(N):
        for k in range(max(-reach, -c), 0):
            for i in range(n):
                s = 0.0
                for e in range(n):
                    s += F[c, 2 + k, i, e] * x[c + k, e]
                x[c, i] -= s
    for c in range(N - 1, -1, -1):
        for k in range(1, min(reach, N - 1 - c) + 1):
            for i in range(n):
                s = 0.0
                for e in range(n):
                    s += F[c, 2 + k, i, e] * x[c + k, e]
                x[c, i] -= s
        for i in range(n):
            s = 0.0
            for e in range(n):
                s += P[c, i, e] * x[c, e]
            t[i] = s
        for i in range(n):
            x[c, i] = t[i]
