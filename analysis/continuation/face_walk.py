"""One curve of transcritical points, on the face where a state is absent, and where its criticality changes."""

import numpy as np

from .coefficients import jacobians_along, transcritical_along
from .curve_result import Curve
from .curve_walk import zero_along
from .points import Local
from .result import SpecialPoint
from .walk import Steps, walk

__all__ = ["walk_face"]

CHANGE = "change of criticality"


@np.errstate(all="ignore")
def walk_face(face, equations, state, start, limits):
    """A curve of transcritical points.

    Parameters
    ----------
    face : Equations
        Of the other states and the second parameter as unknowns, over the first.
    equations : Equations
        Of all states over both parameters.
    state : State
        The absent one.
    start : sequence of float
    limits : Limits

    Returns
    -------
    Curve or None
    """
    steps = Steps(face)
    z = np.array(start) / face.scale
    one = walk(face, z, steps.direction(z), limits, steps=steps)
    if one is None:
        return None
    names = [s.name for s in face.written.variables]
    order = [names.index(s.name) if s != state else -1 for s in equations.written.variables]
    at, system = order.index(-1), equations.system(second=True)

    def full(points):
        """States and both parameters, in units of the whole system."""
        own = points * face.scale
        found = own[..., order]
        found[..., at] = 0.0
        return found / equations.scale

    Z = full(one.Z)
    right, left = _vectors(system, Z[0])
    coefficient = transcritical_along(Z, system, right, left, at)
    points = []
    for i in np.flatnonzero(coefficient[:-1] * coefficient[1:] < 0):
        right, left = _vectors(system, Z[i])

        def test(w, right=right, left=left):
            return transcritical_along(full(w)[None], system, right, left, at)[0]

        found = _locate(steps, one, i, test)
        if found is not None:
            points.append(_change(equations, full(found[0]) * equations.scale, state, found[1]))
    own = Z * equations.scale
    n = equations.n
    return Curve(equations.problem, "transcritical", equations.over, own[:, n:], own[:, :n], coefficient,
                 np.full(len(own), np.nan), tuple(points), one.ends)  # fmt: skip


def _vectors(system, z):
    """Right and left null vector of the derivatives by the states."""
    left, _, right = np.linalg.svd(jacobians_along(z[None], system)[0][:, : system[4]])
    return right[-1].copy(), left[:, -1].copy()


def _locate(steps, one, i, test):
    z, size = one.Z[i], steps.sizes(one.Z[i])
    tau = (one.Z[i + 1] - z) / size
    high = float(np.linalg.norm(tau))
    tau /= high

    def at(h):
        w = steps.correct(z + h * tau * size, z, tau, h, size)
        return (None, np.nan) if w is None else (w, test(w))

    return zero_along(at, high)


def _change(equations, own, state, step):
    n = equations.n
    local = Local(equations, own)
    J = local.derivatives(own / local.scale)[1][:, :n]
    eigenvalues = np.linalg.eigvals(J).astype(complex)
    eigenvalues = eigenvalues[np.argsort(-eigenvalues.real, kind="stable")]
    one, two = equations.over
    values = dict(zip(equations.problem.system.states, own[:n].tolist(), strict=True))
    text = f"{CHANGE} at {one} = {own[-2]:.8g}, {two} = {own[-1]:.8g}: a small {state.name} comes in without a jump on "
    text += "one side, with a jump on the other"
    return SpecialPoint(CHANGE, one, float(own[-2]), values, eigenvalues, np.nan, {}, text, float(step),
                        {two: float(own[-1])})  # fmt: skip
