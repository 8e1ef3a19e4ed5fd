"""Outcomes of many members at once, read off the polynomials of their steps.

The answers are those of `curves.py` and `outcome_kinds.py` for a single solution: the same points are looked at, the
lows and crossings between them are refined on the dense output. Here each refinement is one of arrays, a member an
entry.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .curves import PER_STEP

__all__ = ["READABLE", "StepCurves"]

GOLDEN = (math.sqrt(5) - 1) / 2
NARROWER, HALVINGS = 44, 60  # iterations: 1e-9 of a bracket for a low, its rounding for a crossing


@dataclass(frozen=True, eq=False)
class Nodes:
    """Points looked at of one output, for one member: in order of time; jumps appear as equal times."""

    step: np.ndarray
    time: np.ndarray
    value: np.ndarray
    begins: np.ndarray
    ends: np.ndarray

    def with_point(self, i, step, time, value):
        """With one more point, inside a stretch, before node i."""
        parts = ((self.step, step), (self.time, time), (self.value, value), (self.begins, False), (self.ends, False))
        return Nodes(*(np.insert(table, i, entry) for table, entry in parts))


class StepCurves:
    """Outputs of the members of `kernels.logs.StepLogs`.

    Parameters
    ----------
    problem : Problem
    logs : StepLogs
    """

    def __init__(self, problem, logs):
        self.problem, self.logs, self.p = problem, logs, logs.p
        self.n_members, self.known = len(logs.p), {}
        self.last = np.append(logs.begins[1:], True)
        self.edges = np.searchsorted(logs.member, np.arange(self.n_members + 1))
        self.there = np.flatnonzero(np.diff(self.edges))

    @cached_property
    def used(self):
        """Positions of the model's parameters that an observable names; the others are not carried along."""
        named = {s.name for e in self.problem.model.observables.values() for s in e.free_symbols}
        count = self.problem.system.n_model_parameters
        return [i for i, name in enumerate(self.problem.system.parameters[:count]) if name in named]

    def needed(self, of):
        """Positions of the states that an output depends on."""
        names = self.problem.system.states
        if of in names:
            return {names.index(of)}
        named = self.problem.model.observables[of].free_symbols if of in self.problem.model.observables else ()
        return {names.index(s.name) for s in named if s.name in names}

    def output(self, of, members, times, states, inputs):
        """An output (k,) of members (k,) at times (k,), states n times (k,) and inputs (k, n_u)."""
        system = self.problem.system
        if of in system.states:
            return states[system.states.index(of)]
        if of in system.inputs:
            return inputs[:, system.inputs.index(of)]
        return system.observe(times, states, self.parameters(members), inputs.T)[system.observables.index(of)]

    def parameters(self, members):
        table = [0.0] * self.problem.system.n_model_parameters
        for i in self.used:
            table[i] = self.p[members, i]
        return table

    def at_steps(self, of, steps, times):
        """An output within steps (k,) at times (k,); a time before its step is in the step before."""
        steps = np.where(times < self.logs.start[steps], steps - 1, steps)
        return self.output(of, self.logs.member[steps], times, self.logs.states(steps, times), self.logs.inputs[steps])

    def at(self, of, time, side="left"):
        """An output of all members at one time, as `Solution.at`; NaN for members without steps."""
        logs, (first, end) = self.logs, self.problem.t_span
        found, members = np.full(self.n_members, np.nan), self.there
        if side == "left":
            steps = np.array([np.searchsorted(logs.end[a:b], time) + a for a, b in self.ranges()], dtype=int)
        else:
            steps = np.array([np.searchsorted(logs.start[a:b], time, "right") + a - 1 for a, b in self.ranges()], int)
        states = logs.states(steps, np.full(len(steps), float(time)))
        if side == "left" and time <= first:
            states = logs.initial[members].T
        elif side == "right" and time >= end:
            states = logs.final[members].T
        found[members] = self.output(of, members, np.full(len(steps), float(time)), states, logs.inputs[steps])
        return found

    def ranges(self):
        return [(self.edges[m], self.edges[m + 1]) for m in self.there]

    # --- points -------------------------------------------------------------------------------------------------------

    def nodes(self, of):
        """`Nodes` of each member that is there, in the order of `there`; a list of its own for each caller."""
        if of not in self.known:
            self.known[of] = self.look_at(of)
        return list(self.known[of])

    def look_at(self, of):
        logs = self.logs
        theta = np.arange(PER_STEP + 1) / PER_STEP
        shape = (len(logs.start), len(theta))
        times = logs.start[:, None] + (logs.end - logs.start)[:, None] * theta
        times[:, -1] = logs.end
        steps = np.broadcast_to(np.arange(shape[0])[:, None], shape)
        needed, inputs = self.needed(of), logs.inputs[steps.ravel()]
        states = [logs.looks(theta, i) if i in needed else 0.0 for i in range(self.problem.system.n)]
        values = self.output(of, logs.member[steps.ravel()], times.ravel(), states, inputs).reshape(shape)
        keep, begins, ends = np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        keep[:, -1], begins[:, 0], ends[:, -1] = self.last, logs.begins, self.last
        final = self.at(of, self.problem.t_span[1], "right")[self.there]
        closes = np.cumsum(keep.sum(axis=1))[self.edges[self.there + 1] - 1]  # points up to each member's last step
        after = (self.edges[self.there + 1] - 1, self.problem.t_span[1], final, True, True)
        tables = zip((steps, times, values, begins, ends), after, strict=True)
        flat = [
            np.insert(table[keep], closes, entry) for table, entry in tables
        ]  # and one after a dose at the very end
        closes = closes + np.arange(1, len(closes) + 1)
        opens = np.append(0, closes[:-1])
        return [Nodes(*(table[a:b] for table in flat)) for a, b in zip(opens, closes, strict=True)]

    def lows(self, of, nodes, where):
        """Refined lows (time, value, step) near a node of each member; at an end of a stretch it is the node."""
        time = np.array([n.time[i] for n, i in zip(nodes, where, strict=True)])
        value = np.array([n.value[i] for n, i in zip(nodes, where, strict=True)])
        step = np.array([n.step[i] for n, i in zip(nodes, where, strict=True)], dtype=int)
        inner = [k for k, (n, i) in enumerate(zip(nodes, where, strict=True)) if not (n.begins[i] or n.ends[i])]
        if not inner:
            return time, value, step
        a = np.array([nodes[k].time[where[k] - 1] for k in inner])
        b = np.array([nodes[k].time[where[k] + 1] for k in inner])
        right = np.array([nodes[k].step[where[k] + 1] for k in inner], dtype=int)

        def look(t):  # a bracket may reach over two steps back from the node to its right
            steps = np.where(t < self.logs.start[right], right - 1, right)
            return self.at_steps(of, steps, t)

        low, place = self.golden(look, a, b)
        better = low < value[inner]
        chosen = np.array(inner)[better]
        time[chosen], value[chosen] = place[better], low[better]
        step[chosen] = self.step_of(right[better], place[better])
        return time, value, step

    def step_of(self, steps, times):
        for _ in range(2):
            steps = np.where(times < self.logs.start[steps], steps - 1, steps)
        return steps

    @staticmethod
    def golden(look, a, b):
        """Lowest value between a and b and its place, all brackets at once."""
        c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        fc, fd = look(c), look(d)
        for _ in range(NARROWER):
            left = fc < fd
            a, b = np.where(left, a, c), np.where(left, d, b)
            c, d = np.where(left, b - GOLDEN * (b - a), d), np.where(left, c, a + GOLDEN * (b - a))
            new = look(np.where(left, c, d))
            fc, fd = np.where(left, new, fd), np.where(left, fc, new)
        return np.where(fc < fd, fc, fd), np.where(fc < fd, c, d)

    def crossings(self, of, nodes, where, levels):
        """Times at which curves first reach their level, given the first node at or above it."""
        time = np.array([n.time[i] for n, i in zip(nodes, where, strict=True)])
        before = np.array([n.time[max(i - 1, 0)] for n, i in zip(nodes, where, strict=True)])
        step = np.array([n.step[i] for n, i in zip(nodes, where, strict=True)], dtype=int)
        there = [i == 0 or n.begins[i] or n.value[i] == level for n, i, level in zip(nodes, where, levels, strict=True)]
        inner = np.flatnonzero(~np.array(there, dtype=bool))
        a, b = before[inner], time[inner]
        b = np.where(self.at_steps(of, step[inner], a) >= levels[inner], a, b)  # a low that moved by rounding
        for _ in range(HALVINGS):
            middle = (a + b) / 2
            above = self.at_steps(of, step[inner], middle) >= levels[inner]
            a, b = np.where(above, a, middle), np.where(above, middle, b)
        time[inner] = b
        return time

    # --- outcomes -----------------------------------------------------------------------------------------------------

    def nadir(self, of):
        """Smallest value of each member and its time."""
        nodes = self.nodes(of)
        time, value, _ = self.lows(of, nodes, [int(np.argmin(n.value)) for n in nodes])
        return self.spread(value), self.spread(time)

    def spread(self, values, rest=np.nan):
        found = np.full(self.n_members, rest)
        found[self.there] = values
        return found

    def progression(self, of, factor, since):
        """Time to progression of each member, infinite where the end comes first; NaN where the start is nothing."""
        nodes = self.nodes(of)
        if since == "start":
            start = self.at(of, self.problem.t_span[0])[self.there]
            levels = factor * start
            above = [np.flatnonzero(n.value[1:] >= level) + 1 for n, level in zip(nodes, levels, strict=True)]
            levels = np.where(start > 0, levels, np.nan)
        else:
            nodes, above, levels = self.since_nadir(of, factor, nodes)
        times = np.full(len(nodes), np.inf)
        found = [k for k, places in enumerate(above) if places.size]
        if found:
            where = [int(above[k][0]) for k in found]
            times[found] = self.crossings(of, [nodes[k] for k in found], where, levels[found])
        times -= self.problem.t_span[0]
        return self.spread(np.where(np.isnan(levels), np.nan, times))

    def since_nadir(self, of, factor, nodes):
        """Refined points, the first ones at or above the level, and the level; see `outcome_kinds._since_nadir`."""
        floor = self.noise(of)
        above, levels, seen = [np.zeros(0, int)] * len(nodes), np.zeros(len(nodes)), [set() for _ in nodes]
        open_ones = list(range(len(nodes)))
        while open_ones:
            where, ask = [], []
            for k in open_ones:
                value = nodes[k].value
                low = np.maximum(np.minimum.accumulate(value)[:-1], floor[k])
                above[k] = np.flatnonzero(value[1:] >= factor * low) + 1
                if not above[k].size:
                    continue
                i = int(np.argmin(value[: above[k][0]]))
                levels[k] = factor * max(value[i], floor[k])
                if (nodes[k].step[i], nodes[k].time[i]) not in seen[k]:
                    where.append(i)
                    ask.append(k)
            lows = self.lows(of, [nodes[k] for k in ask], where)
            for k, i, time, value, step in zip(ask, where, *lows, strict=True):
                old = nodes[k].time[i]
                seen[k] |= {(nodes[k].step[i], old), (step, time)}
                if time != old:
                    nodes[k] = nodes[k].with_point(i + int(time > old), step, time, value)
            open_ones = ask
        return nodes, above, levels

    def noise(self, of):
        """Ten absolute tolerances of an output at the start, a member each; see `curves.noise`."""
        system, first = self.problem.system, self.edges[self.there]
        atol = self.logs.atol[self.there].T
        if of in system.states:
            return 10 * atol[system.states.index(of)]
        if of in system.inputs:
            return np.zeros(len(first))
        times, states = self.logs.start[first], self.logs.rows[first, 0].T
        slopes = system.observe_tangent(times, states, self.all_parameters(), self.logs.inputs[first].T)[0]
        return np.nan_to_num(10 * (np.abs(slopes[system.observables.index(of)]) * atol).sum(axis=0))

    def all_parameters(self):
        return list(self.p[self.there, : self.problem.system.n_model_parameters].T)

    def doubling(self, of, between):
        """Doubling time of each member over a window."""
        first, last = self.problem.t_span if between is None else between
        a = self.at(of, first, "left" if first <= self.problem.t_span[0] else "right")
        b = self.at(of, last)
        with np.errstate(all="ignore"):
            growth = np.log(b / a)
            found = np.where(growth == 0, np.inf, math.log(2) * (last - first) / growth)
        return np.where((a > 0) & (b > 0), found, np.nan)


READABLE = {
    "at_end": lambda curves, of: curves.at(of, curves.problem.t_span[1]),
    "nadir": lambda curves, of: curves.nadir(of)[0],
    "nadir_time": lambda curves, of: curves.nadir(of)[1],
    "time_to_progression": lambda curves, of, factor, since: curves.progression(of, factor, since),
    "doubling_time": lambda curves, of, between: curves.doubling(of, between),
}
