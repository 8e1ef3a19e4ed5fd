"""Chapter on inflammation: chemotherapy alone, CXCR2 blockade alone, and both, in the loop that shelters the tumour.

Model `paracrine_loop`: trajectories, steady states against the dose with their thresholds, and the plane of dose and
blocker. Thresholds come from the scalar equation of `quasi_steady`, checked against the search in all states.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from .chapter import Chapter
from .options import read_options
from .quasi_steady import balance_of, clearing_dose, rests

__all__ = ["OPTIONS", "Arm", "Branches", "Plane", "arms", "branches", "disagreement", "plane", "run", "treated"]

DEFAULTS = {
    "dose": 0.6,
    "blocker": 30.0,
    "strong_dose": 0.8,
    "weak_blocker": 10.0,
    "start": 100.0,
    "small_start": 1.0,
    "residual_day": 180.0,
    "t_end": 300.0,
    "blockers": (0.0, 10.0, 30.0),
    "check_doses": (0.2, 0.4, 0.6, 0.8, 1.0),
    "most_dose": 1.0,
    "most_blocker": 100.0,
    "full_blocker": 100.0,
    "n_plane": 0,
}
OPTIONS = tuple(DEFAULTS)
N_PLANE = {"small": 33, "full": 101}
EXACT = {"rtol": 1e-9, "atol": 1e-12}  # down to a millionth of a cell
ONE_CELL = 1e-6  # in the unit of T
SETTLED = 600.0  # days after which a tumour has grown back or gone


@dataclass(frozen=True, eq=False)
class Arm:
    """One treatment.

    Attributes
    ----------
    name : str
    e, B : float
        Constant dose and blocker; a dose of NaN is given in pulses, full effect on 7 of 14 days.
    solution : Solution
    rest : float
        Largest stable tumour under it, 0 if there is none, NaN for a schedule that changes.
    """

    name: str
    e: float
    B: float
    solution: object
    rest: float

    def size(self, day) -> float:
        """Tumour on a day, in 1e6 cells."""
        return float(self.solution.at(day, "T"))


@dataclass(frozen=True, eq=False)
class Branches:
    """Steady tumours over the dose at one blockade.

    Attributes
    ----------
    B : float
    size, dose : (n,) arrays
        A curve of steady states by size.
    stable : (n,) array of bool
    fold : (float, float)
        Dose and size at which the large state vanishes.
    checked : tuple of (float, SteadyStates)
        Search in all states at some doses.
    """

    B: float
    size: np.ndarray
    dose: np.ndarray
    stable: np.ndarray
    fold: tuple
    checked: tuple


@dataclass(frozen=True, eq=False)
class Plane:
    """Residual tumour over dose and blocker.

    Attributes
    ----------
    e : (ne,) array
    B : (nb,) array
    starts : tuple of float
        Initial tumours, 1e6 cells.
    residual : (n_starts, nb, ne) array
        NaN where a member failed.
    n_failed : int
    edge : (m, 2) array
        Dose and blocker at which the last stable tumour vanishes.
    """

    e: np.ndarray
    B: np.ndarray
    starts: tuple
    residual: np.ndarray
    n_failed: int
    edge: np.ndarray


@functools.cache
def _model():
    from remission.models import paracrine_loop

    return paracrine_loop()


def treated(e, B, *, t_end=300.0, start=100.0, treatment=None):
    """The loop at a constant dose and blockade.

    Parameters
    ----------
    e, B : float or Parameter
    t_end : float
        Days.
    start : float
        Tumour, 1e6 cells.
    treatment : Treatment, optional
        Instead of constant levels.

    Returns
    -------
    Problem

    Examples
    --------
    >>> print(treated(0.6, 30).treatment)
    e = 0.6 always; B = 30 always
    """
    from remission.solvers import Problem, Treatment

    treatment = treatment or Treatment.constant({"e": e, "B": B})
    return Problem(_model(), (0, t_end), parameters={"T0": start}, treatment=treatment, **EXACT)


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
        Processes for the plane.
    seed : int
        Of the starts of the search for steady states.

    Returns
    -------
    Chapter

    Raises
    ------
    RemissionError
        If an option does not fit.
    """
    from . import inflammation_figures as figures
    from . import inflammation_words as words
    from .inflammation_thresholds import thresholds

    options = read_options(spec, DEFAULTS | {"n_plane": N_PLANE[budget]})
    given = arms(options)
    found = tuple(branches(B, options, seed) for B in options["blockers"])
    limits, swings = thresholds(options, progress)
    grid = plane(options, progress, workers if budget == "full" else None)
    folder.write_figure(figures.trajectories(given, options), "inflammation-trajectories")
    folder.write_figure(figures.steady(found, limits, options), "inflammation-steady-states")
    folder.write_figure(figures.dose_blocker(grid, limits, options), "inflammation-plane")
    return Chapter(
        spec["name"],
        spec["title"],
        words.summary(given, limits, swings, options),
        words.numbers(given, found, limits, swings, grid, options),
        words.tables(given, found, grid, swings),
        words.captions(options),
        words.methods(found, grid, options),
        words.warnings(),
    )


def arms(options) -> dict:
    """Solutions of all treatments, by name.

    Parameters
    ----------
    options : dict

    Returns
    -------
    dict of str -> Arm
    """
    from remission.solvers import Treatment, solve

    constant = {
        "untreated": (0.0, 0.0),
        "blocker": (0.0, options["blocker"]),
        "chemo": (options["dose"], 0.0),
        "both": (options["dose"], options["blocker"]),
        "strong chemo": (options["strong_dose"], 0.0),
        "strong chemo and weak blocker": (options["strong_dose"], options["weak_blocker"]),
    }
    size = {"t_end": options["t_end"], "start": options["start"]}
    found = {}
    for name, (e, B) in constant.items():
        problem = treated(e, B, **size)
        states = [r.size for r in rests(balance_of(problem), e, B) if r.stable]
        found[name] = Arm(name, e, B, solve(problem).require(), max(states, default=0.0))
    pulses = Treatment.intermittent({"e": 1.0}, on=7, off=7)
    for name, B in (("pulses", 0.0), ("pulses and blocker", options["blocker"])):
        problem = treated(0, 0, treatment=pulses + Treatment.constant({"B": B}), **size)
        found[name] = Arm(name, math.nan, B, solve(problem).require(), math.nan)
    return found


def branches(B, options, seed) -> Branches:
    """Steady tumours over the dose, and a check of them in all states.

    Parameters
    ----------
    B : float
    options : dict
    seed : int

    Returns
    -------
    Branches
    """
    from remission.analysis import steady_states

    problem = treated(0.0, B)
    balance = balance_of(problem)
    sizes = np.concatenate([np.geomspace(1e-3, 20, 150), np.linspace(20, problem.parameters["K"] * 0.999, 400)[1:]])
    dose = np.array([_dose_of(balance, T, B) for T in sizes])
    stable = balance.slope(sizes, dose, B) < 0
    checked = tuple(
        (e, steady_states(problem.at_constant(e=e, B=B), n_starts=40, rng=seed)) for e in options["check_doses"]
    )
    return Branches(B, sizes, dose, stable, clearing_dose(balance, B), checked)


def _dose_of(balance, T, B):
    """Dose at which a tumour of this size rests; NaN where it shrinks untreated."""
    from scipy.optimize import brentq

    if balance.growth(T, 0.0, B) <= 0:
        return math.nan
    return brentq(lambda e: float(balance.growth(T, e, B)), 0.0, 10.0)


def disagreement(found) -> float:
    """Largest relative difference between the scalar equation and the search in all states.

    Parameters
    ----------
    found : sequence of Branches

    Returns
    -------
    float
        Infinite if they differ in the number or the stability of steady tumours.
    """
    worst = 0.0
    for branch in found:
        for e, states in branch.checked:
            seen = [(s["T"], s.stability == "stable") for s in states if s["T"] > 1e-9]
            ours = [(r.size, r.stable) for r in rests(balance_of(states.problem), e, branch.B)]
            if [s for _, s in seen] != [s for _, s in ours]:
                return math.inf
            worst = max([worst, *(abs(a / b - 1) for (a, _), (b, _) in zip(seen, ours, strict=True))])
    return worst


def plane(options, progress, workers) -> Plane:
    """Residual tumour over dose and blocker, from a large and a small start.

    Parameters
    ----------
    options : dict
    progress : bool
    workers : int or None

    Returns
    -------
    Plane
    """
    from remission.analysis import at_end, sweep
    from remission.models import Parameter

    levels = Parameter("dose_e", 0.5, about="dose"), Parameter("dose_B", 0.0, about="blocker")
    problem = treated(*levels, t_end=options["residual_day"]).replace(rtol=1e-7, atol=1e-10)
    n = options["n_plane"]
    e, B = np.linspace(0, options["most_dose"], n), np.linspace(0, options["most_blocker"], n)
    starts = (options["start"], options["small_start"])
    table = np.array([(x, y, size) for size in starts for y in B for x in e])
    found = sweep(
        problem, table, at_end("burden"), names=["dose_e", "dose_B", "T0"], workers=workers, progress=progress
    )
    residual = found.values[:, 0].reshape(len(starts), n, n)
    balance = balance_of(problem)
    edge = np.array([(clearing_dose(balance, y)[0], y) for y in np.linspace(0, options["most_blocker"], 101)])
    return Plane(e, B, starts, residual, int(found.failed.sum()), edge)
