"""The proof that some special points are all, written down for a checker that shares no code with the search."""

import sympy as sp

from remission.models.errors import CertificateError

from . import answer, certificate, events, reduce

__all__ = []  # of use inside the package only

FORMAT = "remission special points, version 1"


def certificate_of(result) -> dict:
    """JSON-able certificate of a `CertifiedPoints`.

    Parameters
    ----------
    result : CertifiedPoints
        Complete.

    Returns
    -------
    dict
        `events` has the tree of boxes of each system that was searched, `points` the certificates of the points.

    Raises
    ------
    CertificateError
        If it is not complete.
    """
    if not result.complete or result.search is None:
        raise CertificateError(
            f"special points of {result.problem.model.name} over {result.of} are not proved to be all: "
            + ("; ".join(result.notes) or "nothing was searched")
        )
    kinds = {"fold": "fold", "transcritical": "transcritical", "pair": "Hopf"}
    kinds = {k: v for k, v in kinds.items() if v in result.kinds}
    system = reduce.system_of(result.problem.model)
    own = len(system.parameters) - len(system.totals)
    values = answer.parameter_intervals(result.problem)
    hexed = certificate._hex
    return {
        "format": FORMAT,
        "model": result.problem.model.name,
        "of": result.of,
        "within": hexed(result.within),
        "kinds": sorted(kinds.values()),
        "equations": {s.name: sp.sstr(e) for s, e in system.rates.items()},
        "parameters": {
            p.name: hexed(v) for p, v in zip(system.parameters[:own], values, strict=False) if p.name != result.of
        },
        "totals": [
            {"state": s.name, "total": sp.sstr(total), "value": hexed(v)}
            for (s, total), v in zip(system.totals, values[own:], strict=True)
        ],
        "box": {n: hexed(side) for n, side in result.box.items()},
        "cases": [certificate._part(_untouched(part)) for part in result.search.parts()],
        "events": [
            _event(kinds[event.kind], event, sides, searched, result)
            for event, sides, searched in result.search.trees
            if event.kind in kinds
        ],
        "points": [p.certificate for p in result.points],
    }


def _untouched(part):
    import numpy as np

    from .search import Searched

    none = np.zeros((0, len(part.variables), 2))
    return Searched(part, none, none, none, np.zeros(0, np.int32), np.zeros(0))


def _event(kind, event, sides, searched, result):
    part = certificate._part(searched)
    names = [s.name for s in result.search.made.system.states]
    part["eliminated"] = [pair for pair in part["eliminated"] if pair[0] != events.SQUARE.name]
    if part["degenerate"]:  # shown to have no solution all the same
        part |= {"degenerate": False, "kinds": [-1], "points": [(0.0).hex()], "undecided": []}
    state = event.state
    return {
        "kind": kind,
        "state": state.name if event.kind == "transcritical" else None,
        "block": [s.name for s in state] if event.kind == "pair" else None,
        "box": {n: certificate._hex(s) for n, s in zip(names, sides, strict=True) if n != events.SQUARE.name},
        "part": part,
    }
