"""Thresholds of steady states at constant inputs: curative doses, folds, critical blockade, onset of cycles."""

from remission.models.errors import ProblemError

from ..proved.reduce import NotReducible
from .certify import certified_all, proved_points
from .curative import rare_growth, without_tumour
from .folds import box_of, from_branches, missed_rare
from .moved import bound, range_of, value_of
from .value import Thresholds

__all__ = ["STEADY_KINDS", "find"]

RARE = ("curative dose", "clone dose")
BRANCHED = ("fold dose", "critical blockade", "fold", "onset of cycles")
STEADY_KINDS = (*RARE, *BRANCHED)


def find(problem, of, within, kinds, *, box=None, time_limit=10.0, complete=True) -> Thresholds:
    """Thresholds of steady states.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    of : Moved
    within : (low, high) or None
    kinds : tuple of str or None
    box : dict or None
    time_limit : float
    complete : bool
        Whether to prove that none is missed.

    Returns
    -------
    Thresholds
    """
    problem, of = bound(problem, of)
    (low, high), why = range_of(problem, of, within)
    wanted = STEADY_KINDS if kinds is None else kinds
    found, notes, sure, reason, proof = [], [], True, "", None
    if any(kind in RARE for kind in wanted):
        try:
            found, notes, sure = rare_growth(problem, of, (low, high))
        except NotReducible as error:
            reason, sure = str(error), False
    branched = any(kind in BRANCHED for kind in wanted)
    if branched or reason or not sure:
        box = box_of(problem, of, (low, high), box)
    if complete and (branched or not sure):
        proof, said = proved_points(problem, of, (low, high), box, time_limit, "onset of cycles" in wanted)
        sure, said = _all(proof, said)
        notes.append(said)
    if branched or reason:
        try:
            more, said = from_branches(problem, of, (low, high), box, time_limit, bool(reason), proof)
            found, notes, sure = found + more, notes + said, sure and proof is not None
        except ProblemError as error:
            if kinds is not None and not (found or notes):
                raise
            notes.append(f"folds and cycles were not looked for: {str(error).removeprefix('steady_states: ')}")
            sure = False
    if proof is not None and any(kind in RARE for kind in wanted):
        found = found + missed_rare(problem, of, found, proof, bool(reason))
    found = sorted((t for t in found if t.kind in wanted), key=lambda t: t.value)
    found, said = certified_all(found, proof)
    notes += said + ([reason] if reason else [])
    status = _status(problem, of, (low, high), why, found, wanted)
    return Thresholds(problem, of.name, (low, high), tuple(found), sure, status, tuple(note for note in notes if note))


def _all(proof, why):
    """Whether the points are proved to be all, and a note: in which box, or why they are not."""
    if proof is None:
        return False, why
    if proof.complete:
        sides = ", ".join(f"{name} {low:.4g} to {high:.4g}" for name, (low, high) in proof.box.items())
        return True, f"proved for steady states within {sides}"
    if proof.notes and all(note.startswith("pair") for note in proof.notes):
        return False, f"proved to be all but for the onset of cycles: {proof.notes[0]}"
    return False, f"not proved to be all: {proof.notes[0] if proof.notes else 'a part of the range is undecided'}"


def _status(problem, of, within, why, found, wanted):
    low, high = within
    where = f"of {of.name} within {low:g} to {high:g} ({why})"
    if found:
        return f"{len(found)} thresholds {where}"
    value = value_of(problem, of.name)
    state = without_tumour(problem, of, value)
    here = f"; at {of.name} = {value:g} the state without tumour is {state}" if state else ""
    what = "threshold" if wanted == STEADY_KINDS else " and no ".join(wanted)
    return f"no {what} {where}{here}"
