"""basins: which attractor every start in a plane tends to."""

import functools
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from ..steady_states import SteadyStates
from .attractors import UNDECIDED, Attractors, attractors_of, follow
from .borders import borders_of
from .curve import grow
from .plane import Plane, plane_of
from .saddles import box_scale, point_of, proper_saddles, states_of

__all__ = ["AT_UNSTABLE", "Basins", "basins"]

FIRST = 14  # nodes along an axis of the first look
AT_UNSTABLE = -2
RESTING = 1e-3  # of the box: distance from an unstable state at which a start has come to it


@dataclass(frozen=True, eq=False, repr=False)
class Basins:
    """Attractor of every start in a plane.

    Attributes
    ----------
    plane : Plane
    x, y : (nx,), (ny,) arrays
        Values of the horizontal and of the vertical state.
    labels : (ny, nx) int array
        Place in `attractors`; -1 where none was reached in time, -2 where the start rests at an unstable steady state
        (it lies on its stable manifold, such as the axis of a clone that is absent).
    states : SteadyStates
        All steady states.
    reached : Attractors
        With the neighbourhoods that count as having come to them, and `t_max`.
    n_solved : int
        Starts that were followed; the others lie among equals.
    """

    plane: Plane
    x: np.ndarray
    y: np.ndarray
    labels: np.ndarray
    states: SteadyStates
    reached: Attractors
    n_solved: int

    @property
    def problem(self):
        """The problem."""
        return self.plane.problem

    @property
    def names(self) -> tuple:
        """States of the horizontal and the vertical axis."""
        return self.plane.names

    @property
    def attractors(self) -> tuple:
        """The stable steady states, as `labels` counts them."""
        return self.reached.states

    @property
    def shares(self) -> tuple:
        """Share of the plane that tends to each attractor, even in the scale of the axes."""
        return tuple(float(np.mean(self.labels == i)) for i in range(len(self.attractors)))

    @functools.cached_property
    def borders(self) -> tuple:
        """Curves (m, 2) between basins: where they cross lines of the grid, found by halving to 1e-5 of a cell."""
        return borders_of(self)

    @property
    def undecided(self) -> float:
        """Share of the plane that came to no steady state within `reached.t_max`."""
        return float(np.mean(self.labels == UNDECIDED))

    @property
    def unstable(self) -> float:
        """Share of the plane that rests at an unstable steady state."""
        return float(np.mean(self.labels == AT_UNSTABLE))

    def at(self, point=None, **coordinates):
        """The attractor of a start, which is followed.

        Parameters
        ----------
        point : dict, optional
            State -> value.
        **coordinates
            The same as keywords. States of the plane have to be given; others are as they are in the plane.

        Returns
        -------
        SteadyState or None
            None where no attractor is reached in time.

        Raises
        ------
        ProblemError
            If a name is unknown or a state of the plane is missing.
        """
        given = {getattr(k, "name", k): float(v) for k, v in ((point or {}) | coordinates).items()}
        names = list(self.problem.system.states)
        for name in given:
            if name not in names:
                raise ProblemError(f"Basins.at: no state {name!r}; {did_you_mean(name, names)}")
        if missing := [name for name in self.names if name not in given]:
            raise ProblemError(f"Basins.at: give {' and '.join(missing)} too")
        start = self.plane.states(*(np.array([given[n]]) for n in self.names))
        for name, value in given.items():
            start[0, names.index(name)] = value
        label = follow(self.problem, start, self.reached)[0][0]
        return self.attractors[label] if label >= 0 else None

    def __repr__(self):
        return f"<Basins of {self.problem.model.name} over {', '.join(self.names)}>"

    def __str__(self):
        lines = [
            f"basins of {self.problem.model.name} over {', '.join(self.names)}, {len(self.x)} x {len(self.y)} starts "
            f"of which {self.n_solved} were followed"
        ]
        for state, share in zip(self.attractors, self.shares, strict=True):
            where = ", ".join(f"{k} = {v:.4g}" for k, v in state.values.items())
            lines.append(f"  {100 * share:5.1f} % tend to {where}")
        if self.unstable:
            lines.append(f"  {100 * self.unstable:5.1f} % lie on the stable manifold of an unstable steady state")
        if self.undecided:
            lines.append(f"  {100 * self.undecided:5.1f} % undecided at time {self.reached.t_max:g}")
        return "\n".join(lines)


@refuse_unknown_keywords
def basins(problem, over, *, n=200, scale="linear", others="held", at=None, box=None, t_max=None) -> Basins:
    """Which attractor every start in a plane tends to.

    Parameters
    ----------
    problem : Problem or SteadyStates
        With constant inputs. Steady states that are at hand are used.
    over : dict or (str, str)
        Two states -> (low, high), the horizontal one first; names alone take declared bounds.
    n : int or (int, int)
        Starts along each axis.
    scale : {"linear", "log"} or dict
        Of both axes, or state -> scale.
    others : {"held", "quasi-steady"}
        What the other states start from: the values of `at`; or at rest with the two of the plane.
    at : dict, optional
        State -> value it starts from; the problem's initial value where it is not named.
    box : dict, optional
        State -> (low, high), as in `steady_states`.
    t_max : float, optional
        How long a start is followed; by default 40 time constants of the slowest direction of a stable steady state
        or out of a saddle.

    Returns
    -------
    Basins
        `.labels` (ny, nx), `.shares` of the attractors, `.undecided`, `.at(point)`.

    Raises
    ------
    ProblemError
        If the plane is not understood or no steady state is stable.

    Notes
    -----
    Starts are followed in compiled groups, first on a coarse grid, then wherever neighbours differ, down to the full
    grid; in two states also along every separatrix. A part of a basin that is narrower than a cell of the coarse grid
    (a 13th of an axis) and not bounded by a separatrix of two states can be missed. A start has come to an attractor
    when it is in a small ellipsoid around it in which the linearised flow only falls. Solutions that cycle or grow
    without bound are undecided.

    Examples
    --------
    >>> from remission.analysis import basins
    >>> from remission.models import kuznetsov
    >>> from remission.solvers import Problem
    >>> dormant_or_large = basins(Problem(kuznetsov(scaled=True)), over={"T": (0, 500), "E": (0, 3)}, box={"E": (0, 5)})
    >>> print(dormant_or_large)
    basins of kuznetsov_scaled over T, E, 200 x 200 starts of which ... were followed
       ... % tend to E = 1.609, T = 8.19
       ... % tend to E = 0.173, T = 447.1
        0.5 % lie on the stable manifold of an unstable steady state
    >>> dormant_or_large.at(E=0.5, T=150)["T"].__round__(1)
    447.1
    """
    given, problem = problem, getattr(problem, "problem", problem)
    plane = plane_of(problem, over, scale, others, at, "basins")
    counts = tuple(n) if np.ndim(n) else (n, n)
    if len(counts) != 2 or not all(isinstance(c, (int, np.integer)) and c >= 2 for c in counts):
        raise ProblemError(f"basins: n is a whole number of 2 or more, or one for each axis, got {n!r}")
    found = states_of(given, box)
    if not found.stable:
        raise ProblemError(f"basins: no steady state of {problem.model.name} is stable; {found}")
    reached = attractors_of(found, t_max)
    axes = [plane.axis(i, int(count)) for i, count in enumerate(counts)]
    labels, solved = _refined(plane, axes, _Fates(plane, found, reached), _guides(found, plane))
    return Basins(plane, *axes, labels, found, reached, solved)


def _guides(found, plane):
    """Points of every separatrix of two states, in parts of the plane."""
    if found.problem.system.n != 2:
        return np.empty((0, 2))
    low, high = np.array(list(plane.with_box(found.box).values())).T
    columns = [found.problem.system.states.index(name) for name in plane.names]
    points = [np.empty((0, 2))]
    for state, saddle in proper_saddles(found):
        others = [(s, point_of(found, s)) for s in found if s is not state]
        for piece in grow(found.problem, list(found.inputs.values()), saddle, others, low, high):
            if len(piece.y) > 1:
                s = np.interp(np.linspace(0, 1, 12 * len(piece.s)), np.linspace(0, 1, len(piece.s)), piece.s)
                points.append(piece.place(s).T[:, columns])
    points = np.concatenate(points)
    return np.column_stack([plane.to_unit(i, points[:, i]) for i in (0, 1)])


class _Fates:
    """Labels of points of the plane."""

    def __init__(self, plane, found, reached):
        self.plane, self.reached, self.scale = plane, reached, box_scale(found)
        self.unstable = [point_of(found, s) for s in found if s.stability == "unstable"]

    def __call__(self, x, y):
        labels, ends = follow(self.plane.problem, self.plane.states(x, y), self.reached)
        for state in self.unstable:
            near = np.linalg.norm((ends - state) / self.scale, axis=1) < RESTING
            labels[near & (labels == UNDECIDED)] = AT_UNSTABLE
        return labels


def _refined(plane, axes, fates, guides):
    """Labels of all nodes, and how many starts were followed."""
    nx, ny = map(len, axes)
    stride = 2 ** max(int(np.log2(max(nx, ny) / FIRST)), 0)
    labels = np.full((ny, nx), UNDECIDED)
    known, solved, coarse = np.zeros((ny, nx), dtype=bool), 0, None
    while True:
        at = [_nodes(count, stride) for count in (nx, ny)]
        wanted = np.zeros((ny, nx), dtype=bool)
        wanted[np.ix_(at[1], at[0])] = True
        if coarse is not None:
            among = _among_equals(labels, coarse, (nx, ny), guides)
            rows, columns = np.nonzero(wanted & ~known & among)
            corner = [c[np.searchsorted(c, i, side="right") - 1] for c, i in zip(coarse, (columns, rows), strict=True)]
            labels[rows, columns] = labels[corner[1], corner[0]]
            known[rows, columns] = True
        rows, columns = np.nonzero(wanted & ~known)
        labels[rows, columns] = fates(axes[0][columns], axes[1][rows])
        known[rows, columns] = True
        solved += len(rows)
        if stride == 1:
            return labels, solved
        coarse, stride = at, stride // 2


def _nodes(count, stride):
    return np.unique(np.append(np.arange(0, count, stride), count - 1))


def _among_equals(labels, coarse, counts, guides):
    """Nodes of blocks whose corners, and those of the blocks around, are all alike, and that no separatrix crosses."""
    corners = labels[np.ix_(coarse[1], coarse[0])]
    four = np.stack([corners[:-1, :-1], corners[1:, :-1], corners[:-1, 1:], corners[1:, 1:]])
    mixed = (four != four[0]).any(axis=0)
    inside = np.all((guides >= 0) & (guides <= 1), axis=1)
    place = [guides[inside, i] * (counts[i] - 1) for i in (0, 1)]
    block = [
        np.clip(np.searchsorted(c, p, side="right") - 1, 0, len(c) - 2) for c, p in zip(coarse, place, strict=True)
    ]
    mixed[block[1], block[0]] = True
    padded = np.pad(mixed, 1)
    ny, nx = mixed.shape
    near = np.any([padded[i : i + ny, j : j + nx] for i in range(3) for j in range(3)], axis=0)
    of = [
        np.clip(np.searchsorted(c, np.arange(k), side="right") - 1, 0, len(c) - 2)
        for c, k in zip(coarse, counts, strict=True)
    ]
    return ~near[np.ix_(of[1], of[0])]
