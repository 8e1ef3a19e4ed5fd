"""Fields out of the vectors of a run, and what is read off them over the whole grid."""

import numpy as np

__all__ = ["field_values"]


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
