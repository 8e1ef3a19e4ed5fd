"""Solution: values by name and time, with events, sensitivities and a reason when it failed."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from remission.models.errors import ProblemError, SolveError, did_you_mean, refuse_unknown_keywords

from .space.fields import field_values, summed

__all__ = ["Solution"]


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """What `solve` returns; index it by the name of a state, observable or input.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    t : (n_t,) array
        Output times. A value at the time of a dose is the one before the dose.
    trace : Trace
        Segments and events of the integration.
    method : str
        Name of the integration method.
    carried : tuple of str
        Parameters whose sensitivities are there.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> solution = solve(Problem(sensitive_resistant(), t_span=(0, 100)), rtol=1e-8)
    >>> print(solution)
    sensitive_resistant, t from 0 to 100 day, ...: done
      S                   0.495 -> 0.696531
      R                   0.005 -> 0.00703567
      burden              0.5 -> 0.703567
      resistant_fraction  0.01 -> 0.01
    """

    problem: object
    t: np.ndarray
    trace: object
    method: str
    carried: tuple = ()
    _cache: dict = field(default_factory=dict)

    def __repr__(self):
        return f"<Solution of {self.problem.model.name}: {self.status}, {len(self.t)} times>"

    def __getstate__(self):
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("_cache", "_starts", "minimum", "drift")
        }

    def __setstate__(self, state):
        self.__dict__.update(state, _cache={})

    def __str__(self):
        first, last = self.problem.t_span
        unit = self.problem.model.time_unit
        how = "done" if self.success else f"{self.status}: {self.message}"
        lines = [f"{self.problem.model.name}, t from {first:g} to {last:g} {unit}, {self.method}: {how}"]
        lines += self._described()
        if self.events:
            lines.append(f"  {len(self.events)} events, the first {self.events[0]}, the last {self.events[-1]}")
        return "\n".join(lines)

    def _described(self):
        if self.problem.grid.spatial:
            from .space.written_out import describe

            return describe(self)
        names = (*self.problem.system.states, *self.problem.system.observables)
        width = max(map(len, names)) + 2
        ends = ((name, *self.at(list(self.problem.t_span), name)) for name in names)
        return [f"  {name:<{width}}{start:g} -> {end:g}" for name, start, end in ends]

    def __getitem__(self, name):
        name = getattr(name, "name", name)
        if name not in self._cache:
            self._cache[name] = self.at(self.t, name)
        return self._cache[name]

    def __contains__(self, name):
        return getattr(name, "name", name) in self.names

    @property
    def names(self) -> tuple:
        """Names that can be asked for: states, observables, inputs."""
        system = self.problem.system
        return (*system.states, *system.observables, *system.inputs)

    @property
    def success(self) -> bool:
        """Whether the end was reached with finite values, none below zero beyond tolerance."""
        return self.trace.status == "done"

    @property
    def status(self) -> str:
        """One word: done, failed, not finite, negative, chattering, too many steps."""
        return self.trace.status

    @property
    def message(self) -> str:
        """Why the integration ended early, and what to try; empty when it did not."""
        return self.trace.message

    @property
    def events(self) -> tuple:
        """Doses, changes of level, switches of rules and extinctions, in order of time."""
        return tuple(self.trace.events)

    @property
    def y(self) -> np.ndarray:
        """States over the output times, shape (n, n_t), as in SciPy."""
        return np.array([self[name] for name in self.problem.system.states])

    def total(self, name, region=None) -> np.ndarray:
        """Integral of a state or observable over the grid, or a part of it, at the output times.

        Parameters
        ----------
        name : str
        region : bool array or callable, optional
            Cells that count: an array of the grid's shape, or a function of x (of a rectangle of x and y) that gives
            one. All of them if not given.

        Returns
        -------
        (n_t,) array
            In units of `name` times a length, area or volume, as the grid's `volumes`; of one cell the values.

        Raises
        ------
        ProblemError
            If the region does not fit the grid, or no cell lies in it.

        Examples
        --------
        >>> from remission.models import glioma_invasion
        >>> from remission.solvers import Grid, Problem, solve
        >>> inside = lambda x: x < 5
        >>> glioma = Problem(glioma_invasion(), grid=Grid(40, 20.0), initial={"c": lambda x: 0.5 * (x < 5)})
        >>> solution = solve(glioma, t_eval=[0, 100])
        >>> solution.total("c").round(2).tolist(), solution.mean("c", region=inside).round(2).tolist()
        ([2.5, 5.0], [0.5, 0.56])
        """
        return summed(self, self._known(name), region, mean=False)

    def mean(self, name, region=None) -> np.ndarray:
        """Mean of a state or observable over the grid, or a part of it, at the output times.

        Parameters
        ----------
        name, region
            As in `total`.

        Returns
        -------
        (n_t,) array
            In units of `name`.
        """
        return summed(self, self._known(name), region, mean=True)

    def final(self) -> dict:
        """States at the end, by name: what `Problem(initial=...)` takes to go on from there.

        Returns
        -------
        dict of str -> array of the grid's shape, or float
            After a failure NaN.

        Examples
        --------
        >>> from remission.models import glioma_invasion
        >>> from remission.solvers import Grid, Problem, solve
        >>> first = solve(Problem(glioma_invasion(), t_span=(0, 50), grid=Grid(40, 20.0)))
        >>> more = solve(first.problem.replace(initial=first.final()))
        >>> more["c"].shape
        (101, 40)
        """
        ends = {name: self.at(self.problem.t_span[1], name, "right") for name in self.problem.system.states}
        return {name: value if value.ndim else float(value) for name, value in ends.items()}

    @cached_property
    def minimum(self) -> dict:
        """State -> its smallest value at any step, in any cell."""
        from .space.kept import lowest_values

        return lowest_values(self)

    @cached_property
    def drift(self) -> dict:
        """Amount that nothing should change -> its largest change at any step, relative to the start.

        Such amounts are states, or sums of states, that reactions keep, where walls let nothing pass and the treatment
        adds and takes nothing; empty where there are none.
        """
        from .space.kept import amount_drift

        return amount_drift(self)

    def require(self) -> "Solution":
        """The solution itself, or a `SolveError` with the reason if it failed."""
        if not self.success:
            raise SolveError(f"{self.problem.model.name}: {self.message}")
        return self

    def _known(self, name):
        name = getattr(name, "name", name)
        if name not in self.names:
            raise ProblemError(f"{self.problem.model.name} has no output {name!r}; {did_you_mean(name, self.names)}")
        return name

    def at(self, t, name=None, side="left"):
        """Values at any times of the span.

        Parameters
        ----------
        t : float or (m,) array_like
            Times within `t_span`.
        name : str, optional
            State, observable or input; all of them as a dictionary if not given.
        side : {"left", "right"}
            At the time of a dose or switch: the value just before (default) or just after.

        Returns
        -------
        array of the shape of t, or dict of name -> array
            On a grid (m, *grid.shape) of states and observables. NaN after a failure.

        Raises
        ------
        ProblemError
            If a name is unknown or a time lies outside the span.

        Examples
        --------
        >>> from remission.models import sensitive_resistant
        >>> from remission.solvers import Problem, solve
        >>> float(solve(Problem(sensitive_resistant())).at(0.0, "burden"))
        0.5
        """
        if name is None:
            return {n: self.at(t, n, side) for n in self.names}
        name = self._known(name)
        times = np.asarray(t, dtype=float)
        system = self.problem.system
        z, u, _ = self._states(np.atleast_1d(times), side)
        if name in system.inputs:
            values = u[system.inputs.index(name)]
        elif self.problem.grid.spatial:
            return field_values(self.problem, name, np.atleast_1d(times), z, u).reshape(
                *times.shape, *self.problem.grid.shape
            )
        elif name in system.states:
            values = z[system.states.index(name)]
        else:
            at = system.observables.index(name)
            values = system.observe(np.atleast_1d(times), z[: system.n], self.problem.p, u)[at]
        return values.reshape(times.shape)

    def sensitivity(self, name, parameter, t=None, side="left") -> np.ndarray:
        """Derivative of a state or observable by a parameter.

        Parameters
        ----------
        name : str
            State or observable.
        parameter : str
            One of those given to `solve(sensitivities=...)`, such as `"r"` or `"S(0)"`.
        t : array_like, optional
            Times; the output times if not given.
        side : {"left", "right"}
            Which side of a dose or switch.

        Returns
        -------
        (n_t,) array
            In units of `name` per unit of the parameter.

        Raises
        ------
        ProblemError
            If that sensitivity was not carried.

        Examples
        --------
        >>> from remission.models import sensitive_resistant
        >>> from remission.solvers import Problem, solve
        >>> solution = solve(Problem(sensitive_resistant()), sensitivities=["n0"])
        >>> float(solution.sensitivity("burden", "n0")[0])
        1.0
        """
        name, parameter = getattr(name, "name", name), getattr(parameter, "name", parameter)
        if parameter not in self.carried:
            raise ProblemError(
                f"no sensitivity by {parameter!r}: solve(problem, sensitivities=[{parameter!r}]) carries it; "
                + did_you_mean(parameter, self.carried)
            )
        times = np.atleast_1d(np.asarray(self.t if t is None else t, dtype=float))
        system, n, j = self.problem.system, self.problem.system.n, self.carried.index(parameter)
        z, u, du = self._states(times, side)
        s = z[n * (j + 1) : n * (j + 2)]
        if name in system.states:
            return s[system.states.index(name)]
        if name in system.inputs:
            return du[system.inputs.index(name), j]
        if name not in system.observables:
            raise ProblemError(f"no sensitivity of {name!r}; " + did_you_mean(name, self.names))
        at = system.observables.index(name)
        by_state, by_parameter, by_input = (g[at] for g in system.observe_tangent(times, z[:n], self.problem.p, u))
        inside = system.parameters[: system.n_model_parameters]
        direct = by_parameter[inside.index(parameter)] if parameter in inside else 0.0
        return (by_state * s).sum(axis=0) + direct + (by_input * du[:, j]).sum(axis=0)

    def to_pandas(self, fields=False):
        """A DataFrame: one row a time, one column a name, index in the model's unit of time.

        Parameters
        ----------
        fields : bool
            On a grid, columns are means over the grid; with `fields` the values of all cells, one row for each time
            and cell, with an index of time, y and x.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError('to_pandas needs pandas: pip install "remission[data]"') from None
        if self.problem.grid.spatial:
            from .space.written_out import table

            return table(self, fields)
        index = pandas.Index(self.t, name=f"time ({self.problem.model.time_unit})")
        return pandas.DataFrame({name: self[name] for name in self.names}, index=index)

    def to_xarray(self):
        """An xarray Dataset over `time`, on a grid `y` and `x` too, with units and meanings as attributes."""
        try:
            import xarray
        except ImportError:
            raise ImportError('to_xarray needs xarray: pip install "remission[data]"') from None
        if self.problem.grid.spatial:
            from .space.written_out import named_arrays

            return named_arrays(self, self._attributes)
        data = {name: ("time", self[name], self._attributes(name)) for name in self.names}
        model = self.problem.model
        coordinates = {"time": ("time", self.t, {"units": model.time_unit})}
        return xarray.Dataset(data, coordinates, {"model": model.name, "source": model.source, "status": self.status})

    def _attributes(self, name):
        symbols = {s.name: s.info for s in (*self.problem.model.states, *self.problem.model.inputs)}
        info = symbols.get(name)
        return {"units": info.unit, "long_name": info.about} if info else {}

    @cached_property
    def _starts(self):
        return np.array([s.start for s in self.trace.segments]), np.array([s.end for s in self.trace.segments])

    def _states(self, times, side):
        """z of shape (n + n k, m), inputs (n_u, m) and their derivatives (n_u, k, m) at times."""
        if side not in ("left", "right"):
            raise ProblemError(f"side is 'left' or 'right', got {side!r}")
        first, last = self.problem.t_span
        slack = 1e-9 * max(abs(first), abs(last))
        if np.any((times < first - slack) | (times > last + slack) | np.isnan(times)):
            raise ProblemError(f"times must lie within the problem's t_span, {first:g} to {last:g}")
        trace, segments = self.trace, self.trace.segments
        n_u, k = len(self.problem.system.inputs), len(self.carried)
        z = np.full((len(trace.z_initial), len(times)), np.nan)
        u, du = np.full((n_u, len(times)), np.nan), np.full((n_u, k, len(times)), np.nan)
        starts, ends = self._starts
        at = (
            np.searchsorted(ends, times, side="left") if side == "left" else np.searchsorted(starts, times, "right") - 1
        )
        for i in np.unique(np.clip(at, 0, max(len(segments) - 1, 0))) if segments else ():
            segment = segments[i]
            here = (np.clip(at, 0, len(segments) - 1) == i) & (times <= max(segment.end, segment.start) + slack)
            here &= times >= segment.start - slack
            if not here.any():
                continue
            inside = times[here]
            z[:, here] = np.where(inside == segment.start, segment.z_start[:, None], self._dense(segment, inside))
            u[:, here] = segment.inputs[:, None]
            if k:
                du[:, :, here] = segment.input_gradients[:, :, None]
        if side == "left":
            z[:, times <= first] = trace.z_initial[:, None]
        elif trace.z_final is not None:
            z[:, times >= last] = trace.z_final[:, None]
        return z, u, du

    @staticmethod
    def _dense(segment, times):
        values = segment.dense(np.clip(times, segment.start, segment.end))
        return np.where(times >= segment.end, segment.z_end[:, None], values)
