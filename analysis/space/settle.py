"""First guesses: implicit Euler with growing steps, towards a steady field or a front in its own frame."""

import numpy as np

from remission.models.errors import SolveError

__all__ = ["moving_front", "settle"]


def settle(f, jac, U, weights, step, most=400, growth=1.5, until=1e-8):
    """Follow U' = f(U) by linearly implicit Euler until it rests.

    Parameters
    ----------
    f, jac : callables
    U : (m,) array
    weights : (m,) array
    step : float
        First step.
    most : int
    growth : float
        By which a step grows when it changes little.
    until : float
        Rate of change, relative, at which it rests.

    Returns
    -------
    (m,) array

    Raises
    ------
    SolveError
        If values are no longer finite.
    """
    import scipy.sparse as sps
    from scipy.sparse.linalg import splu

    one = sps.eye_array(len(U), format="csc")
    for _ in range(most):
        rate = f(U)
        change = splu((one / step - jac(U)).tocsc()).solve(rate)
        size = float(np.max(np.abs(change) / weights))
        if not np.isfinite(size):
            raise SolveError("settling: values are no longer finite")
        if size > 0.3:
            step *= 0.3
            continue
        U = U + change
        if np.max(np.abs(rate) / weights) < until:
            break
        step *= growth if size < 0.1 else 0.8
    return U


def moving_front(equations, behind, ahead, most=120):
    """(fields, speed) of a front that is let go from a smooth step and kept in the middle.

    Parameters
    ----------
    equations : WaveEquations
    behind, ahead : (n,) arrays
    most : int
        Steps.

    Returns
    -------
    (n N + 1,) array
    """
    import scipy.sparse as sps
    from scipy.sparse.linalg import splu

    from .homogeneous import sharpest_rate
    from .wave import bordered

    fields, grid = equations.fields, equations.fields.system.grid
    sharp = sharpest_rate(fields.system.problem, behind, ahead)
    step = 0.5 * (1 - np.tanh((grid.x - grid.length / 2) * sharp / 2))
    U = fields.flat(ahead[:, None] + (behind - ahead)[:, None] * step)
    weights, slope, place = equations.weights(U), equations.slope, equations.place
    one, c, h = sps.eye_array(len(U), format="csc"), 0.0, None
    for _ in range(most):
        rate = fields.f(U) + c * (slope @ U)
        if h is None:
            h = 0.05 / max(float(np.max(np.abs(rate) / weights)), 1e-12)
        matrix = bordered(fields.jac(U) + c * slope - one / h, slope @ U, place)
        change = splu(matrix).solve(-np.append(rate, place @ U))
        size = float(np.max(np.abs(change[:-1]) / weights))
        if not np.isfinite(size) or size > 0.5:
            h *= 0.3
            continue
        U, c = U + change[:-1], c + change[-1]
        if size < 1e-3 and h * float(np.max(np.abs(rate) / weights)) < 1e-3:
            h *= 4.0
            if size < 1e-7:
                break
        h *= 1.6 if size < 0.2 else 0.8
    return np.append(U, c)
