"""Chapter on inflammation: chemotherapy alone, CXCR2 blockade alone, and both, in the loop that shelters the tumour.

Model `paracrine_loop`: trajectories, and the tumour that is left over the plane of dose and blocker. Where the outcome
changes is asked in the chapter on thresholds.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from .chapter import Chapter
from .options import read_options

__all__ = ["OPTIONS", "Arm", "Plane", "arms", "edges", "plane", "rest", "run", "treated"]

DEFAULTS = {
    "dose": 0.6,
    "blocker": 30.0,
    "strong_dose": 0.8,
    "weak_blocker": 10.0,
    "start": 100.0,
    "small_start": 1.0,
    "residual_day": 180.0,
    "t_end": 300.0,
    "most_dose": 1.0,
    "most_blocker": 100.0,
    "n_plane": 0,
}
OPTIONS = tuple(DEFAULTS)
N_PLANE = {"small": 33, "full": 101}
EXACT = {"rtol": 1e-9, "atol": 1e-12}  # down to a millionth of a cell
BEYOND = 1.25  # doses are followed past the largest one, to see where steady tumours end
ONE_CELL = 1e-6  # in the unit of T


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
    proved : bool
        Whether it is proved that there is no other.
    """

    name: str
    e: float
    B: float
    solution: object
    rest: float
    proved: bool = True

    def size(self, day) -> float:
        """Tumour on a day, in 1e6 cells."""
        return float(self.solution.at(day, "T"))


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
    edges : dict of str -> (m, 2) array
        Dose and blocker: `"fold"`, where the last stable tumour vanishes, and `"transcritical"`, where a very small
        tumour changes from growing to shrinking.
    """

    e: np.ndarray
    B: np.ndarray
    starts: tuple
    residual: np.ndarray
    n_failed: int
    edges: dict


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

    options = read_options(spec, DEFAULTS | {"n_plane": N_PLANE[budget]})
    given = arms(options)
    grid = plane(options, progress, workers if budget == "full" else None)
    folder.write_figure(figures.trajectories(given, options), "inflammation-trajectories")
    folder.write_figure(figures.dose_blocker(grid, options), "inflammation-plane")
    return Chapter(
        spec["name"],
        spec["title"],
        words.summary(given, options),
        words.numbers(given, grid, options),
        words.tables(given, grid),
        words.captions(options),
        words.methods(given, grid, options),
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
        found[name] = Arm(name, e, B, solve(problem).require(), *rest(problem))
    pulses = Treatment.intermittent({"e": 1.0}, on=7, off=7)
    for name, B in (("pulses", 0.0), ("pulses and blocker", options["blocker"])):
        problem = treated(0, 0, treatment=pulses + Treatment.constant({"B": B}), **size)
        found[name] = Arm(name, math.nan, B, solve(problem).require(), math.nan)
    return found


def rest(problem) -> tuple:
    """Largest stable tumour of a problem with constant inputs, 0 if there is none.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    (float, bool)
        1e6 cells, and whether it is proved that no steady state was missed.
    """
    from remission.analysis import steady_states

    states = steady_states(problem)
    return max((s["T"] for s in states.stable), default=0.0), states.proved


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
    return Plane(e, B, starts, residual, int(found.failed.sum()), edges(options))


def edges(options) -> dict:
    """Curves in the plane of dose and blocker on which steady tumours come and go.

    Parameters
    ----------
    options : dict

    Returns
    -------
    dict of str -> (m, 2) array
    """
    from remission.analysis import continue_branches, continue_points

    start = treated(0.0, 0.0).at_constant(e=options["dose"], B=0.1 * options["most_blocker"])
    branches = continue_branches(start, "e", (0.0, BEYOND * options["most_dose"]))
    found = {}
    for curve in continue_points(branches, "B", (0.0, options["most_blocker"])):
        found.setdefault(curve.kind, []).append(np.column_stack([curve["e"], curve["B"]]))
    return {kind: np.vstack(parts) for kind, parts in found.items()}
