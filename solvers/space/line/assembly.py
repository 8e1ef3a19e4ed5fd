"""Rates and block Jacobian from the outputs of the tape: the sums of `discretise`, compiled for a line of cells.

Values and outputs have a column for each cell and one more at both ends: column k is cell k - 1, columns 0 and N + 1
are what lies beyond the walls. Face k lies between columns k and k + 1; faces 0 and N are the walls.

A plan travels as a tuple of arrays:
terms (k, 5): state, carried, output of the coefficient, output of the potential or -1, 1 if linear: its flux is a
conductance of the face times a difference of the potential, whose derivatives are constant;
slopes (m, 4): term, 0 of the coefficient or 1 of the potential, state, output;
spreading (m, 3): carried term, state or -1 for the value itself, output of the coefficient of its own diffusion;
rates_by (m, 3): row, state, output.
Geometry: 1 / distance, area (faces), 1 / volume. Walls: 1 if cyclic, fixed, value, inflow (2, n).
"""

from ..upwind import SMOOTH
from .compile import compiled

__all__ = ["conductances", "jacobian", "rates", "see_walls"]


@compiled
def see_walls(y, walls):
    """Set the columns beyond the walls: the cell at the other end, a fixed value, or the value of the last cell."""
    cyclic, fixed, value, _ = walls
    n, N = y.shape[0], y.shape[1] - 2
    for i in range(n):
        if cyclic:
            y[i, 0], y[i, N + 1] = y[i, N], y[i, 1]
        else:
            y[i, 0] = value[0, i] if fixed[0, i] else y[i, 1]
            y[i, N + 1] = value[1, i] if fixed[1, i] else y[i, N]


@compiled
def conductances(out, terms, geometry, g):
    """g (terms, N + 1): coefficient times area over distance, all that linear terms need of a face."""
    inverse, area, _ = geometry
    for t in range(terms.shape[0]):
        at = terms[t, 2]
        for k in range(g.shape[1]):
            g[t, k] = 0.5 * (out[at, k] + out[at, k + 1]) * area[k] * inverse[k]


@compiled
def _diffusion(t, spreading, out, D):
    """Diffusion at all faces of the state that a term carries."""
    D[:] = 0.0
    for i in range(spreading.shape[0]):
        if spreading[i, 0] == t and spreading[i, 1] < 0:
            at = spreading[i, 2]
            for k in range(D.shape[0]):
                D[k] -= 0.5 * (out[at, k] + out[at, k + 1])
    for k in range(D.shape[0]):
        D[k] = D[k] if D[k] > 0.0 else 0.0


@compiled
def _speed(at, phi, out, inverse, v):
    if phi >= 0:
        for k in range(v.shape[0]):
            v[k] = 0.5 * (out[at, k] + out[at, k + 1]) * (out[phi, k + 1] - out[phi, k]) * inverse[k]
    else:
        for k in range(v.shape[0]):
            v[k] = 0.5 * (out[at, k] + out[at, k + 1])


@compiled
def _carried(S, s, k, v, D, inverse, N, cyclic, walled):
    """Value at a face and its derivatives: by the columns k, k + 1 and beyond, by v, by D; 1 if v goes to the right."""
    right = v >= 0
    if walled and (k == 0 or k == N):
        inside = v <= 0 if k == 0 else right
        value = S[s, k + (k == 0)] if inside else S[s, k + (k == N)]
        here = 1.0 if inside else 0.0
        return value, here if k == N else 0.0, here if k == 0 else 0.0, 0.0, 0.0, 0.0, right
    up, down, far = (k, k + 1, k - 1) if right else (k + 1, k, k + 2)
    there = cyclic or 0 < far <= N
    far = 2 if far > N + 1 else far
    size = abs(v) / inverse
    w = max(1.0 - SMOOTH * D / size, 0.0) if size > 0.0 else 0.0
    b = S[s, down] - S[s, up]
    value, by_up, by_down, by_far, by_v, by_D = S[s, up] + 0.5 * b, 0.5, 0.5, 0.0, 0.0, 0.0
    if w > 0.0:
        a = S[s, up] - S[s, far] if there else 0.0
        limited, by_a, by_b = 0.0, 0.0, 0.0
        if a * b > 0.0:
            r = 1.0 / (a + b)
            limited, by_a, by_b = a * b * r, (b * r) ** 2, (a * r) ** 2
        beyond = limited - 0.5 * b
        by_far = -w * by_a if there else 0.0
        by_up += w * (by_a - by_b + 0.5)
        by_down += w * (by_b - 0.5)
        value += w * beyond
        if w < 1.0:
            by_v, by_D = SMOOTH * D / (size * v) * beyond, -SMOOTH / size * beyond
    return value, by_up if right else by_down, by_down if right else by_up, by_far, by_v, by_D, right


@compiled
def _flux(t, y, out, plan, g, geometry, walls, v, D, J):
    """Add the flux of a term, times area, to J (N + 1,)."""
    terms, cyclic, N = plan[0], walls[0], y.shape[1] - 2
    inverse, area, _ = geometry
    s, carried, at, phi = terms[t, 0], terms[t, 1], terms[t, 2], terms[t, 3]
    if terms[t, 4]:
        for k in range(N + 1):
            J[k] += g[t, k] * (out[phi, k + 1] - out[phi, k])
        return
    _speed(at, phi, out, inverse, v)
    if not carried:
        for k in range(N + 1):
            J[k] += v[k] * area[k]
        return
    _diffusion(t, plan[2], out, D)
    steep = 0
    for k in range(N + 1):
        steep += 1 if abs(v[k]) > SMOOTH * D[k] * inverse[k] else 0
    walled = not cyclic and (walls[1][0, s] or walls[1][1, s])
    if steep or walled:
        for k in range(N + 1):
            J[k] += v[k] * _carried(y, s, k, v[k], D[k], inverse[k], N, cyclic, not cyclic)[0] * area[k]
    else:
        for k in range(N + 1):
            J[k] += v[k] * 0.5 * (y[s, k] + y[s, k + 1]) * area[k]


@compiled
def rates(y, out, plan, g, geometry, walls, infusion, room, f):
    """Add the rates to f (n, N): y (n, N + 2), outputs (n_out, N + 2), infusion (n,) into every cell."""
    cyclic, fixed, _, inflow = walls
    _, area, per_volume = geometry
    terms, (n, N) = plan[0], f.shape
    v, D, total = room[0], room[1], room[2]
    for i in range(n):
        for c in range(N):
            f[i, c] += out[i, c + 1] + infusion[i]
        total[:] = 0.0
        for t in range(terms.shape[0]):
            if terms[t, 0] == i:
                _flux(t, y, out, plan, g, geometry, walls, v, D, total)
        if cyclic:
            total[0] = total[N]
        else:
            total[0] = total[0] if fixed[0, i] else inflow[0, i] * area[0]
            total[N] = total[N] if fixed[1, i] else -inflow[1, i] * area[N]
        for c in range(N):
            f[i, c] += (total[c] - total[c + 1]) * per_volume[c]


@compiled
def _enter(J, s, j, place, e, geometry, walls):
    """A derivative e (N + 1,) of the flux of s by state j in column k + place, for all faces k."""
    cyclic, fixed = walls[0], walls[1]
    _, area, per_volume = geometry
    N = J.shape[3]
    for k in range(1, N):
        J[2 + place, s, j, k - 1] -= e[k] * area[k] * per_volume[k - 1]
    for k in range(1, N):
        J[1 + place, s, j, k] += e[k] * area[k] * per_volume[k]
    if cyclic:
        J[2 + place, s, j, N - 1] -= e[N] * area[N] * per_volume[N - 1]
        J[1 + place, s, j, 0] += e[N] * area[N] * per_volume[0]
        return
    if fixed[0, s] and (place == 1 or not fixed[0, j]):  # a value that is not fixed at the wall is that of the cell
        J[2, s, j, 0] += e[0] * area[0] * per_volume[0]
    if fixed[1, s] and (place == 0 or not fixed[1, j]):
        J[2, s, j, N - 1] -= e[N] * area[N] * per_volume[N - 1]


@compiled
def _carried_slopes(J, s, t, y, out, plan, geometry, walls, v, D, room):
    """Derivatives of the value that is carried; leaves the derivative of the flux by the speed in room[2]."""
    spreading, (inverse, _, _), cyclic, N = plan[2], geometry, walls[0], J.shape[3]
    gain, left, right, before, after, bent = room[2], room[3], room[4], room[5], room[6], room[7]
    _diffusion(t, spreading, out, D)
    steep = False
    for k in range(N + 1):
        value, by_left, by_right, by_far, by_v, by_D, forward = _carried(
            y, s, k, v[k], D[k], inverse[k], N, cyclic, not cyclic
        )
        gain[k], bent[k] = value + v[k] * by_v, v[k] * by_D
        left[k], right[k], before[k], after[k] = v[k] * by_left, v[k] * by_right, 0.0, 0.0
        if by_far != 0.0:
            steep = True
            before[k], after[k] = (v[k] * by_far, 0.0) if forward else (0.0, v[k] * by_far)
    if not cyclic:  # the value at a wall is the cell's or the wall's, which is no column that moves
        left[0], right[N] = 0.0, 0.0
    _enter(J, s, s, 0, left, geometry, walls)
    _enter(J, s, s, 1, right, geometry, walls)
    if steep:
        _enter(J, s, s, -1, before, geometry, walls)
        _enter(J, s, s, 2, after, geometry, walls)
    for i in range(spreading.shape[0]):
        if spreading[i, 0] == t and spreading[i, 1] >= 0:
            for place in range(2):
                for k in range(N + 1):
                    left[k] = -0.5 * bent[k] * out[spreading[i, 2], k + place]
                _enter(J, s, spreading[i, 1], place, left, geometry, walls)
    return steep


@compiled
def jacobian(y, out, plan, geometry, walls, linear, room, J):
    """Add the blocks of the linear terms, or of all the rest, to J (5, n, n, N).

    J[2 + k, i, j, c] is the derivative of state i in cell c by state j in cell c + k. Returns the reach: 2 where an
    upwind value looks beyond.
    """
    terms, slopes, _, rates_by = plan
    inverse, N, reach = geometry[0], J.shape[3], 1
    v, D, gain, e = room[0], room[1], room[2], room[3]
    if not linear:
        for r in range(rates_by.shape[0]):
            i, j, at = rates_by[r, 0], rates_by[r, 1], rates_by[r, 2]
            for c in range(N):
                J[2, i, j, c] += out[at, c + 1]
    for t in range(terms.shape[0]):
        if terms[t, 4] != linear:
            continue
        s, at, phi = terms[t, 0], terms[t, 2], terms[t, 3]
        gain[:] = 1.0
        if terms[t, 1]:
            _speed(at, phi, out, inverse, v)
            if _carried_slopes(J, s, t, y, out, plan, geometry, walls, v, D, room):
                reach = 2
        for i in range(slopes.shape[0]):
            if slopes[i, 0] != t:
                continue
            o = slopes[i, 3]
            for place in range(2):
                if slopes[i, 1] == 1:
                    sign = 0.5 if place else -0.5
                    for k in range(N + 1):
                        c = out[at, k] + out[at, k + 1]
                        e[k] = sign * c * out[o, k + place] * inverse[k] * gain[k]
                elif phi >= 0:
                    for k in range(N + 1):
                        e[k] = 0.5 * out[o, k + place] * (out[phi, k + 1] - out[phi, k]) * inverse[k] * gain[k]
                else:
                    for k in range(N + 1):
                        e[k] = 0.5 * out[o, k + place] * gain[k]
                _enter(J, s, slopes[i, 2], place, e, geometry, walls)
    return reach
