"""Coefficients of normal forms at all points of a curve at once, from null vectors by one bordered solve.

The same numbers as `normal_forms` gives for one point, which finds its vectors by the singular values and eigenvalues.
"""

import numpy as np

from .compile import compiled
from .elimination import eliminate, substitute
from .tape_machine import evaluate, run_tape

__all__ = ["fold_along", "jacobians_along", "lyapunov_along", "transcritical_along"]


@compiled
def null_vector(J, n, transposed, border, found):
    """A null vector (n) of J or its transpose with `found` as its guess, of length 1; border: of the other side."""
    B = np.zeros((n + 1, n + 1))
    rhs = np.zeros(n + 1)
    rhs[n] = 1.0
    for i in range(n):
        for j in range(n):
            B[i, j] = J[j, i] if transposed else J[i, j]
        B[i, n] = border[i]
        B[n, i] = found[i]
    pivots = np.empty(n + 1, np.int64)
    eliminate(B, n + 1, pivots)
    substitute(B, n + 1, pivots, rhs)
    norm = 0.0
    for i in range(n):
        norm += rhs[i] ** 2
    norm = np.sqrt(norm)
    for i in range(n):
        found[i] = rhs[i] / norm


@compiled
def quadratic_part(n, second, H, q, r, found):
    """B(q, r) by the states, (n)."""
    for i in range(n):
        found[i] = 0.0
    for k in range(second.shape[0]):
        i, j, l = second[k, 0], second[k, 1], second[k, 2]
        if j < n and l < n:
            found[i] += H[k] * (q[j] * r[l] if j == l else q[j] * r[l] + q[l] * r[j])


@compiled
def coefficient_of(n, system, J, H, q, p):
    """a of xi' = a xi^2 with xi the distance along q of length 1 in the units of the model."""
    scale, second = system[6], system[7]
    product = np.empty(n)
    quadratic_part(n, second, H, q, q, product)
    above, below, length = 0.0, 0.0, 0.0
    for i in range(n):
        above += p[i] * product[i]
        below += p[i] * q[i]
        length += (q[i] * scale[i]) ** 2
    return 0.5 * above / below / np.sqrt(length)


@compiled
def fold_along(Z, system, left):
    """`a` of folds.

    Parameters
    ----------
    Z : (k, 2 n + m) array
        States, null vector, parameters, in units of `scale`; q is taken along the null vector.
    system : tuple
    left : (n,) array
        Near the left null vector of the first point.

    Returns
    -------
    (k,) array
    """
    n, m, second = system[4], system[5], system[7]
    f, J, H = np.empty(n), np.empty((n, n + m)), np.empty(second.shape[0])
    found = np.empty(Z.shape[0])
    p, q = left.copy(), np.empty(n)
    for k in range(Z.shape[0]):
        evaluate(Z[k], system, f, J, H)
        for i in range(n):
            q[i] = Z[k, n + i]
        null_vector(J, n, True, Z[k, n : 2 * n], p)
        null_vector(J, n, False, p, q)
        found[k] = coefficient_of(n, system, J, H, q, p)
    return found


@compiled
def transcritical_along(Z, system, right, left, at):
    """`a` of transcritical points, q such that state `at` rises along it.

    Parameters
    ----------
    Z : (k, n + m) array
    system : tuple
    right, left : (n,) arrays
        Near the null vectors of the first point.
    at : int

    Returns
    -------
    (k,) array
    """
    n, m, second = system[4], system[5], system[7]
    f, J, H = np.empty(n), np.empty((n, n + m)), np.empty(second.shape[0])
    found = np.empty(Z.shape[0])
    p, q = left.copy(), right.copy()
    for k in range(Z.shape[0]):
        evaluate(Z[k], system, f, J, H)
        null_vector(J, n, True, q, p)
        null_vector(J, n, False, p, q)
        if q[at] < 0:
            for i in range(n):
                q[i] = -q[i]
        found[k] = coefficient_of(n, system, J, H, q, p)
    return found


@compiled
def jacobians_along(Z, system):
    """J (k, n, n + m) at the unknowns Z (k, ...), in scaled units."""
    n, m, second = system[4], system[5], system[7]
    f, H = np.empty(n), np.empty(second.shape[0])
    found = np.empty((Z.shape[0], n, n + m))
    for k in range(Z.shape[0]):
        evaluate(Z[k], system, f, found[k], H)
    return found


@compiled
def left_pair(J, n, v, w, kappa, psi):
    """The left null vector psi (n) of J J + kappa with psi v = 1 and psi w = 0."""
    size = n + 2
    B = np.zeros((size, size))
    rhs = np.zeros(size)
    rhs[n] = 1.0
    for i in range(n):
        for j in range(n):
            for l in range(n):
                B[j, i] += J[i, l] * J[l, j]
        B[i, i] += kappa
        B[i, n], B[n, i] = v[i], v[i]
        B[i, n + 1], B[n + 1, i] = w[i], w[i]
    pivots = np.empty(size, np.int64)
    eliminate(B, size, pivots)
    substitute(B, size, pivots, rhs)
    for i in range(n):
        psi[i] = rhs[i]


@compiled
def quadratic_corrections(J, n, omega, system, H, v, w, real, imaginary):
    """-2 B(q, h11) + B(conj q, h20) of q = v + i w, added to its real and imaginary part."""
    second = system[7]
    vv, ww, vw = np.empty(n), np.empty(n), np.empty(n)
    quadratic_part(n, second, H, v, v, vv)
    quadratic_part(n, second, H, w, w, ww)
    quadratic_part(n, second, H, v, w, vw)
    A, pivots, mean = np.empty((n, n)), np.empty(n, np.int64), np.empty(n)
    L, wide, double = np.zeros((2 * n, 2 * n)), np.empty(2 * n, np.int64), np.empty(2 * n)
    for i in range(n):
        mean[i] = vv[i] + ww[i]
        double[i], double[n + i] = vv[i] - ww[i], 2.0 * vw[i]
        for j in range(n):
            A[i, j] = J[i, j]
            L[i, j] = L[n + i, n + j] = -J[i, j]
        L[i, n + i], L[n + i, i] = -2.0 * omega, 2.0 * omega
    eliminate(A, n, pivots)
    substitute(A, n, pivots, mean)
    eliminate(L, 2 * n, wide)
    substitute(L, 2 * n, wide, double)
    part = np.empty(n)
    for one, other, sign, into in (
        (v, mean, -2.0, real), (w, mean, -2.0, imaginary), (v, double[:n], 1.0, real), (w, double[n:], 1.0, real),
        (v, double[n:], 1.0, imaginary), (w, double[:n], -1.0, imaginary),
    ):  # fmt: skip
        quadratic_part(n, second, H, one, other, part)
        for i in range(n):
            into[i] += sign * part[i]


@compiled
def cubic_part(third, z, n, m, scale, v, w, real, imaginary):
    """C(q, q, conj q) of q = v + i w, added to its real and imaginary part."""
    code, outputs, registers, first, index = third
    for i in range(n):
        registers[first + i] = z[i] * scale[i]
    for i in range(m):
        registers[first + n + i] = z[z.shape[0] - m + i] * scale[n + i]
    run_tape(code, registers, first)
    for k in range(index.shape[0]):
        i, j, l, r = index[k, 0], index[k, 1], index[k, 2], index[k, 3]
        value = registers[outputs[k]] * scale[j] * scale[l] * scale[r] / scale[i]
        same = (j == l) + (l == r)
        value *= 2.0 if same == 0 else 1.0 if same == 1 else 1.0 / 3.0
        a, b, c = complex(v[j], w[j]), complex(v[l], w[l]), complex(v[r], w[r])
        s = a * b * c.conjugate() + a * b.conjugate() * c + a.conjugate() * b * c
        real[i] += value * s.real
        imaginary[i] += value * s.imag


@compiled
def lyapunov_along(Z, system, third):
    """First Lyapunov coefficient of Hopf points, NaN where kappa is not above 0.

    Parameters
    ----------
    Z : (k, 2 n + 1 + m) array
        States, v, kappa, parameters, in units of `scale`.
    system : tuple
    third : tuple
        `(code, outputs, registers, first, index)` of third derivatives by states.

    Returns
    -------
    (k,) array
    """
    n, m, scale, second = system[4], system[5], system[6], system[7]
    f, J, H = np.empty(n), np.empty((n, n + m)), np.empty(second.shape[0])
    w, psi, phi = np.empty(n), np.empty(n), np.empty(n)
    found = np.full(Z.shape[0], np.nan)
    for k in range(Z.shape[0]):
        v, kappa = Z[k, n : 2 * n], Z[k, 2 * n]
        if not kappa > 0:
            continue
        omega = np.sqrt(kappa)
        evaluate(Z[k], system, f, J, H)
        length = 0.0
        for i in range(n):
            w[i] = 0.0
            for j in range(n):
                w[i] -= J[i, j] * v[j] / omega
            length += (v[i] ** 2 + w[i] ** 2) * scale[i] ** 2
        left_pair(J, n, v, w, kappa, psi)
        for i in range(n):
            phi[i] = 0.0
            for j in range(n):
                phi[i] += J[j, i] * psi[j] / omega
        real, imaginary = np.zeros(n), np.zeros(n)
        cubic_part(third, Z[k], n, m, scale, v, w, real, imaginary)
        quadratic_corrections(J, n, omega, system, H, v, w, real, imaginary)
        total = 0.0
        for i in range(n):  # p = (psi + i phi)/2, so that <p, q> = 1
            total += 0.5 * (psi[i] * real[i] + phi[i] * imaginary[i])
        found[k] = total / (2.0 * omega) / length
    return found
