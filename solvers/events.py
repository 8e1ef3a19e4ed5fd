"""State events: where a watched quantity crosses its threshold inside a step."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Watch", "fired", "first_crossing", "may_rise"]

PROBES = 8  # points a step is looked at; a peak between them is looked for where one could reach the threshold
TOUCH = 1e-10  # of the largest value in a step: a peak above the threshold by less is a touch and does not fire


@dataclass(frozen=True)
class Watch:
    """A quantity that fires when it rises through zero: `value(t, Z)` of shape (n_t,) for states Z (n, n_t).

    `gradient(t, z)` returns its derivative by the states (n,) and by the carried parameters (k,).
    """

    value: object
    gradient: object
    act: object
    label: str


def first_crossing(watches, dense, start, end):
    """Earliest crossing within a step.

    Parameters
    ----------
    watches : list of Watch
    dense : callable
        Dense output of the step, t of shape (m,) -> (n, m).
    start, end : (t, z) pairs
        Both ends of the step, as the solver has them.

    Returns
    -------
    (float, Watch) or None
        Time of the crossing, to the rounding of the dense output.
    """
    from scipy.optimize import brentq

    times = np.linspace(start[0], end[0], PROBES)
    states = dense(times)
    states[:, 0], states[:, -1] = start[1], end[1]
    found = None
    for watch in watches:

        def at(t, watch=watch):
            return float(watch.value(np.array([t]), dense(np.array([t])))[0])

        bracket = _first_rise(times, watch.value(times, states), at)
        if bracket is None or (found and bracket[0] >= found[0]):
            continue
        a, b = bracket
        time = b if at(b) <= 0 else a if at(a) >= 0 else brentq(at, a, b, xtol=1e-14 * max(abs(b), 1e-300), rtol=1e-14)
        if found is None or time < found[0]:
            found = (time, watch)
    return found


def fired(watches, watch, before, after):
    """The watch that was located at `after`, and those that crossed at the same instant.

    Parameters
    ----------
    watches : list of Watch
    watch : Watch
    before, after : (t, z) pairs
        Start of the step, and the crossing.

    Returns
    -------
    list of Watch
    """

    def value(other, place):
        return other.value(np.array([place[0]]), place[1][:, None])[0]

    return [watch, *(w for w in watches if w is not watch and value(w, before) < 0 <= value(w, after))]


def may_rise(values):
    """Whether a quantity may rise through zero in a step, and the probes next to which a peak may do so unseen.

    Parameters
    ----------
    values : (..., PROBES) array
        Of the quantity at even times.

    Returns
    -------
    (...) bool array, (..., PROBES) bool array
    """
    bend = np.abs(values[..., :-2] - 2 * values[..., 1:-1] + values[..., 2:])  # a parabola rises by an eighth of it
    bend = np.concatenate([bend[..., :1], bend, bend[..., -1:]], axis=-1)
    beside = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(1, 1)], constant_values=-np.inf)
    top = (values < 0) & (values >= beside[..., :-2]) & (values >= beside[..., 2:]) & (values + bend > 0)
    return ((values[..., :-1] < 0) & (values[..., 1:] >= 0)).any(axis=-1) | top.any(axis=-1), top


def _first_rise(times, values, at):
    """Ends of an interval in which a quantity rises through zero, the earliest one; None if there is none."""
    from scipy.optimize import minimize_scalar

    rises = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    last = rises[0] if rises.size else len(values)
    for i in np.flatnonzero(may_rise(values)[1]):
        if i > last:
            break
        a, b = times[max(i - 1, 0)], times[min(i + 1, len(times) - 1)]
        peak = minimize_scalar(lambda t: -at(t), bounds=(a, b), method="bounded", options={"xatol": 1e-6 * (b - a)})
        if -peak.fun > TOUCH * np.abs(values).max():
            return a, peak.x
    return (times[last], times[last + 1]) if rises.size else None
