"""On which side of a saddle a solution passes: the unstable coordinate, its slopes, and how it moves with parameters.

Near a saddle with one unstable eigenvalue lam there is a function phi of the state that grows as exp(lam t) along
solutions; the stable manifold, on which solutions end at the saddle, is where it vanishes. To second order in the
distance z from the saddle it is w.z + z.H z/2, with w the left eigenvector and
H A + A^T H - lam H = -w.D2f for the Jacobian A: neglected is the cube of the distance.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Saddle", "make_saddle"]

STEP = 1e-4  # of a state's size, in differences of the Jacobian


@dataclass(frozen=True, eq=False)
class Saddle:
    """A saddle of a landscape.

    Attributes
    ----------
    number : int
        Position among the steady states.
    y, size : (n,) arrays
        The saddle, and what counts as far from it in each state.
    rate : float
        The unstable eigenvalue.
    slope : (n,) array
        Left eigenvector in states.
    curvature : (n, n) array
        Second derivatives of phi.
    """

    number: int
    y: np.ndarray
    size: np.ndarray
    rate: float
    slope: np.ndarray
    curvature: np.ndarray

    def distance(self, y) -> np.ndarray:
        """Largest distance in any state relative to its size; y is (..., n)."""
        return np.max(np.abs(y - self.y) / self.size, axis=-1)

    def phi(self, y) -> float:
        """The unstable coordinate."""
        d = y - self.y
        return float(self.slope @ d + 0.5 * d @ self.curvature @ d)

    def gradient(self, y) -> np.ndarray:
        """Its derivative by the state, (n,)."""
        return self.slope + self.curvature @ (y - self.y)

    def by_parameters(self, y, sensitivities, moves) -> np.ndarray:
        """Its derivatives by parameters, (k,).

        Parameters
        ----------
        y : (n,) array
        sensitivities, moves : (n, k) arrays
            Derivatives of y and of the saddle itself.
        """
        return self.gradient(y) @ (sensitivities - moves)


def make_saddle(land, number) -> Saddle:
    """The unstable coordinate of a saddle.

    Parameters
    ----------
    land : Landscape
    number : int
        One of `land.saddles`.

    Returns
    -------
    Saddle
    """
    from scipy.linalg import solve_sylvester

    place, basis, scale = land.places[number], land.basis, land.scale
    values, left = np.linalg.eig(place.jacobian.T)
    at = int(np.argmax(values.real))
    rate, w = float(values[at].real), np.real(left[:, at])
    w = w / np.linalg.norm(w)
    shifted = place.jacobian - 0.5 * rate * np.eye(len(w))
    form = solve_sylvester(shifted.T, shifted, -_second(land, place, w))
    size = np.maximum(np.abs(place.y), 1e-3 * scale)
    out = basis / scale[:, None]
    return Saddle(number, place.y, size, rate, out @ w, out @ (0.5 * (form + form.T)) @ out.T)


def _second(land, place, w):
    """w . D2f in scaled coordinates, by central differences of the exact Jacobian; zero where there is none."""
    scale, basis = land.scale, land.basis
    back = basis @ w
    steps = STEP * np.maximum(np.abs(place.y), 1e-3 * scale)
    rows = []
    for i, h in enumerate(steps):
        move = np.zeros(len(steps))
        move[i] = h
        both = [_weighted(land, place.y + s * move, back) for s in (1, -1)]
        rows.append((both[0] - both[1]) / (2 * h) * scale[i])
    table = np.array(rows)
    if not np.all(np.isfinite(table)):
        return np.zeros((len(w), len(w)))
    return basis.T @ (0.5 * (table + table.T)) @ basis


def _weighted(land, y, back):
    with np.errstate(all="ignore"):
        full = land.problem.system.jac(0.0, y, land.problem.p, land.u)
    return back @ (full * land.scale / land.scale[:, None])
