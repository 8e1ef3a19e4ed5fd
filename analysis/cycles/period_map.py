"""The map of a period of treatment with its exact derivative, and Newton steps on it."""

from dataclasses import dataclass

import numpy as np

from remission.models import Parameter
from remission.models.errors import SolveError
from remission.solvers import sample
from remission.solvers.kernels.single import reason_not

__all__ = ["PeriodMap", "fixed_point"]

RTOL, ATOL = 1e-10, 1e-13
FINER = 0.01  # times these where nothing is compiled: the true error of LSODA's steps is larger than that of ours
STEPS = 40
TOLERANCE = 1e-9
HALVINGS = 8
NOTHING = 1e-13  # of a state's size


@dataclass(frozen=True, eq=False)
class PeriodMap:
    """States a period later, and their derivatives; made by `of`.

    Attributes
    ----------
    problem : Problem
        Over one period, its initial values Parameters.
    letters : tuple of str
        Names of these Parameters.
    scale : (n,) array
        Size of each state.
    """

    problem: object
    letters: tuple
    scale: np.ndarray

    @classmethod
    def of(cls, problem, start, period) -> "PeriodMap":
        """The map of a problem.

        Parameters
        ----------
        problem : Problem
        start, period : float

        Returns
        -------
        PeriodMap
        """
        values = problem.initial_values()
        taken, letters = set(problem.parameters), {}
        for state in problem.model.states:
            name = f"start_of_{state.name}"
            while name in taken:
                name += "_"
            size = state.info.scale or abs(values[state.name]) or 1.0
            letters[state.name] = Parameter(name, values[state.name], unit=state.info.unit, plausible=(0.0, size))
        scale = np.array([s.info.scale or abs(values[s.name]) or 1.0 for s in problem.model.states])
        part = FINER if reason_not(problem) else 1.0
        moved = problem.replace(
            t_span=(start, start + period), initial=letters, rtol=part * RTOL,
            atol={s: part * ATOL * x for s, x in zip(values, scale, strict=True)}, extinction_gate=False,
        )  # fmt: skip
        return cls(moved, tuple(p.name for p in letters.values()), scale)

    @property
    def states(self) -> tuple:
        return self.problem.system.states

    def at(self, y, parameters=None) -> object:
        """The problem over one period from states y (n,), other parameters changed where given."""
        start = dict(zip(self.letters, np.asarray(y, dtype=float).tolist(), strict=True))
        return self.problem.replace(parameters=start | (parameters or {}))

    def image(self, y, periods=1) -> np.ndarray:
        """States (n,) some periods later."""
        problem = self.at(y)
        first, last = problem.t_span
        problem = problem.replace(t_span=(first, first + periods * (last - first)))
        found = sample(problem, [problem.t_span[1]], list(self.states))
        _require(problem, found)
        return found.values[0]

    def derivative(self, y, others=(), parameters=None, first=None) -> tuple:
        """States a period later (n,), derivatives by the states (n, n) and by named parameters (n, k).

        Parameters
        ----------
        y : (n,) array
        others : sequence of str
            Parameters to differentiate by.
        parameters : dict, optional
        first : int, optional
            Only derivatives by so many states, (n, first), are carried.
        """
        problem, letters = self.at(y, parameters), self.letters[:first]
        carried = [*letters, *others]
        found = sample(problem, [problem.t_span[1]], list(self.states), carried)
        _require(problem, found)
        if not carried:
            return found.values[0], np.zeros((len(y), 0)), np.zeros((len(y), 0))
        n = len(letters)
        return found.values[0], found.gradients[0][:, :n], found.gradients[0][:, n:]


def _require(problem, found):
    if not found.success:
        raise SolveError(f"{problem.model.name}: a period of treatment was not solved: {found.message}")


def fixed_point(period_map, start, positive) -> tuple:
    """Newton steps to states that return after a period.

    Parameters
    ----------
    period_map : PeriodMap
    start : (n,) array
    positive : (n,) bool array
        States that are not let below zero.

    Returns
    -------
    y, monodromy, residual
        (n,) array, (n, n) array, and the largest change over a period relative to the size of the state; None where
        the steps do not settle.
    """
    y, n = np.array(start, dtype=float), len(start)
    zero = y == 0
    try:
        image, M, _ = period_map.derivative(y)
        size = _sizes(period_map, y, image)
        error = np.max(np.abs(image - y) / size)
        for _ in range(STEPS):
            A = (np.eye(n) - M) * size / size[:, None]
            d = np.linalg.lstsq(A, (image - y) / size, rcond=1e-13)[0] * size
            d[zero & (image == 0)] = 0.0
            taken = _stepped(period_map, y, d, size, error, positive)
            if taken is None:
                break
            y, image, M, error, moved = taken
            size = _sizes(period_map, y, image)
            if moved < TOLERANCE or error == 0.0:
                break
        return _cleaned(period_map, y, M, float(error)) if error < TOLERANCE else None
    except SolveError:
        return None


def _cleaned(period_map, y, M, error):
    """The same point with exact zeros for what is rounding and stays zero."""
    rounding = (np.abs(y) < NOTHING * period_map.scale) & (y != 0)
    if not rounding.any():
        return y, M, error
    clean = np.where(rounding, 0.0, y)
    image, M_clean, _ = period_map.derivative(clean)
    if np.all(image[rounding] == 0.0):
        return clean, M_clean, float(np.max(np.abs(image - clean) / _sizes(period_map, clean, image)))
    return y, M, error


def _sizes(period_map, y, image):
    """What changes are measured by: the states, but not less than a millionth of their declared size."""
    return np.maximum(np.maximum(np.abs(y), np.abs(image)), 1e-6 * period_map.scale)


def _stepped(period_map, y, d, size, error, positive):
    """The point after as much of a step as lessens the change over a period, or None."""
    part = 1.0
    for _ in range(HALVINGS):
        ahead = y + part * d
        below = positive & (ahead < 0)
        if np.any(below & (ahead < -1e-9 * size)):
            part /= 2
            continue
        ahead = np.where(below, 0.0, ahead)
        try:
            image, M, _ = period_map.derivative(ahead)
        except SolveError:
            part /= 2
            continue
        after = np.max(np.abs(image - ahead) / _sizes(period_map, ahead, image))
        if after < max(0.9 * error, 10 * TOLERANCE):
            return ahead, image, M, after, np.max(np.abs(part * d) / size)
        part /= 2
    return None
