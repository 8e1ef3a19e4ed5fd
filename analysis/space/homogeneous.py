"""Homogeneous states of a model in space: which there are, how fast small amounts spread, how far tails reach."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.solvers import Grid
from remission.solvers.space.discretise import discretise

__all__ = [
    "diffusion_matrix",
    "ends_of",
    "leading_state",
    "linear_speed",
    "reaction_matrix",
    "settled",
    "sharpest_rate",
    "small_system",
    "tail_rate",
    "well_mixed",
]


def well_mixed(problem):
    """The problem on one cell, without profiles.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Problem
    """
    if not problem.profiles and not problem.grid.spatial:
        return problem
    model, known = problem.model, {p.name for p in problem.model.parameters}
    kept = {k: v for k, v in problem.parameters.items() if k in known}
    return type(problem)(model, problem.t_span, kept, treatment=problem.treatment, rtol=problem.rtol)


def leading_state(model) -> int:
    """Position of the first tumour state, or of the first state.

    Parameters
    ----------
    model : Model

    Returns
    -------
    int
    """
    return next((i for i, s in enumerate(model.states) if s.info.kind == "tumour"), 0)


def ends_of(problem, between=None) -> tuple:
    """States behind and ahead of a front.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    between : pair of dict, SteadyState or array_like, optional
        Behind and ahead; by default the stable state with the largest and the one with the smallest tumour.

    Returns
    -------
    (n,) array, (n,) array

    Raises
    ------
    ProblemError
        If there are no two steady states, or what was given is none.
    """
    names = [s.name for s in problem.model.states]
    if between is not None:
        if len(between) != 2:
            raise ProblemError("travelling_wave: between is (state behind, state ahead)")
        return tuple(_vector(state, names) for state in between)
    from ..steady_states import steady_states

    at = leading_state(problem.model)
    every = steady_states(well_mixed(problem))
    stable = [_vector(s, names) for s in every if s.stability == "stable"]
    lowest = min((_vector(s, names) for s in every), key=lambda v: v[at], default=None)
    highest = max(stable, key=lambda v: v[at], default=None)
    if highest is None or highest[at] <= lowest[at]:
        raise ProblemError(
            f"travelling_wave: {problem.model.name} has no stable state with a tumour beside one with less "
            f"({len(every)} steady states); a front runs between two: move a parameter to where a tumour can persist"
        )
    return highest, lowest


def _vector(state, names):
    values = getattr(state, "values", state)
    if isinstance(values, dict) or hasattr(values, "keys"):
        return np.array([float(values[n]) for n in names])
    return np.array(values, dtype=float)


def small_system(problem):
    """The model on two cells: what is homogeneous needs no more.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    SpatialSystem
    """
    return discretise(well_mixed(problem).replace(grid=Grid(2, 1.0)))


def reaction_matrix(problem, state) -> np.ndarray:
    """Derivatives of the rates at a homogeneous state, (n, n).

    Parameters
    ----------
    problem : Problem
    state : (n,) array

    Returns
    -------
    (n, n) array
    """
    system = small_system(problem)
    out = system.outputs(0.0, np.repeat(state[:, None], 2, axis=1), list(problem.inputs().values()))
    found = np.zeros((system.n, system.n))
    for i, j, at in system.written.rates_by:
        found[i, j] = out[at][0]
    return found


def diffusion_matrix(problem, state) -> np.ndarray:
    """Linear diffusion and cross-diffusion about a homogeneous state: flux = - matrix @ gradients.

    Parameters
    ----------
    problem : Problem
    state : (n,) array

    Returns
    -------
    (n, n) array

    Raises
    ------
    ProblemError
        If cells drift along the axis: such waves are not symmetric.
    """
    system = small_system(problem)
    out = system.outputs(0.0, np.repeat(state[:, None], 2, axis=1), list(problem.inputs().values()))
    found = np.zeros((system.n, system.n))
    for term in system.written.terms:
        if term.potential < 0:
            raise ProblemError(f"{problem.model.name}: a flux without gradient drifts along the axis; waves need none")
        size = out[term.coefficient][0] * (state[term.state] if term.carried else 1.0)
        for j, at in term.by_potential:
            found[term.state, j] -= size * out[at][0]
    return found


def tail_rate(problem, state, speed=0.0) -> float:
    """Slowest rate at which a front approaches a homogeneous state, per length.

    Parameters
    ----------
    problem : Problem
    state : (n,) array
    speed : float

    Returns
    -------
    float
        Smallest positive distance from the imaginary axis among the k of exp(k x).
    """
    import scipy.linalg

    J, D = reaction_matrix(problem, state), diffusion_matrix(problem, state)
    n = len(J)
    one, none = np.eye(n), np.zeros((n, n))
    left = np.block([[none, one], [-J, -speed * one]])
    right = np.block([[one, none], [none, D]])
    with np.errstate(all="ignore"):
        k = scipy.linalg.eigvals(left, right)
    k = np.abs(k[np.isfinite(k)].real)
    k = k[(k > 1e-6) & (k < 1e6)]
    return float(k.min()) if len(k) else 1.0


@refuse_unknown_keywords
def linear_speed(problem, ahead=None) -> float:
    """Smallest speed at which small amounts spread ahead of a front: that of pulled (Fisher) fronts.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    ahead : dict, SteadyState or array_like, optional
        Homogeneous state ahead, by default the one with the smallest tumour.

    Returns
    -------
    float
        Least over k > 0 of s(k)/k, with s the largest real part of the eigenvalues of J + k^2 D at the state ahead;
        zero where nothing grows there. 2 sqrt(D r) for Fisher's equation.

    Raises
    ------
    ProblemError
        If the inputs change in time.

    References
    ----------
    .. [1] van Saarloos (2003), Physics Reports 386, 29-222.

    Examples
    --------
    >>> from remission.models import glioma_invasion
    >>> from remission.solvers import Problem
    >>> f"{linear_speed(Problem(glioma_invasion())):.4f} mm/day"
    '0.0790 mm/day'
    """
    from scipy.optimize import minimize_scalar

    if ahead is None:
        ahead = ends_of(problem)[1]
    ahead = _vector(ahead, [s.name for s in problem.model.states])
    J, D = reaction_matrix(problem, ahead), diffusion_matrix(problem, ahead)
    growth = float(np.linalg.eigvals(J).real.max())
    if growth <= 1e-12 * max(np.abs(J).max(), 1e-300):
        return 0.0
    scale = np.sqrt(growth / max(np.diag(D)[np.diag(D) > 0].min(initial=np.inf), 1e-300))

    def speed(log_k):
        k = scale * np.exp(log_k)
        return float(np.linalg.eigvals(J + k * k * D).real.max() / k)

    logs = np.linspace(-8, 4, 121)
    best = logs[int(np.argmin([speed(v) for v in logs]))]
    return float(minimize_scalar(speed, bounds=(best - 0.2, best + 0.2), method="bounded", options={"xatol": 1e-9}).fun)


def sharpest_rate(problem, behind, ahead) -> float:
    """Rate, per length, of the sharpest front among the states: sqrt of loss or growth / diffusion.

    Parameters
    ----------
    problem : Problem
    behind, ahead : (n,) arrays

    Returns
    -------
    float
    """
    found = []
    for state in (behind, ahead):
        J, D = np.diag(reaction_matrix(problem, state)), np.diag(diffusion_matrix(problem, state))
        found += [np.sqrt(abs(j) / d) for j, d in zip(J, D, strict=True) if d > 0 and j != 0]
    return float(max(found, default=1.0))


def settled(problem, state) -> np.ndarray:
    """The homogeneous steady state next to a point, by Newton.

    Parameters
    ----------
    problem : Problem
    state : (n,) array

    Returns
    -------
    (n,) array
    """
    system, levels = small_system(problem), list(problem.inputs().values())
    state = np.array(state, dtype=float)
    for _ in range(50):
        rate = system.f(0.0, np.repeat(state[:, None], 2, axis=1), levels)[:, 0]
        step = np.linalg.lstsq(reaction_matrix(problem, state), -rate, rcond=None)[0]
        state = state + step
        if np.max(np.abs(step)) <= 1e-13 * max(np.max(np.abs(state)), 1e-3):
            break
    return state
