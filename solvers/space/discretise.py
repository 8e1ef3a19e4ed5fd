"""discretise: a problem on a grid as one large system, by conservative finite volumes, in NumPy.

This is the reference for the compiled schemes, and what SciPy's solvers run. Values are (n, N): states by cells. A flux
through a face is

    driven:   c (phi_R - phi_L) / d,       c the mean of both cells,
    carried:  S v,  v = m (phi_R - phi_L) / d,  m the mean of both cells,

with S the mean of both cells where diffusion of S holds the cell Peclet number |v| d / D under 2, and beyond that more
and more the upwind value with van Leer's limiter [1]_. What leaves a cell enters its neighbour, so amounts are kept.

References
----------
.. [1] van Leer (1974), Journal of Computational Physics 14, 361-370.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from remission.models.errors import ProblemError

from .faces import faces_of, wall_faces
from .upwind import face_values
from .walls import wall_rates
from .written import write

__all__ = ["SpatialSystem", "discretise"]


@dataclass(frozen=True, eq=False)
class SpatialSystem:
    """Rates of all fields in all cells, and their derivatives.

    Attributes
    ----------
    problem : Problem
    written : Written
    maps : (n_mapped, N) array
    """

    problem: object
    written: object
    maps: np.ndarray

    @property
    def grid(self):
        return self.problem.grid

    @property
    def n(self) -> int:
        """Number of states."""
        return self.written.n

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.grid.size

    @cached_property
    def parameters(self) -> list:
        """Values of the parameters that are no fields, in the order of the tape."""
        return [self.problem.parameters[name] for name in self.written.own]

    @cached_property
    def positions(self) -> np.ndarray:
        """(2, N): x and y of the cells; y is zero where there is none."""
        places = self.grid.positions
        return np.array([places["x"], places.get("y", np.zeros(self.size))])

    @cached_property
    def faces(self):
        return faces_of(self.grid)

    @cached_property
    def walls(self) -> tuple:
        """(faces at a wall, Wall) of those that let something pass."""
        return tuple((wall_faces(self.grid, side), w) for side, w in self.grid.walls.items() if not isinstance(w, str))

    @cached_property
    def volumes(self) -> np.ndarray:
        return self.grid.volumes.ravel()

    def outputs(self, time, values, inputs, cells=slice(None)) -> np.ndarray:
        """All outputs of the tape in some cells, (n_out, number of cells)."""
        many = np.shape(values)[1]
        found = self.written.outputs(
            time, self.positions[:, cells], self.maps[:, cells], values, self.parameters, inputs
        )
        return np.array([np.broadcast_to(row, many) for row in found], dtype=float)

    def f(self, time, values, inputs) -> np.ndarray:
        """Rates of change.

        Parameters
        ----------
        time : float
        values : (n, N) array
        inputs : (n_u,) sequence of float

        Returns
        -------
        (n, N) array
        """
        out = self.outputs(time, values, inputs)
        rates = out[: self.n].copy()
        for term in self.written.terms:
            flux, _ = self.flux(term, values, out, self._self_diffusion(term, out, False))
            through = flux * self.faces.area
            rates[term.state] -= np.bincount(self.faces.left, through, self.size) / self.volumes
            rates[term.state] += np.bincount(self.faces.right, through, self.size) / self.volumes
        for faces, wall in self.walls:
            rates += wall_rates(self, faces, wall, time, values, inputs, out)[0]
        return rates

    def jac(self, time, values, inputs):
        """Derivatives of the rates; unknowns are numbered cell by cell, the states of a cell together.

        Parameters
        ----------
        time, values, inputs
            As in `f`.

        Returns
        -------
        (n N, n N) scipy.sparse.csc_array
        """
        import scipy.sparse as sps

        out = self.outputs(time, values, inputs)
        cells = np.arange(self.size)
        entries = [(cells * self.n + i, cells * self.n + j, out[at]) for i, j, at in self.written.rates_by]
        for term in self.written.terms:
            _, slopes = self.flux(term, values, out, self._self_diffusion(term, out, True), True)
            entries += self._spread(term.state, slopes)
        for faces, wall in self.walls:
            entries += wall_rates(self, faces, wall, time, values, inputs, out)[1]
        rows, columns, numbers = (np.concatenate(part) for part in zip(*entries, strict=True))
        count = self.n * self.size
        return sps.csc_array((numbers, (rows, columns)), shape=(count, count))

    def flux(self, term, values, out, diffusion, with_slopes=False):
        """Flux of a term through the inner faces, from left to right, and its derivatives.

        Parameters
        ----------
        term : WrittenTerm
        values : (n, N) array
        out : (n_out, N) array
            Of `outputs`.
        diffusion : tuple
            Of the state that is carried: values (k,) and slopes.
        with_slopes : bool

        Returns
        -------
        (k,) array, list of (int, (k,) int array, (k,) array)
            Slopes: (position of a state, cells, derivative by it there).
        """
        faces = self.faces
        left, right = faces.left, faces.right
        c = 0.5 * (out[term.coefficient][left] + out[term.coefficient][right])
        if term.potential < 0:
            slope = np.ones(len(left))
        else:
            slope = (out[term.potential][right] - out[term.potential][left]) / faces.distance
        speed = c * slope
        by = []
        if with_slopes:
            for side, sign in ((left, -1.0), (right, 1.0)):
                by += [(j, side, 0.5 * out[at][side] * slope) for j, at in term.by_coefficient]
                by += [(j, side, sign * c * out[at][side] / faces.distance) for j, at in term.by_potential]
        if not term.carried:
            return speed, by
        return face_values(values[term.state], term.state, speed, by, diffusion, faces)

    def _self_diffusion(self, term, out, with_slopes):
        """Diffusion coefficient at the faces of the state that a term carries, with slopes by (state, cells)."""
        total, by = np.zeros(len(self.faces.left)), []
        if not term.carried:
            return total, by
        for other in self.written.terms:
            if other.diffusive and other.state == term.state:
                for side in (self.faces.left, self.faces.right):
                    total -= 0.5 * out[other.coefficient][side]
                    if with_slopes:
                        by += [(j, side, -0.5 * out[at][side]) for j, at in other.by_coefficient]
        return np.maximum(total, 0.0), by

    def _spread(self, state, slopes):
        """Entries of the Jacobian from the slopes of a flux."""
        left, right, area = self.faces.left, self.faces.right, self.faces.area
        found = []
        for j, cells, value in slopes:
            there = cells >= 0  # beyond the last cell there is nothing
            columns, through = cells[there] * self.n + j, (value * area)[there]
            found.append((left[there] * self.n + state, columns, -through / self.volumes[left[there]]))
            found.append((right[there] * self.n + state, columns, through / self.volumes[right[there]]))
        return found


def discretise(problem) -> SpatialSystem:
    """A problem on its grid as one system.

    Parameters
    ----------
    problem : Problem
        With a grid of more than one cell.

    Returns
    -------
    SpatialSystem

    Raises
    ------
    ProblemError
        If the grid is one cell, a map or wall names what the model does not have, or a rectangle meets a velocity
        along the axis.

    Examples
    --------
    >>> from remission.models import glioma_invasion
    >>> from remission.solvers import Grid, Problem
    >>> spatial = discretise(Problem(glioma_invasion(), grid=Grid(4, 2.0)))
    >>> spatial.f(0.0, np.array([[1.0, 0.0, 0.0, 0.0]]), []).round(3).tolist()
    [[-0.52, 0.52, 0.0, 0.0]]
    """
    grid, model = problem.grid, problem.model
    if not grid.spatial:
        raise ProblemError(f"{model.name}: the grid is one cell; give Grid(n_cells, length) to solve in space")
    _check_names(model, grid)
    written = write(model, tuple(sorted(grid.maps)))
    if grid.geometry == "rectangle" and any(term.potential < 0 for term in written.terms):
        raise ProblemError(
            f"{model.name}: a flux without gradient goes along one axis and has no direction on a rectangle; write it "
            "with the gradient of a potential"
        )
    maps = np.array([grid.maps[name].ravel() for name in written.mapped]).reshape(len(written.mapped), grid.size)
    return SpatialSystem(problem, written, maps)


def _check_names(model, grid):
    from remission.models.errors import did_you_mean

    known, states = [p.name for p in model.parameters], [s.name for s in model.states]
    for name in grid.maps:
        if name not in known:
            raise ProblemError(f"{model.name}: the grid has a map of {name!r}; {did_you_mean(name, known)}")
    for side, wall in grid.walls.items():
        for name in () if isinstance(wall, str) else (*wall.value, *wall.inflow):
            if name not in states:
                raise ProblemError(f"{model.name}: the wall {side!r} names {name!r}; {did_you_mean(name, states)}")
