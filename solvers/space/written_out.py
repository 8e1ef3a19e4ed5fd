"""A solution on a grid as text, as a table, and as an array with named axes."""

import numpy as np

__all__ = ["describe", "named_arrays", "table"]


def describe(solution) -> list:
    """Lines of `print(solution)`: means and extremes of each field, amounts that are kept, smallest values.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    list of str
    """
    problem, grid = solution.problem, solution.problem.grid
    first, last = problem.t_span
    names = (*problem.system.states, *problem.system.observables)
    width = max(map(len, names)) + 2
    counts = " x ".join(map(str, grid.shape))
    sizes = " x ".join(f"{v:g}" for v in np.atleast_1d(grid.length))
    lines = [
        f"  {grid.geometry} of {counts} cells, {sizes} {grid.unit}; means over it, at the end from lowest to highest"
    ]
    weights = grid.volumes.ravel() / grid.volumes.sum()
    for name in names:
        fields = solution.at([first, last], name).reshape(2, -1)
        start, end = fields @ weights
        lines.append(f"  {name:<{width}}{start:g} -> {end:g}  ({fields[1].min():g} to {fields[1].max():g})")
    noise = dict(zip(problem.system.states, 1e-3 * np.asarray(problem.tolerances()[1]), strict=True))
    low = {name: value for name, value in solution.minimum.items() if value < -noise[name]}
    if low:
        lines.append("  below zero at a step: " + ", ".join(f"{name} {value:.2g}" for name, value in low.items()))
    for total, change in solution.drift.items():
        lines.append(f"  amount of {total} kept to {change:.1e}")
    return lines


def table(solution, fields):
    """A DataFrame: means over the grid, one row a time; or all cells in long form.

    Parameters
    ----------
    solution : Solution
    fields : bool

    Returns
    -------
    pandas.DataFrame
    """
    import pandas

    problem, grid = solution.problem, solution.problem.grid
    label = f"time ({problem.model.time_unit})"
    if not fields:
        data = {n: solution[n] if n in problem.system.inputs else solution.mean(n) for n in solution.names}
        return pandas.DataFrame(data, index=pandas.Index(solution.t, name=label))
    axes = [f"y ({grid.unit})", f"x ({grid.unit})"][-len(grid.shape) :]
    index = pandas.MultiIndex.from_product([solution.t, *grid.centres], names=[label, *axes])
    data = {n: _everywhere(solution, n).ravel() for n in solution.names}
    return pandas.DataFrame(data, index=index)


def named_arrays(solution, attributes):
    """An xarray Dataset over time and place.

    Parameters
    ----------
    solution : Solution
    attributes : callable
        Name -> dictionary of attributes.

    Returns
    -------
    xarray.Dataset
    """
    import xarray

    model, grid = solution.problem.model, solution.problem.grid
    axes = ("y", "x")[-len(grid.shape) :]
    inputs = solution.problem.system.inputs
    data = {n: ("time" if n in inputs else ("time", *axes), solution[n], attributes(n)) for n in solution.names}
    coordinates = {"time": ("time", solution.t, {"units": model.time_unit})}
    for axis, centres in zip(axes, grid.centres, strict=True):
        coordinates[axis] = (axis, centres, {"units": grid.unit})
    coordinates["volume"] = (axes, grid.volumes, {"long_name": "volume of a cell"})
    about = {
        "model": model.name, "source": model.source, "status": solution.status, "geometry": grid.geometry,
    }  # fmt: skip
    return xarray.Dataset(data, coordinates, about)


def _everywhere(solution, name):
    values = solution[name]
    if name not in solution.problem.system.inputs:
        return values
    return np.broadcast_to(
        values.reshape(-1, *[1] * len(solution.problem.grid.shape)), (len(values), *solution.problem.grid.shape)
    )
