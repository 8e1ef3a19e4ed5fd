"""One Newton step of a periodic orbit, compiled once for all models; without numba the same functions run as Python.

An orbit is a piecewise polynomial of degree m on N intervals of the unit of time [0, 1), continuous and periodic, that
meets u' = T f(u, p) at the m Gauss points of each interval. Each interval's m n equations give its inner and last
values from its first one, the period and the parameter: what is left is a cyclic chain of N blocks, eliminated with
pivoting from one interval to the next, and a border of two rows (phase, and length along the branch).

States are measured in `scale`, or in natural logarithms where `logs` says so; the period is unknown as log T, the
parameter in units of its scale.

The system travels as the tuple of `continuation.machine`, whose tape and elimination are used here. Numba renews code
on disk when the file of a function changes, not when what it calls does: change this file too when those change.
"""

import numpy as np

from ..continuation.machine import COMPILED, compiled, eliminate, run_tape, substitute

__all__ = ["COMPILED", "newton", "newton_step", "rates_at"]


@compiled
def rates_at(z, parameter, system, logs, f, J, moved):
    """f (n), J (n, n + 1) at the point z; `moved` (n) is workspace."""
    code, outputs, registers, first, n, _m, scale, _second = system
    for i in range(n):
        x = np.exp(z[i]) if logs[i] else z[i] * scale[i]
        moved[i] = x if logs[i] else scale[i]
        registers[first + i] = x
    registers[first + n] = parameter * scale[n]
    run_tape(code, registers, first)
    at = n
    for i in range(n):
        f[i] = registers[outputs[i]] / moved[i]
        for j in range(n):
            J[i, j] = registers[outputs[at]] * moved[j] / moved[i]
            at += 1
        if logs[i]:
            J[i, i] -= f[i]
        J[i, n] = registers[outputs[at]] * scale[n] / moved[i]
        at += 1


@compiled
def _solve_rows(W, size):
    """Solve W[:, :size] X = W[:, size:] in place, row by row; X takes the place of the right-hand sides."""
    width = W.shape[1]
    for k in range(size):
        best, most = k, abs(W[k, k])
        for i in range(k + 1, size):
            if abs(W[i, k]) > most:
                best, most = i, abs(W[i, k])
        if best != k:
            for c in range(k, width):
                W[k, c], W[best, c] = W[best, c], W[k, c]
        if most == 0.0:
            W[k, k] = 1e-300
        inverse = 1.0 / W[k, k]
        for i in range(k + 1, size):
            factor = W[i, k] * inverse
            if factor != 0.0:
                for c in range(k + 1, width):
                    W[i, c] -= factor * W[k, c]
    for k in range(size - 1, -1, -1):
        for i in range(k + 1, size):
            factor = W[k, i]
            if factor != 0.0:
                for c in range(size, width):
                    W[k, c] -= factor * W[i, c]
        inverse = 1.0 / W[k, k]
        for c in range(size, width):
            W[k, c] *= inverse


@compiled
def _interval(U, first, h, period, parameter, system, logs, slopes, values, work, W, X):
    """Inner and last values of an interval from its first: X (m n, n + 3), columns first value, log T, parameter, rest.

    d u_j = X[:, :n] d u_0 + X[:, n] d log T + X[:, n + 1] d parameter + X[:, n + 2], j = 1 to m.
    """
    f, J, moved, z = work
    n, m = U.shape[1], slopes.shape[0]
    size = m * n
    for q in range(m):
        for k in range(n):
            z[k] = 0.0
            for j in range(m + 1):
                z[k] += values[q, j] * U[first + j, k]
        rates_at(z, parameter, system, logs, f, J, moved)
        for k in range(n):
            row = q * n + k
            residual = -h * period * f[k]
            for j in range(m + 1):
                residual += slopes[q, j] * U[first + j, k]
            for l in range(n):
                J[k, l] *= -h * period
                W[row, size + l] = -values[q, 0] * J[k, l]
            W[row, size + k] -= slopes[q, 0]
            for j in range(m):
                part = values[q, j + 1]
                for l in range(n):
                    W[row, j * n + l] = part * J[k, l]
                W[row, j * n + k] += slopes[q, j + 1]
            W[row, size + n] = h * period * f[k]
            W[row, size + n + 1] = h * period * J[k, n]
            W[row, size + n + 2] = -residual
    _solve_rows(W, size)
    for i in range(size):
        for c in range(n + 3):
            X[i, c] = W[i, size + c]


@compiled
def newton_step(U, log_period, parameter, h, system, logs, slopes, values, rows, sides, target, steps):
    """Newton correction of an orbit, and the tangent of the branch that the last border row is one along.

    Parameters
    ----------
    U : (N m + 1, n) array
        The last row equals the first.
    log_period, parameter : float
    h : (N,) array
        Lengths of the intervals, of sum 1.
    system : tuple
    logs : (n,) bool array
    slopes, values : (m, m + 1) arrays
        Of the basis polynomials at the Gauss points of [0, 1].
    rows : (2, N, m + 1, n) array
        Border: coefficients of the values of each interval.
    sides : (2, 2) array
        Border: coefficients of log T and the parameter.
    target : (2,) array
        What the border rows have to give.
    steps : (N, n, n) array
        Filled with the derivative of each interval's last value by its first.

    Returns
    -------
    dU, tangent : (N m + 1, n) arrays
    d, t : (2,) arrays
        Log T and parameter of the two.
    """
    N, n, m = h.shape[0], U.shape[1], slopes.shape[0]
    period = np.exp(log_period)
    size, width = m * n, 3 * n + 4
    work = np.empty(n), np.empty((n, n + 1)), np.empty(n), np.empty(n)
    W = np.empty((size, size + n + 3))
    X = np.empty((N, size, n + 3))
    kept = np.empty((N, n, width))
    panel = np.zeros((2 * n + 2, width))
    cT, cp, c1, c2 = 3 * n, 3 * n + 1, 3 * n + 2, 3 * n + 3  # columns: x_i | x_0 | x_i+1 | log T | parameter | two
    border = np.zeros((2, width))
    for r in range(2):
        border[r, cT], border[r, cp] = sides[r, 0], sides[r, 1]
        border[r, c1] = target[r] - sides[r, 0] * log_period - sides[r, 1] * parameter
    border[1, c2] = 1.0
    for i in range(N):
        _interval(U, i * m, h[i], period, parameter, system, logs, slopes, values, work, W, X[i])
        last = size - n
        for k in range(n):
            for l in range(n):
                steps[i, k, l] = X[i, last + k, l]
        _add_to_border(border, rows, U, X, i, n if i == 0 else 0)
        if i == 0:
            for k in range(n):
                for c in range(width):
                    panel[k, c] = 0.0
                panel[k, k] = 1.0  # x_1, which is the x_i of the next interval
                for l in range(n):
                    panel[k, n + l] = -X[i, last + k, l]
                panel[k, cT], panel[k, cp] = -X[i, last + k, n], -X[i, last + k, n + 1]
                panel[k, c1] = X[i, last + k, n + 2]
            continue
        for k in range(n):
            for c in range(width):
                panel[n + k, c] = 0.0
            for l in range(n):
                panel[n + k, l] = -X[i, last + k, l]
            panel[n + k, 2 * n + k] = 1.0
            panel[n + k, cT], panel[n + k, cp] = -X[i, last + k, n], -X[i, last + k, n + 1]
            panel[n + k, c1] = X[i, last + k, n + 2]
        for r in range(2):
            for c in range(width):
                panel[2 * n + r, c] = border[r, c]
        _eliminate_panel(panel, n)
        for k in range(n):
            for c in range(width):
                kept[i, k, c] = panel[k, c]
            for c in range(width):
                panel[k, c] = panel[n + k, c]
            for l in range(n):  # x_i+1 becomes the x_i of the next interval
                panel[k, l] = panel[n + k, 2 * n + l]
                panel[k, 2 * n + l] = 0.0
        for r in range(2):
            for c in range(width):
                border[r, c] = panel[2 * n + r, c]
            for l in range(n):
                border[r, l] = panel[2 * n + r, 2 * n + l]
                border[r, 2 * n + l] = 0.0
    return _back(U, X, kept, panel, border, m)


@compiled
def _add_to_border(border, rows, U, X, i, to):
    """The border's part of an interval, by its first value (columns from `to` on), log T and parameter."""
    n, m = U.shape[1], rows.shape[2] - 1
    cT, cp, c1 = 3 * n, 3 * n + 1, 3 * n + 2
    for r in range(2):
        for k in range(n):
            border[r, to + k] += rows[r, i, 0, k]
            border[r, c1] -= rows[r, i, 0, k] * U[i * m, k]
            for j in range(1, m + 1):
                weight, at = rows[r, i, j, k], (j - 1) * n + k
                for l in range(n):
                    border[r, to + l] += weight * X[i, at, l]
                border[r, cT] += weight * X[i, at, n]
                border[r, cp] += weight * X[i, at, n + 1]
                border[r, c1] -= weight * (X[i, at, n + 2] + U[i * m + j, k])


@compiled
def _eliminate_panel(panel, n):
    """Eliminate the first n columns from 2 n rows with pivoting, and from the two rows of the border."""
    rows, width = panel.shape
    for k in range(n):
        best, most = k, abs(panel[k, k])
        for i in range(k + 1, 2 * n):
            if abs(panel[i, k]) > most:
                best, most = i, abs(panel[i, k])
        if best != k:
            for c in range(width):
                panel[k, c], panel[best, c] = panel[best, c], panel[k, c]
        if most == 0.0:
            panel[k, k] = 1e-300
        for i in range(k + 1, rows):
            factor = panel[i, k] / panel[k, k]
            if factor != 0.0:
                for c in range(k, width):
                    panel[i, c] -= factor * panel[k, c]


@compiled
def _back(U, X, kept, panel, border, m):
    """The closed chain's n + 2 unknowns, then all others."""
    N, n = X.shape[0], U.shape[1]
    cT, cp = 3 * n, 3 * n + 1
    S = np.empty((n + 2, n + 2))
    found = np.empty((2, n + 2))
    for k in range(n + 2):
        for l in range(n):  # x_N = x_0
            S[k, l] = panel[k, l] + panel[k, n + l] if k < n else border[k - n, l] + border[k - n, n + l]
        for c in range(4):
            value = panel[k, cT + c] if k < n else border[k - n, cT + c]
            if c < 2:
                S[k, n + c] = value
            else:
                found[c - 2, k] = value
    pivots = np.empty(n + 2, np.int64)
    eliminate(S, n + 2, pivots)
    both = np.zeros((2, N * m + 1, n))
    ends = np.empty((2, 2))
    ahead = np.empty(n)
    for c in range(2):
        substitute(S, n + 2, pivots, found[c])
        dT, dp = found[c, n], found[c, n + 1]
        ends[c, 0], ends[c, 1] = dT, dp
        V = both[c]
        for k in range(n):
            V[0, k] = V[N * m, k] = ahead[k] = found[c, k]
        for i in range(N - 1, 0, -1):
            for k in range(n - 1, -1, -1):
                value = kept[i, k, cT + 2 + c] - kept[i, k, cT] * dT - kept[i, k, cp] * dp
                for l in range(n):
                    value -= kept[i, k, n + l] * found[c, l] + kept[i, k, 2 * n + l] * ahead[l]
                for l in range(k + 1, n):
                    value -= kept[i, k, l] * V[i * m, l]
                V[i * m, k] = value / kept[i, k, k]
            for k in range(n):
                ahead[k] = V[i * m, k]
        for i in range(N):
            for j in range(1, m):
                for k in range(n):
                    at = (j - 1) * n + k
                    value = X[i, at, n] * dT + X[i, at, n + 1] * dp
                    if c == 0:
                        value += X[i, at, n + 2]
                    for l in range(n):
                        value += X[i, at, l] * V[i * m, l]
                    V[i * m + j, k] = value
    return both[0], both[1], ends[0], ends[1]


@compiled
def newton(U, ends, h, system, logs, slopes, values, rows, sides, target, steps, most, tolerance, settled):
    """Newton steps in place until the correction is below the tolerance, or no longer shrinks below `settled`.

    Parameters
    ----------
    U : (N m + 1, n) array
    ends : (2,) array
        Log period, parameter.
    h, system, logs, slopes, values, rows, sides, target, steps
        As in `newton_step`.
    most : int
    tolerance, settled : float

    Returns
    -------
    taken : int
        0 where the steps do not settle.
    V : (N m + 1, n) array
    direction : (2,) array
        Tangent of the branch.
    """
    before = np.inf
    for taken in range(1, most + 1):
        dU, V, d, direction = newton_step(
            U, ends[0], ends[1], h, system, logs, slopes, values, rows, sides, target, steps
        )
        length = max(abs(d[0]), abs(d[1]))
        finite = length == length
        for i in range(dU.shape[0]):
            for k in range(dU.shape[1]):
                size = abs(dU[i, k])
                finite = finite and size == size
                length = max(length, size)
        stalls = taken > 3 and length > 0.5 * before
        if not finite or length > 5.0 or (stalls and length > settled):
            return 0, V, direction
        for i in range(dU.shape[0]):
            for k in range(dU.shape[1]):
                U[i, k] += dU[i, k]
        ends[0] += d[0]
        ends[1] += d[1]
        if length < tolerance or stalls:
            return taken, V, direction
        before = length
    return 0, V, direction
