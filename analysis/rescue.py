"""Rescue of a shrinking tumour by mutation, directly or by way of aneuploid cells: thresholds and times."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .establishment import establishment_by_type

__all__ = ["Rescue", "rescue"]

LETTERS = ("l_s", "mu_s", "l_a", "mu_a", "l_m", "mu_m", "u", "v")


@dataclass(frozen=True)
class Rescue:
    """Tumour sizes at which rescue becomes likely, and how long a rescued tumour takes to come back.

    Attributes
    ----------
    problem : Problem
    direct : float
        N*_m, cells: size at which mutants of sensitive cells rescue with probability 1 - 1/e.
    by_aneuploidy : float
        N*_a, cells, of the paper's three formulas the one for this `regime`.
    regime : {"dying", "lingering", "growing"}
        Of the aneuploid cells: `r_a T*` below -1, between, above 1. The formulas hold far from these borders.
    waiting_time : float
        T*, the time scale on which an aneuploid family meets its first successful mutant.
    growth_times_waiting : float
        r_a T*.
    exact : float
        1/p_s, cells, of the branching process of all three types, without approximation.
    recurrence_direct : float
        Time after which the mean number of mutants of a large tumour is the initial size, without aneuploid cells.
    recurrence : float
        The same with them, from the solution of the mean equations.
    """

    problem: object
    direct: float
    by_aneuploidy: float
    regime: str
    waiting_time: float
    growth_times_waiting: float
    exact: float
    recurrence_direct: float
    recurrence: float

    def probability(self, N=None) -> float:
        """Probability that a tumour of N cells is rescued, 1 - (1 - p_s)^N with the exact p_s.

        Parameters
        ----------
        N : float, optional
            Cells; the problem's own `N` if not given.
        """
        cells = self.problem.parameters["N"] if N is None else float(N)
        return float(-np.expm1(cells * np.log1p(-1 / self.exact)))

    def standing(self, u_before=1e-3, cost=0.07) -> tuple:
        """Aneuploid cells that are there before the drug: their share, and how much smaller a tumour they need.

        Parameters
        ----------
        u_before : float
            Aneuploid cells a division without the drug.
        cost : float
            Fitness cost of aneuploidy without the drug, 1/day.

        Returns
        -------
        (float, float)
            f = u_before l_s/cost, and the ratio of the threshold size by standing to that by new aneuploid cells,
            ``(u/u_before) (cost/|r_s|)``.
        """
        p = self.problem.parameters
        return u_before * p["l_s"] / cost, p["u"] / u_before * cost / abs(p["l_s"] - p["mu_s"])

    def __str__(self):
        unit = self.problem.model.time_unit
        return (
            f"rescue with probability {self.probability():.3g} of {self.problem.parameters['N']:.3g} cells\n"
            f"  threshold size {self.exact:.4g} cells; direct {self.direct:.4g}, by aneuploid cells "
            f"{self.by_aneuploidy:.4g} ({self.regime})\n"
            f"  a large tumour is back after {self.recurrence:.4g} {unit}"
        )


@refuse_unknown_keywords
def rescue(problem) -> Rescue:
    """Thresholds, probability and recurrence time of `rescue_by_aneuploidy`.

    Parameters
    ----------
    problem : Problem
        Of a model with the parameters of `rescue_by_aneuploidy`.

    Returns
    -------
    Rescue

    Raises
    ------
    ProblemError
        If sensitive cells do not die out under the drug or mutants do not grow, where there is nothing to rescue.

    References
    ----------
    .. [1] Stana, Ben-David, Weissman and Ram (2025), Genetics, iyaf098.

    Examples
    --------
    >>> from remission.models import rescue_by_aneuploidy
    >>> from remission.solvers import Problem
    >>> print(rescue(Problem(rescue_by_aneuploidy())))
    rescue with probability 0.916 of 1e+07 cells
      threshold size 4.033e+06 cells; direct 4e+07, by aneuploid cells 4.449e+06 (dying)
      a large tumour is back after 1534 day
    """
    p = problem.parameters
    if missing := [name for name in LETTERS if name not in p]:
        raise ProblemError(f"rescue: {problem.model.name} has no parameter {missing[0]!r}; it reads {LETTERS}")
    l_s, mu_s, l_a, mu_a, l_m, mu_m, u, v = (p[name] for name in LETTERS)
    r_s, r_a, r_m = l_s - mu_s, l_a - mu_a, l_m - mu_m
    if not (r_s < 0 < r_m and u > 0 and v > 0):
        raise ProblemError(
            f"rescue needs sensitive cells that die out, mutants that grow, and u, v above 0; here r_s = {r_s:g}, "
            f"r_m = {r_m:g}, u = {u:g}, v = {v:g}"
        )
    waiting = np.sqrt(l_m / (4 * v * l_a**2 * r_m))
    product = r_a * waiting
    if product < -1:
        regime, factor = "dying", abs(r_a) / (v * l_a) * l_m / r_m
    elif product <= 1:
        regime, factor = "lingering", 2 * l_a * waiting
    else:
        regime, factor = "growing", l_a / r_a
    direct_time = np.log((r_m - r_s) / (v * l_s)) / r_m
    return Rescue(
        problem, abs(r_s) / (v * l_s) * l_m / r_m, abs(r_s) / (u * l_s) * factor, regime, float(waiting),
        float(product), exact_size(l_s, mu_s, l_a, mu_a, l_m, mu_m, u, v), float(direct_time),
        _recurrence(r_s, r_a, r_m, u * l_s, v * l_s, v * l_a, direct_time),
    )  # fmt: skip


def exact_size(l_s, mu_s, l_a, mu_a, l_m, mu_m, u, v):
    """1/p_s, in cells; a new type is added to the family and the mother stays."""
    s, a, m = range(3)
    events = [
        [(l_s, (s, s)), (mu_s, ()), (u * l_s, (s, a)), (v * l_s, (s, m))],
        [(l_a, (a, a)), (mu_a, ()), (v * l_a, (a, m))],
        [(l_m, (m, m)), (mu_m, ())],
    ]
    return float(1 / establishment_by_type(events)[s])


def _recurrence(r_s, r_a, r_m, to_a, to_m, through, guess):
    """Time at which the mean number of mutants is the initial size; everything is linear in it."""
    from scipy.linalg import expm
    from scipy.optimize import brentq

    table = np.array([[r_s, 0.0, 0.0], [to_a, r_a, 0.0], [to_m, through, r_m]])

    def excess(t):
        return np.log(expm(table * t)[2, 0])

    end = guess
    while excess(end) < 0:
        end *= 1.5
    begin = end
    while excess(begin) > 0:
        begin /= 1.5
    return float(brentq(excess, begin, end, xtol=1e-9, rtol=1e-14))
