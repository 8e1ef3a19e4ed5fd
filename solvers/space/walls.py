"""What passes a wall: a prescribed inflow, or the flux that a prescribed value at the wall drives."""

import numpy as np

__all__ = ["wall_rates"]


def wall_rates(spatial, faces, wall, time, values, inputs, out):
    """Rates that a wall adds, and entries of the Jacobian.

    Parameters
    ----------
    spatial : SpatialSystem
    faces : WallFaces
    wall : Wall
    time : float
    values : (n, N) array
    inputs : sequence of float
    out : (n_out, N) array
        Outputs of the tape in the cells.

    Returns
    -------
    (n, N) array, list of (rows, columns, numbers)
    """
    names = spatial.problem.system.states
    rates, entries = np.zeros((spatial.n, spatial.size)), []
    cells, per_volume = faces.cells, faces.area / spatial.volumes[faces.cells]
    for name, inflow in wall.inflow.items():
        rates[names.index(name), cells] += inflow * per_volume
    fixed = {names.index(name): level for name, level in wall.value.items()}
    if not fixed:
        return rates, entries
    at_wall = values[:, cells].copy()
    for i, level in fixed.items():
        at_wall[i] = level
    beyond = spatial.outputs(time, at_wall, inputs, cells)
    for term in spatial.written.terms:
        if term.state in fixed:
            flux, slopes = _leaving(term, values[:, cells], fixed, out[:, cells], beyond, faces)
            rates[term.state, cells] -= flux * per_volume
            entries += [
                (cells * spatial.n + term.state, cells * spatial.n + j, -value * per_volume) for j, value in slopes
            ]
    return rates, entries


def _leaving(term, inside, fixed, out, beyond, faces):
    """Flux out of the cells at a wall, and its derivatives by the states of these cells."""
    outward = -1.0 if faces.side in ("left", "bottom") else 1.0
    c = 0.5 * (out[term.coefficient] + beyond[term.coefficient])
    if term.potential < 0:
        slope = np.full(len(faces.cells), outward)
    else:
        slope = (beyond[term.potential] - out[term.potential]) / faces.distance
    slopes = []
    for j, at in term.by_coefficient:
        slopes.append((j, 0.5 * (out[at] + (beyond[at] if j not in fixed else 0.0)) * slope))
    for j, at in term.by_potential:
        slopes.append((j, c * ((beyond[at] if j not in fixed else 0.0) - out[at]) / faces.distance))
    flux = c * slope
    if not term.carried:
        return flux, slopes
    leaves = flux >= 0
    value = np.where(leaves, inside[term.state], fixed[term.state])
    return flux * value, [*((j, s * value) for j, s in slopes), (term.state, np.where(leaves, flux, 0.0))]
