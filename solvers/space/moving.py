"""The moving state of a run on a grid: doses and levels act in every cell, rules watch means over the grid."""

import numpy as np

from remission.models.errors import ProblemError

from ..flow import Flow
from ..moving import Event, Moving, Stop
from .discretise import discretise
from .gathered import Gathered
from .start import initial_fields

__all__ = ["SpatialMoving"]


class SpatialMoving(Moving):
    """Where a run on a grid stands; `y` is (n, N), `z()` the same cell by cell, (N n,)."""

    def __init__(self, problem, columns=(), rtol=None, atol=None):
        if columns:
            raise ProblemError(f"{problem.model.name}: sensitivities are not carried on a grid yet")
        if problem.extinction_gate:
            raise ProblemError(f"{problem.model.name}: the extinction gate is for one cell, not for a grid")
        self.spatial = discretise(problem)
        self.weights = self.spatial.volumes / self.spatial.volumes.sum()
        super().__init__(problem, (), rtol, atol)
        self.lowest = self.y.min(axis=1)
        self.gathered, self.bar = Gathered(self.spatial, self.y), None

    def show(self, progress):
        """Start a bar over the time span, silent in logs and where it is not wanted."""
        if not progress:
            return
        from tqdm import tqdm

        first, last = self.problem.t_span
        form = "{l_bar}{bar}| t = {n:.4g} of {total:.4g} [{elapsed}<{remaining}]"
        # disable=None: tqdm itself is silent where there is no terminal
        self.bar = tqdm(total=last - first, disable=None, delay=1.0, leave=False, bar_format=form)

    def first_state(self):
        return initial_fields(self.problem)

    def z(self):
        return self.y.T.ravel()

    def take(self, t, z):
        self.t = float(t)
        self.y = z.reshape(self.spatial.size, self.n).T.copy()
        self.lowest = np.minimum(self.lowest, self.y.min(axis=1))

    def observed(self, name, t, z):
        """Mean over the grid of a state or observable, over times: z is (N n, n_t)."""
        values = z.reshape(self.spatial.size, self.n, -1)
        if name in self.system.states:
            return self.weights @ values[:, self.system.states.index(name)]
        inputs, _ = self.inputs()
        at, many = self.system.observables.index(name), values.shape[0] * values.shape[2]
        u = np.repeat(np.asarray(inputs)[:, None], many, axis=1)
        y = values.transpose(1, 0, 2).reshape(self.n, many)
        found = self.system.observe(np.tile(t, values.shape[0]), y, self.p, u)[at]
        return self.weights @ found.reshape(values.shape[0], values.shape[2])

    def observed_gradient(self, name, t, z):
        return np.zeros(self.n), np.zeros(0)

    def flow(self):
        infusion = np.zeros((self.n, 1))
        for window in self.active.values():
            if window.into_state:
                infusion[window.row] += window.level
        inputs, spatial = self.inputs()[0], self.spatial
        levels, n = inputs.tolist(), self.n

        def fun(t, z):
            return (spatial.f(t, z.reshape(-1, n).T, levels) + infusion).T.ravel()

        def jac(t, z):
            return spatial.jac(t, z.reshape(-1, n).T, levels)

        return Flow(fun, jac, inputs, np.zeros((len(levels), 0)))

    def z_atol(self):
        return np.tile(self.atol, self.spatial.size)

    def record(self, kind, label):
        self.events.append(Event(float(self.t), kind, label, tuple((self.y @ self.weights).tolist())))

    def largest(self, z):
        y = z.reshape(-1, self.n)
        bad = np.argwhere(~np.isfinite(y))
        cell, row = bad[0] if len(bad) else np.unravel_index(np.argmax(np.abs(y)), y.shape)
        return f"{self.system.states[row]} = {y[cell, row]:.6g} in cell {cell}"

    def check_finite(self):
        if not np.all(np.isfinite(self.y)):
            raise Stop("not finite", f"{self.largest(self.z())} at t = {self.t:g} is not a finite number")

    def sound(self, log):
        def gathers(step):
            return self.gathered.reason(log.rows[step, 1].reshape(-1, self.n).T, log.ts[step + 1])

        if not self.gathered.rows or not gathers(len(log.rows) - 1):
            return log
        low, high = -1, len(log.rows) - 1  # bisection: what has gathered stays so
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if gathers(middle) else (middle, high)
        return log.until(high + 1)

    def check(self):
        self.steps += 1
        if self.bar is not None:
            self.bar.update(self.t - self.problem.t_span[0] - self.bar.n)
        low = self.y.min(axis=1)
        below = np.flatnonzero(low < -self.floor)
        if below.size:
            row = int(below[0])
            raise Stop(
                "negative",
                f"{self.system.states[row]} = {low[row]:.6g} at t = {self.t:g} in cell {int(np.argmin(self.y[row]))}, "
                f"below zero by more than {self.floor[row]:.3g}; try a smaller atol or more cells",
            )
        if reason := self.gathered.reason(self.y, self.t):
            raise Stop("failed", reason)
