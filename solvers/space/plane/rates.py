"""Rates of all fields on a rectangle: the sums of `discretise`, compiled. Fields are (n, ny, nx)."""

import numpy as np

from ..upwind import SMOOTH
from .compile import compiled
from .machine import run_fields
from .plan import CONSTANT, FIELD

__all__ = ["rates"]


@compiled
def _row(kind, place, j, y, aux, constants, found):
    """Row j of an output: a view where it is a field, else `found` filled."""
    if kind == CONSTANT:
        found[:] = constants[place]
        return found
    return aux[place, j] if kind == FIELD else y[place, j]


@compiled
def _laplace(p, k, periodic_y, periodic_x, f):
    """f += k[0] (second difference along y) + k[1] (along x), nothing through walls."""
    ny, nx = p.shape
    ky, kx = k
    for j in range(ny):
        below = p[j - 1] if j > 0 else (p[ny - 1] if periodic_y else p[j])
        above = p[j + 1] if j < ny - 1 else (p[0] if periodic_y else p[j])
        here, out = p[j], f[j]
        first = here[nx - 1] if periodic_x else here[0]
        last = here[0] if periodic_x else here[nx - 1]
        e = nx - 1
        out[0] += kx * ((first - here[0]) + (here[1] - here[0])) + ky * ((below[0] - here[0]) + (above[0] - here[0]))
        out[e] += kx * ((here[e - 1] - here[e]) + (last - here[e])) + ky * ((below[e] - here[e]) + (above[e] - here[e]))
        for i in range(1, e):
            v = here[i]
            out[i] += kx * ((here[i - 1] - v) + (here[i + 1] - v)) + ky * ((below[i] - v) + (above[i] - v))


@compiled
def _carried(v, D, d, before, L, R, after):
    """Value at a face between L and R, v from L to R; before and after may repeat L and R where there is nothing."""
    size = abs(v) * d
    central = 0.5 * (L + R)
    if not size > SMOOTH * D:
        return central
    w = 1.0 - SMOOTH * D / size
    up, down, far = (L, R, before) if v >= 0 else (R, L, after)
    a, b = up - far, down - up
    limited = a * b / (a + b) if a * b > 0.0 else 0.0
    return central + w * (limited - 0.5 * b)


@compiled
def _across_x(t, terms, spreading, y, aux, constants, geometry, f):
    """A term through the faces across x."""
    ny, nx, _, dx, _, periodic_x = geometry
    s, carried = terms[t, 0], terms[t, 1]
    room, more, spread = np.empty(nx), np.empty(nx), np.empty(nx)
    J = np.zeros(nx + 1)
    for j in range(ny):
        c = _row(terms[t, 2], terms[t, 3], j, y, aux, constants, room)
        phi = _row(terms[t, 4], terms[t, 5], j, y, aux, constants, more)
        for i in range(nx - 1):
            J[i + 1] = 0.5 * (c[i] + c[i + 1]) * (phi[i + 1] - phi[i]) / dx
        if periodic_x:
            J[nx] = 0.5 * (c[nx - 1] + c[0]) * (phi[0] - phi[nx - 1]) / dx
        if carried:
            S = y[s, j]
            _spread(t, spreading, j, y, aux, constants, spread)
            for i in range(1, nx):
                D = 0.5 * (spread[i - 1] + spread[i])
                before = S[i - 2] if i > 1 else (S[nx - 1] if periodic_x else S[0])
                after = S[i + 1] if i < nx - 1 else (S[0] if periodic_x else S[nx - 1])
                J[i] *= _carried(J[i], D, dx, before, S[i - 1], S[i], after)
            if periodic_x:
                D = 0.5 * (spread[nx - 1] + spread[0])
                J[nx] *= _carried(J[nx], D, dx, S[nx - 2], S[nx - 1], S[0], S[1])
        if periodic_x:
            J[0] = J[nx]
        out = f[s, j]
        for i in range(nx):
            out[i] -= (J[i + 1] - J[i]) / dx


@compiled
def _spread(t, spreading, j, y, aux, constants, found):
    """Row j of the coefficient of diffusion of what term t carries."""
    found[:] = 0.0
    for i in range(spreading.shape[0]):
        if spreading[i, 0] == t:
            if spreading[i, 1] == CONSTANT:
                found -= constants[spreading[i, 2]]
            elif spreading[i, 1] == FIELD:
                found -= aux[spreading[i, 2], j]
            else:
                found -= y[spreading[i, 2], j]


@compiled
def _across_y(t, terms, spreading, y, aux, constants, geometry, f):
    """A term through the faces across y."""
    ny, nx, dy, _, periodic_y, _ = geometry
    s, carried = terms[t, 0], terms[t, 1]
    a, b, c, d = np.empty(nx), np.empty(nx), np.empty(nx), np.empty(nx)
    low, high = np.empty(nx), np.empty(nx)
    J = np.empty(nx)
    for j in range(ny if periodic_y else ny - 1):
        k = j + 1 if j < ny - 1 else 0
        c_low = _row(terms[t, 2], terms[t, 3], j, y, aux, constants, a)
        c_high = _row(terms[t, 2], terms[t, 3], k, y, aux, constants, b)
        phi_low = _row(terms[t, 4], terms[t, 5], j, y, aux, constants, c)
        phi_high = _row(terms[t, 4], terms[t, 5], k, y, aux, constants, d)
        for i in range(nx):
            J[i] = 0.5 * (c_low[i] + c_high[i]) * (phi_high[i] - phi_low[i]) / dy
        if carried:
            _spread(t, spreading, j, y, aux, constants, low)
            _spread(t, spreading, k, y, aux, constants, high)
            L, R = y[s, j], y[s, k]
            before = y[s, j - 1] if j > 0 else (y[s, ny - 1] if periodic_y else L)
            after = y[s, (k + 1) % ny] if k < ny - 1 or periodic_y else R
            for i in range(nx):
                J[i] *= _carried(J[i], 0.5 * (low[i] + high[i]), dy, before[i], L[i], R[i], after[i])
        for i in range(nx):
            f[s, j, i] -= J[i] / dy
            f[s, k, i] += J[i] / dy


@compiled
def _cell(side, m, ny, nx):
    """Flat position of the m-th cell at a wall."""
    if side == 0:
        return m * nx
    if side == 1:
        return m * nx + nx - 1
    return m if side == 2 else (ny - 1) * nx + m


@compiled
def _wall(side, code, registers, first, varied, constant, given, terms, y, aux, constants, geometry, walls, f):
    """What passes one wall: inflow, and what fixed values drive. y, aux and f are (n, N)."""
    ny, nx, dy, dx, _, _ = geometry
    fixed, value, inflow = walls
    d = dx if side < 2 else dy
    n, many = y.shape[0], ny if side < 2 else nx
    beyond, places = np.empty((n, many)), np.empty((given.shape[0], many))
    for m in range(many):
        cell = _cell(side, m, ny, nx)
        for s in range(n):
            f[s, cell] += inflow[side, s] / d
            beyond[s, m] = value[side, s] if fixed[side, s] else y[s, cell]
        places[:, m] = given[:, cell]
    if not fixed[side].any():
        return
    out = np.empty((varied.shape[0], many))
    run_fields(code, registers, first, places, beyond, np.empty(0, np.int64), f, varied, out)
    for t in range(terms.shape[0]):
        s, carried = terms[t, 0], terms[t, 1]
        if fixed[side, s]:
            for m in range(many):
                cell = _cell(side, m, ny, nx)
                c = 0.5 * (_one(terms[t, 2], terms[t, 3], cell, y, aux, constants)
                           + _one(terms[t, 2], terms[t, 3], m, beyond, out, constants))  # fmt: skip
                J = c * (_one(terms[t, 4], terms[t, 5], m, beyond, out, constants)
                         - _one(terms[t, 4], terms[t, 5], cell, y, aux, constants)) / (0.5 * d)  # fmt: skip
                if carried:
                    J *= y[s, cell] if J >= 0 else value[side, s]
                f[s, cell] -= J / d


@compiled
def _one(kind, place, cell, y, aux, constants):
    if kind == CONSTANT:
        return constants[place]
    return aux[place, cell] if kind == FIELD else y[place, cell]


@compiled
def rates(y, tape, given, terms, spreading, geometry, walls, infusion, aux, f):
    """Rates f (n, N) of fields y (n, N).

    tape: (code, registers, first, rated, varied, constant) of a `TapePlan`; walls: (fixed, value, inflow); infusion
    (n,) goes into every cell; aux (n_aux, N) is room for outputs.
    """
    code, registers, first, rated, varied, constant = tape
    ny, nx, dy, dx, periodic_y, periodic_x = geometry
    n = y.shape[0]
    run_fields(code, registers, first, given, y, rated, f, varied, aux)
    constants = np.empty(constant.shape[0])
    for i in range(constant.shape[0]):
        constants[i] = registers[constant[i], 0]
    for i in range(n):
        if infusion[i] != 0.0:
            f[i] += infusion[i]
    Y, F, A = y.reshape(n, ny, nx), f.reshape(n, ny, nx), aux.reshape(aux.shape[0], ny, nx)
    for t in range(terms.shape[0]):
        if terms[t, 4] == CONSTANT:
            continue
        if terms[t, 2] == CONSTANT and terms[t, 1] == 0:
            c = -constants[terms[t, 3]]
            p = A[terms[t, 5]] if terms[t, 4] == FIELD else Y[terms[t, 5]]
            _laplace(p, (c / dy**2, c / dx**2), periodic_y, periodic_x, F[terms[t, 0]])
        else:
            _across_x(t, terms, spreading, Y, A, constants, geometry, F)
            _across_y(t, terms, spreading, Y, A, constants, geometry, F)
    for side in range(4):
        if walls[0][side].any() or walls[2][side].any():
            _wall(side, code, registers, first, varied, constant, given, terms, y, aux, constants, geometry, walls, f)
