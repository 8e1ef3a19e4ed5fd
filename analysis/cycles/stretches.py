"""Times between the changes of a period, with weights of means; values on both sides of every change."""

import numpy as np

__all__ = ["mean_inputs", "read", "stretches"]

POINTS = 40  # Chebyshev intervals of each stretch between two changes


def mean_inputs(solution) -> dict:
    """Input -> its mean over the span of a solution.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    dict of str -> float
    """
    t, weights, sides = stretches(solution)
    return {name: float(weights @ read(solution, name, t, sides)) for name in solution.problem.system.inputs}


def stretches(solution) -> tuple:
    """Times between all changes of a solution, dense where a dose has just been given.

    Clenshaw and Curtis's rule on each stretch.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    t, weights : (k,) arrays
        Weights of the mean over the span.
    right : (k,) bool array
        Whether the value just after a change is meant.
    """
    first, last = solution.problem.t_span
    width = 1e-12 * max(abs(first), abs(last), last - first)
    inner = sorted({e.time for e in solution.events if first + width < e.time < last - width})
    edges = np.array([first, *inner, last])
    edges = edges[np.append(True, np.diff(edges) > width)]
    edges[-1] = last
    nodes, rule = _clenshaw_curtis(POINTS)
    t = (edges[:-1, None] + np.diff(edges)[:, None] * nodes).ravel()
    weights = (np.diff(edges)[:, None] * rule).ravel() / (last - first)
    right = np.tile(np.arange(POINTS + 1) == 0, len(edges) - 1)
    return t, weights, right


def _clenshaw_curtis(n):
    """Nodes and weights on [0, 1]; n even."""
    angle = np.pi * np.arange(n + 1) / n
    k = np.arange(1, n // 2 + 1)
    factor = np.where(k == n // 2, 1.0, 2.0)
    inner = 1 - np.sum(factor / (4 * k**2 - 1) * np.cos(2 * k * angle[:, None]), axis=1)
    weights = inner / n
    weights[[0, -1]] /= 2
    return (1 - np.cos(angle)) / 2, weights


def read(solution, name, t, right) -> np.ndarray:
    """Values (k,) of a state, observable or input at the times of `stretches`.

    Parameters
    ----------
    solution : Solution
    name : str
    t : (k,) array
    right : (k,) bool array
    """
    values = solution.at(t, name)
    values[right] = solution.at(t[right], name, side="right")
    return values
