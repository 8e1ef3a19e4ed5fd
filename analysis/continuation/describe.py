"""From points in scaled units to special points in words, and from walks to branches."""

import numpy as np

from .normal_forms import branch_tangents, cubic_coefficient, first_lyapunov, fold_coefficients, quadratic_vanishes
from .result import Branch, SpecialPoint

__all__ = ["branch_of", "cleaned", "observed", "special_point"]

SEEN = 1e-10
ROUNDING = 1e-9  # of the largest eigenvalue, at a special point


def cleaned(points, equations):
    """Points (..., n + m) with 0 for what is rounding beside the size of its kind."""
    return np.where(np.abs(points) < 1e-14 * equations.scale, 0.0, points)


def observed(problem, over, points, states) -> dict:
    """Observables along a curve: points (k, n + m) in their own units, states (k, N)."""
    model, inputs = problem.model, problem.inputs()
    if not model.observables:
        return {}
    names = problem.system.parameters
    found = {name: np.empty(len(points)) for name in model.observables}
    constant = not any(s.name in over for e in model.observables.values() for s in e.free_symbols)
    u = np.array([[inputs[s]] for s in problem.system.inputs])
    if constant:
        rows = problem.system.observe(np.zeros(len(points)), states.T, problem.p, np.tile(u, (1, len(points))))
        return dict(zip(problem.system.observables, np.asarray(rows), strict=True))
    for i, (point, state) in enumerate(zip(points, states, strict=True)):
        at = dict(zip(over, point[-len(over) :], strict=True))
        p = [at.get(name, value) for name, value in zip(names, problem.p, strict=True)]
        u = np.array([[at.get(s, inputs[s])] for s in problem.system.inputs])
        for name, value in zip(
            problem.system.observables, problem.system.observe(np.zeros(1), state[:, None], p, u)[:, 0], strict=True
        ):
            found[name][i] = value
    return found


def special_point(equations, found) -> SpecialPoint:
    """A located point of one parameter, classified."""
    local, z = found.local, found.z
    point = cleaned(z * local.scale, equations)
    states = equations.states(point)
    values = dict(zip(equations.problem.system.states, states[0].tolist(), strict=True))
    J = local.derivatives(z)[1][:, : equations.n]
    eigenvalues = np.linalg.eigvals(J).astype(complex)
    eigenvalues = eigenvalues[np.argsort(-eigenvalues.real, kind="stable")]
    frequency = np.nan
    if found.kind == "fold":
        kind, coefficients, text = _fold(local, z)
    elif found.kind == "Hopf":
        frequency = found.extra
        kind, coefficients, text = _hopf(equations, local, z, frequency)
    else:
        kind, coefficients, text = _branch_point(equations, local, z, found.extra)
    name = equations.over[0]
    others = {k: float(v[0]) for k, v in observed(equations.problem, equations.over, point[None, :], states).items()}
    head = f"{kind} at {name} = {point[-1]:.8g}"
    return SpecialPoint(
        kind, name, float(point[-1]), values, eigenvalues, frequency, coefficients, head + text, _residual(local, z),
        others,
    )  # fmt: skip


def _residual(local, z):
    f, J, _ = local.derivatives(z)
    size = np.abs(J) @ np.maximum(np.abs(z), 1e-3) + np.abs(f)
    return float(np.max(np.where(size > 0, np.abs(f) / np.maximum(size, 1e-300), 0.0)))


def _fold(local, z):
    coefficients = fold_coefficients(local, z)
    side = {-1: ": two steady states below, none above", 1: ": two steady states above, none below"}
    return "fold", coefficients, side.get(coefficients["opens"], ", degenerate (a cusp or a branch point is near)")


def _hopf(equations, local, z, frequency):
    coefficients = first_lyapunov(local, z, frequency)
    l1 = coefficients["l1"]
    words = "supercritical (small cycles attract)" if l1 < 0 else "subcritical (small cycles repel)"
    if not abs(l1) > 0:
        words = "degenerate (l1 = 0)"
    unit = equations.problem.model.time_unit
    period = f"{2 * np.pi / frequency:.6g}" + ("" if unit in ("", "1") else f" {unit}s")
    return "Hopf", coefficients, f": {words}, period {period}"


def _branch_point(equations, local, z, psi):
    tangents = branch_tangents(local, z, psi)
    if not tangents:
        return "branch point", {}, ", branches not separated"
    if quadratic_vanishes(local, z):
        c = cubic_coefficient(local, z)
        if c == 0:
            return "branch point", {}, ": a continuum of steady states crosses, or it is degenerate"
        return "pitchfork", {"c": c}, ": " + ("supercritical" if c < 0 else "subcritical")
    size = equations.scale[: equations.n]
    absent = [
        s.name
        for i, s in enumerate(equations.written.variables[: equations.n])
        if abs(z[i] * local.scale[i]) < 1e-9 * size[i] and max(abs(t[i]) for t in tangents) > SEEN
    ]
    return "transcritical", {}, (": " + " and ".join(absent) + " can come in" if absent else "")


def branch_of(equations, one, points) -> Branch:
    """A walk as a branch.

    Parameters
    ----------
    equations : Equations
    one : Walk
    points : list of SpecialPoint
        Of `one.found`, in the same order.
    """
    own = one.Z * equations.scale
    unstable = one.unstable.copy()
    places, rows, counts = [], [], []
    at_zero = 1e-12 * np.max(equations.scale)
    for found, point in zip(one.found, points, strict=True):
        at = min(int(np.floor(found.at)) + 1, len(own))
        row = found.z * found.local.scale
        critical = np.sum(point.eigenvalues.real > ROUNDING * np.max(np.abs(point.eigenvalues)))
        if at > 0 and np.all(np.abs(own[at - 1] - row) <= at_zero + 1e-9 * np.abs(row)):
            own[at - 1], unstable[at - 1] = row, critical  # an end of the branch at the point itself
            places.append(at - 1 + len(rows))
        else:
            places.append(at + len(rows))
            rows.append((at, row))
            counts.append(critical)
    if rows:
        befores = [at for at, _ in rows]
        own = np.insert(own, befores, [row for _, row in rows], axis=0)
        unstable = np.insert(unstable, befores, counts)
    own = cleaned(own, equations)
    states = equations.states(own)
    return Branch(
        equations.problem, equations.over[0], own[:, -1].copy(), states, unstable,
        observed(equations.problem, equations.over, own, states), tuple(points), tuple(places), one.ends,
    )  # fmt: skip
