"""Proofs for thresholds of steady states: that exactly one lies in an enclosure, and that there are no others."""

import time
from dataclasses import replace

import numpy as np

from remission.models.errors import CertificateError, ProblemError

from ..proved import points
from ..proved.answer import why_not
from ..steady_states import steady_states

__all__ = ["certified", "certified_all", "nothing_left"]

CERTIFIERS = {"transcritical": "certify_transcritical", "fold": "certify_fold", "Hopf": "certify_hopf"}
WIDER = 0.0371  # of a box when a range is cut up again: the search then halves it elsewhere than through a state
DEPTH = 2  # times that a range without a threshold is cut up again
MOST_OPERATIONS = 600  # in a model's equations: above, sympy prepares a proof for many seconds


def certified_all(thresholds, patient=False) -> tuple:
    """Thresholds with enclosures and certificates where they can be had, and notes where not.

    Parameters
    ----------
    thresholds : list of Threshold
    patient : bool
        Whether long equations are no reason to do without.

    Returns
    -------
    list of Threshold, list of str
    """
    if not thresholds:
        return [], []
    model = thresholds[0].problem.model
    reason = why_not()
    if not (reason or patient) and sum(e.count_ops() for e in model.equations.values()) > MOST_OPERATIONS:
        reason = "the equations are long; complete=True or certify_transcritical() takes the time"
    if reason:
        return thresholds, [f"nothing is certified: {reason}"]
    pairs = [certified(t) for t in thresholds]
    return [t for t, _ in pairs], [note for _, note in pairs if note]


def certified(threshold) -> tuple:
    """A threshold with its enclosure and certificate, and a note where it cannot be proved."""
    t = threshold
    try:
        certify = getattr(points, CERTIFIERS[t.mechanism])
        with np.errstate(all="ignore"):
            point = certify(t.problem, t.of, t.state, t.value)
    except (CertificateError, ProblemError) as error:
        return t, f"{t.label} at {t.value:.6g} is not certified: {str(error).split(': ')[-1]}"
    near = abs(point.value - t.value) <= 1e-6 * max(abs(t.value), abs(point.value))
    if not near:
        return t, f"{t.label} at {t.value:.6g} is not certified: the proof found {point.value:.6g}"
    low, high = point.enclosure
    value = t.value if low <= t.value <= high else point.value
    found = t.found if t.found == "symbolic" else "certified"
    return replace(t, value=value, found=found, enclosure=(low, high), certificate=point.certificate), ""


def nothing_left(problem, moved, within, thresholds, kinds, box, time_limit) -> tuple:
    """Whether thresholds are proved to be all in a range: the number of steady states changes nowhere else.

    Parameters
    ----------
    problem : Problem
    moved : Moved
    within : (low, high)
    thresholds : list of Threshold
        All special points that were found, those not asked for included.
    kinds : tuple of str
        Asked for.
    box : dict or None
    time_limit : float
        Seconds.

    Returns
    -------
    bool, str
        Whether all are found, and in words what is proved or what is missing.
    """
    values = [t.value for t in thresholds if t.enclosure is not None]
    until = time.monotonic() + time_limit
    try:
        bare, held, unsure, where = _undecided(problem, moved.name, within, values, box, until, DEPTH)
    except ProblemError as error:
        return False, f"not proved to be all: {str(error).removeprefix('steady_states: ')}"
    if bare:
        low, high = bare[0]
        more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
        return False, (
            f"not proved to be all: the number of steady states is undecided for {moved.name} within {low:.6g} to "
            f"{high:.6g}{more}"
        )
    widest = max((high - low for low, high in held), default=0.0)
    proof = (
        f"for steady states within {where}: their number is constant but for ranges of {moved.name} no wider than "
        f"{widest:.2g}, each of which holds a certified point"
    )
    if "onset of cycles" in kinds and unsure:
        return False, proof + "; that no cycles begin is not proved"
    return True, proof


def _undecided(problem, name, within, values, box, until, depth):
    """Ranges in which the number of states is undecided: those without a value and those with; unsure stabilities."""
    left = max(until - time.monotonic(), 0.0)
    counts = steady_states(problem, box=box, over={name: within}, time_limit=left)
    where = ", ".join(f"{state} {low:g} to {high:g}" for state, (low, high) in counts.box.items())
    bare, held = [], []
    unsure = any("undecided" in c.stabilities for c in counts.cells)
    for low, high in _runs([c.ranges[name] for c in counts.undecided]):
        if any(low <= v <= high for v in values):
            held.append((low, high))
        elif depth and high - low < 0.5 * (within[1] - within[0]) and time.monotonic() < until:
            wider = {state: (a, b + WIDER * (b - a)) for state, (a, b) in counts.box.items()}
            inner = _undecided(problem, name, (low, high), values, wider, until, depth - 1)
            bare, held, unsure = bare + inner[0], held + inner[1], unsure or inner[2]
        else:
            bare.append((low, high))
    return bare, held, unsure, where


def _runs(ranges):
    """Ranges that touch, as one."""
    found = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found
