"""separatrix: the stable manifold of a saddle, which divides the starts by what becomes of the tumour."""

from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from ..critical import Threshold, Thresholds
from ..steady_states import SteadyState, SteadyStates
from .attractors import attractors_of, follow, sides_of
from .curve import grow
from .paths import asked_path
from .rays import crossings_on, in_words
from .residual import residual_of
from .saddles import brief, chosen_saddle, point_of, states_of

__all__ = ["Separatrix", "separatrix"]


@dataclass(frozen=True, eq=False, repr=False)
class Separatrix:
    """The stable manifold of a saddle with one unstable direction.

    Attributes
    ----------
    problem : Problem
    state : SteadyState
        The saddle.
    states : SteadyStates
        All steady states that were proved, among them the saddle.
    sides : (SteadyState or None, SteadyState or None)
        What solutions tend to that leave the saddle towards less and towards more tumour; None where that is no
        stable steady state.
    pieces : tuple
        In two states: a branch, the stretch at the saddle, the other branch. Empty in more.
    accuracy : float
        In two states: largest distance between the curve and one grown from half the distance from the saddle with a
        tenth of the tolerance, in parts of the box. NaN in more states.
    saddle : Saddle
        The manifold to second order at the saddle.
    attractors : Attractors
    """

    problem: object
    state: SteadyState
    states: SteadyStates
    sides: tuple
    pieces: tuple
    accuracy: float
    saddle: object = field(default=None)
    attractors: object = field(default=None)

    @property
    def box(self) -> dict:
        """State -> (low, high): where it was sought."""
        return self.states.box

    @property
    def _labels(self):
        places = {id(s): i for i, s in enumerate(self.attractors.states)}
        return tuple(places.get(id(s), -1) for s in self.sides)

    @property
    def points(self) -> np.ndarray:
        """Points of the curve in order, shape (m, 2), in the order of the problem's states.

        Raises
        ------
        ProblemError
            In more than two states, where it is no curve.
        """
        self._require_curve("points")
        return np.concatenate([piece.y for piece in self.pieces])

    @property
    def ends(self) -> tuple:
        """Why each branch ends: `"box"`, the SteadyState it comes from, `"outside"` at once, or `"length"`."""
        self._require_curve("ends")
        return tuple(p.end_state or p.end for p in (self.pieces[0], self.pieces[-1]))

    def at(self, **coordinates):
        """Where it meets the line on which all states but one have given values.

        Parameters
        ----------
        **coordinates
            State -> value, for all states but one.

        Returns
        -------
        (k,) array
            Values of the remaining state within the box, in order; empty where the line is not met. In two states
            they are read off the curve, in more each is solved for along the line.

        Raises
        ------
        ProblemError
            If other than all states but one are named.

        Examples
        --------
        >>> from remission.analysis import separatrix
        >>> from remission.models import kuznetsov
        >>> from remission.solvers import Problem
        >>> edge = separatrix(Problem(kuznetsov(scaled=True)), box={"E": (0, 5)})
        >>> edge.at(E=0.5).round(3).tolist(), edge.at(T=100).round(4).tolist()
        ([136.737], [0.4133])
        """
        names = list(self.problem.system.states)
        for name in coordinates:
            if name not in names:
                raise ProblemError(f"Separatrix.at: no state {name!r}; {did_you_mean(name, names)}")
        free = [name for name in names if name not in coordinates]
        if len(free) != 1:
            raise ProblemError(f"Separatrix.at: give all states but one of {', '.join(names)}; open are {free}")
        if self.pieces:
            (held, value), i = next(iter(coordinates.items())), names.index(free[0])
            return np.sort(np.array([y[i] for y in self._meets(names.index(held), float(value))]))
        found = self.crossings({**coordinates, free[0]: 0.0}, free[0], within=self.box[free[0]])
        return np.array([float(t) for t in found])

    def _meets(self, i, value):
        """Points of the curve where state i has a value."""
        from scipy.optimize import brentq

        found = []
        for piece in self.pieces:
            gap = piece.y[:, i] - value
            for k in np.flatnonzero(gap[1:] * gap[:-1] < 0):
                s = brentq(lambda s, p=piece: p.place(s)[i] - value, piece.s[k], piece.s[k + 1], xtol=1e-15, rtol=1e-14)
                found.append(piece.place(s))
            found += [piece.y[k] for k in np.flatnonzero(gap[:-1] == 0)]
        return found

    @refuse_unknown_keywords
    def crossing(self, origin=None, direction=None, *, within=None, along=None) -> Threshold:
        """The first place where starts along a line, or moved by a Parameter, cross to the other side.

        Parameters
        ----------
        origin : dict, optional
            State -> value; states not named have the problem's initial value. The state moved by `direction` starts
            at 0 if it is not named.
        direction : str or dict, optional
            A state, or state -> what is added for each unit of the position.
        within : (float, float), optional
            Range of the position: of the state where `direction` is one; by default as far as the box goes, and with
            `along` the plausible range of the Parameter.
        along : str, optional
            Instead of a line: a Parameter that the initial values depend on and the rates do not.

        Returns
        -------
        Threshold
            Of kind "residual disease", to about 1e-10: the value is that of the state (`direction` a name), of the
            Parameter (`along`), or the position on the line. `state` is the start on the separatrix; `derivatives`
            are by parameters, inputs, and the initial values that are held; `coefficients["accuracy"]` what other
            tolerances and another last step change.

        Raises
        ------
        ProblemError
            If the line is not understood, or crosses nothing in the range: then with what all starts tend to.

        Examples
        --------
        The loop at e = 0.6 when chemotherapy meets a tumour whose signals are not there yet:

        >>> from remission.analysis import separatrix
        >>> from remission.models import paracrine_loop
        >>> from remission.solvers import Problem
        >>> edge = separatrix(Problem(paracrine_loop()).at_constant(e=0.6))
        >>> print(edge.crossing({"F": 0, "X": 0, "M": 0.02, "P": 0.04}, "T"))
        residual disease: T = 4.1243841 1e6 cells (separatrix, numerical); above it to (T = 365, ...), below to ...
        """
        found = self.crossings(origin, direction, within=within, along=along)
        if not len(found):
            raise ProblemError(f"separatrix of {self.problem.model.name}: no crossing; {found.status}")
        return found[0]

    @refuse_unknown_keywords
    def crossings(self, origin=None, direction=None, *, within=None, along=None) -> Thresholds:
        """All places where starts along a line, or moved by a Parameter, cross to the other side.

        Parameters
        ----------
        origin, direction, within, along
            As in `crossing`.

        Returns
        -------
        Thresholds
            In order; `status` says what all starts tend to where there are none. A pair of crossings between two of
            the 48 starts of the first look (even, and even in the logarithm) can be missed.

        Raises
        ------
        ProblemError
            If the line is not understood.
        """
        path, of, unit, held = asked_path(self.problem, self.box, origin, direction, within, along)
        found, missed, words = crossings_on(path, self.problem, self.saddle, self.attractors, self._labels)
        items = tuple(self._threshold(c, of, unit, held) for c in found)
        status = words if not items else f"{len(items)} crossing{'s' * (len(items) > 1)}"
        status = status or "where fates change, it is not on the stable manifold of this saddle"
        notes = tuple(
            f"fates change between {a:.6g} and {b:.6g} too, but not on the stable manifold of this saddle"
            for a, b in missed
        )
        return Thresholds(self.problem, of, (path.low, path.high), items, False, status, notes)

    def _threshold(self, crossing, of, unit, held):
        ends = [self.attractors.states[i] if i >= 0 else None for i in (crossing.after, crossing.before)]
        return Threshold(
            self.problem, "residual disease", of, float(crossing.position), unit, "separatrix",
            f"above it to {brief(ends[0])}, below to {brief(ends[1])}", "numerical", None, crossing.derivatives,
            (*_inputs_in_words(self.problem), *held, *in_words(crossing)), None, crossing.state,
            {"accuracy": float(crossing.accuracy), "unstable eigenvalue": self.saddle.rate, "rising": crossing.rising},
        )  # fmt: skip

    def side(self, point) -> int:
        """Side of a start: 1 where it tends to `sides[1]` (more tumour), -1 where to `sides[0]`.

        Parameters
        ----------
        point : dict
            State -> value; states not named have the problem's initial value.

        Returns
        -------
        int
            0 where neither is reached in 40 time constants, as on the separatrix itself.

        Raises
        ------
        ProblemError
            If both sides tend to the same state.
        """
        if self.sides[0] is self.sides[1]:
            raise ProblemError(f"separatrix of {self.problem.model.name}: both sides tend to {brief(self.sides[0])}")
        point = {getattr(k, "name", k): float(v) for k, v in point.items()}
        names = list(self.problem.system.states)
        for name in point:
            if name not in names:
                raise ProblemError(f"Separatrix.side: no state {name!r}; {did_you_mean(name, names)}")
        start = self.problem.initial_values() | point
        label = follow(self.problem, np.array([list(start.values())]), self.attractors)[0][0]
        reached = self.attractors.states[label] if label >= 0 else None
        return 0 if reached is None else 1 if reached is self.sides[1] else -1 if reached is self.sides[0] else 0

    def residual(self, solution, t=None):
        """How much tumour may be left when a therapy ends in this problem, and how much is.

        Parameters
        ----------
        solution : Solution
            The therapy, of the same model.
        t : float, optional
            When it ends; the end of the solution if not given.

        Returns
        -------
        ResidualDisease
            As `residual_disease` gives it, with the inputs of the separatrix's problem from then on.

        Examples
        --------
        >>> from remission.analysis import separatrix
        >>> from remission.models import paracrine_loop
        >>> from remission.solvers import Problem, Treatment, solve
        >>> chemo = Problem(paracrine_loop(), t_span=(0, 50)).at_constant(e=0.6)
        >>> edge = separatrix(chemo)
        >>> for day in (40, 45):
        ...     print(edge.residual(solve(chemo.at_constant(e=0.6, B=100), rtol=1e-9), t=day).comes_back)
        True
        False
        """
        t = solution.problem.t_span[1] if t is None else float(t)
        return residual_of(self.states, [(self.saddle, self._labels)], self.attractors, solution, t)

    def _require_curve(self, what):
        if not self.pieces:
            raise ProblemError(
                f"Separatrix.{what}: {self.problem.model.name} has {self.problem.system.n} states, so it is no curve; "
                "crossing(origin, direction) meets it anywhere, basins(problem, over=...) shows it in a plane"
            )

    def __repr__(self):
        return f"<Separatrix of {self.problem.model.name}: {brief(self.state)}>"

    def __str__(self):
        lines = [
            f"separatrix of {self.problem.model.name}: stable manifold of {brief(self.state)}, "
            f"unstable eigenvalue {self.saddle.rate:.5g}",
            f"  less tumour tends to {brief(self.sides[0])}, more tumour to {brief(self.sides[1])}",
        ]
        if self.pieces:
            ends = " and ".join(e if isinstance(e, str) else f"steady state {brief(e)}" for e in self.ends)
            lines.append(
                f"  a curve of {len(self.points)} points, ends: {ends}; accurate to {self.accuracy:.1g} of the box"
            )
        else:
            lines.append(f"  a surface in {self.problem.system.n} states: crossing(origin, direction) meets it")
        return "\n".join(lines)


def _inputs_in_words(problem):
    levels = ", ".join(f"{k} = {v:g}" for k, v in problem.inputs().items())
    return (f"inputs constant at {levels}",) if levels else ()


@refuse_unknown_keywords
def separatrix(problem, saddle=None, *, box=None, t_max=None) -> Separatrix:
    """The stable manifold of a saddle: which starts relapse and which do not.

    Parameters
    ----------
    problem : Problem or SteadyStates
        With constant inputs. Steady states that are at hand are used.
    saddle : SteadyState or int, optional
        One of the steady states, or its place among them. By default the only one that separates: one unstable
        direction, and states of the model on both sides (a saddle whose manifold is the face on which a clone is
        absent divides nothing).
    box : dict, optional
        State -> (low, high), as in `steady_states`: where steady states are sought and the curve is grown.
    t_max : float, optional
        How long starts are followed to see where they end; by default 40 time constants of the slowest direction.

    Returns
    -------
    Separatrix
        `.at(E=0.5)` meets a line of constant coordinates, `.crossing(origin, direction)` any ray, `.side(point)`
        tells where a start belongs; in two states `.points` is the curve.

    Raises
    ------
    ProblemError
        If no steady state separates (with which there are), several do (with their places), or the one named has
        more than one unstable direction.

    Notes
    -----
    In two states the curve starts from an expansion of second order at the saddle and is integrated backwards in
    time, which draws errors towards it, along arclength until it leaves the box or comes to another steady state. In
    more states nothing is stored but the expansion: a crossing is bracketed by following starts and then solved for
    by Newton steps on the distance from the manifold where the run is nearest to the saddle, with exact
    sensitivities.

    Examples
    --------
    Tumours that escape from 0.5e6 effector cells (Kuznetsov et al. 1994, scaled):

    >>> from remission.analysis import separatrix
    >>> from remission.models import kuznetsov
    >>> from remission.solvers import Problem
    >>> edge = separatrix(Problem(kuznetsov(scaled=True)), box={"E": (0, 5)})
    >>> print(edge)
    separatrix of kuznetsov_scaled: stable manifold of (E = 0.7598, T = 267.8), unstable eigenvalue 0.32478
      less tumour tends to (E = 1.609, T = 8.19), more tumour to (E = 0.173, T = 447.1)
      a curve of ... points, ends: box and box; accurate to ... of the box
    >>> edge.at(E=0.5).round(3).tolist(), edge.side({"E": 0.5, "T": 150})
    ([136.737], 1)
    """
    return manifold_of(states_of(problem, box), saddle, t_max)


def manifold_of(found, saddle, t_max=None, region=None) -> Separatrix:
    """The same from steady states; the curve is grown in a region around the box, state -> (low, high)."""
    state, local = chosen_saddle(found, saddle)
    problem, inputs = found.problem, list(found.inputs.values())
    attractors = attractors_of(found, t_max)
    sides = tuple(attractors.states[i] if i >= 0 else None for i in sides_of(problem, local, attractors))
    pieces, accuracy = (), float("nan")
    if problem.system.n == 2:
        low, high = np.array(list((region or found.box).values())).T
        pieces = grow(problem, inputs, local, [(s, point_of(found, s)) for s in found if s is not state], low, high)
        accuracy = max(p.accuracy for p in pieces)
    return Separatrix(problem, state, found, sides, pieces, accuracy, local, attractors)
