"""The driver: pseudo-arclength steps along curves of steady states, folds or Hopf points, read from a tape.

A system travels as a tuple `(code, outputs, registers, first, n, m, scale, second)`: a tape of f (n), its derivatives
by the n states and the m moved parameters (n rows of n + m), and second derivatives by both, of which `second` (k, 3)
names row and columns. States and parameters are measured in `scale` (n + m).
"""

import numpy as np

from .compile import COMPILED, compiled
from .defining import FOLD, HOPF, STEADY, assemble, tests_of
from .elimination import determinant, eliminate, substitute
from .tape_machine import evaluate, run_tape

__all__ = [
    "COMPILED",
    "FOLD",
    "HOPF",
    "STEADY",
    "assemble",
    "determinant",
    "evaluate",
    "follow",
    "refine",
    "run_tape",
    "substitute",
    "tests_of",
]

RUNNING, LIMIT, FULL, STUCK, NO_START, CLOSED = range(6)
NEWTON_STEPS = 6
COSINE = 0.95  # of the angle between tangents that a step may turn


@compiled
def sizes_of(z, floor, size):
    for j in range(z.shape[0]):
        size[j] = max(abs(z[j]), floor[j])


@compiled
def bordered(A, last, size, rows, M):
    """A with columns in units of size and rows of largest entry 1, and a last row below; the rows' factors."""
    for i in range(rows.shape[0] - 1):
        most = 0.0
        for j in range(size.shape[0]):
            M[i, j] = A[i, j] * size[j]
            most = max(most, abs(M[i, j]))
        rows[i] = 1.0 / most if most > 0.0 else 1.0
        for j in range(size.shape[0]):
            M[i, j] *= rows[i]
    for j in range(size.shape[0]):
        M[rows.shape[0] - 1, j] = last[j]
    rows[rows.shape[0] - 1] = 1.0


@compiled
def correct(kind, w, z, tau, h, size, system, border, work, tolerance):
    """Newton steps onto the curve at a distance h along tau: (steps, first correction), steps 0 if they fail."""
    f, J, H, R, A, M, rows, d, pivots = work
    count = w.shape[0]
    before, start = np.inf, 0.0
    for step in range(NEWTON_STEPS):
        assemble(kind, w, system, border, f, J, H, R, A)
        bordered(A, tau, size, rows, M)
        for i in range(count - 1):
            d[i] = -R[i] * rows[i]
        d[count - 1] = h
        for j in range(count):
            d[count - 1] -= tau[j] * (w[j] - z[j]) / size[j]
        eliminate(M, count, pivots)
        substitute(M, count, pivots, d)
        e = 0.0
        for j in range(count):
            e = max(e, abs(d[j])) if d[j] == d[j] else np.inf
            w[j] += d[j] * size[j]
        if step == 0:
            start = e
        if e < tolerance:
            return step + 1, start
        if not (e < 0.5 * before) or e > 1.0:
            return 0, start
        before = e
    return 0, start


@compiled
def refine(kind, z, system, border, most):
    """Newton steps on a square defining system until rounding stops them: the last step's length, infinite if none.

    Parameters
    ----------
    kind : int
    z : (count,) array
        Changed.
    system : tuple
    border : (2, n) array
    most : int
        Steps.
    """
    n, m, second = system[4], system[5], system[7]
    count = z.shape[0]
    f, J, H = np.empty(n), np.empty((n, n + m)), np.empty(second.shape[0])
    R, A, pivots = np.empty(count), np.empty((count, count)), np.empty(count, np.int64)
    last = np.inf
    for step in range(most):
        assemble(kind, z, system, border, f, J, H, R, A)
        for i in range(count):
            largest = 0.0
            for j in range(count):
                largest = max(largest, abs(A[i, j]))
            if not (0.0 < largest < np.inf):
                return np.inf
            R[i] = -R[i] / largest
            for j in range(count):
                A[i, j] /= largest
        if eliminate(A, count, pivots) == 0.0:
            return np.inf
        substitute(A, count, pivots, R)
        length = 0.0
        for j in range(count):
            z[j] += R[j]
            part = abs(R[j]) / max(abs(z[j]), 1.0)
            if not part < np.inf:
                return np.inf
            length = max(length, part)
        if length < 8.9e-16 or (length < 1e-11 and length >= 0.5 * last):
            return min(length, last)
        if length > 1e3 or (step > 8 and length > 0.9 * last and last > 1e-6):
            return np.inf
        last = length
    return last if last < 1e-9 else np.inf


@compiled
def turn(tangent, size, tau):
    """Tangent in units of size, of length 1."""
    norm = 0.0
    for j in range(tau.shape[0]):
        tau[j] = tangent[j] / size[j]
        norm += tau[j] * tau[j]
    norm = np.sqrt(norm)
    for j in range(tau.shape[0]):
        tau[j] /= norm


@compiled
def bend_of(tangent, before, h, size, tau, bend):
    """Change of the tangent along the last step, in units of size and across tau: predictions follow the curvature."""
    along = 0.0
    for j in range(tau.shape[0]):
        bend[j] = (tangent[j] - before[j]) / (h * size[j])
        along += bend[j] * tau[j]
    for j in range(tau.shape[0]):
        bend[j] -= along * tau[j]


@compiled
def renew_border(kind, z, J, n, border):
    """Normalise the null vector and take it (and what J makes of it) as the new border."""
    if kind == STEADY:
        return
    norm = 0.0
    for i in range(n):
        norm += z[n + i] ** 2
    norm = np.sqrt(norm)
    for i in range(n):
        z[n + i] /= norm
        border[0, i] = z[n + i]
    if kind == FOLD:
        return
    dot, norm = 0.0, 0.0
    for i in range(n):
        s = 0.0
        for j in range(n):
            s += J[i, j] * z[n + j]
        border[1, i] = s
        dot += s * z[n + i]
    for i in range(n):
        border[1, i] -= dot * z[n + i]
        norm += border[1, i] ** 2
    norm = np.sqrt(norm)
    for i in range(n):
        border[1, i] /= norm


@compiled
def follow(kind, start, heading, system, border, left, floor, low, high, steps, tolerance, most):
    """Walk along a curve until it leaves the limits.

    Parameters
    ----------
    kind : int
    start, heading : (count,) arrays
        A point near the curve and the direction of travel, in units of `scale`.
    system : tuple
    border : (2, n) array
        Vectors l1 and l2; changed.
    left : (n,) array
        Left null vector to orient by (fold curves); changed.
    floor : (count,) array
        Least size that an unknown is measured by: steps are relative to the larger of this and its value.
    low, high : (count,) arrays
    steps : (first, least, largest)
    tolerance : float
        Of the last Newton correction.
    most : int
        Points.

    Returns
    -------
    Z, T : (k, count) arrays
        Points and tangents; the last point may lie outside the limits.
    tests : (k, 3) array
    jacobians : (k, n, n) array
    reason : int
    """
    n, m, second = system[4], system[5], system[7]
    count = start.shape[0]
    work = (
        np.empty(n), np.empty((n, n + m)), np.empty(second.shape[0]), np.empty(count - 1), np.empty((count - 1, count)),
        np.empty((count, count)), np.empty(count), np.empty(count), np.empty(count, np.int64),
    )  # fmt: skip
    f, J, H, R, A, M, rows, d, pivots = work
    Z, T, tests = np.empty((most, count)), np.empty((most, count)), np.zeros((most, 3))
    jacobians = np.empty((most, n, n))
    size, tau, bend = np.empty(count), np.empty(count), np.zeros(count)
    z, w = start.copy(), start.copy()
    sizes_of(z, floor, size)
    turn(heading, size, tau)
    h, least, largest = steps
    reason = RUNNING
    taken, _ = correct(kind, w, z, tau, 0.0, size, system, border, work, tolerance)
    if taken == 0:
        return Z[:0], T[:0], tests[:0], jacobians[:0], NO_START
    k = 0
    while True:
        # w is on the curve, tau the tangent before it
        if kind == STEADY or k == 0:
            assemble(kind, w, system, border, f, J, H, R, A)
            bordered(A, tau, size, rows, M)
            sign = eliminate(M, count, pivots)
        # else those of the last Newton step, a correction below the tolerance away, are near enough
        for j in range(count):
            d[j] = 0.0
        d[count - 1] = 1.0
        substitute(M, count, pivots, d)
        norm, cosine = 0.0, 0.0
        for j in range(count):
            norm += d[j] * d[j]
            cosine += d[j] * tau[j]
        norm = np.sqrt(norm)
        cosine /= norm
        if k > 0 and not (cosine > COSINE) and h > 2 * least:
            h *= 0.5
        else:
            for j in range(count):
                z[j] = w[j]
                T[k, j] = d[j] / norm * size[j]
            renew_border(kind, z, J, n, border)
            Z[k] = z
            tests_of(kind, z, T[k], system, J, H, left, tests[k])
            tests[k, 2] = sign
            for i in range(n):
                for j in range(n):
                    jacobians[k, i, j] = J[i, j]
            sizes_of(z, floor, size)
            turn(T[k], size, tau)
            if k > 0:
                bend_of(T[k], T[k - 1], h, size, tau, bend)
            k += 1
            for j in range(count):
                if k > 1 and (z[j] < low[j] or z[j] > high[j]):
                    reason = LIMIT
            if k > 20 and reason == RUNNING:
                gap = 0.0
                for j in range(count):
                    gap += ((z[j] - Z[0, j]) / size[j]) ** 2
                if np.sqrt(gap) < 0.75 * h:
                    reason = CLOSED
            if reason == RUNNING and k == most:
                reason = FULL
            if reason != RUNNING:
                return Z[:k], T[:k], tests[:k], jacobians[:k], reason
            if k > 1 and taken <= 3 and cosine > 0.99:
                h = min(1.4 * h, largest)
        while True:
            for j in range(count):
                w[j] = z[j] + (h * tau[j] + 0.5 * h * h * bend[j]) * size[j]
            taken, first = correct(kind, w, z, tau, h, size, system, border, work, tolerance)
            if taken > 0 and first < 0.35 * h + 1e-9:
                break
            h *= 0.5
            if h < least:
                return Z[:k], T[:k], tests[:k], jacobians[:k], STUCK
