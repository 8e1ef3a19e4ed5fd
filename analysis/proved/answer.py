"""A problem's steady states with their proofs: numbers in, enclosures and verdicts out."""

import importlib.util
import math
import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from remission.models.errors import ProblemError

__all__ = []  # of use inside the package only


@dataclass(frozen=True, eq=False)
class Proof:
    """What an interval search gave.

    Attributes
    ----------
    values : (n_p, 2) array
        Intervals of parameters, inputs and totals.
    box : (n, 2) array
    found : search.Found
    verdicts : list of str
        Of each root that is not a family.
    seconds : float
    limits : list of bool
        Whether the rates have no value at a root and it rests as their limit on faces where states are zero.
    """

    values: np.ndarray
    box: np.ndarray
    found: object
    verdicts: list
    seconds: float
    limits: list


def why_not() -> str:
    """Why proofs cannot be had on this machine; empty where they can."""
    missing = [name for name, module in (("numba", "numba"), ("python-flint", "flint")) if not _there(module)]
    return f"{' and '.join(missing)} not installed" if missing else ""


def _there(module):
    return importlib.util.find_spec(module) is not None


def parameter_intervals(problem, over=None) -> np.ndarray:
    """Intervals of the parameters, inputs and conserved totals of a problem.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    over : dict, optional
        Name of a parameter or input -> (low, high), where it is an interval.

    Returns
    -------
    (n_p, 2) array
    """
    from . import reduce

    system = reduce.system_of(problem.model)
    known = dict(problem.parameters) | problem.inputs()
    over = over or {}
    found = [over.get(s.name, (known.get(s.name),) * 2) for s in system.parameters[: _own(system)]]
    start = dict(zip(problem.system.states, problem.system.y0(problem.p).tolist(), strict=True))
    for _, total in system.totals:
        value = sum(_exact(total.coeff(s)) * Fraction(start[s.name]) for s in system.states)
        near = float(value)
        same = Fraction(near) == value
        found.append((near, near) if same else (math.nextafter(near, -math.inf), math.nextafter(near, math.inf)))
    return np.array(found, dtype=float).reshape(-1, 2)


def _own(system):
    return len(system.parameters) - len(system.totals)


def _exact(number):
    return Fraction(int(number.p), int(number.q))


def prove(problem, box, values, time_limit) -> Proof:
    """Search a box and decide the stability of what is found.

    Parameters
    ----------
    problem : Problem
    box : dict of str -> (low, high)
    values : (n_p, 2) array
    time_limit : float
        Seconds.

    Returns
    -------
    Proof

    Raises
    ------
    reduce.NotReducible
        If the equations have no form that a proof is offered for.
    """
    from . import reduce, search, stability

    began = time.monotonic()
    sides = np.array([box[s.name] for s in problem.model.states], dtype=float)
    try:
        found = search.search_box(problem.model, values, sides, began + time_limit)
    except reduce.NotReducible:
        raise
    except ProblemError as error:  # an operation that tapes lack
        raise reduce.NotReducible(str(error)) from error
    scale = np.max(np.abs(sides), axis=1)
    verdicts = [
        "undecided" if root.family else stability.verdict(problem.model, values, root.enclosure, scale)
        for root in found.roots
    ]
    limits = [
        word == "undecided" and not stability.has_rates(problem.model, values, root.enclosure)
        for root, word in zip(found.roots, verdicts, strict=True)
    ]
    return Proof(values, sides, found, verdicts, time.monotonic() - began, limits)
