"""thresholds: all values of one parameter or input at which what becomes of the tumour changes."""

import importlib
import importlib.util

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem
from remission.solvers.grid import refuse_grid

from ..given import box_sides, seconds
from ..outcomes import as_outcome
from .cases import CASES, NAMED, Asked
from .moved import moved_of
from .value import KINDS, Thresholds

__all__ = ["thresholds"]


@refuse_unknown_keywords
def thresholds(
    problem,
    of=None,
    *,
    within=None,
    kinds=None,
    outcome=None,
    level=None,
    box=None,
    n=None,
    time_limit=10.0,
    complete=True,
) -> Thresholds:
    """Values of a parameter or input at which what becomes of the tumour changes.

    Parameters
    ----------
    problem : Problem
        With constant inputs for thresholds of steady states.
    of : str or Symbol, optional
        What is moved: a parameter or input of the model, a Parameter of the treatment, an initial value `"T(0)"`, or
        `"cycles"`, the repetitions of a treatment.
        May be left out where the model and the treatment have one input or treatment parameter alone.
    within : (low, high), optional
        Where it is moved. By default the plausible range of a parameter, and for an input 0 to 100 times the larger
        of 1, its default and its level; the result says so.
    kinds : str or sequence of str, optional
        Kinds that are wanted (`remission.analysis.critical.value.KINDS`); all that there can be if not given.
    outcome : str, Outcome or callable, optional
        With `level`: the values of `of` at which the outcome passes the level are looked for instead.
    level : float, optional
        Of the outcome; or, for `"time to relapse"`, the size at which a tumour is detected.
    box : dict, optional
        State -> (low, high): where steady states are looked for, as in `steady_states`.
    n : int, optional
        Points of the range that are looked at for fates (17 if not given) and outcomes (33); thresholds that undo each
        other between two of them are missed.
    time_limit : float
        Seconds for each search that has to be proved.
    complete : bool
        Prove that no threshold of steady states is missed in the range; without it folds and cycles are those on
        branches through the steady states at some values of the range, which is faster.

    Returns
    -------
    Thresholds
        In order of the value, each with its kind, direction and derivatives; empty with a `status` where there is
        none in the range.

    Raises
    ------
    ProblemError
        If `of` is needed and missing or unknown, a kind is unknown, the range is empty, or the question has no
        answer for such a treatment.

    Notes
    -----
    **Curative dose**: the state without tumour changes its stability. Its Jacobian is block triangular, with a block
    for each group of clones that found one another [1]_, whose largest eigenvalue is the growth of the group where it
    is rare. Where a formula exists it is given (`formula`), with no tumour but everything else at rest. A **clone
    dose** is the same for one clone while others still grow; the curative dose is the one after which none does.
    `coefficients` are those of ``burden' = b (of - value) burden + a burden^2`` near it: with ``a > 0``
    (subcritical) an unstable tumour state lies on the side where the tumour-free state is stable, and what becomes of
    a tumour depends on its size.

    **Fold dose**: beyond it there is no stable tumour state at all, so that every tumour is cleared or cycles;
    **critical blockade** is its name where the input moves nothing in the tumour's own equations, but acts through
    other states. Other folds are `"fold"`, Hopf points `"onset of cycles"`. They are found by continuation from the
    steady states that `steady_states` proves at several values of the range, and through all `certified_points`.

    **Fates.** Where the treatment stops changing at a known time, `of` may be a time, a length or the repetitions of
    it (**minimal duration**), the day of an operation (**latest surgery**), or the tumour at the start (**residual
    disease**): the value at which the solution ends at a saddle, and with it what becomes of the tumour (`fate`)
    changes. With ``kinds="change of fate"`` any parameter or input is moved.

    **Crossings.** With `outcome` and `level` any outcome of any treatment; one kind in `kinds` is then its name. Of
    **critical missegregation** there are three definitions, and `conditions` say which: relapse probability (an
    outcome) passes a level, rare growth of the whole tumour vanishes, or that of one clone does (error threshold).
    **Threshold size** is that of `rescue`, **time to relapse** that of `time_to_relapse`.

    **Pulses**: under doses repeated without end a rare clone grows by its mean net rate along the forced orbit that
    the rest has without tumour; at its dose the Floquet multiplier of a period is 1. An input's largest level is moved,
    the others in proportion; `coefficients` hold the value at which the same dose, spread evenly, would do.

    **Derivatives** by the other parameters and inputs follow by implicit differentiation of the equations that define
    the point, exact first and second derivatives of the rates in them.

    **Proofs.** Where numba and python-flint are there, each threshold of steady states is certified: exactly one in
    its `enclosure`, with a `certificate` for `verify`. That there are no others (`complete` of the result) is known of
    formulas and polynomials, and of folds and Hopf points by `certified_points`, in a box of the states that the notes
    say. A model of very long equations is left to `certified_points`.

    References
    ----------
    .. [1] van den Driessche and Watmough (2002), Mathematical Biosciences 180, 29-48.

    Examples
    --------
    >>> from remission.analysis import thresholds
    >>> from remission.models import clonal_relapse, paracrine_loop
    >>> from remission.solvers import Problem
    >>> found = thresholds(Problem(clonal_relapse(), parameters={"kap_R": 0.1}), kinds=("curative dose", "clone dose"))
    >>> print(found)
    thresholds of clonal_relapse over u, 0 to 100, proved to be all
      clone dose: u = 0.36363627 (transcritical, symbolic); S, where rare, grows below, shrinks above
      curative dose: u = 0.8 (transcritical, symbolic); a rare tumour grows below, shrinks above; supercritical: ...
    >>> found["curative dose"].formula
    r_R/kap_R
    >>> loop = Problem(paracrine_loop()).at_constant(e=0.6, B=10)
    >>> [(t.kind, round(t.value, 6)) for t in thresholds(loop, "e")]
    [('curative dose', 0.333893), ('fold dose', 0.779284)]

    How long the blocker has to be given so that chemotherapy can finish alone:

    >>> from remission.models import Parameter
    >>> from remission.solvers import Treatment
    >>> days = Parameter("days", 30, unit="day", plausible=(10, 80), scale="linear")
    >>> course = Treatment.constant({"e": 0.6}) + Treatment.constant({"B": 100}, end=days)
    >>> print(thresholds(Problem(paracrine_loop(), treatment=course), "days")[0])
    minimal duration: days = 41.953943 day (separatrix, numerical); T = 364.955 below, no tumour above
    """
    if not isinstance(problem, Problem):
        raise ProblemError(f"thresholds: the first argument must be a Problem, got {type(problem).__name__}")
    refuse_grid(problem, "thresholds")
    kinds = _kinds(kinds)
    named = kinds is not None and outcome is None and all(kind in NAMED for kind in kinds)
    if not named and (outcome is None) != (level is None):
        raise ProblemError("thresholds: outcome= and level= go together: which outcome, and the level that it passes")
    moved = of if named and "critical missegregation" not in kinds else moved_of(problem, of)
    asked = Asked(problem, moved, kinds, None if outcome is None else as_outcome(outcome))
    case = next(case for case in CASES if case.when(asked))
    if importlib.util.find_spec(f"{__package__}.{case.file}") is None:
        raise ProblemError(
            f"thresholds of {problem.model.name}: {case.about} cannot be found for {asked.of.name} under this "
            f"treatment ({problem.treatment}); for thresholds of steady states use problem.at_constant(...)"
        )
    options = {
        "outcome": asked.outcome,
        "level": level,
        "box": None if box is None else box_sides(box, problem.system.states, "thresholds"),
        "n": n,
        "time_limit": seconds(time_limit, "thresholds"),
        "complete": complete,
    }
    find = importlib.import_module(f".{case.file}", __package__).find
    return find(problem, asked.of, within, kinds, **{name: options[name] for name in case.options})


def _kinds(kinds):
    if kinds is None:
        return None
    if not isinstance(kinds, str | tuple | list | set | frozenset):
        raise ProblemError(f"thresholds: kinds is a kind or several of them, got {kinds!r}")
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    for kind in kinds:
        if kind not in KINDS:
            raise ProblemError(f"thresholds: there is no kind {kind!r}; {did_you_mean(str(kind), KINDS)}")
    return kinds
