"""What lies between two orbits of a branch: folds, and multipliers that cross the unit circle."""

import numpy as np

from .multipliers import multipliers_of

__all__ = ["crossing_between", "crossings", "fold_between"]

UNIT_CIRCLE = 1e-6  # imaginary part, beside the size, below which a multiplier is real


def fold_between(solver, cycle, length):
    """The orbit between 0 and a length along the branch at which the parameter turns back, or None."""
    size, end_size = solver.sizes(cycle.U, cycle.ends)
    return _zero(solver, cycle, length, lambda c: solver.unit(c, size, end_size)[1][1], 1e-12)


def crossing_between(solver, cycle, length, kind):
    """The orbit between 0 and a length along the branch at which a multiplier crosses the unit circle, or None."""

    def distance(c):
        others = _others(multipliers_of(c.steps)[0])
        pair = np.abs(others.imag) > UNIT_CIRCLE * np.abs(others)
        if kind == "torus":
            sizes = np.log(np.abs(others[pair]))
            return sizes[np.argmin(np.abs(sizes))]
        gaps = others[~pair].real + (1.0 if kind == "period doubling" else -1.0)
        return gaps[np.argmin(np.abs(gaps))]

    start = cycle if len(cycle.steps) == len(cycle.h) else solver.at_parameter(cycle, cycle.ends[1])
    return None if start is None else _zero(solver, start, length, distance, 1e-9)


def _zero(solver, cycle, length, function, tolerance):
    """The orbit between 0 and a length along the branch at which a function of orbits changes sign, or None."""
    from scipy.optimize import brentq

    found = {}

    def at(x):
        found[x] = cycle if x == 0 else solver.step(cycle, x)
        if found[x] is None:
            raise ArithmeticError
        return function(found[x])

    try:
        x = brentq(at, 0.0, length, xtol=tolerance * length, rtol=1e-12)
    except (ArithmeticError, ValueError):
        return None
    return found[x] if x in found else solver.step(cycle, x)


def crossings(before, after, fold) -> list:
    """Kinds of crossings of the unit circle between two orbits, the trivial multiplier left out.

    Parameters
    ----------
    before, after : (n,) complex arrays
    fold : bool
        Whether a fold lies between them, which accounts for one crossing at 1.

    Returns
    -------
    list of {"branch point", "period doubling", "torus"}
    """
    one, two = _others(before), _others(after)
    real = [np.sort(v[np.abs(v.imag) < UNIT_CIRCLE * np.abs(v)].real) for v in (one, two)]
    found = []
    through_minus = [int(np.sum(v < -1)) for v in real]
    if through_minus[0] % 2 != through_minus[1] % 2:
        found.append("period doubling")
    through_one = [int(np.sum(v > 1)) for v in real]
    if not fold and through_one[0] % 2 != through_one[1] % 2:
        found.append("branch point")
    outside = [int(np.sum((np.abs(v) > 1) & (v.imag > UNIT_CIRCLE * np.abs(v)))) for v in (one, two)]
    all_outside = [int(np.sum(np.abs(v) > 1)) for v in (one, two)]
    if outside[0] != outside[1] and abs(all_outside[0] - all_outside[1]) == 2:
        found.append("torus")
    return found


def _others(multipliers):
    """Without the one nearest to 1."""
    return np.delete(multipliers, np.argmin(np.abs(multipliers - 1)))
