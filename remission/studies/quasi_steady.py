"""The inflammatory loop as one equation: with the signals at rest, T' = T g(T; e, B).

Every signal of `paracrine_loop` is linear in itself and driven by those before it, so its rest value is a formula, and
steady tumours are roots of a scalar function. The loop is cooperative: a root is stable where g falls with T.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from remission.models.errors import RemissionError

__all__ = ["Balance", "Rest", "balance_of", "clearing_blocker", "clearing_dose", "curative_dose", "rests"]

LEAST = 1e-9  # of the largest tumour: smaller roots count as none
N_SIZES = 600
MOST_DOSE, MOST_BLOCKER = 10.0, 1e6


@dataclass(frozen=True, eq=False)
class Balance:
    """Growth per cell of a tumour whose signals are at rest.

    Attributes
    ----------
    growth, slope : callable
        (T, e, B) -> g and its derivative by T, per unit of time; arrays broadcast.
    sizes : (n,) array
        Sizes between which roots are bracketed, up to the largest tumour.
    """

    growth: object
    slope: object
    sizes: np.ndarray


@dataclass(frozen=True)
class Rest:
    """A steady tumour.

    Attributes
    ----------
    size : float
        In the unit of T.
    stable : bool
    """

    size: float
    stable: bool


def balance_of(problem) -> Balance:
    """Scalar equation of a problem of the inflammatory loop.

    Parameters
    ----------
    problem : Problem
        Of a model with states `T` and signals that are linear in themselves, and inputs `e` and `B`.

    Returns
    -------
    Balance

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> [round(r.size, 4) for r in rests(balance_of(Problem(paracrine_loop())), 0.6, 0.0)]
    [2.7391, 364.9553]
    """
    growth, slope = _compiled(problem.model)
    values = [problem.parameters[p.name] for p in problem.model.parameters]
    top = problem.parameters["K"]
    sizes = np.geomspace(LEAST * top, top, N_SIZES)
    return Balance(functools.partial(growth, values), functools.partial(slope, values), sizes)


@functools.lru_cache(maxsize=4)
def _compiled(model):
    import sympy as sp

    tumour, e, B = (model.symbol(name) for name in ("T", "e", "B"))
    at_rest, left = {}, [s for s in model.states if s != tumour]
    while left:
        for signal in left:
            rate = model.equations[signal].subs(at_rest)
            if not rate.free_symbols & (set(left) - {signal}):
                at_rest[signal] = sp.solve(rate, signal)[0]
                left.remove(signal)
                break
        else:
            raise RemissionError(f"{model.name}: {', '.join(s.name for s in left)} drive each other in a ring")
    growth = sp.cancel(model.equations[tumour] / tumour).subs(at_rest)
    arguments = (list(model.parameters), tumour, e, B)
    return tuple(sp.lambdify(arguments, f, "numpy", cse=True) for f in (growth, sp.diff(growth, tumour)))


def rests(balance, e, B) -> tuple:
    """Steady tumours above zero at constant dose and blockade, smallest first.

    Parameters
    ----------
    balance : Balance
    e, B : float

    Returns
    -------
    tuple of Rest
    """
    values = balance.growth(balance.sizes, e, B)
    at = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    found = [_root(lambda T: balance.growth(T, e, B), *balance.sizes[i : i + 2]) for i in at]
    return tuple(Rest(size, bool(balance.slope(size, e, B) < 0)) for size in found)


def curative_dose(balance) -> float:
    """Dose above which a vanishing tumour shrinks; the blocker does not change it.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    float
        0 where it shrinks untreated, infinite where no dose up to ten times the full one makes it.
    """
    return _first_loss(lambda e: float(balance.growth(0.0, e, 0.0)), MOST_DOSE)


def clearing_dose(balance, B) -> tuple:
    """Smallest dose above which no tumour of any size can last.

    Parameters
    ----------
    balance : Balance
    B : float

    Returns
    -------
    (float, float)
        Dose, and size of the tumour that vanishes there: a fold where it is above zero, else the curative dose. The
        dose is infinite where none up to ten times the full one clears.
    """
    dose = _first_loss(lambda e: _best(balance, e, B)[0], MOST_DOSE)
    return dose, _best(balance, dose, B)[1] if math.isfinite(dose) else math.nan


def clearing_blocker(balance, e) -> tuple:
    """Smallest blockade above which no tumour of any size can last at a given dose.

    Parameters
    ----------
    balance : Balance
    e : float

    Returns
    -------
    (float, float)
        Blocker / its K_B (0 where the dose clears alone, infinite below the curative dose), and size of the tumour
        that vanishes there.
    """
    blocker = _first_loss(lambda B: _best(balance, e, B)[0], MOST_BLOCKER)
    return blocker, _best(balance, e, blocker)[1] if 0 < blocker < math.inf else math.nan


def _best(balance, e, B):
    """Largest growth per cell over all sizes, and where it is."""
    values = balance.growth(balance.sizes, e, B)
    i = int(np.argmax(values))
    bare = float(balance.growth(0.0, e, B))
    if 0 < i < len(values) - 1:
        around = balance.sizes[i - 1], balance.sizes[i + 1]
        if balance.slope(around[0], e, B) > 0 > balance.slope(around[1], e, B):
            size = _root(lambda T: balance.slope(T, e, B), *around)
            return float(balance.growth(size, e, B)), size
    return max((float(values[i]), float(balance.sizes[i])), (bare, 0.0))


def _first_loss(function, most):
    """Where a function falls through zero: 0 if it starts below, infinite if it is above up to `most`."""
    if function(0.0) <= 0:
        return 0.0
    if function(most) >= 0:
        return math.inf
    return _root(function, 0.0, most)


def _root(function, low, high):
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-300, rtol=1e-13))
