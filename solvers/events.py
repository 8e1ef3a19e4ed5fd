"""State events: where a watched quantity crosses its threshold inside a step."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Watch", "fired", "first_crossing"]

PROBES = 8  # points a step is looked at: two crossings between neighbours are one touch and do not fire


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
        values = watch.value(times, states)
        crossings = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
        if not crossings.size:
            continue
        i = crossings[0]
        a, b = times[i], times[i + 1]
        if found and a >= found[0]:
            continue

        def at(t, watch=watch):
            return float(watch.value(np.array([t]), dense(np.array([t])))[0])

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
