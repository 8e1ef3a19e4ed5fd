"""threshold: a threshold as an output of sweeps and sensitivities."""

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from ..outcomes import Outcome
from .value import KINDS

__all__ = ["threshold"]


@refuse_unknown_keywords
def threshold(kind, of=None, *, within=None, clone=None) -> Outcome:
    """A threshold as an output of `sweep` and `sensitivity`: a number of the problem, which is not solved for it.

    Parameters
    ----------
    kind : str
        `"curative dose"`, `"clone dose"`, `"fold dose"`, `"critical blockade"`, `"fold"`, `"onset of cycles"`, or any
        other kind that `thresholds` knows.
    of : str, optional
        What is moved; may be left out where there is one input or treatment parameter alone.
    within : (low, high), optional
        Where it is moved; as in `thresholds` if not given.
    clone : str, optional
        The clone of a `"clone dose"`: the dose above which it shrinks where it is rare, whatever others do.

    Returns
    -------
    Outcome
        Its number is the first threshold of the kind in the range; `inf` where there is none and the tumour stays,
        `-inf` where there is none and it is gone at the beginning of the range already. Derivatives of thresholds of
        steady states and between fates are exact; where `thresholds` knows none they are NaN.

    Raises
    ------
    ProblemError
        If there is no such kind.

    Notes
    -----
    In a sweep a member takes half a millisecond: a curative dose is read off its formula, folds and Hopf points are
    followed from those of the problem that is swept, in steps over the parameters. Where that fails they are sought by
    continuation, in tens of milliseconds. Whether a fold that was followed is still the last one is not looked at
    again.

    Examples
    --------
    >>> from remission.analysis import sensitivity, threshold
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> cure = threshold("curative dose", of="e")
    >>> print(cure, "=", round(cure(Problem(paracrine_loop())), 6))
    curative dose (e) = 0.333893
    >>> print(sensitivity(Problem(paracrine_loop()), cure, vary=["r", "kap", "K"]))
    local sensitivity of paracrine_loop: % of output per % of parameter
      curative dose (e) = 0.3339 (exact)
        r    1.499
        kap -1
        K    0
    """
    if kind not in KINDS:
        raise ProblemError(f"threshold: there is no kind {kind!r}; {did_you_mean(str(kind), KINDS)}")
    within = None if within is None else tuple(float(v) for v in within)
    clone = None if clone is None else str(getattr(clone, "name", clone))
    of = None if of is None else str(getattr(of, "name", of))
    return Outcome("threshold", of, (("clone", clone), ("which", kind), ("within", within)))
