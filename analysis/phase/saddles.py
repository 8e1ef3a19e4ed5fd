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
LEAST = 1e-7  # of the box: a smaller steady value says nothing of how large the state is
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
        What states are measured by: their size at the saddle and the nearest other steady state. The largest entry of
        `out / scale` is 1.
    gap : float
        Scaled distance to the nearest other steady state.
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
    gap: float
    rate: float
    out: np.ndarray
    across: np.ndarray
    onto: np.ndarray
    bend: np.ndarray
    eigenvalues: np.ndarray

    def height(self, y):
        """Signed distance of states (..., n) from the manifold, in lengths of `out`; near the saddle only."""
        z = (np.asarray(y) - self.at) @ self.onto.T
        return (np.asarray(y) - self.at) @ self.across - 0.5 * np.einsum("...i,ij,...j", z, self.bend, z)

    def slope(self, y):
        """Gradient (n,) of `height` at a state."""
        z = self.onto @ (y - self.at)
        return self.across - self.onto.T @ (self.bend @ z)

    def distance(self, y):
        """Distance of states (..., n) from the saddle; the nearest other steady state is at 1."""
        return np.linalg.norm((np.asarray(y) - self.at) / self.scale, axis=-1) / self.gap


def saddle_at(system, y, p, u, scale, gap=1.0, like=None) -> Saddle:
    """The saddle near y at parameters p and inputs u.

    Parameters
    ----------
    system : System
    y : (n,) array
        A steady state, or one of slightly different parameters.
    p, u : sequence of float
    scale : (n,) array
    gap : float
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
    return Saddle(y, scale, gap, float(values[i].real), out, across, onto,
                  _bend(system, y, p, u, scale, jacobian, across, onto, values[i].real), values)  # fmt: skip


def _bend(system, y, p, u, scale, jacobian, across, onto, rate):
    """Curvature from invariance: A' H + H A - rate H is f'' along `across`, on the stable side."""
    from scipy.linalg import solve_continuous_lyapunov

    n = len(y)
    second = np.empty((n, n))
    for k in range(n):
        second[:, k] = across @ jacobian_slope(system, y, p, u, STEP * scale[k] * np.eye(n)[k]) / (STEP * scale[k])
    if not np.all(np.isfinite(second)):  # no second derivative here: the flat picture remains
        return np.zeros((n, n))
    size = np.diag(scale)
    inner = size @ onto.T @ (0.5 * (second + second.T)) @ onto @ size
    decay = (onto @ jacobian @ onto) * scale / scale[:, None] - 0.5 * rate * np.eye(n)
    return solve_continuous_lyapunov(decay.T, inner) / np.outer(scale, scale)


def jacobian_slope(system, y, p, u, step):
    """Change of the Jacobian (n, n) along a small step, of second order; one-sided where a state may not go back."""
    now, ahead, behind = (system.jac(0.0, y + k * step, p, u) for k in (0, 1, -1))
    change = (ahead - behind) / 2
    if np.all(np.isfinite(change)):
        return change
    return (4 * ahead - 3 * now - system.jac(0.0, y + 2 * step, p, u)) / 2


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

    Where states are zero (a clone is absent), a saddle may have that face for its stable manifold, or a manifold that
    touches the states of the model at the saddle alone; on the other side there are none.

    Parameters
    ----------
    found : SteadyStates

    Returns
    -------
    list of (SteadyState, Saddle)
    """
    kept = []
    for state in found:
        if state.stability != "unstable" or state.family or n_unstable(state) != 1:
            continue
        saddle = _among(found, state)
        if _enters(found.problem, saddle):
            kept.append((state, _towards_tumour(found.problem, saddle)))
    return kept


def _among(found, state):
    """The saddle at a steady state, measured by what is near."""
    at, box = point_of(found, state), box_scale(found)
    others = [point_of(found, s) for s in found if s is not state]
    near = min(others, key=lambda y: np.linalg.norm((y - at) / box), default=at)
    size = np.maximum(np.abs(at), np.abs(near))
    scale = np.where(size > LEAST * box, size, box)
    gap = float(np.linalg.norm((near - at) / scale)) or 1.0
    inputs = list(found.inputs.values())
    return saddle_at(found.problem.system, at, found.problem.p, inputs, scale, min(gap, 1.0))


def _enters(problem, saddle):
    """Whether the manifold goes into the states of the model: not where all of these are on one side of it."""
    slope = saddle.across * saddle.scale
    slope = np.where(np.abs(slope) < FLAT * np.abs(slope).max(), 0.0, slope)
    walls = np.array([s.info.positive and v == 0 for s, v in zip(problem.model.states, saddle.at, strict=True)])
    return bool(np.any(slope[~walls]) or (slope.min() < 0 < slope.max()))


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
    if isinstance(which, (int, np.integer)):
        if not 0 <= which < len(found):
            raise ProblemError(f"separatrix: saddle={which}, but the places of {len(found)} steady states count from 0")
        which = found[int(which)]
    state = which
    if not isinstance(state, SteadyState):
        raise ProblemError(f"separatrix: saddle is a SteadyState or its place in steady_states(...), got {which!r}")
    if state.family or (count := n_unstable(state)) == 0:
        raise ProblemError(f"separatrix: {brief(state)} of {name} is {state.stability}; a saddle has a way out and in")
    if count > 1:
        raise ProblemError(
            f"separatrix: {brief(state)} of {name} has {count} unstable directions, so its stable manifold divides "
            f"nothing; basins(problem, over=...) shows what does"
        )
    return state, _towards_tumour(found.problem, _among(found, state))


def _none_separates(found):
    listed = "; ".join(f"{brief(s)}: {s.stability}" + _ways_out(s) for s in found) or "none"
    stable = len(found.stable)
    reason = (
        f"{'all starts tend to the stable one' if stable == 1 else 'basins(problem, over=...) shows what divides them'}"
    )
    at = ", ".join(f"{k} = {v:g}" for k, v in found.inputs.items())
    return (
        f"separatrix: no steady state of {found.problem.model.name}{f' at {at}' if at else ''} has one unstable "
        f"direction with states on both sides; there {'is 1 steady state' if len(found) == 1 else f'are {len(found)}'} "
        f"({listed}); {reason}"
    )


def _ways_out(state):
    count = n_unstable(state)
    return f" in {count} direction{'s' * (count > 1)}" if state.stability == "unstable" else ""


def brief(state) -> str:
    """A steady state in brackets, for messages."""
    if state is None:
        return "no steady state"
    return "(" + ", ".join(f"{name} = {value:.4g}" for name, value in state.values.items()) + ")"


def states_of(problem, box) -> SteadyStates:
    """Steady states of a problem; those that are given pass."""
    return problem if isinstance(problem, SteadyStates) else steady_states(problem, box=box)
