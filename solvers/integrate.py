"""The time loop over SciPy's solvers: segment by segment, restarted at every dose, switch and event.

A step longer than an infusion never sees it, so every segment ends at the next moment of the schedule.
"""

from dataclasses import dataclass

import numpy as np

from .events import fired, first_crossing
from .methods import COMPILED, ONE_STEP, PLANE, TAKES_JACOBIAN, find_method
from .moving import Moving, Stop
from .rules import watches

__all__ = ["Segment", "Trace", "run"]


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch without a jump: dense output of z = (y, sensitivities), constant inputs and infusions."""

    start: float
    end: float
    z_start: np.ndarray
    z_end: np.ndarray
    dense: object
    inputs: np.ndarray
    input_gradients: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Trace:
    """What a run leaves behind: segments up to the end or the failure, events, and how it ended."""

    segments: tuple
    events: tuple
    status: str
    message: str
    evaluations: int
    steps: int
    z_initial: np.ndarray
    z_final: np.ndarray | None
    lowest: np.ndarray | None = None  # of each state on a grid, at any step


def run(
    problem, method, rtol=None, atol=None, columns=(), max_step=np.inf, controlled=False, times=None, progress=False
) -> Trace:
    """Integrate a problem over its span.

    Parameters
    ----------
    problem : Problem
    method : str or type
    rtol, atol : optional
        Tolerances; the problem's own if not given.
    columns : tuple of int
        Positions of the parameters whose sensitivities are carried along.
    max_step : float
    controlled : bool
        Whether a compiled method looks at the error of the sensitivities; SciPy's always do.
    times : (n_t,) array, optional
        Output times: a compiled run on a rectangle keeps fields there and nowhere else.
    progress : bool
        Whether a run on a grid shows a bar on the terminal.

    Returns
    -------
    Trace
        Numerical trouble is a status with a message, never an exception.
    """
    name = find_method(method)[1]
    if problem.grid.spatial:
        from .space.moving import SpatialMoving

        moving = SpatialMoving(problem, columns, rtol, atol)
        moving.show(progress)
        if name in COMPILED:
            from .space.line.loop import LineLoop

            return _walk(moving, LineLoop(moving, name, max_step))
        if name == PLANE:
            from .space.plane.loop import PlaneLoop

            return _walk(moving, PlaneLoop(moving, times, max_step))
        return _walk(moving, _Loop(moving, method, max_step))
    if name not in COMPILED:
        moving = Moving(problem, columns, rtol, atol)
        return _walk(moving, _Loop(moving, method, max_step))
    from .kernels.drive import CompiledLoop, Regrown

    moving = Moving(problem, columns, rtol, atol)
    try:
        return _walk(moving, CompiledLoop(moving, name, rtol, atol, max_step, controlled))
    except Regrown:
        moving = Moving(problem, columns, rtol, atol)
        return _walk(moving, CompiledLoop(moving, name, rtol, atol, max_step, controlled, tight=True))


def _walk(moving, loop):
    """Segment by segment to the end."""
    first, end, final = moving.z(), moving.problem.t_span[1], None
    status, message = "done", ""
    try:
        while True:
            stop = moving.next_stop(end)
            if moving.t >= end - moving.width:
                break
            for watch in loop.segment(stop):
                moving.state_event(watch)
        final = moving.z()
    except Stop as reason:
        status, message = reason.status, reason.message
    return Trace(
        tuple(loop.segments), tuple(moving.events), status, message, loop.evaluations, moving.steps, first, final,
        getattr(moving, "lowest", None),
    )  # fmt: skip


class _Loop:
    """Steps of one method, with what they leave behind."""

    def __init__(self, moving, method, max_step):
        self.moving, self.max_step = moving, max_step
        self.method, self.name = find_method(method)
        self.segments, self.evaluations = [], 0

    def segment(self, stop):
        """Integrate to `stop` or to the first state event, whichever comes first; return the watches that fired."""
        moving = self.moving
        flow, watched, begin = moving.flow(), watches(moving), moving.z()
        solver = self.make_solver(flow, moving.t, begin, stop)
        times, pieces, found, crossed = [moving.t], [], None, []
        try:
            while found is None and solver.status == "running":
                before = (solver.t, solver.y.copy())
                self.step(solver)
                dense = solver.dense_output()
                after = (solver.t, solver.y)
                found = first_crossing(watched, dense, before, after) if watched else None
                if found is not None:
                    dense, after = self.land(flow, before, dense, *found)
                    crossed = fired(watched, found[1], before, after)
                times.append(after[0])
                pieces.append(dense)
                moving.take(*after)
                moving.check()
        finally:
            self.evaluations += solver.nfev
            if pieces:
                self.keep(times, pieces, begin, flow)
        return crossed

    def keep(self, times, pieces, begin, flow):
        from scipy.integrate import OdeSolution

        dense = OdeSolution(times, pieces)
        end = self.moving.z()
        self.segments.append(Segment(times[0], times[-1], begin, end, dense, flow.inputs, flow.input_gradients))

    def make_solver(self, flow, t, z, stop):
        moving = self.moving
        jac = {"jac": flow.jac} if self.name in TAKES_JACOBIAN else {}
        try:
            with np.errstate(all="ignore"):
                return self.method(
                    flow.fun, t, z, stop, rtol=moving.rtol, atol=moving.z_atol(), max_step=self.max_step, **jac
                )
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as fault:
            raise Stop("failed", f"{self.name} could not start at t = {t:g}: {fault}") from None

    def step(self, solver):
        """One step of SciPy's solver; whatever goes wrong in it becomes a status and a reason."""
        try:
            with np.errstate(all="ignore"):
                message = solver.step()
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as fault:
            message = str(fault)
        if solver.status == "failed" or message:
            raise Stop("failed", f"{self.name} stopped at t = {solver.t:g}: {message}; {self.moving.largest(solver.y)}")
        if solver.t <= solver.t_old:
            raise Stop("failed", f"{self.name} cannot move on from t = {solver.t:g}; {self.moving.largest(solver.y)}")
        if not np.all(np.isfinite(solver.y)):
            raise Stop("not finite", f"{self.moving.largest(solver.y)} at t = {solver.t:g}; does the solution blow up?")

    def land(self, flow, before, dense, time, watch):
        """State at a crossing, as accurate as the step itself."""
        if self.name not in ONE_STEP or time <= before[0]:
            return dense, (time, dense(time))
        solver = self.make_solver(flow, before[0], before[1], time)
        times, pieces = [before[0]], []
        while solver.status == "running":
            self.step(solver)
            times.append(solver.t)
            pieces.append(solver.dense_output())
        z = solver.y.copy()
        rate = np.asarray(flow.fun(time, z))
        miss = float(watch.value(np.array([time]), z[:, None])[0])
        speed = watch.gradient(time, z)[0] @ rate[: self.moving.n]
        shift = -miss / speed if speed > 0 else 0.0
        shift = float(np.clip(shift, -0.1 * (time - before[0]), 0.1 * (time - before[0])))
        times[-1] = time + shift
        return _joined(times, pieces), (time + shift, z + shift * rate)


def _joined(times, pieces):
    """Dense output of several steps as one."""
    from scipy.integrate import OdeSolution

    return pieces[0] if len(pieces) == 1 else OdeSolution(times, pieces)
