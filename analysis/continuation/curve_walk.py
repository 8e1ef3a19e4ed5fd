"""One curve of folds or Hopf points: walked both ways, the special points on it located."""

import numpy as np

from . import machine
from .coefficients import fold_along, lyapunov_along
from .compile import quiet
from .curve_result import Curve
from .describe import cleaned
from .points import Local, hopf_border
from .result import SpecialPoint
from .walk import ENDS, FLOOR, TOLERANCE

__all__ = ["Plane", "walk_critical", "zero_along"]

LOCATED, NEAR = 1e-15, 1e-9
OUTSIDE = 1e-7
TESTS = {machine.FOLD: ("cusp", "Bogdanov-Takens"), machine.HOPF: ("Bogdanov-Takens", "generalised Hopf")}


class Plane:
    """Newton steps onto a curve of folds or Hopf points, on planes across it, and the tests for what lies on it.

    Parameters
    ----------
    kind : int
        `machine.FOLD` or `machine.HOPF`.
    equations : Equations
        With two moved parameters.
    """

    def __init__(self, kind, equations):
        n = equations.n
        rows = 2 * n + 1 if kind == machine.FOLD else 2 * n + 2
        count = rows + 1
        self.kind, self.n, self.count, self.equations = kind, n, count, equations
        self.system = equations.system(second=True)
        self.third = equations.third_system() if kind == machine.HOPF else None
        self.floor = np.full(count, FLOOR)
        self.floor[n : 2 * n] = 1.0
        self.work = (
            np.empty(n), np.empty((n, n + 2)), np.empty(len(self.system[7])), np.empty(rows), np.empty((rows, count)),
            np.empty((count, count)), np.empty(count), np.empty(count), np.empty(count, np.int64),
        )  # fmt: skip

    def sizes(self, z):
        return np.maximum(np.abs(z), self.floor)

    def jacobian(self, z):
        """Derivatives by the states (n, n) at the unknowns."""
        f, J, H = self.work[:3]
        machine.evaluate(z, self.system, f, J, H)
        return J[:, : self.n]

    def border(self, z):
        """Vectors l1, l2 of the defining equations at a point of the curve, (2, n)."""
        v = z[self.n : 2 * self.n]
        if self.kind == machine.FOLD:
            return np.array([v, v]) / (v @ v)
        other = self.jacobian(z) @ v
        other = other - (other @ v) / (v @ v) * v
        return np.array([v / (v @ v), other / np.linalg.norm(other)])

    def start(self, own):
        """Unknowns (count,) at states and parameters (n + 2,) in their own units; None where nothing turns."""
        n, z = self.n, own / self.equations.scale
        J = self.jacobian(z)
        if self.kind == machine.FOLD:
            return np.concatenate([z[:n], np.linalg.svd(J)[2][-1], z[n:]])
        start = hopf_border(J)
        if start is None:
            return None
        self.floor[2 * n] = 1e-2 * start[1]
        return np.concatenate([z[:n], start[0], [start[1]], z[n:]])

    def own(self, Z):
        """States and parameters (..., n + 2) in their own units."""
        return np.concatenate([Z[..., : self.n], Z[..., -2:]], axis=-1) * self.equations.scale

    def correct(self, start, z, tau, h, size, border):
        """A point of the curve on the plane at h along tau (in units of size) from z, or None."""
        w = np.array(start)
        with quiet():
            taken, _ = machine.correct(self.kind, w, z, tau, h, size, self.system, border, self.work, 1e-12)
        return w if taken else None

    def on_plane(self, guess, j, value):
        """A point of the curve near a guess whose unknown j has a value, or None."""
        size = self.sizes(guess)
        tau = np.zeros(self.count)
        tau[j] = 1.0
        return self.correct(guess, guess, tau, (value - guess[j]) / size[j], size, self.border(guess))

    def direction(self, z):
        """Tangent of the curve at a point, (count,), of either sign."""
        f, J, H, R, A = self.work[:5]
        machine.assemble(self.kind, z, self.system, self.border(z), f, J, H, R, A)
        size = self.sizes(z)
        scaled = A * size
        rows = np.max(np.abs(scaled), axis=1)
        return np.linalg.svd(scaled / np.where(rows > 0, rows, 1)[:, None])[2][-1] * size

    def left(self, z):
        """Left null vector (n,) at a fold."""
        return np.linalg.svd(self.jacobian(z))[0][:, -1].copy()

    def tests(self, z, left):
        """The two tests of `TESTS` at a point."""
        if self.kind == machine.HOPF:
            return np.array([z[2 * self.n], lyapunov_along(z[None], self.system, self.third)[0]])
        f, J, H = self.work[:3]
        machine.evaluate(z, self.system, f, J, H)
        found = np.zeros(3)
        machine.tests_of(self.kind, z, z, self.system, J, H, left.copy(), found)
        return found[:2]


@np.errstate(all="ignore")
def walk_critical(kind, equations, own, limits):
    """A curve through a fold or Hopf point; None if the point is not on one.

    Parameters
    ----------
    kind : int
    equations : Equations
        With two moved parameters.
    own : (n + 2,) array
        States and parameters in their own units.
    limits : Limits

    Returns
    -------
    Curve or None
    """
    plane = Plane(kind, equations)
    full = plane.start(own)
    if full is None:
        return None
    heading = plane.direction(full)
    ways = [_one_way(plane, full, sign * heading, limits) for sign in (1.0, -1.0)]
    if any(way is None for way in ways):
        return None
    (Z1, T1, V1, e1), (Z2, T2, V2, e2) = ways
    events = _events(plane, Z1, T1, V1) + _events(plane, Z2, T2, V2)
    Z, coefficient = np.vstack([Z2[:0:-1], Z1]), np.concatenate([V2[:0:-1, 2], V1[:, 2]])
    keep = Z[:, 2 * plane.n] > 0 if kind == machine.HOPF else np.full(len(Z), True)
    Z, coefficient = Z[keep], coefficient[keep]
    own = cleaned(plane.own(Z), equations)
    frequency = np.sqrt(Z[:, 2 * plane.n]) if kind == machine.HOPF else np.full(len(Z), np.nan)
    special = tuple(_special(plane, *event) for event in events)
    name = "fold" if kind == machine.FOLD else "Hopf"
    return Curve(equations.problem, name, equations.over, own[:, plane.n :], equations.states(own), coefficient,
                 frequency, special, (e2, e1))  # fmt: skip


def _one_way(plane, full, heading, limits):
    """Points, tangents, tests with the coefficient in the third column, and how the curve ends."""
    n, count = plane.n, plane.count
    far = np.full(count - n - 2, 1e12)
    low, high = (
        np.concatenate([side[:n], sign * far, side[n:]]) for side, sign in ((limits.low, -1), (limits.high, 1))
    )
    if plane.kind == machine.HOPF:
        low[2 * n] = 0.0
    left, border = plane.left(full) if plane.kind == machine.FOLD else np.zeros(n), plane.border(full)
    Z, T, tests, _, reason = machine.follow(
        plane.kind, full, np.ascontiguousarray(heading), plane.system, border, left.copy(), plane.floor,
        low - OUTSIDE * (low != 0.0), high + OUTSIDE, limits.steps, TOLERANCE, limits.most,
    )  # fmt: skip
    if len(Z) == 0:
        return None
    end = ENDS.get(reason, "")
    if reason == machine.LIMIT and len(Z) > 1:
        names = (*limits.names[:n], *["null vector"] * n, *(["frequency"] if plane.kind == machine.HOPF else []),
                 *limits.names[n:])  # fmt: skip
        over = np.maximum(low - Z[-1], Z[-1] - high) / plane.sizes(Z[-1])
        j = int(np.argmax(over))
        end = f"{names[j]} at its limit"
        _move_end(plane, Z, tests, j, low[j] if Z[-1, j] < low[j] else high[j])
    along = fold_along(Z, plane.system, left) if plane.kind == machine.FOLD else None
    along = lyapunov_along(Z, plane.system, plane.third) if along is None else along
    tests[:, 2] = along
    if plane.kind == machine.HOPF:
        tests[:, 1] = along
    return Z, T, tests, end


def _move_end(plane, Z, tests, j, bound):
    """Move the last point, which lies outside a limit of unknown j, onto it."""
    if plane.n <= j < plane.count - 2:
        return
    part = (bound - Z[-2, j]) / (Z[-1, j] - Z[-2, j])
    guess = Z[-2] + min(max(part, 0.0), 1.0) * (Z[-1] - Z[-2])
    w = plane.on_plane(guess, j, bound)
    near = w is not None and np.linalg.norm((w - guess) / plane.sizes(guess)) < 1.0
    Z[-1] = w if near else guess  # where a fold meets a face its equations are singular
    Z[-1, j] = bound
    tests[-1, :2] = plane.tests(Z[-1], plane.left(Z[-1]))


def _events(plane, Z, T, tests):
    found = []
    changes = tests[:-1, :2] * tests[1:, :2] < 0
    for i, test in np.argwhere(changes):
        z = _locate(plane, Z[i], Z[i + 1], T[i], test)
        if z is not None:
            found.append((TESTS[plane.kind][test], *z))
    return found


def _locate(plane, z, after, tangent, test):
    """The zero of a test along the curve between two points, on planes across it."""
    left = plane.left(z) if plane.kind == machine.FOLD else None
    border, size = plane.border(z), plane.sizes(z)
    tau = tangent / size
    tau /= np.linalg.norm(tau)
    high = float(tau @ ((after - z) / size)) * 1.001

    def at(h):
        w = plane.correct(z + h * tau * size, z, tau, h, size, border)
        return (None, np.nan) if w is None else (w, plane.tests(w, left)[test])

    return zero_along(at, high)


def zero_along(at, high):
    """The zero of a test between 0 and a distance along a curve, by false position (Illinois).

    Parameters
    ----------
    at : callable
        Distance -> (point or None, value of the test).
    high : float

    Returns
    -------
    (point, last step) or None
    """
    low, length, step = 0.0, high, high
    one, (w, two) = at(low)[1], at(high)
    if not one * two < 0:
        return None
    for _ in range(100):
        h = (low * two - high * one) / (two - one)
        w, value = at(h)
        if w is None or not np.isfinite(value):
            return None
        if value * two < 0:
            low, one = high, two
        else:
            one *= 0.5
        last, high, two = high, h, value
        step, before = abs(high - last), step
        if value == 0 or min(step, abs(high - low)) < LOCATED * length or max(step, before) < NEAR * length:
            break  # steps shrink faster than by a factor each time: after two that are near the next is rounding
    return w, step


def _special(plane, what, z, step):
    equations, n = plane.equations, plane.n
    own = plane.own(z)
    local = Local(equations, own)
    _, J, _ = local.derivatives(own / local.scale)
    eigenvalues = np.linalg.eigvals(J[:, :n]).astype(complex)
    eigenvalues = eigenvalues[np.argsort(-eigenvalues.real, kind="stable")]
    one, two = equations.over
    values = dict(zip(equations.problem.system.states, equations.states(own)[0].tolist(), strict=True))
    frequency = float(np.sqrt(z[2 * n])) if plane.kind == machine.HOPF and what != "Bogdanov-Takens" else np.nan
    text = f"{what} at {one} = {own[-2]:.8g}, {two} = {own[-1]:.8g}"
    return SpecialPoint(what, one, float(own[-2]), values, eigenvalues, frequency, {}, text, float(step),
                        {two: float(own[-1])})  # fmt: skip
