"""phase_portrait: basins, nullclines, separatrices and steady states of a plane, gathered to be drawn."""

from dataclasses import dataclass

from remission.models.errors import refuse_unknown_keywords

from .basins import Basins, basins
from .nullclines import Nullclines, nullclines
from .plane import Plane
from .saddles import proper_saddles, states_of
from .separatrix import manifold_of

__all__ = ["PhasePortrait", "phase_portrait"]


@dataclass(frozen=True, eq=False, repr=False)
class PhasePortrait:
    """What a phase plane shows; `plot(portrait)` draws it.

    Attributes
    ----------
    plane : Plane
    basins : Basins or None
        None where no steady state is stable.
    nullclines : Nullclines
    separatrices : tuple of Separatrix
        Of every saddle that separates; empty in more than two states, where basins show them.
    states : tuple of SteadyState
        Those in the plane.
    """

    plane: Plane
    basins: Basins | None
    nullclines: Nullclines
    separatrices: tuple
    states: tuple

    @property
    def problem(self):
        """The problem."""
        return self.plane.problem

    def __repr__(self):
        return f"<PhasePortrait of {self.problem.model.name} over {', '.join(self.plane.names)}>"

    def __str__(self):
        lines = [f"phase portrait of {self.problem.model.name}: {len(self.states)} steady states in the plane"]
        parts = [*self.separatrices, self.nullclines, *([self.basins] if self.basins else [])]
        return "\n".join([*lines, *("  " + line for part in parts for line in str(part).splitlines())])


@refuse_unknown_keywords
def phase_portrait(problem, over, *, n=300, scale="linear", others="held", at=None, box=None, t_max=None):
    """Basins, nullclines, separatrices and steady states of a plane.

    Parameters
    ----------
    problem : Problem or SteadyStates
        With constant inputs. Steady states that are at hand are used.
    over : dict or (str, str)
        Two states -> (low, high), the horizontal one first; names alone take declared bounds.
    n : int
        Starts and cells along each axis.
    scale : {"linear", "log"} or dict
        Of both axes, or state -> scale.
    others : {"held", "quasi-steady"}
        What other states are: the values of `at`; or at rest with the two of the plane. Arrows of a plane with other
        states are those of the two rates there, along which no solution need run.
    at : dict, optional
        State -> value it is held at; the problem's initial value where it is not named.
    box : dict, optional
        State -> (low, high), as in `steady_states`.
    t_max : float, optional
        As in `basins`.

    Returns
    -------
    PhasePortrait

    Raises
    ------
    ProblemError
        As in `basins` and `nullclines`.

    Examples
    --------
    >>> from remission.analysis import phase_portrait, plot
    >>> from remission.models import dose_window
    >>> from remission.solvers import Problem
    >>> portrait = phase_portrait(Problem(dose_window()).at_constant(delta=0.012), over=("S", "R"), n=100)
    >>> print(portrait)
    phase portrait of dose_window: 4 steady states in the plane
      separatrix of dose_window: stable manifold of (S = 300, R = 100), unstable eigenvalue 0.0023246
      ...
    >>> ax = plot(portrait)
    """
    found = states_of(problem, box)
    problem = found.problem
    lines = nullclines(problem, over, n=n, scale=scale, others=others, at=at)
    shaded = None
    if found.stable:
        shaded = basins(found, over, n=n, scale=scale, others=others, at=at, t_max=t_max)
    edges = ()
    if problem.system.n == 2:
        region = lines.plane.with_box(found.box)
        edges = tuple(manifold_of(found, state, t_max, region) for state, _ in proper_saddles(found))
    shown = tuple(s for s in found if lines.plane.holds(s.values))
    return PhasePortrait(lines.plane, shaded, lines, edges, shown)
