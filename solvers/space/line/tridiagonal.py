"""Block-tridiagonal elimination without exchange of cells, compiled anew for each of one to four states.

`shape` is a tuple of that length, so the compiler knows the size of the blocks and unrolls them; more states come as an
array. Both ends are eliminated towards the middle: two chains that do not wait for each other.
"""

from .compile import compiled

__all__ = ["factor_inwards", "inverse", "solve_inwards"]


@compiled
def _by_rows(A, B, n):
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
def _by_two(A, B):
    """The inverse of a block of four: by its 2 x 2 minors."""
    s0, c5 = A[0, 0] * A[1, 1] - A[1, 0] * A[0, 1], A[2, 2] * A[3, 3] - A[3, 2] * A[2, 3]
    s1, c4 = A[0, 0] * A[1, 2] - A[1, 0] * A[0, 2], A[2, 1] * A[3, 3] - A[3, 1] * A[2, 3]
    s2, c3 = A[0, 0] * A[1, 3] - A[1, 0] * A[0, 3], A[2, 1] * A[3, 2] - A[3, 1] * A[2, 2]
    s3, c2 = A[0, 1] * A[1, 2] - A[1, 1] * A[0, 2], A[2, 0] * A[3, 3] - A[3, 0] * A[2, 3]
    s4, c1 = A[0, 1] * A[1, 3] - A[1, 1] * A[0, 3], A[2, 0] * A[3, 2] - A[3, 0] * A[2, 2]
    s5, c0 = A[0, 2] * A[1, 3] - A[1, 2] * A[0, 3], A[2, 0] * A[3, 1] - A[3, 0] * A[2, 1]
    d = s0 * c5 - s1 * c4 + s2 * c3 + s3 * c2 - s4 * c1 + s5 * c0
    if not abs(d) > 0.0:
        return False
    r = 1.0 / d
    B[0, 0] = (A[1, 1] * c5 - A[1, 2] * c4 + A[1, 3] * c3) * r
    B[0, 1] = (-A[0, 1] * c5 + A[0, 2] * c4 - A[0, 3] * c3) * r
    B[0, 2] = (A[3, 1] * s5 - A[3, 2] * s4 + A[3, 3] * s3) * r
    B[0, 3] = (-A[2, 1] * s5 + A[2, 2] * s4 - A[2, 3] * s3) * r
    B[1, 0] = (-A[1, 0] * c5 + A[1, 2] * c2 - A[1, 3] * c1) * r
    B[1, 1] = (A[0, 0] * c5 - A[0, 2] * c2 + A[0, 3] * c1) * r
    B[1, 2] = (-A[3, 0] * s5 + A[3, 2] * s2 - A[3, 3] * s1) * r
    B[1, 3] = (A[2, 0] * s5 - A[2, 2] * s2 + A[2, 3] * s1) * r
    B[2, 0] = (A[1, 0] * c4 - A[1, 1] * c2 + A[1, 3] * c0) * r
    B[2, 1] = (-A[0, 0] * c4 + A[0, 1] * c2 - A[0, 3] * c0) * r
    B[2, 2] = (A[3, 0] * s4 - A[3, 1] * s2 + A[3, 3] * s0) * r
    B[2, 3] = (-A[2, 0] * s4 + A[2, 1] * s2 - A[2, 3] * s0) * r
    B[3, 0] = (-A[1, 0] * c3 + A[1, 1] * c1 - A[1, 2] * c0) * r
    B[3, 1] = (A[0, 0] * c3 - A[0, 1] * c1 + A[0, 2] * c0) * r
    B[3, 2] = (-A[3, 0] * s3 + A[3, 1] * s1 - A[3, 2] * s0) * r
    B[3, 3] = (A[2, 0] * s3 - A[2, 1] * s1 + A[2, 2] * s0) * r
    return True


@compiled
def inverse(A, B, shape):
    """B becomes the inverse of A, which is used up; whether it exists."""
    n = len(shape)
    if n == 1:
        d = A[0, 0]
        B[0, 0] = 1.0 / d
        return abs(d) > 0.0
    if n == 2:
        d = A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]
        r = 1.0 / d
        B[0, 0], B[1, 1], B[0, 1], B[1, 0] = A[1, 1] * r, A[0, 0] * r, -A[0, 1] * r, -A[1, 0] * r
        return abs(d) > 0.0
    if n == 3:
        a = A[1, 1] * A[2, 2] - A[1, 2] * A[2, 1]
        b = A[1, 2] * A[2, 0] - A[1, 0] * A[2, 2]
        c = A[1, 0] * A[2, 1] - A[1, 1] * A[2, 0]
        d = A[0, 0] * a + A[0, 1] * b + A[0, 2] * c
        r = 1.0 / d
        B[0, 0], B[1, 0], B[2, 0] = a * r, b * r, c * r
        B[0, 1] = (A[0, 2] * A[2, 1] - A[0, 1] * A[2, 2]) * r
        B[1, 1] = (A[0, 0] * A[2, 2] - A[0, 2] * A[2, 0]) * r
        B[2, 1] = (A[0, 1] * A[2, 0] - A[0, 0] * A[2, 1]) * r
        B[0, 2] = (A[0, 1] * A[1, 2] - A[0, 2] * A[1, 1]) * r
        B[1, 2] = (A[0, 2] * A[1, 0] - A[0, 0] * A[1, 2]) * r
        B[2, 2] = (A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]) * r
        return abs(d) > 0.0
    if n == 4:
        return _by_two(A, B)
    return _by_rows(A, B, n)


@compiled
def _eliminate(J, c, step, before, after, gain, A, P, G, W, shape):
    """Inverse pivot of a cell, times its blocks towards the cells c - step and c + step; which of them are done."""
    n, back, on = len(shape), 2 - step, 2 + step
    for i in range(n):
        for j in range(n):
            A[i, j] = -J[2, i, j, c]
        A[i, i] += gain
    for i in range(n):
        for e in range(n):
            if before:
                q = J[back, i, e, c]
                for j in range(n):
                    A[i, j] += q * W[c - step, e, j]
            if after:
                q = J[on, i, e, c]
                for j in range(n):
                    A[i, j] += q * W[c + step, e, j]
    if not inverse(A, P[c], shape):
        return False
    for i in range(n):
        for j in range(n):
            s, u = 0.0, 0.0
            for e in range(n):
                s -= P[c, i, e] * J[back, e, j, c]
                u -= P[c, i, e] * J[on, e, j, c]
            G[c, i, j], W[c, i, j] = s, u
    return True


@compiled
def factor_inwards(J, gain, A, P, G, W, shape):
    """Factors of gain I - J, J (5, n, n, N) with direct neighbours alone: P, G, W (N, n, n). Whether they exist.

    y[c] = P b[c] - G y[c - 1] runs from the left end to the middle, y[c] = P b[c] - G y[c + 1] from the right end;
    with x in the middle, x[c] = y[c] - W x[one nearer to the middle] runs outwards.
    """
    N = J.shape[3]
    m = N // 2
    for k in range(m):
        c = N - 1 - k
        if not _eliminate(J, k, 1, k > 0, False, gain, A[0], P, G, W, shape):
            return False
        if c > m and not _eliminate(J, c, -1, k > 0, False, gain, A[1], P, G, W, shape):
            return False
    return _eliminate(J, m, 1, m > 0, m < N - 1, gain, A[0], P, G, W, shape)


@compiled
def solve_inwards(P, G, W, b, y, x, shape):
    """x (n, N) from b (n, N); y (N, n) is room."""
    N, n = y.shape[0], len(shape)
    m = N // 2
    for i in range(n):
        s, u = 0.0, 0.0
        for j in range(n):
            s += P[0, i, j] * b[j, 0]
            u += P[N - 1, i, j] * b[j, N - 1]
        y[0, i], y[N - 1, i] = s, u
    for k in range(1, m):
        c = N - 1 - k
        for i in range(n):
            s, u = 0.0, 0.0
            for j in range(n):
                s += P[k, i, j] * b[j, k]
                u += P[c, i, j] * b[j, c]
            for j in range(n):
                s -= G[k, i, j] * y[k - 1, j]
                u -= G[c, i, j] * y[c + 1, j] if c > m else 0.0
            y[k, i], y[c, i] = s, u
    for i in range(n):
        s = 0.0
        for j in range(n):
            s += P[m, i, j] * b[j, m]
            s -= G[m, i, j] * y[m - 1, j]
            if m < N - 1:
                s -= W[m, i, j] * y[m + 1, j]
        y[m, i], x[i, m] = s, s
    for k in range(1, N - m):
        c, d = m + k, m - k
        for i in range(n):
            s, u = y[c, i], y[d, i]
            for j in range(n):
                s -= W[c, i, j] * y[c - 1, j]
                u -= W[d, i, j] * y[d + 1, j]
            y[c, i], x[i, c] = s, s
            y[d, i], x[i, d] = u, u
    if N % 2 == 0:
        for i in range(n):
            s = y[0, i]
            for j in range(n):
                s -= W[0, i, j] * y[1, j]
            x[i, 0] = s
