"""Chapter on unstable chromosomes: regression and relapse after the oncogene is withdrawn, at low and high instability.

Model `oncogene_withdrawal` in two phases: unstable growth to a given size, then withdrawal of oncogene and instability
together. Relapse is counted by the lineage model, never read off the mean of R.
"""

import functools
import math
import warnings
from dataclasses import dataclass

import numpy as np

from remission.models.errors import RemissionError

from .chapter import Chapter
from .one_at_a_time import one_at_a_time
from .options import read_options

__all__ = [
    "OPTIONS",
    "Cohort",
    "Scan",
    "cohort",
    "critical_rate",
    "established",
    "hang_on",
    "protocol",
    "relapse_probability_after_withdrawal",
    "run",
    "scan",
    "withdrawal_day",
]

DEFAULTS = {
    "p_low": 2.5e-4,
    "p_high": 2.5e-3,
    "p_range": (1e-4, 3e-2),
    "n_rates": 0,
    "n_detect": 1e7,
    "withdraw_at": 1e8,
    "follow_up": 400.0,
    "t_end": 800.0,
}
OPTIONS = tuple(DEFAULTS)
N_RATES = {"small": 41, "full": 161}
EXACT = {"rtol": 1e-10, "atol": 1e-10}  # the tumour starts from one cell, so that a thousandth of a cell is too coarse
# Where only lineages are asked for, the mean of R is of no interest: without a tolerance it asks for no steps.
QUICK = {"rtol": 1e-8, "atol": {"S": 1e-9, "A": 1e-9, "R": 1e250}}  # moves no relapse probability by more than 1e-6
SETTLED = 500.0  # days by which all is decided at the rates of the two cohorts
BRAKES = {"with crowding": 1.0, "without crowding": 0.0}
FRAILTIES = (0.0, 0.5, 1.0, 1.5)


@dataclass(frozen=True, eq=False)
class Cohort:
    """Tumours with one missegregation rate.

    Attributes
    ----------
    name : str
    p : float
        Missegregations per chromosome and division before withdrawal.
    solution : Solution
    withdrawn : float
        Day of withdrawal.
    lineages, free : ExpectedLineages
        With and without crowding of the lineages.
    days, survival : (n,) arrays
        Days after withdrawal, and the part without relapse, with crowding.
    survival_free : (n,) array
        The same without crowding.
    """

    name: str
    p: float
    solution: object
    withdrawn: float
    lineages: object
    free: object
    days: np.ndarray
    survival: np.ndarray
    survival_free: np.ndarray

    def left(self, day) -> float:
        """Part of S + A that is left some days after withdrawal."""
        before, after = self.solution.at([self.withdrawn, self.withdrawn + day], "at_risk")
        return float(after / before)

    def at_withdrawal(self, name) -> float:
        """Value of a state or observable at withdrawal."""
        return float(self.solution.at(self.withdrawn, name))

    @property
    def median_relapse(self) -> float:
        """Day after withdrawal by which half of those that relapse have done so; NaN if not within follow-up."""
        half = (1 + self.lineages.cure_fraction) / 2
        after = np.flatnonzero(self.survival <= half)
        return float(np.interp(-half, -self.survival, self.days)) if after.size else math.nan


@dataclass(frozen=True, eq=False)
class Scan:
    """Relapse probability over missegregation rates.

    Attributes
    ----------
    p : (n,) array
    withdrawn : (n,) array
        Days of withdrawal; NaN where the tumour never gets there.
    probability : dict of str -> (n,) array
        By kind of crowding.
    critical : dict of str -> float
        Rate at which half of the tumours relapse.
    """

    p: np.ndarray
    withdrawn: np.ndarray
    probability: dict
    critical: dict

    def lineages(self, how="with crowding") -> np.ndarray:
        """Expected established lineages, -log(1 - P)."""
        with np.errstate(divide="ignore"):
            return -np.log1p(-self.probability[how])


def protocol(options=None, **parameters):
    """The two-phase problem: unstable growth up to a size, then withdrawal.

    Parameters
    ----------
    options : dict, optional
        Of the chapter: `withdraw_at` (cells) and `t_end` (days).
    **parameters
        Values that differ from the model's.

    Returns
    -------
    Problem

    Examples
    --------
    >>> print(protocol().treatment)
    cin = 1, u = 0 until at_risk > 1e+08, then cin = 0, u = 1
    """
    from remission.models import oncogene_withdrawal
    from remission.solvers import Problem, Treatment

    options = DEFAULTS | (options or {})
    withdrawal = Treatment.switch_when({"u": 1}, of="at_risk", above=options["withdraw_at"], before={"cin": 1})
    return Problem(
        _model(oncogene_withdrawal), (0, options["t_end"]), parameters=parameters, treatment=withdrawal, **EXACT
    )


@functools.cache
def _model(make):
    return make()


def withdrawal_day(solution) -> float:
    """Day on which the oncogene was withdrawn.

    Parameters
    ----------
    solution : Solution
        Of `protocol`.

    Returns
    -------
    float
        NaN if the tumour never grew to the size at which it is.
    """
    return next((e.time for e in solution.events if e.kind == "switch"), math.nan)


def relapse_probability_after_withdrawal(solution) -> float:
    """Probability that an oncogene-independent family establishes, given that the tumour formed.

    Parameters
    ----------
    solution : Solution
        Of `protocol`.

    Returns
    -------
    float
        NaN if the tumour never grew to the size at which the oncogene is withdrawn, or dependent cells (S + A) are
        still there at the end: it then returns without independent cells.
    """
    from remission.analysis import expected_lineages

    return expected_lineages(solution).relapse_probability if _came_and_went(solution) else math.nan


def _came_and_went(solution):
    return solution.success and math.isfinite(withdrawal_day(solution)) and solution["at_risk"][-1] < 1


def established(problem, **parameters) -> float:
    """Expected established lineages at changed parameters.

    Parameters
    ----------
    problem : Problem
        Of `protocol`.
    **parameters
        Values to change.

    Returns
    -------
    float
        NaN where no tumour forms, dependent cells stay, or the problem cannot be solved.
    """
    from remission.analysis import expected_lineages
    from remission.solvers import SolveWarning, solve

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        solution = solve(problem.replace(parameters=parameters), t_eval=[problem.t_span[1]])
    return expected_lineages(solution).total if _came_and_went(solution) else math.nan


def critical_rate(problem, between, level=0.5) -> float:
    """Missegregation rate at which a part of the tumours relapse.

    Parameters
    ----------
    problem : Problem
        Of `protocol`.
    between : (float, float)
        Rates between which it is sought.
    level : float

    Returns
    -------
    float
        NaN if the probability does not pass the level between them.

    Examples
    --------
    >>> print(f"{critical_rate(protocol(brake_R=0), (3e-3, 4e-3)):.5e}")
    3.59457e-03
    """
    from scipy.optimize import brentq

    def short(log_p):
        return established(problem, p_on=math.exp(log_p)) + math.log1p(-level)

    ends = [math.log(p) for p in between]
    if not short(ends[0]) < 0 < short(ends[1]):
        return math.nan
    return math.exp(brentq(short, *ends, xtol=1e-9))


def run(spec, folder, *, budget, progress, workers, seed) -> Chapter:
    """Run the chapter.

    Parameters
    ----------
    spec : dict
        Its table in the study file; `OPTIONS` says what it may hold.
    folder : RunFolder
    budget : {"small", "full"}
    progress : bool
    workers : int
        Not used: the chapter takes seconds.
    seed : int
        Not used: nothing is drawn at random.

    Returns
    -------
    Chapter

    Raises
    ------
    RemissionError
        If no tumour forms at the rates asked for.
    """
    from . import instability_figures as figures
    from . import instability_words as words

    options = read_options(spec, DEFAULTS | {"n_rates": N_RATES[budget]})
    _check_range(options["p_range"])
    problem = protocol(options)
    low, high = (cohort(problem, n, options[f"p_{n}"], options) for n in ("low", "high"))
    found = scan(problem, options, progress)
    swings = hang_on(problem, low, high, progress)
    folder.write_figure(figures.regression(low, high), "instability-regression")
    folder.write_figure(figures.probability(found, low, high, problem), "instability-probability")
    folder.write_figure(figures.survival(low, high, options), "instability-survival")
    return Chapter(
        spec["name"],
        spec["title"],
        words.summary(low, high, found, swings, options),
        words.numbers(low, high, found, swings, problem, options),
        words.tables(low, high, found, swings, problem),
        words.captions(low, high, options),
        words.methods(options, found),
        words.warnings(),
    )


def _check_range(p_range):
    if len(p_range) != 2 or not 0 < p_range[0] < p_range[1] < 1:
        raise RemissionError(f"p_range is (lowest, highest) missegregation rate within 0 and 1, got {p_range}")


def cohort(problem, name, p, options) -> Cohort:
    """Solve one cohort and count its lineages.

    Parameters
    ----------
    problem : Problem
    name : str
    p : float
    options : dict

    Returns
    -------
    Cohort
    """
    from remission.analysis import expected_lineages, relapse_free_survival
    from remission.solvers import solve

    solutions = [solve(problem.replace(parameters={"p_on": p, "brake_R": b})).require() for b in BRAKES.values()]
    day = withdrawal_day(solutions[0])
    if not day + options["follow_up"] <= problem.t_span[1]:
        raise RemissionError(
            f"at p_{name} = {p:g} withdrawal and {options['follow_up']:g} days of follow-up do not fit into "
            f"t_end = {problem.t_span[1]:g} days (withdrawal at day {day:g}): raise t_end or lower p_{name}"
        )
    days = np.linspace(0, options["follow_up"], 161)
    alive = [relapse_free_survival(s, day + days, options["n_detect"]) for s in solutions]
    both = [expected_lineages(s) for s in solutions]
    return Cohort(name, p, solutions[0], day, *both, days, *alive)


def scan(problem, options, progress) -> Scan:
    """Relapse probability over a fine grid of rates, and the critical rates.

    Parameters
    ----------
    problem : Problem
    options : dict
    progress : bool

    Returns
    -------
    Scan
    """
    from remission.analysis import sweep

    p = np.geomspace(*options["p_range"], options["n_rates"])
    probability, critical = {}, {}
    for how, brake in BRAKES.items():
        one = problem.replace(parameters={"brake_R": brake})
        outputs = [withdrawal_day, relapse_probability_after_withdrawal]
        day, chance = sweep(one.replace(**QUICK), {"p_on": p}, outputs, progress=progress).values.T
        probability[how] = chance
        above = np.flatnonzero((chance[:-1] < 0.5) & (chance[1:] >= 0.5))
        critical[how] = critical_rate(one, p[above[0] : above[0] + 2]) if above.size else math.nan
    return Scan(p, day, probability, critical)


def hang_on(problem, low, high, progress) -> tuple:
    """Relapse probability of both cohorts, and ratio of their lineages, with every parameter moved alone.

    Parameters
    ----------
    problem : Problem
    low, high : Cohort
    progress : bool

    Returns
    -------
    tuple of Swing
        Columns: probability at the low and the high rate, ratio.
    """
    from tqdm import tqdm

    quick = problem.replace(t_span=(0, min(SETTLED, problem.t_span[1])), **QUICK)

    def answers(parameters):
        few, many = (established(quick, p_on=c.p, **parameters) for c in (low, high))
        ratio = many / few if few > 1e-12 else math.nan
        return -math.expm1(-few), -math.expm1(-many), ratio

    bar = functools.partial(tqdm, desc="assumed rates", disable=None if progress else True, leave=False)
    return one_at_a_time(answers, problem.model, ("p_on", "n_chromosomes", "crowd_R"), bar)
