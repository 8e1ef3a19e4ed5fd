"""Branches of steady fields over a parameter, through folds, with their stability."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .arclength import follow
from .equations import equations_at, with_value
from .steady_fields import SteadyField, leading_eigenvalues, weights_of
from .wave_branch import _span

__all__ = ["FieldBranch", "continue_field"]


@dataclass(frozen=True, eq=False)
class _Along:
    equations: object
    over: str

    def residual(self, u, value):
        return self.equations.moved(self.over, value).f(u)

    def jacobian(self, u, value):
        return self.equations.moved(self.over, value).jac(u)

    def by_value(self, u, value):
        return self.equations.moved(self.over, value).by(self.over, u)


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class FieldBranch:
    """Steady fields over a parameter.

    Attributes
    ----------
    field : SteadyField
        Where it started.
    over : str
        Parameter or input.
    values : (k,) array
        Of it along the branch.
    fields : (k, n, *grid.shape) array
    means : (k, n) array
        Over the grid, states in the order of the model.
    growth : (k,) array
        Largest real part of the eigenvalues.
    folds : tuple of float
        Values at which the branch turns back, of the parabola through three points.
    ended : (str, str)
        Why it ended at both ends.
    """

    field: SteadyField
    over: str
    values: np.ndarray
    fields: np.ndarray
    means: np.ndarray
    growth: np.ndarray
    folds: tuple
    ended: tuple

    def __len__(self):
        return len(self.values)

    def mean(self, name) -> np.ndarray:
        """Mean of a state along the branch, (k,).

        Parameters
        ----------
        name : str

        Returns
        -------
        (k,) array
        """
        names = [s.name for s in self.field.problem.model.states]
        name = getattr(name, "name", name)
        if name not in names:
            raise ProblemError(f"the branch has no {name!r}; {did_you_mean(str(name), names)}")
        return self.means[:, names.index(name)]

    def problem_at(self, i):
        """The problem at a point.

        Parameters
        ----------
        i : int

        Returns
        -------
        Problem
        """
        return with_value(self.field.problem, self.over, float(self.values[i]))

    def __repr__(self):
        return f"<FieldBranch of {self.field.problem.model.name}: {self}>"

    def __str__(self):
        stable = int(np.sum(self.growth < 0))
        folds = f"folds at {', '.join(f'{v:.6g}' for v in self.folds)}" if self.folds else "no fold"
        return (
            f"{len(self)} steady fields over {self.over}, {self.values.min():.6g} to {self.values.max():.6g}, {stable} "
            f"of them stable, {folds}"
        )


@refuse_unknown_keywords
def continue_field(field, over, span, *, max_step=0.1, max_points=150, headings=(-1, 1)) -> FieldBranch:
    """The branch of a steady field over a parameter, by pseudo-arclength through folds.

    Parameters
    ----------
    field : SteadyField
        On a line, disc, ball or rectangle.
    over : str
        Parameter or constant input.
    span : (float, float)
        Its range, around the value of the field.
    max_step : float
        Largest step, as a part of the span and of the sizes of the fields.
    max_points : int
        Each way.
    headings : tuple of {-1, 1}
        Ways in which to start.

    Returns
    -------
    FieldBranch

    Raises
    ------
    ProblemError
        If the parameter is not there or the span does not hold its value.

    Examples
    --------
    The patch of `steady_field` thins out where its width pi sqrt(D/rho) is critical:

    >>> from remission.analysis import continue_field, steady_field
    >>> from remission.models import glioma_invasion
    >>> from remission.solvers import Grid, Problem, Wall
    >>> lost = Wall(value={"c": 0.0})
    >>> grid = Grid(40, 15.0, walls={"left": lost, "right": lost})
    >>> field = steady_field(Problem(glioma_invasion(), initial={"c": 0.5}, grid=grid), settle_first=True)
    >>> branch = continue_field(field, "rho", (0.007, 0.02))
    >>> bool(branch.mean("c").min() > 0.1 and (branch.growth < 0).all())
    True
    """
    over, value, span = _span(field.problem, over, span)
    equations = equations_at(field.problem)
    U = equations.flat(field.values.reshape(equations.shape))
    weights, system = weights_of(equations, U), _Along(equations, over)
    halves = {-1: ([U], [value], "not followed"), 1: ([U], [value], "not followed")}
    for heading in headings:
        if value != span[(heading + 1) // 2]:
            curve = follow(system, U, value, span, weights, heading, 0.01, max_step, max_points)
            halves[heading] = (list(curve.unknowns), list(curve.values), curve.ended)
    (low, low_at, low_end), (high, high_at, high_end) = halves[-1], halves[1]
    points, values = low[::-1] + high[1:], np.array(low_at[::-1] + high_at[1:])
    growth = np.array(
        [leading_eigenvalues(system.jacobian(u, v), 2)[0].real for u, v in zip(points, values, strict=True)]
    )
    fields = np.array([equations.fields(u) for u in points])
    volumes = field.problem.grid.volumes.ravel()
    means = fields @ volumes / volumes.sum()
    shaped = fields.reshape(len(points), -1, *field.problem.grid.shape)
    return FieldBranch(field, over, values, shaped, means, growth, _folds(values, points, weights),
                       (low_end, high_end))  # fmt: skip


def _folds(values, points, weights):
    """Extremes of the parameter along the branch, of the parabola in the arclength."""
    found = []
    for i in range(1, len(values) - 1):
        a, b = values[i] - values[i - 1], values[i + 1] - values[i]
        if a * b < 0:
            s = [np.linalg.norm((points[i + k] - points[i]) / weights) * k for k in (-1, 0, 1)]
            fit = np.polyfit(s, values[i - 1 : i + 2], 2)
            found.append(float(np.polyval(fit, -fit[1] / (2 * fit[0]))))
    return tuple(found)
