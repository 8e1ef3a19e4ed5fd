"""steady_states: where a problem with constant inputs can rest, and whether it returns there when pushed.

Proved by interval branch and prune (`proved/`): every steady state in the box, each in an enclosure. Where that cannot
be had, damped Newton steps from many starts look for them, and the result says that nothing is proved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from remission.models.derive import conserved_totals
from remission.models.errors import CertificateError, ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem
from remission.solvers.grid import refuse_grid

from . import newton, rest_points
from .given import box_sides, low_high

__all__ = ["SteadyState", "SteadyStates", "steady_states"]

METHODS = ("auto", "proved", "search")


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
    enclosure : dict of str -> (float, float)
        Ends between which the state lies; empty where nothing is proved.
    proved : bool
        Whether exactly one steady state is proved to lie in the enclosure (of a family: every point of it rests).
    family_of : str
        Of a proved family, the equations that hold on it.
    limit : bool
        Whether the rates have no value there, as V log(K / V) at V = 0: it rests as their limit on the faces on which
        states are zero. A corner of such faces need not be a limit from the inside.
    """

    values: dict
    eigenvalues: np.ndarray
    stability: str
    family: bool = False
    residual: float = 0.0
    observables: dict = field(default_factory=dict)
    enclosure: dict = field(default_factory=dict)
    proved: bool = False
    family_of: str = ""
    limit: bool = False

    def __getitem__(self, name):
        both = self.values | self.observables
        name = getattr(name, "name", name)
        if name not in both:
            raise ProblemError(f"the steady state has no {name!r}; {did_you_mean(name, both)}")
        return both[name]

    def __str__(self):
        where = ", ".join(f"{name} = {value:.6g}" for name, value in self.values.items())
        family = f", one of a family{': ' if self.family_of else ''}{self.family_of}" if self.family else ""
        return f"{where}: {self.stability}{family}{', as a limit' if self.limit else ''}"


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
        `"argument"`, `"declared bounds"`, `"invariant box"`, or several of them.
    inputs : dict of str -> float
        Constant inputs.
    n_starts : int
        Newton starts that were made.
    undecided : tuple of dict
        Boxes (state -> (low, high)) that may hold steady states or not: at a fold, for one.
    complete : bool
        Whether the interval search looked at all of the box.
    note : str
        Why something is not proved; empty where all is.
    proof : remission.analysis.proved.answer.Proof or None
        Enclosures, regions and the tree of boxes.
    """

    problem: object
    states: tuple
    box: dict
    box_from: str
    inputs: dict
    n_starts: int = 0
    undecided: tuple = ()
    complete: bool = False
    note: str = ""
    proof: object = None

    def __len__(self):
        return len(self.states)

    def __getitem__(self, i):
        return self.states[i]

    def __repr__(self):
        return f"<SteadyStates of {self.problem.model.name}: {len(self)} states>"

    def _claim(self):
        if self.proved:
            return "proved to be all"
        return f"not proved: {self.note}" if self.note else "not proved"

    @property
    def stable(self) -> tuple:
        """The stable ones."""
        return tuple(s for s in self.states if s.stability == "stable")

    @property
    def proved(self) -> bool:
        """Whether these are proved to be all steady states in the box."""
        return self.proof is not None and self.complete and not self.undecided and all(s.proved for s in self.states)

    @property
    def certificate(self) -> dict:
        """What `verify` needs to check the proof again: JSON-able, doubles as hexadecimal text."""
        if self.proof is None:
            raise CertificateError(f"steady_states of {self.problem.model.name}: nothing is proved ({self.note})")
        from .proved.certificate import certificate_of

        return certificate_of(self)

    def __str__(self):
        names = self.problem.system.states
        at = ", ".join(f"{k} = {v:g}" for k, v in self.inputs.items()) or "no inputs"
        lines = [
            f"{len(self)} steady states of {self.problem.model.name} ({at}), box from {self.box_from}, {self._claim()}"
        ]
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
    family = ", family" + (f" {state.family_of}" if state.family_of else "") if state.family else ""
    return state.stability + family + (", as a limit" if state.limit else "")


@refuse_unknown_keywords
def steady_states(problem, box=None, n_starts=200, rng=0, *, method="auto", time_limit=10.0, over=None):
    """All steady states in a box, proved, with eigenvalues and stability.

    Parameters
    ----------
    problem : Problem
        With constant inputs: `problem.at_constant(u=1.0)`.
    box : dict, optional
        State (or its name) -> (low, high). States not named take their declared bounds at the problem's parameters,
        else those of a box that no solution leaves, if one is found (`models.invariant_box`).
    n_starts : int
        Newton starts where something is not proved, half of them even and half even in the logarithm.
    rng : int or numpy.random.Generator
        Of the starts.
    method : {"auto", "proved", "search"}
        Proofs with what they leave open filled in by Newton steps; proofs or an error; Newton steps alone.
    time_limit : float
        Seconds for the interval search; what is left when it is over is returned as undecided.
    over : dict, optional
        Parameter or input (or its name) -> (low, high): the number of steady states for all values in the range.

    Returns
    -------
    SteadyStates, or with `over` a StateCounts
        `.proved` says whether these are proved to be all; `.undecided` are boxes that may hold more. A continuum is
        one entry with `family=True`.

    Raises
    ------
    ProblemError
        If the treatment changes in time or follows a rule, time appears in the equations, a state has no bounds, or
        `method="proved"` and no proof can be had here.

    Notes
    -----
    Totals that the equations conserve are kept at their initial values. States are proved absent or to be exactly one
    in an enclosure in outward-rounded interval arithmetic, parameters being the doubles that are given; a verdict on
    stability holds for the whole enclosure. A degenerate state (at a fold, on a branch point) cannot be told from none
    or two and stays undecided. Without numba and python-flint the answer is that of Newton steps, which can miss
    states.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> from remission.analysis import steady_states
    >>> print(steady_states(Problem(paracrine_loop()).at_constant(e=0.6)))
    3 steady states of paracrine_loop (B = 0, e = 0.6), box from declared bounds, ...
      T        F    X         M         P         largest eigenvalue  stability
      0        0.6  0         0.02      0.04      -0.07973            stable
      2.73907  0.6  0.871522  0.476362  0.952724  0.035249            unstable
      364.955  0.6  116.122   0.991633  1.98327   -0.054103           stable

    For all doses in a range:

    >>> problem = Problem(paracrine_loop()).at_constant(e=0.6)
    >>> steady_states(problem, over={"e": (0.5, 0.7)}).count
    3
    """
    _check_arguments(problem, n_starts, method)
    inputs = problem.inputs()
    _refuse_time(problem.model)
    over = _ranges(problem, over, box)
    box, box_from = _box(problem, box, inputs)
    if over:
        return _counts(problem, box, box_from, over, time_limit)
    field_ = newton.Field(problem, [inputs[name] for name in problem.system.inputs], box, _totals(problem))
    proof, note = (None, "asked for a search") if method == "search" else _proof(problem, box, time_limit)
    if proof is None and method == "proved":
        raise ProblemError(f"steady_states of {problem.model.name}: no proof can be had: {note}")
    found = [] if proof is None else _proved_states(problem, field_, proof)
    undecided, complete = (
        ((), False) if proof is None else (_named(problem, proof.found.undecided), proof.found.complete)
    )
    tries = 0
    if proof is None or undecided or not complete:
        points, tries = rest_points.search(field_, int(n_starts), np.random.default_rng(rng))
        found = [state for state in found if not _on_a_continuum(field_, state, points)]
        found += [_describe(problem, field_, p) for p in points if _adds(field_, p, found, undecided, complete)]
        note = note or (
            f"{len(undecided)} undecided boxes" if complete else f"stopped after {proof.seconds:.3g} s, boxes are left"
        )
    tumour = [s.name for s in problem.model.states if s.info.kind == "tumour"] or list(problem.system.states)
    found.sort(key=lambda s: [s.values[n] for n in tumour] + list(s.values.values()))
    return SteadyStates(problem, tuple(found), box, box_from, inputs, tries, undecided, complete, note, proof)


def _check_arguments(problem, n_starts, method):
    if not isinstance(problem, Problem):
        raise ProblemError(f"steady_states: the first argument must be a Problem, got {type(problem).__name__}")
    refuse_grid(problem, "steady_states")
    if not (isinstance(n_starts, (int, np.integer)) and n_starts >= 1):
        raise ProblemError(f"steady_states: n_starts is a whole number of 1 or more, got {n_starts!r}")
    if method not in METHODS:
        raise ProblemError(f"steady_states has no method {method!r}; {did_you_mean(str(method), METHODS)}")


def _ranges(problem, over, box):
    """Checked ranges of parameters, by name; bounds of states that depend on them have to be given."""
    over = {getattr(k, "name", k): v for k, v in (over or {}).items()}
    model = problem.model
    names = [s.name for s in (*model.parameters, *model.inputs)]
    boxed = set(box_sides(box, [s.name for s in model.states], "steady_states"))
    for name, side in over.items():
        if name not in names:
            raise ProblemError(f"steady_states: over names {name!r}; {did_you_mean(name, names)}")
        over[name] = low_high(side, f"steady_states: the range of {name}")
    for state in model.states:
        if over and state.name not in boxed:
            bounds = state.info.bounds
            met = (
                sorted(over) if bounds is None else sorted({s.name for b in bounds for s in b.free_symbols} & set(over))
            )
            if met:
                raise ProblemError(
                    f"steady_states: the bounds of {state.name} depend on {', '.join(met)}, which is varied; "
                    f"say where to look: box={{{state.name!r}: (low, high)}}"
                )
    return over


def _counts(problem, box, box_from, over, time_limit):
    from .proved import answer
    from .proved.reduce import NotReducible

    reason = answer.why_not()
    if not reason:
        from .proved.over import counts

        try:
            return counts(problem, box, box_from, over, float(time_limit))
        except NotReducible as error:
            reason = str(error)
    raise ProblemError(f"steady_states of {problem.model.name}: no proof can be had for a range: {reason}")


def _refuse_time(model):
    from remission.models import t

    for state, rate in model.equations.items():
        if rate.has(t):
            raise ProblemError(f"{model.name}: time appears in the equation of {state}, so nothing rests")


def _proof(problem, box, time_limit):
    """A proof, or None and why."""
    from .proved import answer

    reason = answer.why_not()
    if reason:
        return None, reason
    from .proved.reduce import NotReducible

    try:
        return answer.prove(problem, box, answer.parameter_intervals(problem), float(time_limit)), ""
    except NotReducible as error:
        return None, str(error)


def _proved_states(problem, field_, proof):
    """States from enclosures: the middle of each, its eigenvalues, the verdict on the enclosure."""
    states = []
    for root, verdict, limit in zip(proof.found.roots, proof.verdicts, proof.limits, strict=True):
        low, high = root.enclosure.T
        y = (
            root.point
            if root.point is not None
            else np.where((low <= 0) & (high >= 0) & (not root.family), 0.0, low + 0.5 * (high - low))
        )
        polished = None if root.family else rest_points.tidy(field_, y, 0.0)
        if polished is not None and np.all((low <= polished.y) & (polished.y <= high)):
            y = polished.y
        point = rest_points.Point(y, float(np.max((high - low) / field_.scale, initial=0.0)) * (not root.family),
                                  field_.relative_residual(y), root.family)  # fmt: skip
        state = _describe(problem, field_, point)
        states.append(replace(
            state, stability=state.stability if root.family else verdict, proved=True, family_of=root.words,
            limit=limit,
            enclosure=dict(zip(problem.system.states, zip(low.tolist(), high.tolist(), strict=True), strict=True)),
        ))  # fmt: skip
    return states


def _named(problem, boxes):
    return tuple(dict(zip(problem.system.states, map(tuple, b.tolist()), strict=True)) for b in boxes)


def _on_a_continuum(field_, state, points):
    """Whether a proved state is an end of a continuum that the Newton steps found."""
    y = np.array(list(state.values.values()))
    return not state.family and any(
        p.family and rest_points.is_family(field_, y) and rest_points.connected(field_, y, p.y) for p in points
    )


def _adds(field_, point, found, undecided, complete):
    """Whether a Newton result is new: apart from every proved state and, after a complete search, in an open box."""
    slack = 1e-7 * field_.scale
    for state in found:
        if state.proved:
            ends = np.array(list(state.enclosure.values()))
            if np.all((ends[:, 0] - slack <= point.y) & (point.y <= ends[:, 1] + slack)):
                return False
    if not complete:
        return True
    ends = [np.array(list(b.values())) for b in undecided]
    return any(np.all((e[:, 0] - slack <= point.y) & (point.y <= e[:, 1] + slack)) for e in ends)


def _totals(problem):
    """Weights (c, n) and values (c,) of the conserved totals."""
    model = problem.model
    totals = conserved_totals(model)
    weights = np.array([[float(total.coeff(s)) for s in model.states] for total in totals])
    weights = weights.reshape(len(totals), len(model.states))
    return weights, weights @ problem.system.y0(problem.p)


def _box(problem, given, inputs):
    """Box by state name, and where it came from."""
    names = problem.system.states
    given = box_sides(given, names, "steady_states")
    values = {s: problem.parameters[s.name] for s in problem.system.parameter_symbols}
    box, declared, missing = dict.fromkeys(names), False, []
    for state in problem.model.states:
        if state.name in given:
            box[state.name] = given[state.name]
        elif state.info.bounds is not None:
            box[state.name] = tuple(float(b.subs({s: values[s] for s in b.free_symbols})) for b in state.info.bounds)
            declared = True
        else:
            missing.append(state.name)
    if missing:
        box |= _invariant(problem, inputs, missing)
    for name, (low, high) in box.items():
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ProblemError(f"steady_states: the box of {name} is {low:g} to {high:g}; it has to be finite")
    sources = ["argument"] * bool(given) + ["declared bounds"] * declared + ["invariant box"] * bool(missing)
    return box, " and ".join(sources)


def _invariant(problem, inputs, missing):
    """Bounds of states from a box that no solution leaves."""
    from remission.models import invariant_box

    model = problem.model
    own = {p.name: problem.parameters[p.name] for p in model.parameters}
    found = invariant_box(model, own, {name: (level, level) for name, level in inputs.items()})
    if not found:
        example = ", ".join(f"{name!r}: (low, high)" for name in missing)
        raise ProblemError(
            f"steady_states: {model.name} declares no bounds of {', '.join(missing)}, and no box is found that "
            f"solutions stay in ({found.reason}); say where to look: box={{{example}}}"
        )
    return {name: found.bounds[name] for name in missing}


def _describe(problem, field_, point):
    values = dict(zip(problem.system.states, point.y.tolist(), strict=True))
    observed = problem.system.observe(np.zeros(1), point.y[:, None], problem.p, np.array(field_.u)[:, None])[:, 0]
    eigenvalues, stability = rest_points.stability(field_, point)
    return SteadyState(
        values, eigenvalues, stability, point.family, point.residual,
        dict(zip(problem.system.observables, observed.tolist(), strict=True)),
    )  # fmt: skip
