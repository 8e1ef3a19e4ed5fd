"""Clocks, errors and ratios at equal error.

The machine may be shared and loaded, so CPU time is read, on one core; the calls that are compared take turns in short
blocks, and a ratio is formed inside each turn before the median is taken.
"""

import time
from dataclasses import dataclass, field

import numpy as np

BLOCK = 0.04  # seconds of CPU a block of calls
SLOW = 3.0  # seconds of CPU from which on one call has to do
SETTLED = 1.10  # median over fastest from which on a line is measured for more turns


@dataclass(eq=False)
class Entry:
    """One line of a table: somebody's solve of a case at one tolerance."""

    who: str
    rtol: float
    call: object
    error: float = np.nan
    divide: int = 1  # members a call
    times: dict = field(default_factory=dict)  # turn -> seconds
    note: str = ""

    @property
    def fastest(self) -> float:
        return min(self.times.values())

    @property
    def median(self) -> float:
        return float(np.median(list(self.times.values())))


def once(call) -> float:
    begin = time.process_time()
    call()
    return max(time.process_time() - begin, 1e-7)


def take_turns(entries, turns=7, budget=2.0):
    """Time every entry in every turn; slow ones in at least three, unsettled ones in up to twice as many."""
    inner, most = {}, {}
    for entry in entries:
        took = once(entry.call)
        if took > SLOW:
            entry.times[0] = took / entry.divide
            continue
        inner[entry] = max(1, int(BLOCK / took))
        most[entry] = int(np.clip(budget / (took * inner[entry]), 3, turns))
    for turn in range(2 * turns):
        for entry in inner:
            unsettled = entry.times and entry.median > SETTLED * entry.fastest and turn < 2 * most[entry]
            if turn < most[entry] or unsettled or (entry.who.startswith("remission") and turn < turns):
                begin = time.process_time()
                for _ in range(inner[entry]):
                    entry.call()
                entry.times[turn] = (time.process_time() - begin) / inner[entry] / entry.divide


def error(values, reference, floor=0.0) -> float:
    """Largest |value - reference| over times and states, each state divided by its own peak (or by `floor`)."""
    peaks = np.maximum(np.abs(reference).max(axis=0), floor)
    found = float((np.abs(values - reference).max(axis=0) / peaks).max())
    return found if np.isfinite(found) else np.inf


def at_error(times, errors, wanted):
    """Time on a work-precision line at an error, linear in logarithms; and "", or the side on which the line ends."""
    errors, times = np.asarray(errors), np.asarray(times)
    order = np.argsort(errors)
    errors, times = errors[order], np.minimum.accumulate(times[order])
    side = "<" if wanted > errors[-1] else ">" if wanted < errors[0] else ""
    return float(np.exp(np.interp(np.log(wanted), np.log(errors), np.log(times)))), side


def ratio(line, entry):
    """(median, smallest, largest, side) of entry's time over that of `line` (Entries) at the entry's error.

    Side is ">" where the line does not reach down to the entry's error: the ratio is then too favourable.
    """
    found, side = [], ""
    line = [e for e in line if np.isfinite(e.error)]
    for turn, took in entry.times.items():
        times = [e.times.get(turn, e.median) for e in line]
        ours, side = at_error(times, [e.error for e in line], entry.error)
        found.append(took / ours)
    return float(np.median(found)), min(found), max(found), side
