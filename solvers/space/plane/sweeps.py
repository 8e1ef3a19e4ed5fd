"""Tridiagonal systems along x and along y, many lines at once: (d - A) v = r in place.

A is a difference of fluxes k (v_R - v_L) with k at each face, k = gamma h D / spacing^2; d is a number or a field.
Lines that close on themselves take one more right-hand side (Sherman and Morrison).
"""

import numpy as np

from .compile import compiled

__all__ = ["even_factors", "even_residual", "sweep_x", "sweep_x_even", "sweep_y", "sweep_y_even"]

TOGETHER = 16  # rows that are swept along x at once
WIDE = 64  # columns that are swept along y at once


@compiled
def _corner(diagonal, k):
    """Sherman and Morrison for corners -k: what is taken off the first and last diagonal, and the weight."""
    g = -diagonal
    return g, k * k / g, -k / g


@compiled
def even_factors(d, k, count, periodic, first_wall, last_wall):
    """(inverse pivots, upper, correction, weight) of a line with one d and k; walls add to the ends' diagonals."""
    inverse, upper, q = np.empty(count), np.empty(count), np.zeros(count)
    diagonal = np.full(count, d + 2.0 * k)
    weight = 0.0
    if periodic:
        g, last, weight = _corner(diagonal[0], k)
        q[0], q[count - 1] = g, -k
        diagonal[0] -= g
        diagonal[count - 1] -= last
    else:
        diagonal[0] += first_wall - k
        diagonal[count - 1] += last_wall - k
    inverse[0] = 1.0 / diagonal[0]
    upper[0] = k * inverse[0]
    for i in range(1, count):
        inverse[i] = 1.0 / (diagonal[i] - k * upper[i - 1])
        upper[i] = k * inverse[i]
    if periodic:
        q[0] *= inverse[0]
        for i in range(1, count):
            q[i] = (q[i] + k * q[i - 1]) * inverse[i]
        for i in range(count - 2, -1, -1):
            q[i] += upper[i] * q[i + 1]
        share = 1.0 + q[0] + weight * q[count - 1]
        for i in range(count):
            q[i] /= share
    return inverse, upper, q, weight


@compiled
def even_residual(r, v, d, k, periodic, walls, out):
    """out = r - (d - A) v for one d and k = (along y, along x); walls as in `even_factors`: left to top."""
    ny, nx = r.shape
    ky, kx = k
    periodic_y, periodic_x = periodic
    e = nx - 1
    for j in range(ny):
        below = v[j - 1] if j > 0 else (v[ny - 1] if periodic_y else v[j])
        above = v[j + 1] if j < ny - 1 else (v[0] if periodic_y else v[j])
        here, found, right = v[j], out[j], r[j]
        first = here[e] if periodic_x else here[0] * (1.0 - walls[0] / kx)
        last = here[0] if periodic_x else here[e] * (1.0 - walls[1] / kx)
        down = 1.0 - walls[2] / ky if j == 0 and not periodic_y else 1.0
        up = 1.0 - walls[3] / ky if j == ny - 1 and not periodic_y else 1.0
        c = d + 2.0 * (kx + ky)
        for i in range(1, e):
            found[i] = (
                right[i] - c * here[i] + kx * (here[i - 1] + here[i + 1]) + ky * (down * below[i] + up * above[i])
            )
        found[0] = right[0] - c * here[0] + kx * (first + here[1]) + ky * (down * below[0] + up * above[0])
        found[e] = right[e] - c * here[e] + kx * (here[e - 1] + last) + ky * (down * below[e] + up * above[e])


@compiled
def sweep_x_even(r, k, factors, periodic):
    """r (ny, nx) becomes the solution along x."""
    inverse, upper, q, weight = factors
    ny, nx = r.shape
    v = np.empty((nx, TOGETHER))
    for start in range(0, ny, TOGETHER):
        m = min(TOGETHER, ny - start)
        for b in range(m):
            for i in range(nx):
                v[i, b] = r[start + b, i]
        v[0] *= inverse[0]
        for i in range(1, nx):
            a, c = k * inverse[i], inverse[i]
            for b in range(TOGETHER):
                v[i, b] = v[i, b] * c + a * v[i - 1, b]
        for i in range(nx - 2, -1, -1):
            u = upper[i]
            for b in range(TOGETHER):
                v[i, b] += u * v[i + 1, b]
        if periodic:
            share = v[0] + weight * v[nx - 1]
            for i in range(nx):
                for b in range(TOGETHER):
                    v[i, b] -= q[i] * share[b]
        for b in range(m):
            for i in range(nx):
                r[start + b, i] = v[i, b]


@compiled
def sweep_y_even(r, k, factors, periodic, scale):
    """r (ny, nx) becomes the solution along y, times `scale`."""
    inverse, upper, q, weight = factors
    ny, nx = r.shape
    for start in range(0, nx, WIDE):
        end = min(nx, start + WIDE)
        here = r[0, start:end]
        for i in range(end - start):
            here[i] *= scale * inverse[0]
        for j in range(1, ny):
            before, here = r[j - 1, start:end], r[j, start:end]
            a, c = k * inverse[j], inverse[j] * scale
            for i in range(end - start):
                here[i] = here[i] * c + a * before[i]
        for j in range(ny - 2, -1, -1):
            here, after, u = r[j, start:end], r[j + 1, start:end], upper[j]
            for i in range(end - start):
                here[i] += u * after[i]
        if periodic:
            share = r[0, start:end] + weight * r[ny - 1, start:end]
            for j in range(ny):
                here = r[j, start:end]
                for i in range(end - start):
                    here[i] -= q[j] * share[i]


@compiled
def _lines(d, D, k, periodic, first_wall, last_wall, r, upper, q):
    """Lines side by side: d, D, r, upper, q (count, b); D at the cells, k without it. r becomes the solution."""
    count, b = r.shape
    weight = np.zeros(b)
    for i in range(b):
        ring = k * 0.5 * (D[0, i] + D[count - 1, i]) if periodic else 0.0
        low = 0.0
        for j in range(count):
            high = k * 0.5 * (D[j, i] + D[j + 1, i]) if j < count - 1 else 0.0
            diagonal = d[j, i] + low + high
            if j == 0:
                diagonal += ring + first_wall * D[j, i]
                g, last, weight[i] = _corner(diagonal, ring)
                if periodic:
                    diagonal -= g
            if j == count - 1:
                diagonal += ring + last_wall * D[j, i]
                if periodic:
                    diagonal -= last
            if j > 0:
                diagonal -= low * upper[j - 1, i]
            share = 1.0 / diagonal
            upper[j, i] = high * share
            r[j, i] = (r[j, i] + (low * r[j - 1, i] if j > 0 else 0.0)) * share
            if periodic:
                start = (g if j == 0 else 0.0) - (ring if j == count - 1 else 0.0)
                q[j, i] = (start + (low * q[j - 1, i] if j > 0 else 0.0)) * share
            low = high
    for j in range(count - 2, -1, -1):
        for i in range(b):
            r[j, i] += upper[j, i] * r[j + 1, i]
            if periodic:
                q[j, i] += upper[j, i] * q[j + 1, i]
    if periodic:
        for i in range(b):
            share = (r[0, i] + weight[i] * r[count - 1, i]) / (1.0 + q[0, i] + weight[i] * q[count - 1, i])
            for j in range(count):
                r[j, i] -= q[j, i] * share


@compiled
def sweep_x(r, d, D, k, periodic, first_wall, last_wall):
    """As `sweep_x_even`, with fields d and D (ny, nx)."""
    ny = r.shape[0]
    for start in range(0, ny, TOGETHER):
        end = min(ny, start + TOGETHER)
        v = r[start:end].T.copy()
        more = np.empty_like(v)
        _lines(
            d[start:end].T.copy(), D[start:end].T.copy(), k, periodic, first_wall, last_wall, v, more, np.empty_like(v)
        )
        r[start:end] = v.T


@compiled
def sweep_y(r, d, D, k, periodic, first_wall, last_wall):
    """As `sweep_y_even`, with fields d and D (ny, nx), and r times d at first."""
    nx = r.shape[1]
    for start in range(0, nx, TOGETHER):
        end = min(nx, start + TOGETHER)
        v, e = r[:, start:end].copy(), d[:, start:end].copy()
        v *= e
        more = np.empty_like(v)
        _lines(e, D[:, start:end].copy(), k, periodic, first_wall, last_wall, v, more, np.empty_like(v))
        r[:, start:end] = v
