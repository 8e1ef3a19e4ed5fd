"""Small dense linear algebra of the driver."""

from .compile import compiled

__all__ = ["determinant", "eliminate", "pair_sums", "substitute"]


@compiled
def eliminate(A, n, pivots):
    """LU factors in place with partial pivoting; the sign of the determinant, 0 if a pivot is 0."""
    sign = 1.0
    for k in range(n):
        best, size = k, abs(A[k, k])
        for i in range(k + 1, n):
            if abs(A[i, k]) > size:
                best, size = i, abs(A[i, k])
        pivots[k] = best
        if best != k:
            sign = -sign
            for j in range(n):
                A[k, j], A[best, j] = A[best, j], A[k, j]
        if size == 0.0:
            sign = 0.0
            A[k, k] = 1e-300
        if A[k, k] < 0:
            sign = -sign
        for i in range(k + 1, n):
            if A[i, k] != 0.0:
                A[i, k] /= A[k, k]
                factor = A[i, k]
                for j in range(k + 1, n):
                    A[i, j] -= factor * A[k, j]
    return sign


@compiled
def substitute(A, n, pivots, b):
    """Solve with the factors of `eliminate`, b in place."""
    for k in range(n):
        if pivots[k] != k:
            b[k], b[pivots[k]] = b[pivots[k]], b[k]
    for i in range(1, n):
        s = b[i]
        for j in range(i):
            s -= A[i, j] * b[j]
        b[i] = s
    for i in range(n - 1, -1, -1):
        s = b[i]
        for j in range(i + 1, n):
            s -= A[i, j] * b[j]
        b[i] = s / A[i, i]


@compiled
def determinant(A, n, pivots):
    """Determinant; A is overwritten."""
    found = eliminate(A, n, pivots)
    for i in range(n):
        found *= abs(A[i, i])
    return found


@compiled
def pair_sums(J, n, B):
    """Twice the bialternate product of J with the identity: its eigenvalues are the sums of two eigenvalues of J."""
    row = 0
    for p in range(1, n):
        for q in range(p):
            column = 0
            for r in range(1, n):
                for s in range(r):
                    v = 0.0
                    if r == q:
                        v = -J[p, s]
                    elif r != p and s == q:
                        v = J[p, r]
                    elif r == p and s == q:
                        v = J[p, p] + J[q, q]
                    elif r == p:
                        v = J[q, s]
                    elif s == p:
                        v = -J[q, r]
                    B[row, column] = v
                    column += 1
            row += 1
