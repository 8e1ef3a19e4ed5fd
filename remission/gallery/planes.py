"""Phase planes: nullclines, and the curve that separates the starts by where they end."""

import numpy as np

__all__ = ["nullclines", "stable_manifold"]


def nullclines(ax, problem, x, y, x_values, y_values, looks):
    """Where the rates of two states of a plane are zero.

    Parameters
    ----------
    ax : Axes
    problem : Problem
        Of two states with constant inputs.
    x, y : str
        States of the axes.
    x_values, y_values : array
        The grid; a zero rate is found between its points.
    looks : (dict, dict)
        For the rate of x and of y: `label`, and what `Axes.contour` takes.

    Returns
    -------
    list of (artist, str)
        For the legend.
    """
    from matplotlib.lines import Line2D

    rate, order = _rates(problem, (x, y))
    grid = np.meshgrid(x_values, y_values)
    flow = np.array([rate(np.array(point)[order]) for point in zip(*(g.ravel() for g in grid), strict=True)])
    entries = []
    for k, look in enumerate(looks):
        look = dict(look)
        text, colour = look.pop("label"), look["colors"]
        per_cell = flow[:, order[k]].reshape(grid[0].shape) / grid[k]  # without the axis itself, on which it is zero
        lines = ax.contour(*grid, per_cell, levels=[0.0], zorder=2, **look)
        lines.set_gid("nullcline")
        style = {"ls": look.get("linestyles", "-"), "lw": look.get("linewidths", 1.5)}
        entries.append((Line2D([], [], color=colour, **style), text))
    return entries


def stable_manifold(problem, saddle, names, largest, duration, step=1e-4):
    """Both branches of the curve that runs into a saddle of two states.

    Parameters
    ----------
    problem : Problem
        Of two states with constant inputs.
    saddle : SteadyState
    names : (str, str)
        States of the axes.
    largest : (float, float)
        A branch ends where a state is above this, or below zero.
    duration : float
        How far back in time.
    step : float
        First step off the saddle, relative to it.

    Returns
    -------
    list of two arrays of shape (n, 2)
    """
    from scipy.integrate import solve_ivp

    rate, order = _rates(problem, names)
    at = np.array([saddle[n] for n in problem.system.states])
    levels = list(problem.inputs().values())
    values, vectors = np.linalg.eig(problem.system.jac(0.0, at, problem.p, levels))
    direction = np.real(vectors[:, np.argmin(values.real)])

    def leaves(_, state):
        return min(np.min(np.asarray(largest) - state[order]), np.min(state) + 1e-9 * at.max())

    leaves.terminal = True
    branches = []
    for sign in (1, -1):
        found = solve_ivp(
            lambda _, state: -rate(state), (0, duration), at + sign * step * np.linalg.norm(at) * direction,
            events=leaves, rtol=1e-8, atol=1e-10 * at.max(), max_step=duration / 200,
        )  # fmt: skip
        branches.append(found.y[order].T)
    return branches


def _rates(problem, names):
    """Right-hand side as a function of the state alone, and where the named states stand in it."""
    system = problem.system
    given = problem.inputs()
    levels = [given[name] for name in system.inputs]
    return (
        lambda state: np.array(system.f(0.0, np.asarray(state, dtype=float), problem.p, levels)),
        [system.states.index(name) for name in names],
    )
