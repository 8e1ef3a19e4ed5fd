"""One curve of steady states: walked both ways, cut at its limits, its special points located."""

from dataclasses import dataclass, field

import numpy as np

from . import machine
from .compile import quiet, tell_if_waiting
from .points import Local, branch_point, fold_point, hopf_point

__all__ = ["Found", "Limits", "Walk", "is_upright", "lies_on", "walk", "within"]

TOLERANCE = 3e-6  # of the last step: what is left is about its square
FLOOR = 1e-3  # of the size of a state: smaller values are measured by this
SAME = 1e-6
AT_BOUND = 1e-12


@dataclass(frozen=True, eq=False)
class Limits:
    """Where a curve ends, in units of `Equations.scale`.

    Attributes
    ----------
    low, high : (n + m,) arrays
    names : tuple of str
    steps : (first, least, largest)
    most : int
        Points each way.
    """

    low: np.ndarray
    high: np.ndarray
    names: tuple
    steps: tuple
    most: int


@dataclass(frozen=True, eq=False)
class Found:
    """A special point before it is described: where on the curve, in local units, with its `Local`.

    Attributes
    ----------
    kind : {"fold", "Hopf", "branch point"}
    at : float
        Position along the curve in points.
    z : (n + 1,) array
        In units of `local.scale`.
    local : Local
    extra : object
        Null vector, frequency or left null vector.
    """

    kind: str
    at: float
    z: np.ndarray
    local: object
    extra: object


@dataclass(frozen=True, eq=False)
class Walk:
    """Points of a curve in units of `scale`, their tangents, stability and special points; how its two ends came.

    Attributes
    ----------
    Z, T : (k, n + 1) arrays
    unstable : (k,) int array
        Eigenvalues with positive real part.
    found : list of Found
    ends : tuple of str
    """

    Z: np.ndarray
    T: np.ndarray
    unstable: np.ndarray
    found: list = field(default_factory=list)
    ends: tuple = ("", "")


def within(z, limits) -> bool:
    """Whether a point is inside the limits or on them."""
    return bool(np.all(z >= limits.low - AT_BOUND) and np.all(z <= limits.high + AT_BOUND))


class Steps:
    """Newton steps back onto the curve of one system."""

    def __init__(self, equations):
        tell_if_waiting(machine.follow)
        n, count = equations.n, equations.n + 1
        self.n, self.system, self.border = n, equations.system(), np.zeros((2, n))
        self.floor = np.full(count, FLOOR)
        self.work = (
            np.empty(n), np.empty((n, count)), np.empty(0), np.empty(count - 1), np.empty((count - 1, count)),
            np.empty((count, count)), np.empty(count), np.empty(count), np.empty(count, np.int64),
        )  # fmt: skip

    def sizes(self, z):
        return np.maximum(np.abs(z), self.floor)

    def correct(self, start, z, tau, h, size):
        """A point of the curve on the plane at h along tau (in units of size) from z, or None."""
        w = np.array(start, dtype=float)
        with quiet():
            taken, _ = machine.correct(machine.STEADY, w, z, tau, h, size, self.system, self.border, self.work, 1e-11)
        return w if taken else None

    def direction(self, z):
        """Tangent of the curve at a point, (n + 1,), of either sign."""
        f, J, H, R, A = self.work[:5]
        machine.assemble(machine.STEADY, z, self.system, self.border, f, J, H, R, A)
        size = self.sizes(z)
        scaled = A * size
        rows = np.max(np.abs(scaled), axis=1)
        return np.linalg.svd(scaled / np.where(rows > 0, rows, 1)[:, None])[2][-1] * size

    def on_plane(self, start, j, value):
        """A point of the curve whose unknown j has a value, or None."""
        size = self.sizes(start)
        tau = np.zeros(len(start))
        tau[j] = 1.0
        return self.correct(start, start, tau, (value - start[j]) / size[j], size)

    def tests(self, w, tangent):
        """Tests at a point, the third the determinant bordered by a tangent."""
        f, J, H, R, A, M, rows, _, pivots = self.work
        machine.assemble(machine.STEADY, w, self.system, self.border, f, J, H, R, A)
        size = self.sizes(w)
        tau = tangent / size
        tau /= np.linalg.norm(tau)
        machine.bordered(A, tau, size, rows, M)
        sign = machine.determinant(M, len(w), pivots)
        d = np.zeros(len(w))
        d[-1] = 1.0
        machine.substitute(M, len(w), pivots, d)
        found = np.zeros(3)
        machine.tests_of(machine.STEADY, w, d * size, self.system, J, H, np.zeros(self.n), found)
        found[2] = sign
        return found


def walk(equations, start, heading, limits, both=True, steps=None):
    """Follow a curve from a point.

    Parameters
    ----------
    equations : Equations
    start, heading : (n + 1,) arrays
        In units of `equations.scale`.
    limits : Limits
    both : bool
        Also against the heading.
    steps : Steps, optional

    Returns
    -------
    Walk or None
        None where no curve is found at the start, or none that could be followed.
    """
    steps = steps or Steps(equations)
    with np.errstate(all="ignore"):  # the same functions run as plain Python where numba is missing
        found = _one_way(equations, start, heading, limits, steps)
        if found is not None and both and found.ends[1] != "closed":
            second = _one_way(equations, found.Z[0], -found.T[0], limits, steps)
            found = found if second is None else join(reverse(second), found)
    return None if found is None or len(found.Z) < 2 else found


def is_upright(one) -> bool:
    """Whether the parameter stays what it is: no branch over the parameter (a continuum, or a stub at a limit)."""
    return len(one.Z) > 2 and np.ptp(one.Z[:, -1]) <= 1e-10 * np.max(np.abs(one.Z[:, -1])) + 1e-14


def reverse(one):
    """The same curve the other way."""
    last = len(one.Z) - 1
    found = [Found(f.kind, last - f.at, f.z, f.local, f.extra) for f in reversed(one.found)]
    return Walk(one.Z[::-1], -one.T[::-1], one.unstable[::-1], found, one.ends[::-1])


def join(one, two):
    """Two curves of which the second starts where the first ends."""
    shift = len(one.Z) - 1
    found = one.found + [Found(f.kind, f.at + shift, f.z, f.local, f.extra) for f in two.found]
    parts = [np.concatenate([a, b[1:]]) for a, b in ((one.Z, two.Z), (one.T, two.T), (one.unstable, two.unstable))]
    return Walk(*parts, found, (one.ends[0], two.ends[1]))


def _one_way(equations, start, heading, limits, steps):
    Z, T, tests, jacobians, reason = machine.follow(
        machine.STEADY, np.ascontiguousarray(start), np.ascontiguousarray(heading), steps.system, steps.border,
        np.zeros(equations.n), steps.floor, limits.low - AT_BOUND, limits.high + AT_BOUND, limits.steps, TOLERANCE,
        limits.most,
    )  # fmt: skip
    if len(Z) == 0:
        return None
    raw = Walk(Z, T, _unstable(jacobians, tests), [], ("", ""))
    found = _events(equations, raw, tests, limits, steps)
    return _cut(raw, found, reason, limits, steps)


def _events(equations, raw, tests, limits, steps):
    """Special points between neighbouring points whose tests differ in sign."""
    found = []
    changes = tests[:-1] * tests[1:] < 0
    for i in np.flatnonzero(changes.any(axis=1)):
        for kind, test in (("branch point", 2), ("fold", 0), ("Hopf", 1)):
            if not changes[i, test]:
                continue
            point = _locate(equations, raw, int(i), kind, test, steps)
            if point is None:
                continue
            z = point.z * point.local.scale / equations.scale
            if within(z, limits) and not any(_same(point, other, equations) for other in found):
                found.append(point)
    return sorted(found, key=lambda f: f.at)


def _same(one, other, equations):
    """A vertical tangent at a pitchfork, seen as a fold too, is one point."""
    a, b = one.z * one.local.scale, other.z * other.local.scale
    size = np.maximum(np.abs(a), FLOOR * equations.scale)
    return np.max(np.abs(a - b) / size) < SAME


def _locate(equations, raw, i, kind, test, steps):
    """Halve the interval a few times by the test, then Newton steps on the defining system; more halving if needed."""
    z, size = raw.Z[i], steps.sizes(raw.Z[i])
    tau = raw.T[i] / size
    tau /= np.linalg.norm(tau)
    low, high = 0.0, float(tau @ ((raw.Z[i + 1] - z) / size))
    length = high
    sign = np.sign(steps.tests(z, raw.T[i])[test])
    guess = 0.5 * (raw.Z[i] + raw.Z[i + 1])
    finish = {"branch point": branch_point, "fold": fold_point, "Hopf": hopf_point}[kind]
    for attempt in range(40):
        middle = 0.5 * (low + high)
        w = steps.correct(z + middle * tau * size, z, tau, middle, size)
        if w is None:  # a branch point makes the plane's own equations singular: step aside
            middle = low + 0.37 * (high - low)
            w = steps.correct(z + middle * tau * size, z, tau, middle, size)
        if w is None:
            break
        guess = w
        if np.sign(steps.tests(w, raw.T[i])[test]) == sign:
            low = middle
        else:
            high = middle
        if attempt in (2, 5, 9) and kind == "Hopf" and _is_neutral_saddle(steps):
            return None
        if attempt in (2, 5, 9, 14, 20, 30, 39):
            done = _finish(equations, guess, finish, kind, raw, i, z, tau, size, length)
            if done is not None:
                return done
    return _finish(equations, guess, finish, kind, raw, i, z, tau, size, length)


def _is_neutral_saddle(steps):
    """Whether at the last point tested it is two real eigenvalues whose sum is near 0, and none are complex."""
    values = np.linalg.eigvals(steps.work[1][:, : steps.n])
    if np.any(values.imag):
        return False
    sums = np.abs(values[:, None] + values[None, :]) + np.diag(np.full(len(values), np.inf))
    return bool(np.min(sums / np.maximum(np.abs(values[:, None]), np.abs(values[None, :]))) < 0.1)


def _finish(equations, guess, finish, kind, raw, i, z, tau, size, length):
    local = Local(equations, guess * equations.scale)
    point = finish(local, guess * equations.scale / local.scale)
    if point is None:
        return None
    where = point[0] * local.scale / equations.scale
    along = float(tau @ ((where - z) / size)) / length
    near = np.linalg.norm((where - guess) / size) < 2 * length
    if not (-0.5 <= along <= 1.5 and near):
        return None
    return Found(kind, i + min(max(along, 0.0), 1.0), point[0], local, point[1])


ENDS = {
    machine.FULL: "most points",
    machine.STUCK: "steps became too small",
    machine.CLOSED: "closed",
}


def _cut(raw, found, reason, limits, steps):
    """Move the last point, which lies outside the limits, onto them."""
    if reason != machine.LIMIT or len(raw.Z) < 2:
        return Walk(raw.Z, raw.T, raw.unstable, found, ("", ENDS.get(reason, "")))
    inner, outer = raw.Z[-2], raw.Z[-1]
    moved = outer - inner
    with np.errstate(all="ignore"):
        reach = np.where(outer > limits.high + AT_BOUND, (limits.high - inner) / moved, np.inf)
        reach = np.minimum(reach, np.where(outer < limits.low - AT_BOUND, (limits.low - inner) / moved, np.inf))
    j = int(np.argmin(reach))
    bound = limits.high[j] if outer[j] > limits.high[j] else limits.low[j]
    end = f"{limits.names[j]} at its limit"
    last = len(raw.Z) - 2
    at_end = [f for f in found if f.at >= last and abs((f.z * f.local.scale)[j] / steps.system[6][j] - bound) < SAME]
    Z, T = raw.Z.copy(), raw.T
    if at_end:
        Z[-1] = at_end[0].z * at_end[0].local.scale / steps.system[6]
    else:
        guess = inner + min(max(reach[j], 0.0), 1.0) * moved
        w = steps.on_plane(guess, j, bound)
        near = w is not None and np.linalg.norm((w - guess) / steps.sizes(guess)) < 1.0
        Z[-1] = w if near else guess
    unstable = raw.unstable.copy()
    steps.tests(Z[-1], T[-1])
    unstable[-1] = _count(steps.work[1][None, :, : steps.n])[0]
    return Walk(Z, T, unstable, found, ("", end))


def _unstable(jacobians, tests):
    """Eigenvalues with positive real part, (k,): found where a determinant that tells of a change differs in sign."""
    if jacobians.shape[1] <= 2:
        return _count(jacobians)
    signs = np.column_stack([np.sign(tests[:, 0] * tests[:, 2]), np.sign(tests[:, 1])])
    cuts = np.flatnonzero(np.any(signs[1:] != signs[:-1], axis=1)) + 1
    first, last = np.append(0, cuts), np.append(cuts, len(tests)) - 1
    ends = _count(jacobians[np.append(first, last)]).reshape(2, -1)
    found = np.repeat(ends[0], last + 1 - first)
    for k in np.flatnonzero(ends[0] != ends[1]):  # a change that no test has told
        found[first[k] : last[k] + 1] = _count(jacobians[first[k] : last[k] + 1])
    return found


def _count(jacobians):
    if jacobians.shape[1] == 1:
        return (jacobians[:, 0, 0] > 0).astype(int)
    if jacobians.shape[1] != 2:
        return np.sum(np.linalg.eigvals(jacobians).real > 0, axis=1)
    (a, b), (c, d) = np.moveaxis(jacobians, 0, -1)  # of two the product and the sum tell
    product, total = a * d - b * c, a + d
    return np.where(product < 0, 1, np.where(total > 0, np.where(product > 0, 2, 1), 0))


def lies_on(one, z, steps):
    """Whether a point of some curve lies on this one."""
    size = steps.sizes(z)
    a, b = one.Z[:-1] / size, one.Z[1:] / size
    along = b - a
    lengths = np.maximum(np.einsum("ij,ij->i", along, along), 1e-300)
    fraction = np.clip(np.einsum("ij,ij->i", z / size - a, along) / lengths, 0, 1)
    gaps = np.linalg.norm(a + fraction[:, None] * along - z / size, axis=1)
    i = int(np.argmin(gaps))
    if gaps[i] > 0.3 * np.sqrt(lengths[i]) + SAME:
        return False
    guess = (a[i] + fraction[i] * along[i]) * size
    w = steps.correct(guess, z, along[i] / np.sqrt(lengths[i]), 0.0, size)
    return bool(np.max(np.abs((guess if w is None else w) - z) / size) < SAME)
