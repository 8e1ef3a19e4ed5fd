"""threshold_curve: a threshold of one parameter or input followed over another."""

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem

from ..given import low_high
from .curve_value import ThresholdCurve
from .moved import at_value, moved_of, range_of
from .value import KINDS, Thresholds

__all__ = ["threshold_curve"]


@refuse_unknown_keywords
def threshold_curve(
    problem, of, against, span, *, kind=None, within=None, n=33, outcome=None, level=None, box=None, time_limit=10.0,
    progress=True,
) -> ThresholdCurve:  # fmt: skip
    """A threshold as a curve over a second parameter.

    Parameters
    ----------
    problem : Problem
    of : str or Symbol
        What it is a threshold of, as in `thresholds`.
    against : str or Symbol
        Parameter or input over which it is followed.
    span : (low, high)
        Of `against`.
    kind : str, optional
        Kind of threshold (`remission.analysis.critical.value.KINDS`); by default all that are bifurcations of steady
        states: curative doses, folds, critical blockades, onset of cycles. `"fold"` stands for all folds.
    within : (low, high), optional
        Where `of` is looked at, by default as in `thresholds`.
    n : int
        About how many values are solved for where the threshold has to be found anew for each value of `against`.
    outcome, level : optional
        As in `thresholds`: the curve on which an outcome has a level.
    box : dict, optional
        State -> (low, high) where steady states are looked for.
    time_limit : float
        Seconds of each search for steady states.
    progress : bool
        A progress bar where values are found one by one.

    Returns
    -------
    ThresholdCurve

    Raises
    ------
    ProblemError
        If a name, kind or range is wrong, or no steady state can be found.

    Notes
    -----
    Bifurcations are found on branches at several values of either parameter, and followed by `continue_points`
    through cusps and turning points, which are located. What meets no such branch, as a small closed curve may, is
    missed. A curve is cut where its meaning changes: at cusps, at turning points, and where a transcritical changes
    criticality, so that for example a curative dose beyond which every tumour is cleared becomes one beyond which
    large ones stay.

    Other kinds are found by `thresholds` at one value of `against` after another, each looked for near where the last
    ones and their derivatives point to; more values are taken where the curve bends. Values at which there is none
    are told in `holes`.

    Examples
    --------
    The dose and blocker with which chemotherapy clears every tumour:

    >>> from remission.analysis import threshold_curve
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> curve = threshold_curve(Problem(paracrine_loop()), "B", "e", (0.34, 1.0), within=(0, 150))
    >>> [(p.kind, p.mechanism) for p in curve]
    [('critical blockade', 'fold')]
    >>> round(float(curve.at(0.6)[0]), 4)
    29.8614
    """
    from .curve_follow import mechanisms_of

    if not isinstance(problem, Problem):
        raise ProblemError(f"threshold_curve: the first argument must be a Problem, got {type(problem).__name__}")
    if kind is not None and kind not in KINDS:
        raise ProblemError(f"threshold_curve: there is no kind {kind!r}; {did_you_mean(str(kind), KINDS)}")
    moved, second = moved_of(problem, of), moved_of(problem, against)
    if moved.name == second.name:
        raise ProblemError(f"threshold_curve: {moved.name} is both `of` and `against`; name two")
    within, span = range_of(problem, moved, within)[0], low_high(span, f"threshold_curve: the span of {second.name}")
    options = {"outcome": outcome, "level": level, "box": box, "time_limit": time_limit}
    if outcome is None and mechanisms_of(kind) and _constant(problem):
        from .curve_follow import follow

        pieces, points, notes = follow(problem, moved, second, within, span, kind, box, time_limit)
        holes = ()
    else:
        from .curve_track import track

        if kind is None and outcome is None:
            raise ProblemError("threshold_curve: with a treatment that changes in time say which kind=...")
        pieces, holes, notes = track(problem, moved, second, within, span, kind, int(n), options, progress)
        points = ()
    return ThresholdCurve(problem, moved.name, second.name, within, span, kind or "", pieces, points, holes,
                          tuple(notes), options)  # fmt: skip


def _constant(problem):
    try:
        problem.inputs()
    except ProblemError:
        return False
    return True


def solve_at(curve, value, kind=None) -> Thresholds:
    """Thresholds of a curve at a value of its second parameter, solved for again."""
    problem = at_value(curve.problem, curve.against, value)
    moved = moved_of(problem, curve.of)
    if all(p.mechanism in ("fold", "Hopf", "transcritical") for p in curve.pieces):
        from .curve_solve import on_pieces

        found = on_pieces(curve, problem, moved, value)
    else:
        from .curve_track import once

        found, _ = once(problem, moved, curve.within, curve.kind or None, curve.options)
    found = tuple(sorted((t for t in found if kind in (None, t.kind)), key=float))
    count = f"{len(found)} threshold{'' if len(found) == 1 else 's'}" if found else "no threshold"
    return Thresholds(problem, curve.of, curve.within, found, False, f"{count} at {curve.against} = {value:g}")
