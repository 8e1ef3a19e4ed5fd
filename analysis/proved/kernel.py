"""Branch and prune: all roots of a system in a box, compiled once for all models.

A box is narrowed by HC4 and by interval Newton (Gauss-Seidel) steps; a root is proved by Krawczyk's operator, which
maps the region around it into its inside: exactly one root is there. What is neither empty nor within such a
region is cut in two.
"""

import numpy as np

from remission.solvers.interval_elementary import add, divide, multiply, subtract
from remission.solvers.interval_machine import compiled
from remission.solvers.intervals import EMPTY, SMOOTH, backward, cut, forward

__all__ = []  # of use inside the package only

# What became of a box: cut along a state (its number, 0 and above), or
NO_ROOT, UNDECIDED, IN_REGION = -1, -2, -10  # IN_REGION - k: inside the region of root k
ROOM = 0.99  # of a region's half-width that Krawczyk's image may fill: others must be able to check it
SWEEPS, INFLATIONS = 8, 8


@compiled
def inverse(A, n):
    """Inverse of a matrix by elimination, and whether it exists."""
    B = np.zeros((n, 2 * n))
    for i in range(n):
        B[i, :n] = A[i]
        B[i, n + i] = 1.0
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(B[i, k]) > abs(B[best, k]):
                best = i
        if not (1e-300 < abs(B[best, k]) < 1e300):
            return B[:, n:].copy(), False
        if best != k:
            for j in range(2 * n):
                B[k, j], B[best, j] = B[best, j], B[k, j]
        B[k] *= 1.0 / B[k, k]
        for i in range(n):
            if i != k and B[i, k] != 0.0:
                B[i] -= B[i, k] * B[k]
    return B[:, n:].copy(), True


@compiled
def load(X, first, n, V):
    """Put a box into the registers of the variables."""
    for i in range(n):
        V[first + i, 0] = X[i, 0]
        V[first + i, 1] = X[i, 1]


@compiled
def hc4(X, n, code, shape, outs, bounds, V):
    """Narrow X to where the equations can be zero and the bounded quantities in their ranges; False if nowhere."""
    n_f, given, first = shape[0], shape[2], shape[3]
    load(X, first, n, V)
    if forward(code, 0, n_f, given, V) == EMPTY:
        return False
    for k in range(n):
        if not cut(V, outs[k], 0.0, 0.0, first):
            return False
    for k in range(bounds.shape[0]):
        if not cut(V, outs[n + k], bounds[k, 0], bounds[k, 1], first):
            return False
    if not backward(code, n_f, given, first, V):
        return False
    for i in range(n):
        X[i, 0] = V[first + i, 0]
        X[i, 1] = V[first + i, 1]
        if not X[i, 0] <= X[i, 1]:
            return False
    return True


@compiled
def linearise(X, m, n, code, shape, outs, V, F, M):
    """F = Y f(m) (n, 2) and M = Y J(X) (n, n, 2), Y about the inverse of J; False where that fails."""
    rows, given, first = shape[1], shape[2], shape[3]
    load(X, first, n, V)
    if forward(code, 0, rows, given, V) != SMOOTH:
        return False
    J = np.empty((n, n, 2))
    middle = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            k = outs[shape[4] + i * n + j]
            J[i, j, 0], J[i, j, 1] = V[k, 0], V[k, 1]
            middle[i, j] = 0.5 * (V[k, 0] + V[k, 1])
            if not abs(middle[i, j]) < 1e300:
                return False
    Y, fine = inverse(middle, n)
    if not fine:
        return False
    for i in range(n):
        V[first + i, 0] = m[i]
        V[first + i, 1] = m[i]
    if forward(code, 0, shape[0], given, V) == EMPTY:
        return False
    for i in range(n):
        s, t = 0.0, 0.0
        for j in range(n):
            k = outs[j]
            p, q = multiply(Y[i, j], Y[i, j], V[k, 0], V[k, 1])
            s, t = add(s, t, p, q)
        F[i, 0], F[i, 1] = s, t
        for j in range(n):
            s, t = 0.0, 0.0
            for k in range(n):
                p, q = multiply(Y[i, k], Y[i, k], J[k, j, 0], J[k, j, 1])
                s, t = add(s, t, p, q)
            M[i, j, 0], M[i, j, 1] = s, t
    return True


@compiled
def gauss_seidel(X, m, n, F, M):
    """Narrow X in place to what the linearised equations allow; False when no root is there."""
    for i in range(n):
        s, t = F[i, 0], F[i, 1]
        for j in range(n):
            if j != i:
                p, q = subtract(X[j, 0], X[j, 1], m[j], m[j])
                p, q = multiply(p, q, M[i, j, 0], M[i, j, 1])
                s, t = add(s, t, p, q)
        if M[i, i, 0] > 0.0 or M[i, i, 1] < 0.0:
            p, q = divide(s, t, M[i, i, 0], M[i, i, 1])
            p, q = subtract(m[i], m[i], p, q)
            if p > X[i, 1] or q < X[i, 0]:
                return False
            X[i, 0] = max(X[i, 0], p)
            X[i, 1] = min(X[i, 1], q)
    return True


@compiled
def krawczyk(X, m, n, F, M, K):
    """K = m - F + (1 - M)(X - m) (n, 2); whether it lies well inside X."""
    inside = True
    for i in range(n):
        s, t = subtract(m[i], m[i], F[i, 0], F[i, 1])
        for j in range(n):
            one = 1.0 if i == j else 0.0
            p, q = subtract(one, one, M[i, j, 0], M[i, j, 1])
            r, w = subtract(X[j, 0], X[j, 1], m[j], m[j])
            p, q = multiply(p, q, r, w)
            s, t = add(s, t, p, q)
        K[i, 0], K[i, 1] = s, t
        if not (s > m[i] - ROOM * (m[i] - X[i, 0]) and t < m[i] + ROOM * (X[i, 1] - m[i])):
            inside = False
    return inside


@compiled
def newton_point(x, n, code, shape, outs, width, V):
    """Ordinary Newton steps in place; whether they settle."""
    rows, given, first = shape[1], shape[2], shape[3]
    J = np.empty((n, n))
    before, length, far = np.inf, np.inf, np.inf
    for _ in range(12):
        for i in range(n):
            V[first + i, 0] = x[i]
            V[first + i, 1] = x[i]
        if forward(code, 0, rows, given, V) == EMPTY:
            return False
        for i in range(n):
            for j in range(n):
                k = outs[shape[4] + i * n + j]
                J[i, j] = 0.5 * (V[k, 0] + V[k, 1])
        Y, fine = inverse(J, n)
        if not fine:
            return False
        length, far = 0.0, 0.0
        for i in range(n):
            step = 0.0
            for j in range(n):
                k = outs[j]
                step += Y[i, j] * 0.5 * (V[k, 0] + V[k, 1])
            if not abs(step) < 1e300:
                return False
            x[i] -= step
            length = max(length, abs(step) / (abs(x[i]) + 1e-13 * width[i]))
            far = max(far, abs(step) / (abs(x[i]) + width[i]))
        if length < 1e-14 or (length < 1e-9 and length >= 0.5 * before):
            return True
        before = length
    return length < 1e-6 or far < 1e-12  # at zero, terms that cancel leave steps of rounding


@compiled
def prove(W, m, n, code, shape, outs, V, F, M, K, widest):
    """Widen W around m until Krawczyk's operator maps it inside; whether that happened."""
    for _ in range(INFLATIONS):
        if not linearise(W, m, n, code, shape, outs, V, F, M):
            return False
        if krawczyk(W, m, n, F, M, K):
            return True
        for i in range(n):
            reach = 1.2 * max(K[i, 1] - m[i], m[i] - K[i, 0])
            if not reach < widest[i]:
                return False
            half = max(reach, m[i] - W[i, 0])
            W[i, 0], W[i, 1] = m[i] - half, m[i] + half
    return False


@compiled
def region(X, x, n, code, shape, outs, width, V, F, M, K, W, T):
    """A region W around the point x that has exactly one root, as large as comes easily; T encloses the root."""
    widest = np.empty(n)
    found = False
    for i in range(n):
        widest[i] = 0.5 * width[i]
        half = 1.02 * max(max(x[i] - X[i, 0], X[i, 1] - x[i]), 1e-13 * (abs(x[i]) + 1e-4 * width[i]))
        W[i, 0], W[i, 1] = x[i] - half, x[i] + half
    found = prove(W, x, n, code, shape, outs, V, F, M, K, widest)
    part = 1e-2
    while not found and part > 1e-14:
        for i in range(n):
            half = part * (abs(x[i]) + 1e-3 * width[i])
            W[i, 0], W[i, 1] = x[i] - half, x[i] + half
        found = prove(W, x, n, code, shape, outs, V, F, M, K, widest)
        part *= 1e-2
    if not found:
        return False
    T[:] = K
    for _ in range(12):  # as wide as it goes
        wide = W.copy()
        for i in range(n):
            wide[i, 0] = x[i] - 1.7 * (x[i] - W[i, 0])
            wide[i, 1] = x[i] + 1.7 * (W[i, 1] - x[i])
        if not linearise(wide, x, n, code, shape, outs, V, F, M) or not krawczyk(wide, x, n, F, M, K):
            break
        W[:] = wide
    return True


@compiled
def tighten(T, n, code, shape, outs, V, F, M, K):
    """Krawczyk steps on an enclosure of one root until they gain nothing."""
    m = np.empty(n)
    for _ in range(40):  # slow at first in a wide enclosure, then quadratic
        for i in range(n):
            m[i] = 0.5 * (T[i, 0] + T[i, 1])
        if not linearise(T, m, n, code, shape, outs, V, F, M):
            return
        krawczyk(T, m, n, F, M, K)
        gain = False
        for i in range(n):
            low, high = max(T[i, 0], K[i, 0]), min(T[i, 1], K[i, 1])
            if high - low < 0.98 * (T[i, 1] - T[i, 0]):
                gain = True
            if low <= high:
                T[i, 0], T[i, 1] = low, high
        if not gain:
            return


@compiled
def within(X, W, n):
    """Whether box X lies in box W."""
    inside = True
    for i in range(n):
        inside = inside and W[i, 0] <= X[i, 0] and X[i, 1] <= W[i, 1]
    return inside


@compiled
def narrow(X, n, code, shape, outs, bounds, width, V, F, M):
    """HC4 and Newton steps on X until they gain little; False when no root is in it."""
    m = np.empty(n)
    for _ in range(SWEEPS):
        before = 0.0
        for i in range(n):
            before += (X[i, 1] - X[i, 0]) / width[i]
        for _ in range(2):
            if not hc4(X, n, code, shape, outs, bounds, V):
                return False
        for i in range(n):
            m[i] = 0.5 * (X[i, 0] + X[i, 1])
        if linearise(X, m, n, code, shape, outs, V, F, M) and not gauss_seidel(X, m, n, F, M):
            return False
        after = 0.0
        for i in range(n):
            after += (X[i, 1] - X[i, 0]) / width[i]
        if after > 0.7 * before or after == 0.0:
            break
    return True


@compiled
def search(code, shape, outs, bounds, V, width, narrowest, stack, count, found, kinds, points):
    """Work on boxes of the stack until it is empty or `kinds` is full.

    Parameters
    ----------
    code, V
        Rows of the tape and its registers (.., 2), numbers and parameters in place.
    shape : (5,) int array
        Rows of the equations and bounded quantities, of all with the Jacobian; given registers; first variable;
        where the Jacobian starts in `outs`.
    outs : (n + n_b + n n,) int array
        Registers of equations, bounded quantities, Jacobian.
    bounds : (n_b, 2) array
    width : (n,) array
        Of the first box.
    narrowest : float
        Widest side, relative to `width`, of a box that is left undecided.
    stack : (.., n, 2) array
    count : (4,) int array
        Boxes on the stack, roots, undecided boxes, boxes worked on; changed in place.
    found : (3, .., n, 2) array
        Regions, enclosures, undecided boxes.
    kinds : (..,) int array; points : (..,) array
        What became of each box, and where it was cut, in order.
    """
    n = width.shape[0]
    X, W, T, K, F = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2))
    M, x = np.empty((n, n, 2)), np.empty(n)
    for done in range(kinds.shape[0]):
        if count[0] == 0 or count[1] >= found.shape[1] or count[2] >= found.shape[1] or count[0] + 2 > stack.shape[0]:
            return
        count[0] -= 1
        count[3] += 1
        X[:] = stack[count[0]]
        kind = NO_ROOT
        if narrow(X, n, code, shape, outs, bounds, width, V, F, M):
            kind = 0
            for r in range(count[1]):
                if within(X, found[0, r], n):
                    kind = IN_REGION - r
        widest = 0.0
        for i in range(n):
            widest = max(widest, (X[i, 1] - X[i, 0]) / width[i])
        if kind == 0 and widest < 0.1:
            for i in range(n):
                x[i] = 0.5 * (X[i, 0] + X[i, 1])
            if newton_point(x, n, code, shape, outs, width, V) and near(x, X, n, width):
                new = True
                for r in range(count[1]):
                    for i in range(n):
                        T[i, 0] = T[i, 1] = x[i]
                    if within(T, found[0, r], n):
                        new = False
                if new and region(X, x, n, code, shape, outs, width, V, F, M, K, W, T):
                    tighten(T, n, code, shape, outs, V, F, M, K)
                    r = count[1]
                    found[0, r] = W
                    found[1, r] = T
                    count[1] += 1
                    if within(X, W, n):
                        kind = IN_REGION - r
        if kind == 0 and widest < narrowest:
            kind = UNDECIDED
            found[2, count[2]] = X
            count[2] += 1
        if kind == 0:
            kind = longest(X, n, width)
            low, high = X[kind, 0], X[kind, 1]
            cut_at = low + 0.4921875 * (high - low)  # off the middle, where roots of tidy models like to sit
            points[done] = cut_at
            stack[count[0]] = X
            stack[count[0], kind, 0] = cut_at
            stack[count[0] + 1] = X
            stack[count[0] + 1, kind, 1] = cut_at
            count[0] += 2
        kinds[done] = kind


@compiled
def near(x, X, n, width):
    """Whether a point lies in a box or about half its size away."""
    for i in range(n):
        reach = 0.5 * (X[i, 1] - X[i, 0]) + 1e-9 * width[i]
        if x[i] < X[i, 0] - reach or x[i] > X[i, 1] + reach:
            return False
    return True


@compiled
def longest(X, n, width):
    """The side of a box that is longest relative to the first box."""
    best, side = -1.0, 0
    for i in range(n):
        size = (X[i, 1] - X[i, 0]) / width[i]
        if size > best:
            best, side = size, i
    return side
