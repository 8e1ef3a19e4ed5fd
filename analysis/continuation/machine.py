"""The driver: pseudo-arclength steps along curves of steady states, folds or Hopf points, read from a tape.

Compiled once for all models by numba, whose machine code is kept on disk; without numba the same functions run as
plain Python. A system travels as a tuple `(code, outputs, registers, first, n, m, scale, second)`: a tape of f (n),
its derivatives by the n states and the m moved parameters (n rows of n + m), and second derivatives by both, of which
`second` (k, 3) names row and columns. States and parameters are measured in `scale` (n + m).

Unknowns, in units of `scale`: states, then those of the kind of curve, then the moved parameters.

STEADY  f = 0
FOLD    f = 0, J v = 0, l1 v = 1                            one more kind of unknowns: v
HOPF    f = 0, (J J + kappa) v = 0, l1 v = 1, l2 v = 0      v and kappa, the square of the frequency

All in one file, since numba renews code on disk when the file of a function changes, not when what it calls does.
"""

import numpy as np

from remission.solvers import tape as _tape

__all__ = ["COMPILED", "FOLD", "HOPF", "STEADY", "assemble", "follow", "tests_of"]

try:
    import numba

    COMPILED = True
    compiled = numba.njit(cache=True, error_model="numpy")
except ImportError:
    COMPILED = False

    def compiled(function):
        return function


STEADY, FOLD, HOPF = 0, 1, 2
RUNNING, LIMIT, FULL, STUCK, NO_START, CLOSED = range(6)
NEWTON_STEPS = 6
COSINE = 0.95  # of the angle between tangents that a step may turn
ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE = _tape.ADD, _tape.SUBTRACT, _tape.MULTIPLY, _tape.DIVIDE, _tape.NEGATE
POWER_WHOLE, POWER, EXP, LOG, SQRT = _tape.POWER_WHOLE, _tape.POWER, _tape.EXP, _tape.LOG, _tape.SQRT
SIN, COS, TANH, ABSOLUTE, MINIMUM = _tape.SIN, _tape.COS, _tape.TANH, _tape.ABSOLUTE, _tape.MINIMUM


@compiled
def whole_power(x, k):
    """x to a whole power of 0 or more."""
    found = 1.0
    while k > 0:
        if k & 1:
            found *= x
        x *= x
        k >>= 1
    return found


@compiled
def run_tape(code, registers, first):
    """Fill the registers from the first row of the code on."""
    at = registers.shape[0] - code.shape[0]
    for i in range(code.shape[0]):
        o = code[i, 0]
        x = registers[code[i, 1]]
        if o == MULTIPLY:
            v = x * registers[code[i, 2]]
        elif o == ADD:
            v = x + registers[code[i, 2]]
        elif o == SUBTRACT:
            v = x - registers[code[i, 2]]
        elif o == DIVIDE:
            v = x / registers[code[i, 2]]
        elif o == NEGATE:
            v = -x
        elif o == POWER_WHOLE:
            v = x * x if code[i, 2] == 2 else whole_power(x, code[i, 2])
        elif o == EXP:
            v = np.exp(x)
        elif o == LOG:
            v = np.log(x)
        elif o == SQRT:
            v = np.sqrt(x)
        elif o == POWER:
            v = x ** registers[code[i, 2]]
        elif o == SIN:
            v = np.sin(x)
        elif o == COS:
            v = np.cos(x)
        elif o == TANH:
            v = np.tanh(x)
        elif o == ABSOLUTE:
            v = abs(x)
        elif o == MINIMUM:
            v = min(x, registers[code[i, 2]])
        else:
            v = max(x, registers[code[i, 2]])
        registers[at + i] = v


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


@compiled
def evaluate(z, system, f, J, H):
    """f (n), J (n, n + m) and, where asked for, H (k) in scaled units at the unknowns z."""
    code, outputs, registers, first, n, m, scale, second = system
    for i in range(n):
        registers[first + i] = z[i] * scale[i]
    for i in range(m):
        registers[first + n + i] = z[z.shape[0] - m + i] * scale[n + i]
    run_tape(code, registers, first)
    at = n
    for i in range(n):
        f[i] = registers[outputs[i]] / scale[i]
        for j in range(n + m):
            J[i, j] = registers[outputs[at]] * scale[j] / scale[i]
            at += 1
    for k in range(second.shape[0]):
        i, j, l = second[k, 0], second[k, 1], second[k, 2]
        H[k] = registers[outputs[at]] * scale[j] * scale[l] / scale[i]
        at += 1


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
