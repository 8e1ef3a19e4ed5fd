"""Waves over a parameter, and where they stall."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.solvers import Grid

from ..critical.value import Threshold
from .arclength import follow
from .equations import newton, with_value
from .wave import Wave, WaveEquations, _finer, bordered, wave_equations, wave_of

__all__ = ["WaveBranch", "continue_waves", "front_stall"]


@dataclass(frozen=True, eq=False)
class _Along:
    """Wave equations with (fields, speed) as unknowns at values of a parameter."""

    equations: WaveEquations
    over: str

    def residual(self, z, value):
        return self.equations.moved(self.over, value).residual(z)

    def jacobian(self, z, value):
        return self.equations.moved(self.over, value).jacobian(z)

    def by_value(self, z, value):
        return np.append(self.equations.moved(self.over, value).fields.by(self.over, z[:-1]), 0.0)


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class WaveBranch:
    """Speeds of a front over a parameter.

    Attributes
    ----------
    wave : Wave
        Where it started.
    over : str
        Parameter or input.
    values : (k,) array
        Of it, in increasing order along the branch.
    speeds : (k,) array
        On the grid of the branch; at the start it differs from the extrapolated speed by the error of that grid.
    widths : (k,) array
        Of the front of the leading state.
    stalls : tuple of float
        Values where the speed passes zero, between points by cubic interpolation; `front_stall` gives the exact one.
    ended : (str, str)
        Why it ended at its low and at its high end.
    """

    wave: Wave
    over: str
    values: np.ndarray
    speeds: np.ndarray
    widths: np.ndarray
    stalls: tuple
    ended: tuple

    def speed_at(self, value) -> float:
        """Speed between points, cubic.

        Parameters
        ----------
        value : float

        Returns
        -------
        float

        Raises
        ------
        ProblemError
            If it lies outside the branch, or the branch turns back.
        """
        from scipy.interpolate import CubicSpline

        if np.any(np.diff(self.values) <= 0):
            raise ProblemError(f"the branch of waves over {self.over} turns back; read its points")
        if not self.values[0] <= value <= self.values[-1]:
            raise ProblemError(
                f"the branch of waves runs from {self.over} = {self.values[0]:.6g} to {self.values[-1]:.6g}, "
                f"not to {value!r}"
            )
        return float(CubicSpline(self.values, self.speeds)(value))

    def __repr__(self):
        return f"<WaveBranch of {self.wave.problem.model.name}: {self}>"

    def __str__(self):
        stalls = f"stalls at {', '.join(f'{s:.5g}' for s in self.stalls)}" if self.stalls else "no stall"
        return (
            f"{len(self.values)} waves over {self.over}, {self.values[0]:.6g} to {self.values[-1]:.6g}: speed "
            f"{self.speeds[0]:.4g} to {self.speeds[-1]:.4g}, {stalls}"
        )


def _span(problem, over, span):
    over = getattr(over, "name", over)
    value = problem.inputs().get(over, problem.parameters.get(over))
    if value is None:
        with_value(problem, over, 0.0)  # says what there is
    low, high = map(float, span)
    if not low < high or not low <= value <= high:
        raise ProblemError(f"the span of {over} is (low, high) around its value {value:g}, got {span!r}")
    return over, float(value), (low, high)


def _start(wave, n_cells):
    """Equations and unknowns of a wave on a coarser grid of the same line."""
    problem = wave.problem.replace(grid=Grid(n_cells, wave.problem.grid.length))
    equations = wave_equations(problem)
    place = problem.grid.x - problem.grid.length / 2
    U = np.array([np.interp(place, wave.x, row) for row in wave.values])
    z = np.append(equations.fields.flat(U), wave.speed)
    weights = np.append(equations.weights(z[:-1]), _speed_size(wave))
    z = newton(equations.residual, equations.jacobian, z, weights, what="travelling_wave")[0]
    return equations, z, weights


def _speed_size(wave):
    return max(abs(wave.speed), 0.05 * max(wave.width, 1e-300) * 0.1)


@refuse_unknown_keywords
def continue_waves(wave, over, span, *, n_cells=None, max_step=0.1, max_points=200) -> WaveBranch:
    """The speed of a front over a parameter, both ways from a wave.

    Parameters
    ----------
    wave : Wave
    over : str
        Parameter or constant input.
    span : (float, float)
        Its range, around the value of the wave.
    n_cells : int, optional
        By default half of those of the wave.
    max_step : float
        Largest step, as a part of the span and of the sizes of the fields.
    max_points : int
        Each way.

    Returns
    -------
    WaveBranch

    Raises
    ------
    ProblemError
        If the parameter is not there or the span does not hold its value.

    Examples
    --------
    >>> from remission.analysis import continue_waves, travelling_wave
    >>> from remission.models import bistable_invasion
    >>> from remission.solvers import Problem
    >>> problem = Problem(bistable_invasion(), parameters={"D": 0.01, "k": 1.0, "a": 0.3})
    >>> branch = continue_waves(travelling_wave(problem), "a", (0.2, 0.6))
    >>> [round(s, 4) for s in branch.stalls], round(branch.speed_at(0.25), 4)
    ([0.5], 0.0354)
    """
    over, value, span = _span(wave.problem, over, span)
    equations, z, weights = _start(wave, n_cells or 2 * (wave.problem.grid.n_cells // 4))
    halves = []
    for heading, end in ((-1, span[0]), (1, span[1])):
        if value == end:
            halves.append(([z], [value], "end of the span"))
            continue
        curve = follow(_Along(equations, over), z, value, span, weights, heading, 0.02, max_step, max_points)
        halves.append((list(curve.unknowns), list(curve.values), curve.ended))
    (low, low_at, low_end), (high, high_at, high_end) = halves
    points, values = low[::-1] + high[1:], np.array(low_at[::-1] + high_at[1:])
    speeds = np.array([p[-1] for p in points])
    widths = np.array([_width(equations, p) for p in points])
    return WaveBranch(wave, over, values, speeds, widths, _zeros(values, speeds), (low_end, high_end))


def _width(equations, z):
    U = equations.fields.fields(z[:-1])[equations.leads]
    return float((U[0] - U[-1]) / np.abs(np.gradient(U, equations.fields.system.grid.x)).max())


def _zeros(values, speeds):
    from scipy.interpolate import CubicSpline

    if len(values) > 3 and np.all(np.diff(values) > 0):
        return tuple(float(v) for v in CubicSpline(values, speeds).roots(extrapolate=False))
    found = []
    for i in np.flatnonzero(speeds[:-1] * speeds[1:] < 0):
        part = speeds[i] / (speeds[i] - speeds[i + 1])
        found.append(float(values[i] + part * (values[i + 1] - values[i])))
    return tuple(found + [float(v) for v in values[speeds == 0]])


@refuse_unknown_keywords
def front_stall(wave, over, span, *, n_cells=None, grids=3, derivatives=True) -> Threshold:
    """Value of a parameter at which a front rests.

    The branch of waves is followed to where the speed passes zero; there Newton solves for the fields at rest and the
    parameter, on grids of twice as many cells each.

    Parameters
    ----------
    wave : Wave
    over : str
        Parameter or constant input.
    span : (float, float)
        Its range, around the value of the wave.
    n_cells : int, optional
        Of the coarsest grid; by default a quarter of those of the wave.
    grids : int
        2 or more.
    derivatives : bool
        Derivatives of the value by all parameters and inputs, by the implicit function theorem.

    Returns
    -------
    Threshold
        Of kind `"front stall"`. `coefficients` holds the estimate of its error from the grids, `"error"`, and
        `"speed slope"`, the derivative of the speed by the parameter.

    Raises
    ------
    ProblemError
        If the speed does not pass zero in the span.

    Examples
    --------
    >>> from remission.analysis import front_stall, travelling_wave
    >>> from remission.models import bistable_invasion
    >>> from remission.solvers import Problem
    >>> problem = Problem(bistable_invasion(), parameters={"D": 0.01, "k": 1.0, "a": 0.3})
    >>> print(front_stall(travelling_wave(problem), "a", (0.2, 0.6)))
    front stall: a = 0.5 (zero of the speed, numerical); ...
    """
    over, value, span = _span(wave.problem, over, span)
    equations, z, weights = _start(wave, n_cells or 2 * (wave.problem.grid.n_cells // 8))
    sign = np.sign(z[-1])
    curves = [
        follow(_Along(equations, over), z, value, span, weights, heading, 0.02, 0.1, 200, lambda u, _: u[-1] * sign < 0)
        for heading, end in ((1, span[1]), (-1, span[0]))
        if value != end
    ]
    passed = [c for c in curves if c.unknowns[-1][-1] * sign < 0]
    if not passed:
        ends = ", ".join(f"{c.unknowns[-1][-1]:.4g} at {c.values[-1]:.6g} ({c.ended})" for c in curves)
        raise ProblemError(
            f"front_stall: the speed does not pass zero over {over} from {span[0]:g} to {span[1]:g}: {ends}"
        )
    curve = passed[0]
    (one, two), (low, high) = curve.unknowns[-2:], curve.values[-2:]
    part = one[-1] / (one[-1] - two[-1])
    U, at = (one + part * (two - one))[:-1], low + part * (high - low)
    return _stall(wave, equations, over, U, at, span, grids, derivatives)


def _stall(wave, equations, over, U, at, span, grids, derivatives):
    found, n_cells = [], equations.fields.system.grid.n_cells
    for level in range(grids):
        if level:
            U = equations.fields.fields(U)
            n_cells *= 2
            equations = wave_equations(wave.problem.replace(grid=Grid(n_cells, wave.problem.grid.length)))
            U = equations.fields.flat(_finer(U))
        U, at = _rest(equations, over, U, at, span)
        found.append(at)
    better = [(4 * fine - coarse) / 3 for coarse, fine in pairwise(found)]
    error = abs(better[-1] - better[-2]) if len(better) > 1 else abs(better[-1] - found[-1])
    here = equations.moved(over, at)
    slopes, speed_slope = _derivatives(here, over, U, derivatives)
    still = wave_of(with_value(equations.fields.system.problem, over, better[-1]), here, np.append(U, 0.0),
                    tuple((here.fields.system.grid.length / (n_cells // 2**k), 0.0) for k in (1, 0)))  # fmt: skip
    below, above = ("invades", "retreats") if speed_slope < 0 else ("retreats", "invades")
    unit = _unit(wave.problem.model, over)
    return Threshold(
        still.problem, "front stall", over, float(better[-1]), unit=unit, mechanism="zero of the speed",
        direction=f"the tumour front {below} below and {above} above",
        derivatives=slopes, state=still.behind,
        conditions=(f"plane front between two homogeneous states, line of {wave.problem.grid.length:.4g}",),
        coefficients={"error": float(error), "speed slope": float(speed_slope)},
    )  # fmt: skip


def _unit(model, over):
    return model.symbol(over).info.unit


def _rest(equations, over, U, at, span):
    """Fields at rest and the value of the parameter there."""

    def residual(z):
        return np.append(equations.fields.moved(over, z[-1]).f(z[:-1]), equations.place @ z[:-1])

    def jacobian(z):
        fields = equations.fields.moved(over, z[-1])
        return bordered(fields.jac(z[:-1]), fields.by(over, z[:-1]), equations.place)

    weights = np.append(equations.weights(U), span[1] - span[0])
    z = newton(residual, jacobian, np.append(U, at), weights, what="front_stall")[0]
    return z[:-1], float(z[-1])


def _derivatives(here, over, U, wanted):
    """Derivatives of the stalling value by the others, and of the speed by the parameter, at the stall."""
    from scipy.sparse.linalg import splu

    z = np.append(U, 0.0)
    left = np.zeros(len(z))
    left[-1] = 1.0
    left = splu(here.jacobian(z)).solve(left, trans="T")[:-1]
    by_over = -float(left @ here.fields.by(over, U))  # derivative of the speed
    if not wanted:
        return {}, by_over
    problem = here.fields.system.problem
    names = [n for n in (*(p.name for p in problem.model.parameters), *here.fields.inputs) if n != over]
    return {n: float(left @ here.fields.by(n, U)) / by_over for n in names}, by_over
