"""Damped Newton steps on the right-hand side of a problem with constant inputs, in scaled states."""

import numpy as np

__all__ = ["Field", "solve_from"]

MOST_STEPS = 60
HALVINGS = 12
STALLS = 4  # steps that found nothing better, after which a start is given up
ROUNDING = np.finfo(float).eps


class Field:
    """f(y) and its Jacobian at fixed parameters and inputs, with the box and the conserved totals.

    Parameters
    ----------
    problem : Problem
    u : list of float
        Constant inputs.
    box : dict of str -> (low, high)
    totals : (c, n), (c,) arrays
        Weights of the conserved sums and their values.

    Attributes
    ----------
    low, high, scale : (n,) arrays
        Box, and the size that states are measured by.
    weights, totals : (c, n), (c,) arrays
        Conserved sums and the values to keep.
    """

    def __init__(self, problem, u, box, totals):
        self.system, self.p, self.u = problem.system, list(problem.p), u
        self.low, self.high = (np.array(side) for side in zip(*box.values(), strict=True))
        self.scale = np.maximum(np.abs(self.low), np.abs(self.high))
        self.weights, self.totals = totals
        self.n = len(self.scale)

    def tangent(self, y):
        """f (n,) and d f / d y (n, n) at y."""
        with np.errstate(all="ignore"):
            f, by_state, _, _ = self.system.tangent(0.0, y, self.p, self.u)
        return f, by_state

    def equations(self, y, free=None):
        """Residual and Jacobian in scaled free states, shapes (m,) and (m, k); one row more for each total.

        The rows of conserved totals make up for those that conservation makes redundant.
        """
        f, by_state = self.tangent(y)
        jacobian = by_state * self.scale / self.scale[:, None]
        residual = f / self.scale
        if free is not None:
            residual, jacobian = residual[free], jacobian[np.ix_(free, free)]
        if len(self.totals):
            size = np.abs(self.weights) @ self.scale
            rows = self.weights * self.scale / size[:, None]
            residual = np.concatenate([residual, (self.weights @ y - self.totals) / size])
            jacobian = np.concatenate([jacobian, rows if free is None else rows[:, free]])
        return residual, jacobian

    def relative_residual(self, y):
        """Largest |f_i| relative to the sizes of the terms that cancel in it."""
        f, by_state = self.tangent(y)
        with np.errstate(all="ignore"):
            size = np.abs(by_state) @ np.abs(y) + np.abs(f) * ROUNDING
        return float(np.max(np.where(f == 0, 0.0, np.abs(f) / np.maximum(size, 1e-300)), initial=0.0))


def step_of(residual, jacobian):
    """Newton step; of least length where the Jacobian is singular or not square."""
    if not (np.all(np.isfinite(jacobian)) and np.all(np.isfinite(residual))):  # LAPACK may not come back from these
        return np.full(jacobian.shape[1], np.nan)
    if jacobian.shape[0] == jacobian.shape[1]:
        try:
            step = np.linalg.solve(jacobian, -residual)
            if np.all(np.isfinite(step)):
                return step
        except np.linalg.LinAlgError:
            pass
    try:
        return np.linalg.lstsq(jacobian, -residual, rcond=1e-12)[0]
    except np.linalg.LinAlgError:
        return np.full(jacobian.shape[1], np.nan)


def solve_from(field, start, free=None):
    """A root near a start and the length of the last step, or None.

    Steps are cut so as to stay within the box widened by a tenth, and halved until the residual falls (or, for a few
    steps, taken anyway: the residual may have to rise on the way through a ridge).

    Parameters
    ----------
    field : Field
    start : (n,) array
    free : (n,) bool array, optional
        States that may change; the others stay as they are.

    Returns
    -------
    (y, length) or None
    """
    index = np.arange(field.n) if free is None else np.flatnonzero(free)
    mask = None if free is None else free
    width = 0.1 * (field.high - field.low)
    low, high = (field.low - width)[index], (field.high + width)[index]
    y = start.copy()
    residual, jacobian = field.equations(y, mask)
    stalls = 0
    for _ in range(MOST_STEPS):
        if not np.all(np.isfinite(residual)) or not np.all(np.isfinite(jacobian)):
            return None
        step = step_of(residual, jacobian)
        if not np.all(np.isfinite(step)):
            return None
        length = float(np.max(np.abs(step), initial=0.0))
        if length <= 1e-13 or (length <= 1e-8 and np.linalg.norm(residual) == 0):
            return _taken(y, index, field.scale[index] * step), length
        full = field.scale[index] * step
        damping = _within(y[index], full, low, high)
        before = np.linalg.norm(residual)
        for _ in range(HALVINGS):
            trial = _taken(y, index, damping * full)
            residual, jacobian = field.equations(trial, mask)
            after = np.linalg.norm(residual)
            if np.isfinite(after) and after <= before * (1 - 0.1 * damping) + 1e-16:
                break
            damping /= 2
        else:
            stalls += 1
            if stalls == STALLS:
                break
        y = trial
    return (y, length) if length <= 1e-6 else None


def _taken(y, index, step):
    new = y.copy()
    new[index] += step
    return new


def _within(y, step, low, high):
    """Part of a step that goes at most half the way to the edge of the widened box."""
    with np.errstate(all="ignore"):
        room = np.where(step > 0, (high - y) / step, np.where(step < 0, (low - y) / step, np.inf))
    nearest = float(np.min(room, initial=np.inf))
    return 1.0 if nearest >= 1 else max(0.9 * nearest, 1e-3)
