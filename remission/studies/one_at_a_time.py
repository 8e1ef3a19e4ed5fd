"""How far a result moves when each assumed parameter goes to the ends of its plausible range, the others kept."""

import math
from dataclasses import dataclass

__all__ = ["Swing", "one_at_a_time", "span"]


@dataclass(frozen=True)
class Swing:
    """Results at the two ends of the range of one parameter.

    Attributes
    ----------
    parameter, unit : str
    low, high : float
        Ends of the range.
    at_low, at_high : tuple of float
        Results there; NaN where there is none.
    """

    parameter: str
    unit: str
    low: float
    high: float
    at_low: tuple
    at_high: tuple


def one_at_a_time(function, model, leave_out=(), steps=iter) -> tuple:
    """Move every parameter that has a plausible range to both of its ends.

    Parameters
    ----------
    function : callable
        dict of parameter values -> tuple of float.
    model : Model
    leave_out : sequence of str
        Parameters that are not moved.
    steps : callable
        Wraps the list of parameters, such as a progress bar.

    Returns
    -------
    tuple of Swing
        In the order of the model's parameters.

    Examples
    --------
    >>> from remission.models import exponential_growth
    >>> swings = one_at_a_time(lambda p: (p.get("r", 0.0),), exponential_growth())
    >>> [s.parameter for s in swings if s.at_low != s.at_high]
    ['r']
    """
    moved = [p for p in model.parameters if p.info.plausible and p.name not in leave_out]
    found = []
    for parameter in steps(moved):
        low, high = (float(v) for v in parameter.info.plausible)
        at_low, at_high = (tuple(function({parameter.name: v})) for v in (low, high))
        found.append(Swing(parameter.name, parameter.info.unit, low, high, at_low, at_high))
    return tuple(found)


def span(swings, column=0) -> tuple:
    """Smallest and largest result of a column of one-at-a-time results, infinity among them.

    Parameters
    ----------
    swings : sequence of Swing
    column : int

    Returns
    -------
    (float, float)
        NaN, NaN where there is none.

    Examples
    --------
    >>> span([Swing("r", "", 0, 1, (2.0,), (float("nan"),))])
    (2.0, 2.0)
    """
    values = [v[column] for s in swings for v in (s.at_low, s.at_high) if not math.isnan(v[column])]
    return (min(values), max(values)) if values else (math.nan, math.nan)
