"""nullclines: where each of two rates vanishes in a plane of two states."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from ..proved.reduce import over as divided_by
from .plane import Plane, plane_of

__all__ = ["Nullclines", "nullclines"]

STEPS = 12
SETTLED = 1e-13
FARTHEST = 2.0  # cells of the grid that polishing may move a point by: beyond, it was a pole and no zero


@dataclass(frozen=True, eq=False, repr=False)
class Nullclines:
    """Curves on which the rates of two states vanish.

    Attributes
    ----------
    plane : Plane
    curves : dict of str -> tuple of (m, 2) arrays
        State -> curves on which it does not change, points in order; invariant faces are not among them.
    faces : dict of str -> tuple of str
        State -> states at whose zero it does not change: the axis of a clone that is absent.
    accuracy : float
        Largest distance of a point from the exact curve, in parts of the plane.
    """

    plane: Plane
    curves: dict
    faces: dict
    accuracy: float

    @property
    def problem(self):
        """The problem."""
        return self.plane.problem

    @property
    def names(self) -> tuple:
        """States of the horizontal and the vertical axis."""
        return self.plane.names

    def __getitem__(self, name):
        name = getattr(name, "name", name)
        if name not in self.curves:
            raise ProblemError(
                f"nullclines of {', '.join(self.names)}: none of {name!r}; {did_you_mean(name, self.names)}"
            )
        return self.curves[name]

    def __repr__(self):
        return f"<Nullclines of {self.problem.model.name} over {', '.join(self.names)}>"

    def __str__(self):
        others = self.plane.others if self.plane.expressions else ""
        if self.plane.held:
            others = "at " + ", ".join(f"{k} = {v:g}" for k, v in self.plane.held.items())
        lines = [f"nullclines of {self.problem.model.name}" + (f", other states {others}" if others else "")]
        for name in self.names:
            count = len(self.curves[name])
            faces = "".join(f", and {face} = 0" for face in self.faces[name])
            points = sum(len(c) for c in self.curves[name])
            lines.append(f"  {name}' = 0: {count} curve{'s' * (count != 1)} of {points} points{faces}")
        return "\n".join([*lines, f"  within {self.accuracy:.1g} of the plane"])


@refuse_unknown_keywords
def nullclines(problem, over, *, n=200, scale="linear", others="held", at=None) -> Nullclines:
    """Where each of two rates vanishes in a plane.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    over : dict or (str, str)
        Two states -> (low, high), the horizontal one first; names alone take declared bounds.
    n : int
        Cells along each axis: a curve that stays within one cell can be missed.
    scale : {"linear", "log"} or dict
        Of both axes, or state -> scale.
    others : {"held", "quasi-steady"}
        What the other states are: the values of `at`; or at rest with the two, solved for one after the other.
    at : dict, optional
        State -> value it is held at; the problem's initial value where it is not named.

    Returns
    -------
    Nullclines
        Index it by a state: curves as arrays of points (m, 2), first the horizontal state.

    Raises
    ------
    ProblemError
        If the plane is not understood, or other states at rest are not given by linear equations.

    Notes
    -----
    Where a state divides its own rate (a clone that is absent stays absent) the axis is split off first, so that no
    curve runs along it. Contours of what is left are polished by Newton steps with exact derivatives to the rounding.

    Examples
    --------
    >>> from remission.analysis import nullclines
    >>> from remission.models import kuznetsov
    >>> from remission.solvers import Problem
    >>> print(nullclines(Problem(kuznetsov(scaled=True)), over={"T": (0, 500), "E": (0, 3)}))
    nullclines of kuznetsov_scaled
      T' = 0: 1 curve of ... points, and T = 0
      E' = 0: 2 curves of ... points
      within ... of the plane
    """
    plane = plane_of(problem, over, scale, others, at, "nullclines")
    if not (isinstance(n, (int, np.integer)) and n >= 8):
        raise ProblemError(f"nullclines: n is a whole number of 8 or more, got {n!r}")
    curves, faces, worst = {}, {}, 0.0
    for name, rate in zip(plane.names, plane.rates(), strict=True):
        rate, faces[name] = _without_faces(rate, plane.symbols)
        curves[name], off = _traced(plane, rate, int(n))
        worst = max(worst, off)
    return Nullclines(plane, curves, faces, worst)


def _without_faces(rate, symbols):
    faces = []
    for symbol in symbols:
        while rate != 0 and (quotient := divided_by(rate, symbol, set())) is not None:
            rate = quotient
            faces.append(symbol.name)
    return rate, tuple(dict.fromkeys(faces))


def _traced(plane, rate, n):
    """Polished contours of zero, and the largest distance from the exact curve."""
    import contourpy
    import sympy as sp

    if not rate.free_symbols:
        return (), 0.0
    both = plane.symbols
    f = sp.lambdify(both, [rate, *(sp.diff(rate, s) for s in both)], "numpy", cse=True)

    def zero(u):
        """Value and gradient in parts of the plane."""
        x, y = plane.from_unit(0, u[..., 0]), plane.from_unit(1, u[..., 1])
        with np.errstate(all="ignore"):
            value, *slopes = (np.broadcast_to(v, x.shape).astype(float) for v in f(x, y))
        return value, np.stack(
            [s * plane.stretch(i, v) for i, (s, v) in enumerate(zip(slopes, (x, y), strict=True))], -1
        )

    side = np.linspace(0, 1, n + 1)
    value = zero(np.stack(np.meshgrid(side, side), -1))[0]
    found = contourpy.contour_generator(side, side, np.ma.masked_invalid(value)).lines(0.0)
    curves, worst = [], 0.0
    for line in found:
        for part in _polished(zero, line, FARTHEST / n):
            curves.append(np.column_stack([plane.from_unit(i, part[:, i]) for i in (0, 1)]))
            worst = max(worst, float(np.max(_distance(*zero(part)))))
    return tuple(curves), worst


def _distance(value, slope):
    size = np.linalg.norm(slope, axis=-1)
    with np.errstate(all="ignore"):
        return np.where(value == 0, 0.0, np.abs(value) / size)


def _polished(zero, line, farthest):
    """Newton steps across the curve; cut where they do not settle nearby."""
    u = line.copy()
    for _ in range(STEPS):
        value, slope = zero(u)
        with np.errstate(all="ignore"):
            step = -value[:, None] * slope / np.sum(slope**2, axis=1)[:, None]
        step[value == 0] = 0.0
        u = u + np.nan_to_num(step, nan=np.inf, posinf=np.inf, neginf=-np.inf).clip(-farthest, farthest)
        if np.all(np.abs(step) < SETTLED):
            break
    good = (_distance(*zero(u)) < 1e-10) & (np.linalg.norm(u - line, axis=1) < farthest)
    pieces = np.split(np.arange(len(u)), np.flatnonzero(np.diff(good.astype(int))) + 1)
    return [u[p] for p in pieces if len(p) > 1 and good[p[0]]]
