"""Fields out of the vectors of a run, and what is read off them over the grid or a part of it."""

import numpy as np

from remission.models.errors import ProblemError

__all__ = ["field_values", "mean_values", "region_weights", "summed"]

MOST = 1 << 24  # numbers that are held at once


def field_values(problem, name, times, z, inputs) -> np.ndarray:
    """Values of a state or observable in all cells.

    Parameters
    ----------
    problem : Problem
    name : str
    times : (m,) array
    z : (N n, m) array
        States cell by cell.
    inputs : (n_u, m) array

    Returns
    -------
    (m, N) array
    """
    system, size = problem.system, problem.grid.size
    values = z.reshape(size, system.n, len(times))
    if name in system.states:
        return values[:, system.states.index(name)].T
    at, many = system.observables.index(name), size * len(times)
    y = values.transpose(1, 0, 2).reshape(system.n, many)
    u = np.broadcast_to(inputs[:, None, :], (len(inputs), size, len(times))).reshape(len(inputs), many)
    return system.observe(np.tile(times, size), y, problem.p, u)[at].reshape(size, len(times)).T


def mean_values(problem, name, times, z_of, inputs) -> np.ndarray:
    """Mean over the grid of a state or observable along a segment, a few times at once.

    Parameters
    ----------
    problem : Problem
    name : str
    times : (m,) array
    z_of : callable
        Times (k,) -> states cell by cell, (N n, k).
    inputs : (n_u,) array

    Returns
    -------
    (m,) array
    """
    weights = region_weights(problem.grid, None)
    weights = weights / weights.sum()
    step = max(1, MOST // (problem.grid.size * problem.system.n))
    found = np.empty(len(times))
    for first in range(0, len(times), step):
        now = times[first : first + step]
        u = np.repeat(np.asarray(inputs)[:, None], len(now), axis=1)
        found[first : first + step] = field_values(problem, name, now, z_of(now), u) @ weights
    return found


def region_weights(grid, region) -> np.ndarray:
    """Volumes of the cells that count, zero elsewhere.

    Parameters
    ----------
    grid : Grid
    region : None, bool array or callable
        All of the grid; cells by an array of the grid's shape; or a function of x (of a rectangle of x and y) that
        gives one.

    Returns
    -------
    (N,) array

    Raises
    ------
    ProblemError
        If the array does not have the grid's shape, or no cell counts.

    Examples
    --------
    >>> from remission.solvers import Grid
    >>> region_weights(Grid(4, 2.0), lambda x: x < 1).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    volumes = np.asarray(grid.volumes).ravel()
    if region is None:
        return volumes
    if callable(region):
        places = grid.positions
        region = region(*(places[k].reshape(grid.shape or 1) for k in ("x", "y") if k in places))
    mask = np.asarray(region)
    if mask.dtype != bool:
        raise ProblemError(f"region: an array of True and False, or a function that gives one; got {mask.dtype} values")
    if mask.size != grid.size or (grid.spatial and mask.shape != grid.shape):
        raise ProblemError(f"region: its shape is {mask.shape}, that of the grid {grid.shape}")
    if not mask.any():
        raise ProblemError("region: no cell lies in it; positions are middles of cells, problem.grid.x")
    return np.where(mask.ravel(), volumes, 0.0)


def summed(solution, name, region, mean) -> np.ndarray:
    """Integral or mean of an output over a region, at the output times.

    Parameters
    ----------
    solution : Solution
    name : str
    region : None, bool array or callable
    mean : bool

    Returns
    -------
    (n_t,) array
    """
    grid = solution.problem.grid
    weights = region_weights(grid, region)
    weights = weights / weights.sum() if mean else weights
    if name in solution.problem.system.inputs:
        return solution[name] * weights.sum()
    if not grid.spatial:
        return solution[name] * weights[0]
    return solution[name].reshape(len(solution.t), grid.size) @ weights
