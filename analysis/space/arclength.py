"""Pseudo-arclength continuation of large sparse systems in one parameter."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import SolveError

from .equations import newton

__all__ = ["Curve", "follow"]


@dataclass(frozen=True, eq=False)
class Curve:
    """Points along a branch: unknowns (m,) and the parameter, and why it ended."""

    unknowns: tuple
    values: np.ndarray
    ended: str


def follow(system, u, value, span, weights, heading, step, most_step, max_points, until=None) -> Curve:
    """Follow solutions of G(u, value) = 0.

    Parameters
    ----------
    system : object
        `residual(u, value)`, `jacobian(u, value)` sparse, `by_value(u, value)`.
    u : (m,) array
        On the branch.
    value : float
        Of the parameter there.
    span : (float, float)
        Ends of the parameter, where the branch is cut.
    weights : (m,) array
        Sizes of the unknowns.
    heading : {1, -1}
        Which way the parameter goes first.
    step, most_step : float
        First and largest arclength, in weighted units (the span counts as 1).
    max_points : int
    until : callable, optional
        (u, value) -> bool: end after this point.

    Returns
    -------
    Curve

    Raises
    ------
    SolveError
        If the first point is singular.
    """
    from scipy.sparse.linalg import splu

    scale = span[1] - span[0]
    sizes = np.append(weights * np.sqrt(len(u)), scale)
    z = np.append(u, value)
    slope = -splu(system.jacobian(u, value).tocsc()).solve(system.by_value(u, value))
    tangent = heading * np.append(slope, 1.0)
    tangent /= np.linalg.norm(tangent / sizes)
    points, ended = [z], "max_points"
    while len(points) < max_points:
        try:
            new = _corrected(system, z, tangent, step, sizes, weights, scale)
            following = _tangent(system, new, tangent, sizes)
            if (tangent / sizes) @ (following / sizes) < 0.9:
                raise SolveError("turned too far")
        except SolveError:
            step *= 0.4
            if step < 1e-7:
                ended = "step too small"
                break
            continue
        if not span[0] < new[-1] < span[1]:
            points.append(_cut(system, z, new, span, weights))
            ended = "end of the span"
            break
        z, tangent = new, following
        points.append(z)
        if until is not None and until(z[:-1], z[-1]):
            ended = "asked for"
            break
        step = min(1.5 * step, most_step)
    return Curve(tuple(p[:-1] for p in points), np.array([p[-1] for p in points]), ended)


def _border(system, z, row):
    from .wave import bordered

    u, value = z[:-1], z[-1]
    return bordered(system.jacobian(u, value), system.by_value(u, value), row[:-1], row[-1])


def _corrected(system, z, tangent, step, sizes, weights, scale):
    row = tangent / sizes**2
    guess = z + step * tangent

    def residual(w):
        return np.append(system.residual(w[:-1], w[-1]), row @ (w - guess))

    return newton(residual, lambda w: _border(system, w, row), guess, np.append(weights, scale), most=8)[0]


def _tangent(system, z, before, sizes):
    from scipy.sparse.linalg import splu

    row = before / sizes**2
    last = np.zeros(len(z))
    last[-1] = 1.0
    tangent = splu(_border(system, z, row)).solve(last)
    return tangent / np.linalg.norm(tangent / sizes)


def _cut(system, z, new, span, weights):
    """The point at the end of the span."""
    end = span[1] if new[-1] >= span[1] else span[0]
    part = (end - z[-1]) / (new[-1] - z[-1])
    guess = z + part * (new - z)
    u = newton(lambda u: system.residual(u, end), lambda u: system.jacobian(u, end), guess[:-1], weights)[0]
    return np.append(u, end)
