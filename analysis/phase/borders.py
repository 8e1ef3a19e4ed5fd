"""Borders of basins as smooth curves: traced between the nodes of the grid, then halved along its lines."""

import numpy as np

from .attractors import follow

__all__ = ["borders_of"]

HALVINGS = 17


def borders_of(basins) -> tuple:
    """Curves between the basins of a plane.

    Parameters
    ----------
    basins : Basins

    Returns
    -------
    tuple of (m, 2) arrays
        Points in the units of the axes. The border of two basins comes once.
    """
    import contourpy

    plane, labels = basins.plane, basins.labels
    lines, kinds = [], [i for i in range(len(basins.attractors)) if np.any(labels == i)]
    for i in kinds[:-1]:
        here = np.ma.masked_where(labels < i, (labels == i).astype(float))  # those before i have their borders
        lines += contourpy.contour_generator(z=here).lines(0.5)
    if not lines:
        return ()
    points = np.concatenate(lines)
    low, high = np.floor(points), np.ceil(points)  # nodes on both sides of each point, as (column, row)
    units = [np.linspace(0, 1, len(axis)) for axis in (basins.x, basins.y)]
    ends = [np.column_stack([units[k][side[:, k].astype(int)] for k in (0, 1)]) for side in (low, high)]
    first = labels[low[:, 1].astype(int), low[:, 0].astype(int)]
    for _ in range(HALVINGS):
        middle = 0.5 * (ends[0] + ends[1])
        at = [plane.from_unit(k, middle[:, k]) for k in (0, 1)]
        same = follow(plane.problem, plane.states(*at), basins.reached)[0] == first
        ends = [np.where(same[:, None], middle, ends[0]), np.where(same[:, None], ends[1], middle)]
    found = 0.5 * (ends[0] + ends[1])
    found = np.column_stack([plane.from_unit(k, found[:, k]) for k in (0, 1)])
    return tuple(np.split(found, np.cumsum([len(line) for line in lines])[:-1]))
