"""Saddles with one unstable direction, and their stable manifold to second order near them."""

from dataclasses import dataclass, replace

import numpy as np

from remission.models.errors import ProblemError

from ..steady_states import SteadyState, SteadyStates, steady_states

__all__ = [
    "Saddle",
    "box_scale",
    "brief",
    "chosen_saddle",
    "n_unstable",
    "point_of",
    "proper_saddles",
    "saddle_at",
    "states_of",
]

STEP = 1e-4  # of differences of the exact Jacobian, in parts of the box
FLAT = 1e-9  # part of a covector that counts as none


@dataclass(frozen=True, eq=False)
class Saddle:
    """A steady state with one unstable direction, with what its stable manifold looks like nearby.

    States near it are written ``at + height * out + z`` with z in the stable directions; the manifold is
    ``height = z' bend z / 2`` up to terms of third order.

    Attributes
    ----------
    at : (n,) array
    scale : (n,) array
        What states are measured by; the largest entry of `out / scale` is 1.
    rate : float
        The positive eigenvalue.
    out : (n,) array
        Its eigenvector, towards more tumour.
    across : (n,) array
        Its left eigenvector, ``across @ out = 1``.
    onto : (n, n) array
        Projection onto the stable directions.
    bend : (n, n) array
        Curvature of the manifold.
    eigenvalues : (n,) complex array
    """

    at: np.ndarray
    scale: np.ndarray
    rate: float
    out: np.ndarray
    across: np.ndarray
    onto: np.ndarray
    bend: np.ndarray
    eigenvalues: np.ndarray

    def height(self, y):
        """Signed distance of states (..., n) from the manifold along `out`: 1 is as long as the box; near it only."""
        z = (np.asarray(y) - self.at) @ self.onto.T
        return (np.asarray(y) - self.at) @ self.across - 0.5 * np.einsum("...i,ij,...j", z, self.bend, z)

    def slope(self, y):
        """Gradient (n,) of `height` at a state."""
        z = self.onto @ (y - self.at)
        return self.across - self.onto.T @ (self.bend @ z)

    def distance(self, y):
        """Scaled distance of states (..., n) from the saddle."""
        return np.linalg.norm((np.asarray(y) - self.at) / self.scale, axis=-1)


def saddle_at(system, y, p, u, scale, like=None) -> Saddle:
    """The saddle near y at parameters p and inputs u.

    Parameters
    ----------
    system : System
    y : (n,) array
        A steady state, or one of slightly different parameters.
    p, u : sequence of float
    scale : (n,) array
        Size of the box.
    like : Saddle, optional
        Take the directions as this one has them.

    Returns
    -------
    Saddle
    """
    y = np.array(y, dtype=float)
    for _ in range(6 if like is not None else 0):
        f, by_state = system.tangent(0.0, y, p, u)[:2]
        y = y - scale * np.linalg.solve(by_state * scale / scale[:, None], f / scale)
    jacobian = system.jac(0.0, y, p, u)
    values, right = np.linalg.eig(jacobian * scale / scale[:, None])
    i = int(np.argmax(values.real))
    out = np.real(right[:, i])
    left = np.linalg.eig((jacobian * scale / scale[:, None]).T)
    across = np.real(left[1][:, int(np.argmax(left[0].real))])
    out = scale * out / np.abs(out).max()
    across = across / scale
    if like is not None and out @ like.across < 0:
        out = -out
    across = across / (across @ out)
    onto = np.eye(len(y)) - np.outer(out, across)
    return Saddle(y, scale, float(values[i].real), out, across, onto,
                  _bend(system, y, p, u, scale, jacobian, across, onto, values[i].real), values)  # fmt: skip


def _bend(system, y, p, u, scale, jacobian, across, onto, rate):
    """Curvature from invariance: A' H + H A - rate H is f'' along `across`, on the stable side."""
    from scipy.linalg import solve_continuous_lyapunov

    n = len(y)
    second = np.empty((n, n))
    for k in range(n):
        step = STEP * scale[k]
        ahead, behind = (system.jac(0.0, y + sign * step * np.eye(n)[k], p, u) for sign in (1, -1))
        second[:, k] = across @ (ahead - behind) / (2 * step)
    size = np.diag(scale)
    inner = size @ onto.T @ (0.5 * (second + second.T)) @ onto @ size
    decay = (onto @ jacobian @ onto) * scale / scale[:, None] - 0.5 * rate * np.eye(n)
    return solve_continuous_lyapunov(decay.T, inner) / np.outer(scale, scale)


def box_scale(found: SteadyStates) -> np.ndarray:
    """Size of the box of each state."""
    return np.array([max(abs(low), abs(high)) for low, high in found.box.values()])


def point_of(found: SteadyStates, state: SteadyState) -> np.ndarray:
    """Values of a steady state in the order of the problem."""
    return np.array([state.values[name] for name in found.problem.system.states])


def n_unstable(state) -> int:
    """How many directions lead away from a steady state."""
    return int(np.sum(state.eigenvalues.real > 0))


def proper_saddles(found: SteadyStates) -> list:
    """Saddles that separate: one unstable direction, with room on both sides.

    Where a state is zero and stays zero (a clone is absent), a saddle may have that face for its stable manifold; the
    other side of it is no state of the model.

    Parameters
    ----------
    found : SteadyStates

    Returns
    -------
    list of (SteadyState, Saddle)
    """
    scale, inputs = box_scale(found), list(found.inputs.values())
    kept = []
    for state in found:
        if state.stability != "unstable" or state.family or n_unstable(state) != 1:
            continue
        saddle = saddle_at(found.problem.system, point_of(found, state), found.problem.p, inputs, scale)
        if not _is_a_face(found.problem, saddle):
            kept.append((state, _towards_tumour(found.problem, saddle)))
    return kept


def _is_a_face(problem, saddle):
    size = np.abs(saddle.across * saddle.scale)
    i = int(np.argmax(size))
    alone = np.all(np.delete(size, i) < FLAT * size[i])
    return bool(alone and saddle.at[i] == 0 and problem.model.states[i].info.positive)


def _towards_tumour(problem, saddle):
    """The saddle with `out` turned so that the tumour states grow together, or the first of them, or any state."""
    relative = saddle.out / saddle.scale
    tumour = [i for i, s in enumerate(problem.model.states) if s.info.kind == "tumour"]
    trials = [relative[tumour].sum(), *relative[tumour], *relative]
    if next(value for value in trials if abs(value) > FLAT) > 0:
        return saddle
    return replace(saddle, out=-saddle.out, across=-saddle.across, bend=-saddle.bend)


def chosen_saddle(found: SteadyStates, which=None):
    """The saddle whose manifold is asked for.

    Parameters
    ----------
    found : SteadyStates
    which : SteadyState, int or None
        One of `found`, or its place among them; by default the only one that separates.

    Returns
    -------
    (SteadyState, Saddle)

    Raises
    ------
    ProblemError
        If there is none, or are several, or the one named has more than one unstable direction.
    """
    name = found.problem.model.name
    if which is None:
        proper = proper_saddles(found)
        if len(proper) == 1:
            return proper[0]
        if proper:
            places = ", ".join(f"saddle={list(found).index(s)} {brief(s)}" for s, _ in proper)
            raise ProblemError(f"separatrix: {name} has {len(proper)} saddles that separate; say which: {places}")
        raise ProblemError(_none_separates(found))
    state = found[int(which)] if isinstance(which, (int, np.integer)) else which
    if not isinstance(state, SteadyState):
        raise ProblemError(f"separatrix: saddle is a SteadyState or its place in steady_states(...), got {which!r}")
    if state.family or (count := n_unstable(state)) == 0:
        raise ProblemError(f"separatrix: {brief(state)} of {name} is {state.stability}; a saddle has a way out and in")
    if count > 1:
        raise ProblemError(
            f"separatrix: {brief(state)} of {name} has {count} unstable directions, so its stable manifold divides "
            f"nothing; basins(problem, over=...) shows what does"
        )
    saddle = saddle_at(found.problem.system, point_of(found, state), found.problem.p, list(found.inputs.values()),
                       box_scale(found))  # fmt: skip
    return state, _towards_tumour(found.problem, saddle)


def _none_separates(found):
    counts = [(brief(s), s.stability, n_unstable(s)) for s in found]
    listed = "; ".join(f"{w}: {s}" + (f" in {n} directions" if s == "unstable" else "") for w, s, n in counts) or "none"
    stable = len(found.stable)
    reason = (
        f"{'all starts tend to the stable one' if stable == 1 else 'basins(problem, over=...) shows what divides them'}"
    )
    at = ", ".join(f"{k} = {v:g}" for k, v in found.inputs.items())
    return (
        f"separatrix: no steady state of {found.problem.model.name}{f' at {at}' if at else ''} has one unstable "
        f"direction with states on both sides; there are {len(found)} steady states ({listed}); {reason}"
    )


def brief(state) -> str:
    """A steady state in brackets, for messages."""
    if state is None:
        return "no steady state"
    return "(" + ", ".join(f"{name} = {value:.4g}" for name, value in state.values.items()) + ")"


def states_of(problem, box) -> SteadyStates:
    """Steady states of a problem; those that are given pass."""
    return problem if isinstance(problem, SteadyStates) else steady_states(problem, box=box)
