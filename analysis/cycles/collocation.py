"""Periodic orbits as piecewise polynomials: basis, mesh, Newton steps, tangent."""

import functools
from dataclasses import dataclass

import numpy as np

from . import machine
from .lengths import border_of, length_of

__all__ = ["Basis", "Cycle", "Solver", "basis_of"]

NEWTON_STEPS = 9
TOLERANCE = 1e-9  # of the last correction: multipliers are those of the orbit before it
SETTLED = 1e-6  # corrections below this that no longer shrink are rounding
FLOOR = 1e-3  # least size of a state or parameter, in its scale


@dataclass(frozen=True, eq=False)
class Basis:
    """Polynomials of degree m on [0, 1] through m + 1 even points.

    Attributes
    ----------
    nodes : (m + 1,) array
    gauss, weights : (m,) arrays
        Gauss points of [0, 1].
    slopes, values : (m, m + 1) arrays
        Of each polynomial at the Gauss points.
    coefficients : (m + 1, m + 1) array
        Powers of each polynomial, highest first, one a column.
    mean : (m + 1,) array
        Integrals over [0, 1].
    """

    nodes: np.ndarray
    gauss: np.ndarray
    weights: np.ndarray
    slopes: np.ndarray
    values: np.ndarray
    coefficients: np.ndarray
    mean: np.ndarray

    def at(self, x) -> np.ndarray:
        """Values of the polynomials (k, m + 1) at points x (k,) of [0, 1]."""
        return np.vander(np.asarray(x, dtype=float), len(self.nodes)) @ self.coefficients


@functools.lru_cache(maxsize=8)
def basis_of(m) -> Basis:
    """The basis of a degree.

    Examples
    --------
    >>> basis_of(2).mean.round(6).tolist()
    [0.166667, 0.666667, 0.166667]
    """
    nodes = np.arange(m + 1) / m
    x, w = np.polynomial.legendre.leggauss(m)
    gauss, weights = (x + 1) / 2, w / 2
    coefficients = np.linalg.inv(np.vander(nodes, m + 1))
    powers = np.arange(m, -1, -1)
    slopes = (np.vander(gauss, m + 1)[:, 1:] * powers[:-1]) @ coefficients[:-1]
    values = np.vander(gauss, m + 1) @ coefficients
    return Basis(nodes, gauss, weights, slopes, values, coefficients, (1 / (powers + 1.0)) @ coefficients)


@dataclass(frozen=True, eq=False)
class Cycle:
    """A periodic orbit in units of the solver.

    Attributes
    ----------
    U : (N m + 1, n) array
    ends : (2,) array
        Log period, parameter.
    mesh : (N + 1,) array
        From 0 to 1.
    V, direction : like U and ends
        Tangent of the branch.
    steps : (N, n, n) array
        Derivative of each interval's last value by its first.
    taken : int
        Newton steps.
    bend : (array like U, array like ends) or None
        Change of the unit tangent for each length along the branch.
    cosine : float
        Of the angle between the tangents here and at the orbit before.
    """

    U: np.ndarray
    ends: np.ndarray
    mesh: np.ndarray
    V: np.ndarray
    direction: np.ndarray
    steps: np.ndarray
    taken: int = 0
    bend: tuple | None = None
    cosine: float = 1.0

    @property
    def h(self) -> np.ndarray:
        return np.diff(self.mesh)


class Solver:
    """Newton steps of one system.

    Parameters
    ----------
    equations : Equations
        Of one moved parameter.
    logs : (n,) bool array
        States in natural logarithms.
    m : int
        Degree.
    """

    def __init__(self, equations, logs, m):
        self.equations, self.logs, self.basis, self.m, self.n = equations, np.asarray(logs), basis_of(m), m, equations.n
        self.system = equations.system()
        self.weighted = self.basis.values.T * self.basis.weights  # from values at Gauss points to integrals

    def own(self, U) -> np.ndarray:
        """States in their own units."""
        return np.where(self.logs, np.exp(np.where(self.logs, U, 0.0)), U * self.equations.scale[: self.n])

    def mine(self, states) -> np.ndarray:
        """From states in their own units."""
        with np.errstate(all="ignore"):
            return np.where(self.logs, np.log(states), states / self.equations.scale[: self.n])

    def pieces(self, U) -> np.ndarray:
        """(N, m + 1, n) values of each interval."""
        U = np.ascontiguousarray(U)
        row, item = U.strides
        return np.ndarray(((len(U) - 1) // self.m, self.m + 1, self.n), float, U, strides=(self.m * row, row, item))

    def sizes(self, U, ends) -> tuple:
        """What states (n,) and (log period, parameter) are measured by along the branch."""
        spread = np.ptp(U, axis=0) / 2
        return np.where(self.logs, np.maximum(1.0, spread), np.maximum(np.max(np.abs(U), axis=0), FLOOR)), np.array(
            [1.0, max(abs(ends[1]), FLOOR)]
        )

    def phase(self, U) -> np.ndarray:
        """Border row (N, m + 1, n) that keeps the phase of an orbit: the integral of u times its u' is the same."""
        moved = self.basis.slopes @ self.pieces(U)
        return self.weighted @ moved / max(np.max(np.abs(moved)), 1e-300)

    def along(self, V, h, sizes) -> np.ndarray:
        """Border row (N, m + 1, n) of the inner product with a direction V."""
        at = self.basis.values @ self.pieces(V)
        return self.weighted @ (at * (h[:, None, None] / sizes**2))

    def correct(self, U, ends, mesh, rows, sides, target):
        """Newton steps from (U, ends) to the orbit that meets the border, or None."""
        h, steps = np.diff(mesh), np.empty((len(mesh) - 1, self.n, self.n))
        U, ends = np.array(U, dtype=float), np.array(ends, dtype=float)
        with np.errstate(all="ignore"):
            taken, V, direction = machine.newton(
                U, ends, h, self.system, self.logs, self.basis.slopes, self.basis.values, rows, sides, target, steps,
                NEWTON_STEPS, TOLERANCE, SETTLED,
            )  # fmt: skip
        return Cycle(U, ends, mesh, V, direction, steps, taken) if taken else None

    def step(self, cycle, length):
        """The orbit at a length along the branch from another one, or None; its tangent heads the same way."""
        basis = self.basis
        rows, sides, here, size, norm = border_of(
            cycle.U, cycle.ends, cycle.V, cycle.direction, cycle.h, self.logs, basis.slopes, basis.values,
            self.weighted, FLOOR,
        )  # fmt: skip
        U, ends = cycle.U + (length / norm) * cycle.V, cycle.ends + (length / norm) * cycle.direction
        if cycle.bend is not None:
            U, ends = U + 0.5 * length**2 * cycle.bend[0], ends + 0.5 * length**2 * cycle.bend[1]
        ahead = self.correct(U, ends, cycle.mesh, rows, sides, np.array([here[0], here[1] + length]))
        if ahead is None:
            return None
        # the last border row is 1 along the new tangent: its length in the same sizes is 1 / cosine
        new = length_of(ahead.V, ahead.direction, ahead.h, basis.values, basis.weights, size)
        bend = (ahead.V / new - cycle.V / norm) / length, (ahead.direction / new - cycle.direction / norm) / length
        return Cycle(ahead.U, ahead.ends, ahead.mesh, ahead.V, ahead.direction, ahead.steps, ahead.taken, bend, 1 / new)

    def unit(self, cycle, size, end_size):
        """Tangent of length 1 in the sizes."""
        square = np.sum(self.along(cycle.V, cycle.h, size) * self.pieces(cycle.V))
        length = np.sqrt(square + np.sum((cycle.direction / end_size) ** 2))
        return cycle.V / length, cycle.direction / length

    def at_parameter(self, cycle, value):
        """The orbit near another one at a value of the parameter (in its scale), or None."""
        rows = np.stack([self.phase(cycle.U), np.zeros((len(cycle.mesh) - 1, self.m + 1, self.n))])
        sides = np.array([[0.0, 0.0], [0.0, 1.0]])
        return self.correct(cycle.U, cycle.ends, cycle.mesh, rows, sides, np.array([0.0, value]))

    def moved(self, cycle, mesh) -> Cycle:
        """The same polynomials read on another mesh."""
        x = (mesh[:-1, None] + np.diff(mesh)[:, None] * self.basis.nodes[:-1]).ravel()
        i = np.clip(np.searchsorted(cycle.mesh, x, side="right") - 1, 0, len(cycle.mesh) - 2)
        weights = self.basis.at((x - cycle.mesh[i]) / cycle.h[i])
        curves = [cycle.U, cycle.V] + ([] if cycle.bend is None else [cycle.bend[0]])
        read = [(weights[:, None, :] @ self.pieces(W)[i])[:, 0] for W in curves]
        read = [np.vstack([W, W[:1]]) for W in read]
        bend = None if cycle.bend is None else (read[2], cycle.bend[1])
        return Cycle(read[0], cycle.ends, mesh, read[1], cycle.direction, cycle.steps, cycle.taken, bend)

    def density(self, cycle) -> np.ndarray:
        """(N,) how many intervals each interval wants: the (m + 1)-th root of the next derivative times its length."""
        m, h = self.m, cycle.h
        size, _ = self.sizes(cycle.U, cycle.ends)
        highest = np.einsum("j,ijk->ik", self.basis.coefficients[0], self.pieces(cycle.U / size)) / h[:, None] ** m
        jump = np.abs(highest - np.roll(highest, 1, axis=0)) / ((h + np.roll(h, 1)) / 2)[:, None]
        derivative = np.sqrt(np.sum(((jump + np.roll(jump, -1, axis=0)) / 2) ** 2, axis=1))
        return derivative ** (1 / (m + 1)) * h

    def equidistributed(self, cycle, N) -> np.ndarray:
        """A mesh of N intervals on which the error is spread evenly."""
        wanted = self.density(cycle)
        total = np.sum(wanted)
        if not (np.isfinite(total) and total > 0):
            return np.linspace(0, 1, N + 1)
        wanted = wanted + 0.1 * total * cycle.h  # no interval is left without points
        reached = np.append(0.0, np.cumsum(wanted))
        mesh = np.interp(np.linspace(0, reached[-1], N + 1), reached, cycle.mesh)
        mesh[0], mesh[-1] = 0.0, 1.0
        return mesh
