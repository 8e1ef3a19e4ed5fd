"""steady_states: where a problem with constant inputs can rest, and whether it returns there when pushed.

Found by damped Newton steps with the exact Jacobian from many starts in a box; thorough, not a proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from remission.models.derive import conserved_totals
from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem

from . import newton, rest_points

__all__ = ["SteadyState", "SteadyStates", "steady_states"]


@dataclass(frozen=True, eq=False)
class SteadyState:
    """One steady state; index it by the name of a state or observable.

    Attributes
    ----------
    values : dict of str -> float
        State -> value.
    eigenvalues : (n,) complex array
        Of the Jacobian, largest real part first; with conserved totals, those that keep the totals.
    stability : {"stable", "unstable", "undecided"}
        Undecided where the largest real part is zero within rounding.
    family : bool
        Whether it is one of a continuum of steady states.
    residual : float
        Largest rate of change, each relative to the terms that cancel in it.
    observables : dict of str -> float
    """

    values: dict
    eigenvalues: np.ndarray
    stability: str
    family: bool = False
    residual: float = 0.0
    observables: dict = field(default_factory=dict)

    def __getitem__(self, name):
        both = self.values | self.observables
        name = getattr(name, "name", name)
        if name not in both:
            raise ProblemError(f"the steady state has no {name!r}; {did_you_mean(name, both)}")
        return both[name]

    def __str__(self):
        where = ", ".join(f"{name} = {value:.6g}" for name, value in self.values.items())
        return f"{where}: {self.stability}" + (", one of a family" if self.family else "")


@dataclass(frozen=True, eq=False, repr=False)
class SteadyStates(Sequence):
    """Steady states in order of the first tumour state; a sequence of `SteadyState`.

    Attributes
    ----------
    problem : Problem
    states : tuple of SteadyState
    box : dict of str -> (low, high)
        Where they were sought; nothing is said about the outside.
    box_from : str
        `"argument"`, `"declared bounds"` or both.
    inputs : dict of str -> float
        Constant inputs.
    n_starts : int
        Newton starts that were made.
    """

    problem: object
    states: tuple
    box: dict
    box_from: str
    inputs: dict
    n_starts: int = 0

    def __len__(self):
        return len(self.states)

    def __getitem__(self, i):
        return self.states[i]

    def __repr__(self):
        return f"<SteadyStates of {self.problem.model.name}: {len(self)} states>"

    @property
    def stable(self) -> tuple:
        """The stable ones."""
        return tuple(s for s in self.states if s.stability == "stable")

    def __str__(self):
        names = self.problem.system.states
        at = ", ".join(f"{k} = {v:g}" for k, v in self.inputs.items()) or "no inputs"
        lines = [f"{len(self)} steady states of {self.problem.model.name} ({at}), box from {self.box_from}"]
        rows = [[*(f"{s.values[n]:.6g}" for n in names), _eigenvalue_text(s.eigenvalues), _verdict(s)] for s in self]
        head = [*names, "largest eigenvalue", "stability"]
        widths = [max(len(row[j]) for row in [head, *rows]) for j in range(len(head))]
        for row in [head, *rows]:
            lines.append("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
        return "\n".join(lines)


def _eigenvalue_text(values):
    if not len(values):
        return "none"
    first = values[0]
    return f"{first.real:.5g}" + (f" +/- {abs(first.imag):.5g}i" if first.imag else "")


def _verdict(state):
    return state.stability + (", family" if state.family else "")


@refuse_unknown_keywords
def steady_states(problem, box=None, n_starts=200, rng=0) -> SteadyStates:
    """All steady states that a search in a box finds, with eigenvalues and stability.

    Parameters
    ----------
    problem : Problem
        With constant inputs: `problem.at_constant(u=1.0)`.
    box : dict, optional
        State (or its name) -> (low, high). States not named take their declared bounds at the problem's parameters.
    n_starts : int
        Starts, half of them even and half even in the logarithm; each face of the box on which states are zero and
        stay zero gets as many in proportion to its dimension, so that tumour-free states are not missed.
    rng : int or numpy.random.Generator
        Of the starts.

    Returns
    -------
    SteadyStates
        Each once, polished to rounding. A continuum is one entry with `family=True`.

    Raises
    ------
    ProblemError
        If the treatment changes in time or follows a rule, time appears in the equations, or a state has no bounds.

    Notes
    -----
    Totals that the equations conserve are kept at their initial values. A search by Newton steps can miss states: it
    is repeatable for a given `rng`, and a larger `n_starts` looks harder.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> from remission.analysis import steady_states
    >>> print(steady_states(Problem(paracrine_loop()).at_constant(e=0.6)))
    3 steady states of paracrine_loop (B = 0, e = 0.6), box from declared bounds
      T        F    X         M         P         largest eigenvalue  stability
      0        0.6  0         0.02      0.04      -0.07973            stable
      2.73907  0.6  0.871522  0.476362  0.952724  0.035249            unstable
      364.955  0.6  116.122   0.991633  1.98327   -0.054103           stable
    """
    if not isinstance(problem, Problem):
        raise ProblemError(f"steady_states: the first argument must be a Problem, got {type(problem).__name__}")
    if not (isinstance(n_starts, (int, np.integer)) and n_starts >= 1):
        raise ProblemError(f"steady_states: n_starts is a whole number of 1 or more, got {n_starts!r}")
    from remission.models import t

    inputs = problem.inputs()
    for state, rate in problem.model.equations.items():
        if rate.has(t):
            raise ProblemError(f"{problem.model.name}: time appears in the equation of {state}, so nothing rests")
    box, box_from = _box(problem, box)
    field_ = newton.Field(problem, [inputs[name] for name in problem.system.inputs], box, _totals(problem))
    points, tries = rest_points.search(field_, int(n_starts), np.random.default_rng(rng))
    found = [_describe(problem, field_, point) for point in points]
    tumour = [s.name for s in problem.model.states if s.info.kind == "tumour"] or list(problem.system.states)
    found.sort(key=lambda s: [s.values[n] for n in tumour] + list(s.values.values()))
    return SteadyStates(problem, tuple(found), box, box_from, inputs, tries)


def _totals(problem):
    """Weights (c, n) and values (c,) of the conserved totals."""
    model = problem.model
    totals = conserved_totals(model)
    weights = np.array([[float(total.coeff(s)) for s in model.states] for total in totals])
    weights = weights.reshape(len(totals), len(model.states))
    return weights, weights @ problem.system.y0(problem.p)


def _box(problem, given):
    """Box by state name, and where it came from."""
    given = {getattr(k, "name", k): v for k, v in (given or {}).items()}
    names = problem.system.states
    for name in given:
        if name not in names:
            raise ProblemError(f"steady_states: box names {name!r}; {did_you_mean(name, names)}")
    values = {s: problem.parameters[s.name] for s in problem.system.parameter_symbols}
    box, declared, missing = {}, False, []
    for state in problem.model.states:
        if state.name in given:
            box[state.name] = tuple(float(v) for v in given[state.name])
        elif state.info.bounds is not None:
            box[state.name] = tuple(float(b.subs(values)) for b in state.info.bounds)
            declared = True
        else:
            missing.append(state.name)
    if missing:
        example = ", ".join(f"{name!r}: (low, high)" for name in missing)
        raise ProblemError(
            f"steady_states: {problem.model.name} declares no bounds of {', '.join(missing)}; say where to look: "
            f"box={{{example}}}"
        )
    for name, (low, high) in box.items():
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ProblemError(f"steady_states: the box of {name} is {low:g} to {high:g}; it has to be finite")
    sources = (["argument"] if given else []) + (["declared bounds"] if declared else [])
    return box, " and ".join(sources)


def _describe(problem, field_, point):
    values = dict(zip(problem.system.states, point.y.tolist(), strict=True))
    observed = problem.system.observe(np.zeros(1), point.y[:, None], problem.p, np.array(field_.u)[:, None])[:, 0]
    eigenvalues, stability = rest_points.stability(field_, point)
    return SteadyState(
        values, eigenvalues, stability, point.family, point.residual,
        dict(zip(problem.system.observables, observed.tolist(), strict=True)),
    )  # fmt: skip
