"""One curve of folds, Hopf points or transcritical points: walked both ways, the special points on it located."""

import numpy as np

from . import machine
from .curve_result import Curve
from .normal_forms import first_lyapunov, fold_coefficients
from .points import Local, hopf_border
from .result import SpecialPoint
from .walk import ENDS, FLOOR, TOLERANCE, Steps, walk

__all__ = ["walk_critical", "walk_face"]

LOCATED = 1e-15


class _Plane:
    """Newton steps onto a curve of one kind, on planes across it."""

    def __init__(self, kind, equations):
        n = equations.n
        rows = 2 * n + 1 if kind == machine.FOLD else 2 * n + 2
        count = rows + 1
        self.kind, self.n, self.count = kind, n, count
        self.system = equations.system(second=True)
        self.floor = np.full(count, FLOOR)
        self.floor[n : 2 * n] = 1.0
        self.work = (
            np.empty(n), np.empty((n, n + 2)), np.empty(len(self.system[7])), np.empty(rows), np.empty((rows, count)),
            np.empty((count, count)), np.empty(count), np.empty(count), np.empty(count, np.int64),
        )  # fmt: skip

    def correct(self, start, z, tau, h, size, border):
        w = np.array(start)
        with np.errstate(all="ignore"):
            taken, _ = machine.correct(self.kind, w, z, tau, h, size, self.system, border, self.work, 1e-12)
        return w if taken and np.all(np.isfinite(w)) else None

    def direction(self, z, border):
        f, J, H, R, A = self.work[:5]
        machine.assemble(self.kind, z, self.system, border, f, J, H, R, A)
        size = np.maximum(np.abs(z), self.floor)
        scaled = A * size
        rows = np.max(np.abs(scaled), axis=1)
        return np.linalg.svd(scaled / np.where(rows > 0, rows, 1)[:, None])[2][-1] * size


def walk_critical(kind, equations, own, limits, spans):
    """A curve through a fold or Hopf point; None if the point is not on one.

    Parameters
    ----------
    kind : int
    equations : Equations
        With two moved parameters.
    own : (n + 2,) array
        States and parameters in their own units.
    limits : Limits
    spans : tuple

    Returns
    -------
    Curve or None
    """
    n, plane = equations.n, _Plane(kind, equations)
    z = own / equations.scale
    f, J, H = plane.work[:3]
    machine.evaluate(z, plane.system, f, J, H)
    if kind == machine.FOLD:
        v = np.linalg.svd(J[:, :n])[2][-1]
        border, extra = np.array([v, v]), v
    else:
        start = hopf_border(J[:, :n])
        if start is None:
            return None
        extra, border = np.append(start[0], start[1]), start[2]
        plane.floor[2 * n] = 1e-2 * start[1]
    full = np.concatenate([z[:n], extra, z[n:]])
    heading = plane.direction(full, border)
    ways = [_one_way(plane, full, sign * heading, border, limits) for sign in (1.0, -1.0)]
    if any(way is None for way in ways):
        return None
    (Z1, T1, V1, e1), (Z2, T2, V2, e2) = ways
    if kind == machine.HOPF:
        for Z, V in ((Z1, V1), (Z2, V2)):
            V[:, 1] = [_lyapunov(plane, equations, z) for z in Z]
    events = _events(plane, equations, Z1, T1, V1) + _events(plane, equations, Z2, T2, V2)
    Z, l1 = np.vstack([Z2[:0:-1], Z1]), np.concatenate([V2[:0:-1, 1], V1[:, 1]])
    return _curve(kind, equations, Z, l1, events, (e2, e1), limits)


def _one_way(plane, full, heading, border, limits):
    n, count = plane.n, plane.count
    m_low, m_high = limits.low - 1e-7, limits.high + 1e-7
    far = np.full(count - n - 2, 1e12)
    low, high = np.concatenate([m_low[:n], -far, m_low[n:]]), np.concatenate([m_high[:n], far, m_high[n:]])
    if plane.kind == machine.HOPF:
        low[2 * n] = 0.0
    left = np.linalg.svd(plane.work[1][:, :n])[0][:, -1].copy()
    with np.errstate(all="ignore"):
        Z, T, tests, _, reason = machine.follow(
            plane.kind, full, np.ascontiguousarray(heading), plane.system, border.copy(), left, plane.floor, low, high,
            limits.steps, TOLERANCE, limits.most,
        )  # fmt: skip
    if len(Z) == 0:
        return None
    end = ENDS.get(reason, "")
    if reason == machine.LIMIT:
        names = (*limits.names[:n], *["null vector"] * n, *(["frequency"] if plane.kind == machine.HOPF else []),
                 *limits.names[n:])  # fmt: skip
        end = next(f"{x} at its limit" for x, z, a, b in zip(names, Z[-1], low, high, strict=True) if z < a or z > b)
    return Z, T, tests, end


def _events(plane, equations, Z, T, tests):
    found = []
    kinds = ("cusp", "Bogdanov-Takens") if plane.kind == machine.FOLD else ("Bogdanov-Takens", "generalised Hopf")
    for i in range(len(Z) - 1):
        for test, kind in enumerate(kinds):
            if tests[i, test] * tests[i + 1, test] < 0:
                z = _locate(plane, equations, Z[i], Z[i + 1], T[i], test)
                if z is not None:
                    found.append((kind, z[0], z[1]))
    return found


def _lyapunov(plane, equations, z):
    n = plane.n
    if not z[2 * n] > 0:
        return np.nan
    own = np.concatenate([z[:n], z[-2:]]) * equations.scale
    local = Local(equations, own)
    return first_lyapunov(local, own / local.scale, float(np.sqrt(z[2 * n])))["l1"]


def _test(plane, equations, z, test, left):
    if plane.kind == machine.HOPF:
        return _lyapunov(plane, equations, z) if test == 1 else z[2 * plane.n]
    f, J, H = plane.work[:3]
    machine.evaluate(np.concatenate([z[: plane.n], z[-2:]]), plane.system, f, J, H)
    found = np.zeros(3)
    machine.tests_of(plane.kind, z, z, plane.system, J, H, left.copy(), found)
    return found[test]


def _locate(plane, equations, z, after, tangent, test):
    """The zero of a test along the curve between two points, by false position on planes across it (Illinois)."""
    n = plane.n
    f, J, H = plane.work[:3]
    machine.evaluate(np.concatenate([z[:n], z[-2:]]), plane.system, f, J, H)
    left = np.linalg.svd(J[:, :n])[0][:, -1].copy()
    v = z[n : 2 * n]
    border = np.array([v, v])
    if plane.kind == machine.HOPF:
        other = J[:, :n] @ v
        other -= (other @ v) * v
        border[1] = other / np.linalg.norm(other)
    size = np.maximum(np.abs(z), plane.floor)
    tau = tangent / size
    tau /= np.linalg.norm(tau)
    low, high = 0.0, float(tau @ ((after - z) / size)) * 1.001
    length, w = high, z

    def at(h):
        w = plane.correct(z + h * tau * size, z, tau, h, size, border)
        return (None, np.nan) if w is None else (w, _test(plane, equations, w, test, left))

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
        if abs(high - last) < LOCATED * length or value == 0 or abs(high - low) < LOCATED * length:
            break
    return w, abs(high - last)


def _curve(kind, equations, Z, l1, events, ends, limits):
    n, name = equations.n, "fold" if kind == machine.FOLD else "Hopf"
    own = np.hstack([Z[:, :n], Z[:, -2:]]) * equations.scale
    keep = np.all((own[:, n:] / equations.scale[n:] >= limits.low[n:] - 1e-7)
                  & (own[:, n:] / equations.scale[n:] <= limits.high[n:] + 1e-7), axis=1)  # fmt: skip
    if kind == machine.HOPF:
        keep &= Z[:, 2 * n] > 0
    special = [_special(kind, equations, *event) for event in events]
    special = [p for p in special if p is not None]
    own, Z, l1 = own[keep], Z[keep], l1[keep]
    coefficient, frequency = l1, np.full(len(own), np.nan)
    if kind == machine.HOPF:
        frequency = np.sqrt(Z[:, 2 * n])
    else:
        for i, (z, point) in enumerate(zip(Z, own, strict=True)):
            local = Local(equations, point)
            along = z[n : 2 * n] * equations.scale[:n] / local.scale[:n]
            coefficient[i] = fold_coefficients(local, point / local.scale, along)["a"]
    return Curve(equations.problem, name, equations.over, own[:, n:], equations.states(own), coefficient, frequency,
                 tuple(special), ends)  # fmt: skip


def _special(kind, equations, what, z, step):
    n = equations.n
    own = np.concatenate([z[:n], z[-2:]]) * equations.scale
    local = Local(equations, own)
    _, J, _ = local.derivatives(own / local.scale)
    eigenvalues = np.linalg.eigvals(J[:, :n]).astype(complex)
    eigenvalues = eigenvalues[np.argsort(-eigenvalues.real, kind="stable")]
    one, two = equations.over
    values = dict(zip(equations.problem.system.states, equations.states(own)[0].tolist(), strict=True))
    frequency = float(np.sqrt(z[2 * n])) if kind == machine.HOPF and what != "Bogdanov-Takens" else np.nan
    text = f"{what} at {one} = {own[-2]:.8g}, {two} = {own[-1]:.8g}"
    return SpecialPoint(what, one, float(own[-2]), values, eigenvalues, frequency, {}, text, float(step),
                        {two: float(own[-1])})  # fmt: skip


def walk_face(face, state, start, limits, second):
    """A curve of transcritical points, on the face where a state is absent.

    Parameters
    ----------
    face : Equations
        Of the other states and the second parameter as unknowns, over the first.
    state : State
        The absent one.
    start : sequence of float
    limits : Limits
    second : str

    Returns
    -------
    Curve or None
    """
    z = np.array(start) / face.scale
    steps = Steps(face)
    one = walk(face, z, steps.direction(z), limits, steps=steps)
    if one is None:
        return None
    own = one.Z * face.scale
    names = [s.name for s in face.written.variables]
    first = face.over[0]
    states = np.zeros((len(own), len(face.problem.system.states)))
    for i, name in enumerate(face.problem.system.states):
        if name != state.name:
            states[:, i] = own[:, names.index(name)]
    values = np.column_stack([own[:, names.index(first)], own[:, names.index(second)]])
    nothing = np.full(len(own), np.nan)
    return Curve(face.problem, "transcritical", (first, second), values, states, nothing, nothing, (), one.ends)
