"""A proof written down: text and exact doubles (hexadecimal), for a checker that shares no code with the search."""

import sympy as sp

from . import reduce

__all__ = []  # of use inside the package only

FORMAT = "remission steady states, version 1"


def certificate_of(result) -> dict:
    """JSON-able certificate of a `SteadyStates`.

    Parameters
    ----------
    result : SteadyStates
        With a proof.

    Returns
    -------
    dict
        `equations` (text), `parameters`, `totals`, `box`, `parts` (each with its regions, enclosures and the tree of
        boxes), `states` and `undecided`.
    """
    proof = result.proof
    system = reduce.system_of(result.problem.model)
    own = len(system.parameters) - len(system.totals)
    named = zip(system.parameters[:own], proof.values, strict=False)
    return {
        "format": FORMAT,
        "model": result.problem.model.name,
        "equations": {s.name: sp.sstr(e) for s, e in system.rates.items()},
        "parameters": {p.name: _hex(v) for p, v in named},
        "totals": [
            {"state": s.name, "total": sp.sstr(total), "value": _hex(v)}
            for (s, total), v in zip(system.totals, proof.values[own:], strict=True)
        ],
        "box": {s.name: _hex(side) for s, side in zip(system.states, proof.box, strict=True)},
        "box_from": result.box_from,
        "complete": bool(result.complete),
        "parts": [_part(searched) for searched in proof.found.parts],
        "states": [
            {"enclosure": {n: _hex(e) for n, e in s.enclosure.items()}, "stability": s.stability, "family": s.family,
             "family_of": s.family_of}
            for s in result.states if s.proved
        ],
        "undecided": [{n: _hex(e) for n, e in box.items()} for box in result.undecided],
    }  # fmt: skip


def _hex(pair):
    return [float(pair[0]).hex(), float(pair[1]).hex()]


def _boxes(boxes):
    return [[_hex(side) for side in box] for box in boxes]


def _part(searched):
    part = searched.part
    found = {
        "zeros": [s.name for s in part.zeros],
        "divided": [s.name for s in part.divided],
        "eliminated": [[s.name, source.name] for s, source, _ in part.eliminated],
        "variables": [s.name for s in part.variables],
        "free": [s.name for s in part.free],
        "degenerate": bool(searched.degenerate),
        "regions": _boxes(searched.regions),
        "enclosures": _boxes(searched.enclosures),
        "undecided": _boxes(searched.undecided),
        "kinds": [int(k) for k in searched.kinds],
        "points": [float(p).hex() for p in searched.points],
        "logarithms": [s.name for s in part.logarithms],
        "again": [[source.name, s.name] for source, s in part.again],
    }
    return found if searched.special is None else found | {"special": _special(searched.special)}


def _special(special):
    """How a part with a continuum was reduced, and a proved point of each continuum."""
    steps = [
        {
            "eliminated": [[s.name, source.name] for s, source in step["eliminated"]],
            "again": [[source.name, s.name] for source, s in step["again"]],
            "factor": sp.sstr(step["factor"]),
            "families": [sp.sstr(h) for h in step["families"]],
            "end": step["end"],
        }
        for step in special["steps"]
    ]
    shown = [
        {
            "family": k,
            "chosen": [s.name for s in one.chosen],
            "fixed": {name: float(v).hex() for name, v in one.fixed.items()},
            "region": [_hex(side) for side in one.region],
            "enclosure": [_hex(side) for side in one.enclosure],
        }
        for k, one in special["shown"]
    ]
    return {"put": {p.name: sp.sstr(v) for p, v in special["put"]}, "steps": steps, "shown": shown}
