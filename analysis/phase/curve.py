"""The stable manifold of a saddle of two states: a curve, grown backwards in time along arclength."""

import itertools
from dataclasses import dataclass, replace

import numpy as np

from .saddles import jacobian_slope

__all__ = ["Piece", "grow"]

FIRST = 1e-4  # distance of the start from the saddle, relative to the nearest other steady state
AT_STATE = 1e-6  # scaled distance from a steady state at which a branch has come to it
LONGEST = 60.0  # arclength in boxes
RTOL, CHECKED = 1e-12, 1e-13
PER_STEP = 6  # points shown a step


@dataclass(frozen=True, eq=False)
class Piece:
    """A stretch of the curve.

    Attributes
    ----------
    place : callable
        Arclength (in boxes) -> state, shape (2,) or (2, m).
    s : (m,) array
        Arclengths of the points.
    y : (m, 2) array
    end : str
        Where a branch ends: `"box"`, `"steady state"`, `"outside"` at once, `"length"` where it was given up.
    end_state : SteadyState or None
    accuracy : float
        Largest distance from the same branch grown from half the distance with a tenth of the tolerance, in boxes.
    """

    place: object
    s: np.ndarray
    y: np.ndarray
    end: str = ""
    end_state: object = None
    accuracy: float = 0.0


@dataclass(frozen=True, eq=False)
class Expansion:
    """The manifold near the saddle, ``at + a direction + a^2 second``."""

    at: np.ndarray
    direction: np.ndarray
    second: np.ndarray

    def __call__(self, a):
        a = np.asarray(a, dtype=float)
        return (self.at + a[..., None] * self.direction + a[..., None] ** 2 * self.second).T


def grow(problem, inputs, saddle, others, low, high):
    """Both branches and the stretch at the saddle between them, in order along the curve.

    Parameters
    ----------
    problem : Problem
    inputs : list of float
    saddle : Saddle
    others : list of (SteadyState, (2,) array)
        The other steady states.
    low, high : (2,) arrays
        The box.

    Returns
    -------
    (Piece, Piece, Piece)
    """
    size = np.maximum(np.abs(low), np.abs(high))
    field = _Backwards(problem, inputs, size)
    near = _expansion(problem.system, problem.p, inputs, saddle.at, size)
    gaps = [np.linalg.norm((y - saddle.at) / size) for _, y in others]
    first = FIRST * min([1.0, *gaps])
    behind, ahead = (_branch(field, near, sign * first, others, low, high) for sign in (-1, 1))
    inner = np.linspace(-first, first, 9)
    return _reversed(behind), Piece(near, inner, near(inner).T), ahead


class _Backwards:
    """Unit speed in boxes along minus the flow."""

    def __init__(self, problem, inputs, scale):
        self.f, self.p, self.u, self.scale = problem.system.f, problem.p, inputs, scale

    def __call__(self, _, z):
        rate = self.f(0.0, z * self.scale, self.p, self.u) / self.scale
        return -rate / max(np.linalg.norm(rate), 1e-300)


def _expansion(system, p, u, at, scale):
    """Stable direction and the second-order term that invariance asks for: (2 rate - J) second = f''(v, v)/2."""
    jacobian = system.jac(0.0, at, p, u)
    values, vectors = np.linalg.eig(jacobian * scale / scale[:, None])
    i = int(np.argmin(values.real))
    direction = np.real(vectors[:, i])
    direction = scale * direction / np.linalg.norm(direction)
    step = 1e-4
    curved = np.nan_to_num(jacobian_slope(system, at, p, u, step * direction) @ direction / step)
    second = np.linalg.solve(2 * values[i].real * np.eye(2) - jacobian, 0.5 * curved)
    return Expansion(at, direction, second)


def _branch(field, near, start, others, low, high):
    found = _integrate(field, near, start, others, low, high, RTOL)
    if found is None:
        return Piece(None, np.empty(0), np.empty((0, 2)), "outside")
    steps = found.sol.ts
    s = np.unique(np.concatenate([np.linspace(a, b, PER_STEP + 1) for a, b in itertools.pairwise(steps)]))
    place = _Place(found.sol, field.scale)
    end, state = _ending(found, others, field.scale)
    check = _integrate(field, near, 0.5 * start, others, low, high, CHECKED)
    return Piece(place, s, place(s).T, end, state, _apart(place, _Place(check.sol, field.scale), s, field))


@dataclass(frozen=True, eq=False)
class _Place:
    """States along a branch from the dense output in scaled states."""

    dense: object
    scale: np.ndarray
    sign: int = 1

    def __call__(self, s):
        return (self.dense(self.sign * np.asarray(s, dtype=float)).T * self.scale).T


def _integrate(field, near, start, others, low, high, rtol):
    from scipy.integrate import solve_ivp

    begin, scale = near(start) / field.scale, field.scale
    slack = 1e-9 * (high - low) / scale
    below, above = low / scale - slack, high / scale + slack
    if np.any((begin < below) | (begin > above)):
        return None

    def inside(_, z):
        return min(np.min(z - below), np.min(above - z))

    def apart(_, z):
        return min(np.linalg.norm(z - y / scale) for _, y in others) - AT_STATE

    inside.terminal = apart.terminal = True
    events = [inside, apart] if others else [inside]
    return solve_ivp(field, (0, LONGEST), begin, "DOP853", events=events, rtol=rtol, atol=1e-3 * rtol,
                     dense_output=True, max_step=0.02)  # fmt: skip


def _ending(found, others, scale):
    if len(found.t_events[0]):
        return "box", None
    if len(found.t_events) > 1 and len(found.t_events[1]):
        gaps = [np.linalg.norm(found.y[:, -1] - y / scale) for _, y in others]
        return "steady state", others[int(np.argmin(gaps))][0]
    return "length", None


def _apart(place, check, s, field):
    """Largest distance across the curve of points of one run from the other run, in boxes."""
    chosen = s[:: max(len(s) // 150, 1)]
    points, worst = place(chosen).T / field.scale, 0.0
    last = check.dense.ts[-1]
    at = np.clip(chosen, 0, last)
    for _ in range(4):  # feet of the perpendiculars
        gap = points - check(at).T / field.scale
        along = np.array([field(0, z) for z in check(at).T / field.scale])
        at = np.clip(at + np.sum(gap * along, axis=1), 0, last)
    gap = points - check(at).T / field.scale
    free = (at > 0) & (at < last)
    if free.any():
        worst = float(np.max(np.linalg.norm(gap[free], axis=1)))
    return worst


def _reversed(piece):
    place = replace(piece.place, sign=-1) if isinstance(piece.place, _Place) else piece.place
    return replace(piece, place=place, s=-piece.s[::-1], y=piece.y[::-1])
