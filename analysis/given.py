"""What was given as a range, a box or a number, checked in one way by all verbs."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["box_sides", "low_high", "positive", "seconds"]


def low_high(given, what) -> tuple:
    """Both ends of a range as floats; ProblemError in words that begin with `what` if it is none."""
    try:
        low, high = (float(v) for v in given)
    except (TypeError, ValueError):
        raise ProblemError(f"{what} is (low, high), got {given!r}") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ProblemError(f"{what} is {low:g} to {high:g}; low has to be less than high, and both finite")
    return low, high


def box_sides(given, names, verb) -> dict:
    """Bounds of some states by name, of any size: whether a side may be one value is up to the verb."""
    try:
        sides = {getattr(k, "name", k): tuple(float(v) for v in side) for k, side in dict(given or {}).items()}
        fits = all(len(side) == 2 for side in sides.values())
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ProblemError(f"{verb}: box is a dict of state -> (low, high), got {given!r}")
    for name in sides:
        if name not in names:
            raise ProblemError(f"{verb}: box names {name!r}; {did_you_mean(str(name), names)}")
    return sides


def seconds(given, verb) -> float:
    """A limit of time: a number of 0 or more, which may be infinite."""
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = np.nan
    if not value >= 0:
        raise ProblemError(f"{verb}: time_limit is a number of seconds, got {given!r}")
    return value


def positive(given, what) -> float:
    """A number above 0, which may be infinite."""
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = np.nan
    if not value > 0:
        raise ProblemError(f"{what} is a number above 0, got {given!r}")
    return value
