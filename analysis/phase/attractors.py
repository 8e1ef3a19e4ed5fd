"""Where starts end: many at once, each followed until it is at a stable steady state or time is up."""

from dataclasses import dataclass

import numpy as np

from .saddles import box_scale, point_of

__all__ = ["Attractors", "attractors_of", "follow", "sides_of", "with_free_start"]

CLOSE = 0.05  # of the box: largest neighbourhood of a stable state that counts as having come to it
APART = 0.2  # part of the way to the nearest other steady state that a neighbourhood may reach
SLOWEST = 40.0  # time constants of the slowest direction that a start is followed for
STAGES = (1 / 32, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
UNDECIDED = -1
OFF = 1e-3  # scaled distance from a saddle at which its ways out are followed
MARK = "start_of_"


@dataclass(frozen=True, eq=False)
class Attractors:
    """The stable steady states of a problem with the neighbourhoods that count as having come to them.

    Attributes
    ----------
    states : tuple of SteadyState
    centres : (m, n) array
    norms : (m, n, n) array
        Quadratic forms that fall along solutions near the state.
    levels : (m,) array
        Of the forms, at the edge of the neighbourhoods.
    t_max : float
        How long a start is followed.
    """

    states: tuple
    centres: np.ndarray
    norms: np.ndarray
    levels: np.ndarray
    t_max: float

    def label(self, y):
        """Place (k,) of the attractor whose neighbourhood holds each of the states (k, n); -1 where none does."""
        labels = np.full(len(y), UNDECIDED)
        for i, (centre, norm, level) in enumerate(zip(self.centres, self.norms, self.levels, strict=True)):
            gap = y - centre
            with np.errstate(all="ignore"):
                labels[np.einsum("ki,ij,kj->k", gap, norm, gap) <= level] = i
        return labels


def attractors_of(found, t_max=None) -> Attractors:
    """Attractors among proved steady states.

    Parameters
    ----------
    found : SteadyStates
    t_max : float, optional
        By default 40 time constants of the slowest direction of a stable state or out of a saddle.

    Returns
    -------
    Attractors
    """
    scale, problem = box_scale(found), found.problem
    stable = [s for s in found if s.stability == "stable" and not s.family]
    points = np.array([point_of(found, s) for s in found]).reshape(len(found), len(scale))
    centres, norms, levels = [], [], []
    for state in stable:
        centre = point_of(found, state)
        form = _falling(problem, centre, list(found.inputs.values()), scale)
        others = points[[s is not state for s in found]] - centre
        reach = np.linalg.eigvalsh(form * np.outer(scale, scale))[0] * CLOSE**2
        away = APART**2 * np.einsum("ki,ij,kj->k", others, form, others)
        centres.append(centre)
        norms.append(form)
        levels.append(min([reach, *away[away > 0]]))
    rates = [abs(s.eigenvalues.real).min() for s in stable if len(s.eigenvalues)]
    rates += [s.eigenvalues.real.max() for s in found if s.stability == "unstable" and len(s.eigenvalues)]
    slow = min([r for r in rates if r > 0], default=1.0)
    shape = (len(stable), len(scale))
    return Attractors(
        tuple(stable), np.array(centres).reshape(shape), np.array(norms).reshape(*shape, len(scale)),
        np.array(levels), SLOWEST / slow if t_max is None else float(t_max),
    )  # fmt: skip


def _falling(problem, y, inputs, scale):
    """A quadratic form that falls along the linearised flow; the plain one where a direction is neutral."""
    from scipy.linalg import solve_continuous_lyapunov

    jacobian = problem.system.jac(0.0, y, problem.p, inputs) * scale / scale[:, None]
    form = np.eye(len(y))
    if np.linalg.eigvals(jacobian).real.max() < -1e-12:
        form = solve_continuous_lyapunov(jacobian.T, -np.eye(len(y)))
        form = 0.5 * (form + form.T)
        form /= np.linalg.eigvalsh(form)[0]
    return form / np.outer(scale, scale)


def sides_of(problem, saddle, attractors) -> tuple:
    """Places of the attractors to which the two ways out of a saddle lead: to less and to more tumour."""
    off = np.array([saddle.at - OFF * saddle.out, saddle.at + OFF * saddle.out])
    return tuple(int(label) for label in follow(problem, off, attractors)[0])


def with_free_start(problem, t_end=1.0):
    """The problem with each initial value a Parameter of its own, and the names of these.

    Parameters
    ----------
    problem : Problem
    t_end : float

    Returns
    -------
    (Problem, list of str)
    """
    from remission.models import Parameter

    values = problem.initial_values()
    own = {s: Parameter(MARK + s.name, values[s.name], unit=s.info.unit) for s in problem.model.states}
    freed = problem.replace(t_span=(0.0, t_end), initial=own, extinction_gate=False)
    return freed, [p.name for p in own.values()]


def follow(problem, starts, attractors):
    """Attractor of each start.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    starts : (k, n) array
        In the order of the problem's states.
    attractors : Attractors

    Returns
    -------
    (labels, ends)
        (k,) places of the attractors, -1 where none is reached in `t_max`; (k, n) states where the run ended.
    """
    from remission.solvers.kernels import ensemble

    ends = np.array(starts, dtype=float)
    labels = attractors.label(ends)
    going = np.flatnonzero(labels == UNDECIDED)
    for part in STAGES:
        if not len(going):
            break
        span = part * attractors.t_max
        freed, names = with_free_start(problem, span)
        found = ensemble(freed, names, ends[going], [span], list(problem.system.states))
        ends[going] = found.values[:, 0]
        labels[going] = attractors.label(ends[going])
        going = going[(labels[going] == UNDECIDED) & np.all(np.isfinite(ends[going]), axis=1)]
    return labels, ends
