"""Proofs for thresholds of steady states: that exactly one lies in an enclosure, and that there are no others."""

from dataclasses import replace

import numpy as np

from remission.models.errors import CertificateError, ProblemError

from ..proved import points
from ..proved.answer import why_not

__all__ = ["certified_all", "long_equations", "proved_points", "same_point"]

CERTIFIERS = {"transcritical": "certify_transcritical", "fold": "certify_fold", "Hopf": "certify_hopf"}
MOST_OPERATIONS = 600  # in a model's equations: above, sympy prepares a proof for many seconds
SAME = 1e-6  # relative distance of two results that are one point


def proved_points(problem, moved, within, box, time_limit, cycles=True) -> tuple:
    """All special points of steady states over a range by interval search, and why there are none.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    moved : Moved
    within : (low, high)
    box : dict or None
    time_limit : float
        Seconds.
    cycles : bool
        Whether Hopf points are among them.

    Returns
    -------
    CertifiedPoints or None, str
    """
    from ..proved.all_points import certified_points

    reason = why_not() or long_equations(problem.model)
    if reason:
        return None, f"not proved to be all: {reason}"
    kinds = ("fold", "transcritical", "Hopf") if cycles else ("fold", "transcritical")
    try:
        with np.errstate(all="ignore"):
            return certified_points(
                problem, moved.name, within, box, kinds=kinds, time_limit=time_limit, counts=False
            ), ""
    except ProblemError as error:
        return None, f"not proved to be all: {str(error).split('no proof can be had: ')[-1]}"


def long_equations(model) -> str:
    """Why no proof is tried for a model of long equations; empty where they are short."""
    long = sum(e.count_ops() for e in model.equations.values()) > MOST_OPERATIONS
    return "the equations are long; certified_points() and certify_transcritical() take the time" if long else ""


def certified_all(thresholds, known=None) -> tuple:
    """Thresholds with enclosures and certificates where they can be had, and notes where not.

    Parameters
    ----------
    thresholds : list of Threshold
    known : CertifiedPoints, optional
        Points that are proved already.

    Returns
    -------
    list of Threshold, list of str
    """
    if not thresholds:
        return [], []
    reason = why_not() or long_equations(thresholds[0].problem.model)
    if reason:
        return thresholds, [f"nothing is certified: {reason}"]
    pairs = [_certified(t, known or ()) for t in thresholds]
    return [t for t, _ in pairs], [note for _, note in pairs if note]


def _certified(threshold, known):
    """A threshold with its enclosure and certificate, and a note where it cannot be proved."""
    t = threshold
    point = next((p for p in known if p.kind == t.mechanism and same_point(p, t.value, t.state)), None)
    if point is None:
        try:
            with np.errstate(all="ignore"):
                point = getattr(points, CERTIFIERS[t.mechanism])(t.problem, t.of, t.state, t.value)
        except (CertificateError, ProblemError) as error:
            return t, f"{t.label} at {t.value:.6g} is not certified: {str(error).split(': ')[-1]}"
        if not same_point(point, t.value, t.state):
            return t, f"{t.label} at {t.value:.6g} is not certified: the proof found another point, {point.value:.6g}"
    low, high = point.enclosure
    value = t.value if low <= t.value <= high else point.value
    found = t.found if t.found == "symbolic" else "certified"
    return replace(t, value=value, found=found, enclosure=(low, high), certificate=point.certificate), ""


def same_point(point, value, state) -> bool:
    """Whether a certified point is at a value and a state."""
    largest = max(map(abs, state.values()), default=0.0)
    near = [
        abs(point.state[name] - x) <= 1e-4 * max(abs(point.state[name]), abs(x), 1e-6 * largest)
        for name, x in state.items()
    ]
    return all(near) and abs(point.value - value) <= SAME * max(abs(value), abs(point.value))
