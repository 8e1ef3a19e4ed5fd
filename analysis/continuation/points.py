"""Special points by Newton steps on the equations that define them, with exact derivatives."""

import numpy as np

from . import machine
from .compile import quiet

__all__ = ["Local", "branch_point", "fold_point", "hopf_point", "newton"]

STEPS = 30
ROUNDING = np.finfo(float).eps


class Local:
    """Derivatives near a point, in units of the point's own sizes.

    Parameters
    ----------
    equations : Equations
    point : (n + m,) array
        States and moved parameters, in their own units.
    """

    def __init__(self, equations, point):
        self.equations, self.n, self.m = equations, equations.n, equations.m
        self.scale = np.maximum(np.abs(point), 1e-3 * equations.scale)
        self.system = equations.system(second=True, scale=self.scale)
        self.index = self.system[7]

    def derivatives(self, z):
        """f (n,), J (n, n + m) and H (n, n + m, n + m) at z (n + m,) in local units."""
        n, count = self.n, self.n + self.m
        f, J, h = np.empty(n), np.empty((n, count)), np.empty(len(self.index))
        machine.evaluate(z, self.system, f, J, h)
        H = np.zeros((n, count, count))
        i, j, k = self.index.T
        H[i, j, k] = h
        H[i, k, j] = h
        return f, J, H


def newton(residual, z):
    """Root near z of a square system, and the length of the last step; None where the steps do not settle.

    Parameters
    ----------
    residual : callable
        z -> (R, A).
    z : (k,) array
    """
    last = np.inf
    for step in range(STEPS):
        R, A = residual(z)
        rows = np.max(np.abs(A), axis=1)
        if not np.all(np.isfinite(A)) or not np.all(np.isfinite(R)) or np.any(rows == 0):
            return None
        try:
            d = np.linalg.solve(A / rows[:, None], -R / rows)
        except np.linalg.LinAlgError:
            return None
        z = z + d
        length = float(np.max(np.abs(d) / np.maximum(np.abs(z), 1.0)))
        if length < 4 * ROUNDING or (length < 1e-11 and length >= 0.5 * last):
            return z, min(length, last)
        if length > 1e3 or (step > 8 and length > 0.9 * last > 1e-6):
            return None
        last = length
    return (z, last) if last < 1e-9 else None


def _refined(kind, local, border, z):
    """Newton steps on the system that defines a fold or Hopf point; None where they do not settle."""
    z = np.ascontiguousarray(z)
    with quiet():
        length = machine.refine(kind, z, local.system, border, STEPS)
    return z if length < np.inf else None


def fold_point(local, z):
    """A fold near z (n + 1,): (point, null vector) in local units, or None."""
    n = local.n
    _, J, _ = local.derivatives(z)
    v = np.linalg.svd(J[:, :n])[2][-1]
    border = np.array([v, v])
    full = _refined(machine.FOLD, local, border, np.concatenate([z[:n], v, z[n:]]))
    if full is None:
        return None
    return np.concatenate([full[:n], full[2 * n :]]), full[n : 2 * n]


def hopf_border(J, omega_hint=None):
    """Start of v, kappa and the borders from a Jacobian: the complex pair nearest to the imaginary axis, or None."""
    values, vectors = np.linalg.eig(J)
    pairs = [i for i in range(len(values)) if values[i].imag > 1e-9 * abs(values[i])]
    if not pairs:
        return None
    i = min(pairs, key=lambda i: abs(values[i].real) / abs(values[i]))
    v = vectors[:, i].real
    v = v / np.linalg.norm(v) if np.linalg.norm(v) > 1e-8 else vectors[:, i].imag / np.linalg.norm(vectors[:, i].imag)
    other = J @ v
    other = other - (other @ v) * v
    return v, abs(values[i].imag) ** 2, np.array([v, other / np.linalg.norm(other)])


def hopf_point(local, z):
    """A Hopf point near z (n + 1,): (point, frequency) in local units, or None (a neutral saddle is none)."""
    n = local.n
    start = hopf_border(local.derivatives(z)[1][:, :n])
    if start is None:
        return None
    v, kappa, border = start
    full = _refined(machine.HOPF, local, border, np.concatenate([z[:n], v, [kappa], z[n:]]))
    if full is None or not full[2 * n] > 0:
        return None
    return np.concatenate([full[:n], full[2 * n + 1 :]]), float(np.sqrt(full[2 * n]))


def branch_point(local, z):
    """A branch point near z (n + 1,): (point, left null vector) in local units, or None.

    f + mu psi = 0, psi J = 0 (by states and parameter), psi psi = 1, with mu = 0 at the solution.
    """
    n = local.n
    _, J, _ = local.derivatives(z)
    psi = np.linalg.svd(J)[0][:, -1]

    def residual(w):
        x, psi, mu = w[: n + 1], w[n + 1 : 2 * n + 1], w[2 * n + 1]
        f, J, H = local.derivatives(x)
        R = np.concatenate([f + mu * psi, psi @ J, [psi @ psi - 1]])
        A = np.zeros((2 * n + 2, 2 * n + 2))
        A[:n, : n + 1] = J
        A[:n, n + 1 : 2 * n + 1] = mu * np.eye(n)
        A[:n, 2 * n + 1] = psi
        A[n : 2 * n + 1, : n + 1] = np.einsum("i,ijk->jk", psi, H)
        A[n : 2 * n + 1, n + 1 : 2 * n + 1] = J.T
        A[2 * n + 1, n + 1 : 2 * n + 1] = 2 * psi
        return R, A

    found = newton(residual, np.concatenate([z, psi, [0.0]]))
    if found is None or abs(found[0][2 * n + 1]) > 1e-8 * max(1.0, np.max(np.abs(J))):
        return None
    full = found[0]
    return full[: n + 1], full[n + 1 : 2 * n + 1]
