"""What a run on a rectangle keeps: fields at the output times, and no others."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError

__all__ = ["Between", "Kept", "default_count"]

MOST_TIMES, MOST_NUMBERS = 51, 1 << 25


def default_count(unknowns) -> int:
    """Number of output times where none are given: what is kept stays below 270 MB.

    Parameters
    ----------
    unknowns : int
        Cells times states.

    Returns
    -------
    int
    """
    return int(np.clip(MOST_NUMBERS // unknowns, 3, MOST_TIMES))


@dataclass(frozen=True, eq=False)
class Kept:
    """Stands in for dense output: `kept(t)` is z (N n, m) at times that were kept.

    Attributes
    ----------
    times : (k,) array
    values : list of (n, N) arrays
    unknowns : int
    ends : (start, end)
        At both of which the segment itself has the values.
    """

    times: np.ndarray
    values: list
    unknowns: int
    ends: tuple

    def __call__(self, t):
        t = np.atleast_1d(np.asarray(t, dtype=float))
        slack = 1e-9 * max(map(abs, self.ends))
        columns = []
        for time in t:
            near = int(np.argmin(np.abs(self.times - time))) if len(self.times) else -1
            if near >= 0 and abs(self.times[near] - time) <= slack:
                columns.append(self.values[near].T.ravel())
            elif min(abs(time - end) for end in self.ends) <= slack:
                columns.append(np.full(self.unknowns, np.nan))
            else:
                raise ProblemError(
                    f"the fields at t = {time:g} were not kept: a run on a rectangle keeps them at its output times "
                    f"only; solve(problem, t_eval=[..., {time:g}, ...]) keeps them there"
                )
        return np.array(columns).T


class Between:
    """Values between the last ends of steps, by the polynomial through up to four of them, or as a step says itself."""

    def __init__(self, points, step=None):
        self.points, self.step = points, step

    def field(self, t) -> np.ndarray:
        """(n, N) at one time."""
        if self.step is not None:
            return self.step.field(t, self.points[-2][1], self.points[-1][1])
        found, times = 0.0, [p[0] for p in self.points]
        for i, (time, y) in enumerate(self.points):
            weight = np.prod([(t - other) / (time - other) for k, other in enumerate(times) if k != i])
            found = found + weight * y
        return found

    def __call__(self, t):
        """z (N n, m) at times (m,)."""
        return np.array([self.field(time).T.ravel() for time in np.atleast_1d(t)]).T
