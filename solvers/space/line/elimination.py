"""Block-banded elimination without exchange of cells, one or two neighbours each way, and rings of cells.

For W = I / (gamma h) - J the diagonal grows as h shrinks, so a breakdown is a step that was too long. A ring is cut
open: its last cells are a border, whose unknowns are eliminated last.
"""

import numpy as np

from .compile import compiled
from .tridiagonal import inverse

__all__ = ["factor", "factor_ring", "solve", "solve_ring"]


@compiled
def factor(J, reach, gain, cells, F, P, shape):
    """Factors of gain I - J for the first `cells` cells: F (N, 5, n, n) multipliers and upper blocks, P inverse pivots.

    Block J[2 + k, :, :, c] belongs to cells c and c + k; those with |k| > reach are not looked at.
    """
    n = len(shape)
    T, M = np.empty((n, n)), np.empty((n, n))
    for c in range(cells):
        for k in range(-reach, reach + 1):
            for i in range(n):
                for j in range(n):
                    F[c, 2 + k, i, j] = -J[2 + k, i, j, c]
        for i in range(n):
            F[c, 2, i, i] += gain
        for k in range(max(-reach, -c), 0):
            before = c + k
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
        if not inverse(T, P[c], shape):
            return False
    return True


@compiled
def solve(F, reach, P, cells, x, shape):
    """The first `cells` rows of x (N, n) become the solution."""
    n = len(shape)
    t = np.empty(n)
    for c in range(cells):
        for k in range(max(-reach, -c), 0):
            for i in range(n):
                s = 0.0
                for e in range(n):
                    s += F[c, 2 + k, i, e] * x[c + k, e]
                x[c, i] -= s
    for c in range(cells - 1, -1, -1):
        for k in range(1, min(reach, cells - 1 - c) + 1):
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


@compiled
def factor_ring(J, reach, gain, F, P, Z, S, shape):
    """As `factor` for a ring, with a border of its last `reach` cells, q unknowns.

    Z (q, N, n): columns of the border, solved; S (q, q): inverse of what is left of the border.
    """
    n, N = len(shape), J.shape[3]
    q, cells = n * reach, N - reach
    if not factor(J, reach, gain, cells, F, P, shape):
        return False
    Z[:] = 0.0
    T = np.zeros((2 * n, 2 * n))
    for c in range(N):
        for k in range(-reach, reach + 1):
            e = (c + k) % N - cells
            if e < 0:
                continue
            for i in range(n):
                for j in range(n):
                    if c < cells:
                        Z[e * n + j, c, i] = -J[2 + k, i, j, c]
                    else:
                        T[(c - cells) * n + i, e * n + j] = -J[2 + k, i, j, c]
    for b in range(q):
        T[b, b] += gain
        solve(F, reach, P, cells, Z[b], shape)
    for e in range(reach):
        for k in range(-reach, reach + 1):
            d = (cells + e + k) % N
            if d >= cells:
                continue
            for i in range(n):
                for j in range(n):
                    for b in range(q):
                        T[e * n + i, b] += J[2 + k, i, j, cells + e] * Z[b, d, j]
    return inverse(T[:q, :q].copy(), S[:q, :q], np.empty(q))


@compiled
def solve_ring(J, F, reach, P, Z, S, x, shape):
    """x (N, n) becomes the solution."""
    n, N = len(shape), x.shape[0]
    q, cells = n * reach, N - reach
    solve(F, reach, P, cells, x, shape)
    rest, found = np.empty(q), np.zeros(q)
    for e in range(reach):
        for i in range(n):
            rest[e * n + i] = x[cells + e, i]
        for k in range(-reach, reach + 1):
            d = (cells + e + k) % N
            if d >= cells:
                continue
            for i in range(n):
                for j in range(n):
                    rest[e * n + i] += J[2 + k, i, j, cells + e] * x[d, j]
    for b in range(q):
        for a in range(q):
            found[b] += S[b, a] * rest[a]
    for b in range(q):
        x[cells + b // n, b % n] = found[b]
        for c in range(cells):
            for i in range(n):
                x[c, i] -= Z[b, c, i] * found[b]
