"""On which side of a saddle a solution passes: the unstable coordinate, its slopes, and how it moves with parameters.

Near a saddle with one unstable eigenvalue lam there is a function phi of the state that grows as exp(lam t) along
solutions; the stable manifold, on which solutions end at the saddle, is where it vanishes. To second order in the
distance z from the saddle it is w.z + z.H z/2, with w the left eigenvector and
H A + A^T H - lam H = -w.D2f for the Jacobian A: neglected is the cube of the distance.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Saddle", "make_saddle"]

LARGE = 0.1  # of the box: far from a saddle at which a state is zero
STEP = 1e-4  # of a state's size, in differences of the Jacobian


@dataclass(frozen=True, eq=False)
class Saddle:
    """A saddle of a landscape.

    Attributes
    ----------
    number : int
        Position among the steady states.
    y, size : (n,) arrays
        The saddle, and what is far from it in each state, however little the Jacobian changes there.
    rate : float
        The unstable eigenvalue.
    slope : (n,) array
        Left eigenvector in states.
    curvature : (n, n) array
        Second derivatives of phi.
    bends : (n, k + 1, k) array
        How each row of the Jacobian, and last the unstable row, changes with each state, relative to the row itself.
    """

    number: int
    y: np.ndarray
    size: np.ndarray
    rate: float
    slope: np.ndarray
    curvature: np.ndarray
    bends: np.ndarray

    def distance(self, y) -> np.ndarray:
        """Largest relative change of a state, or of a row of the Jacobian, from the saddle to y (..., n): 1 is far."""
        change = np.tensordot(y - self.y, self.bends, axes=1)
        rows = np.sqrt(np.max(np.sum(change**2, axis=-1), axis=-1))
        return np.maximum(rows, np.max(np.abs(y - self.y) / self.size, axis=-1))

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
    slopes = _slopes(land, place)
    second = basis.T @ np.einsum("i,kij->kj", w, slopes)
    shifted = place.jacobian - 0.5 * rate * np.eye(len(w))
    form = solve_sylvester(shifted.T, shifted, -0.5 * (second + second.T))
    out = basis / scale[:, None]
    bends = _relative(place.jacobian, w, rate, slopes) / scale[:, None, None]
    size = np.maximum(np.abs(place.y), LARGE * scale)
    return Saddle(number, place.y, size, rate, out @ w, out @ (0.5 * (form + form.T)) @ out.T, bends)


def _slopes(land, place):
    """Derivatives (n, k, k) of the scaled Jacobian by each scaled state; zero where there are none."""
    steps = STEP * np.maximum(np.abs(place.y), 1e-3 * land.scale)
    rows = []
    for i, h in enumerate(steps):
        move = np.zeros(len(steps))
        move[i] = h
        both = [land.reduced(place.y + s * move, land.basis) for s in (1, -1)]
        rows.append((both[0] - both[1]) / (2 * h) * land.scale[i])
    table = np.array(rows)
    return table if np.all(np.isfinite(table)) else np.zeros_like(table)


def _relative(jacobian, w, rate, slopes):
    """Changes (n, k + 1, k) of the rows of the Jacobian and of the unstable row, relative to those, balanced."""
    from scipy.linalg import matrix_balance

    _, (sizes, _) = matrix_balance(jacobian, permute=False, separate=True)
    balanced = jacobian * sizes / sizes[:, None]
    changes = slopes * sizes / sizes[:, None]
    across = w * sizes
    rows = np.linalg.norm(balanced, axis=1)
    rows = np.maximum(rows, 1e-3 * np.max(rows))
    unstable = np.einsum("i,kij->kj", across, changes) / (rate * np.linalg.norm(across))
    return np.concatenate([changes / rows[:, None], unstable[:, None, :]], axis=1)
