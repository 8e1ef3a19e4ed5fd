"""Thresholds of the inflammatory loop: doses, blockade and residual disease, and what they hang on."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError

from .inflammation import BEYOND, treated
from .one_at_a_time import one_at_a_time

__all__ = ["COLUMNS", "Diagram", "Loop", "Residue", "answers", "diagrams", "loop", "residual", "swings_of"]

COLUMNS = ("curative dose", "clearing dose with blocker", "critical blockade", "residual disease")
MOST_DOSE, MOST_BLOCKER = 10.0, 1e6  # beyond these "never"
LEAST = 1e-6  # one cell, in the unit of T
LENGTHS = (1.0, 300.0)  # days, of a blockade


@dataclass(frozen=True, eq=False)
class Diagram:
    """Steady tumours over the dose at one blockade.

    Attributes
    ----------
    B : float
    branches : Branches
    proved : tuple of (float, SteadyStates)
        All steady states at some doses, proved.
    limits : Thresholds
        Over the dose.
    """

    B: float
    branches: object
    proved: tuple
    limits: object

    @property
    def missed(self) -> int:
        """Proved states that lie on no branch."""
        total = 0
        for e, states in self.proved:
            sizes = [one["T"] for branch in self.branches for one in branch.at(e)]
            total += sum(not any(abs(T - s["T"]) < 1e-2 * (1 + s["T"]) for T in sizes) for s in states)
        return total


@dataclass(frozen=True, eq=False)
class Residue:
    """Residual disease over the dose at one blockade, where the outcome depends on size.

    Attributes
    ----------
    B : float
    e : (n,) array
    size : (n,) array
        Start above which the tumour lasts, 1e6 cells.
    """

    B: float
    e: np.ndarray
    size: np.ndarray


@dataclass(frozen=True, eq=False)
class Loop:
    """Everything that is asked of the loop.

    Attributes
    ----------
    diagrams : tuple of Diagram
    blockade : Thresholds
        Over the blocker at the chapter's dose.
    residual : dict of str -> Threshold
        What is left besides tumour cells -> tumour above which chemotherapy alone fails.
    residues : tuple of Residue
    edges : ThresholdCurve
        Thresholds of the dose over the blocker.
    maps : tuple of StabilityMap
        Over dose and blocker, proved: the whole plane, and around the curative dose; empty where nothing can be proved.
    border : (n, 2) array
        Myeloid cells left, and tumour above which it grows back at the chapter's dose, CXCL1/2 and S100A8/9 in balance.
    pulsed : Threshold or None
        Curative dose given in pulses; None where there is none.
    course : Threshold or None
        Shortest full blockade beside lasting chemotherapy; None where none is needed or none is long enough.
    courses : tuple of (float, Solution)
        Length of the blockade, a fifth too short and a fifth longer than needed.
    course_over : ThresholdCurve or None
        Shortest course over the strength of the blocker.
    """

    diagrams: tuple
    blockade: object
    residual: dict
    residues: tuple
    edges: object
    maps: tuple
    border: np.ndarray
    pulsed: object
    course: object
    courses: tuple
    course_over: object

    @property
    def proved(self) -> bool:
        """Whether all steady states that are drawn are proved to be all."""
        return all(states.proved for d in self.diagrams for _, states in d.proved)

    @property
    def course_left(self) -> float:
        """Tumour at the end of the shortest course, 1e6 cells."""
        return self.course.coefficients["T at the last change"]

    def clearing(self, B) -> float:
        """Dose above which no stable tumour is left at a blockade of the chapter."""
        return clearing_dose(next(d for d in self.diagrams if d.B == B).limits)


def loop(options) -> Loop:
    """Thresholds of the loop at the chapter's doses.

    Parameters
    ----------
    options : dict

    Returns
    -------
    Loop
    """
    from remission.analysis import threshold_curve, thresholds

    problem = treated(0.0, 0.0, start=options["start"]).at_constant(e=options["dose"], B=0.0)
    found = diagrams(options)
    course = _shortest_course(options)
    blockade = thresholds(problem, of="B", within=(0.0, MOST_BLOCKER))
    strongest, most = options["most_blocker"], BEYOND * options["most_dose"]
    return Loop(
        found,
        blockade,
        _ways(problem),
        tuple(_over_dose(d, options) for d in found),
        threshold_curve(problem, "e", "B", (0.0, strongest), within=(0.0, most), progress=False),
        _maps(problem, float(found[0].limits["curative dose"]), options),
        _border(problem, options),
        _pulsed(options),
        course,
        () if course is None else tuple(_course(problem, f * float(course), options) for f in (0.8, 1.2)),
        None if course is None else _course_over(blockade, options),
    )


def diagrams(options) -> tuple:
    """Steady tumours over the dose at each blockade of the chapter.

    Parameters
    ----------
    options : dict

    Returns
    -------
    tuple of Diagram
    """
    from remission.analysis import continue_branches, steady_states, thresholds

    found, most = [], BEYOND * options["most_dose"]
    for B in options["blockers"]:
        problem = treated(0.0, 0.0).at_constant(e=options["dose"], B=B)
        proved = tuple((e, steady_states(problem.at_constant(e=e, B=B))) for e in options["check_doses"])
        limits = thresholds(problem, of="e", within=(0.0, most))
        found.append(Diagram(B, continue_branches(problem, "e", (0.0, most)), proved, limits))
    return tuple(found)


def clearing_dose(limits) -> float:
    """Dose above which no stable tumour is left: the fold if the large state outlasts the curative dose.

    Parameters
    ----------
    limits : Thresholds
        Over the dose.

    Returns
    -------
    float
        Infinite where there is none in the range.
    """
    curative = [float(t) for t in limits.of_kind("curative dose")]
    return (
        max([*curative, *(float(t) for t in limits.of_kind("fold dose"))], default=math.inf) if curative else math.inf
    )


def residual(problem) -> float:
    """Tumour at the start above which a treatment with constant inputs fails.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    float
        0 where every tumour lasts, infinite where none does.
    """
    from remission.analysis import separatrix, steady_states

    states = steady_states(problem)
    free = next(s for s in states if s["T"] == 0)
    if free.stability != "stable":
        return 0.0
    if all(s["T"] == 0 for s in states.stable):
        return math.inf
    try:
        return float(separatrix(problem).crossing(along="T0", within=(LEAST, problem.parameters["K"])))
    except ProblemError:  # every start in the range ends alike
        return math.nan


def answers(problem, options) -> tuple:
    """The thresholds of `COLUMNS` at the parameters of a problem.

    Parameters
    ----------
    problem : Problem
        Of the loop.
    options : dict

    Returns
    -------
    tuple of float
        0 where the state is there already, infinite where it is never reached.
    """
    from remission.analysis import steady_states, thresholds

    e, B = options["dose"], options["blocker"]
    over_dose = thresholds(problem.at_constant(e=e, B=B), of="e", within=(0.0, MOST_DOSE), complete=False)
    curative = [float(t) for t in over_dose.of_kind("curative dose")]
    alone = problem.at_constant(e=e, B=0.0)
    over_blocker = thresholds(alone, of="B", within=(0.0, MOST_BLOCKER), complete=False)
    blockade = [float(t) for t in over_blocker.of_kind("critical blockade")]
    if not blockade:
        lasts = any(s["T"] > 0 for s in steady_states(alone).stable)
        blockade = [math.inf if lasts else 0.0]
    return (
        curative[0] if curative else _from_the_start(problem.at_constant(e=0.0, B=B)),
        clearing_dose(over_dose),
        blockade[-1],
        residual(alone),
    )


def _from_the_start(untreated):
    """0 where a tumour shrinks untreated, infinite where it grows under any dose."""
    from remission.analysis import steady_states

    free = next(s for s in steady_states(untreated) if s["T"] == 0)
    return 0.0 if free.stability == "stable" else math.inf


def swings_of(options, progress) -> tuple:
    """`answers` with every assumed parameter alone at both ends of its plausible range.

    Parameters
    ----------
    options : dict
    progress : bool

    Returns
    -------
    tuple of Swing
    """
    from tqdm import tqdm

    problem = treated(0.0, 0.0, start=options["start"])
    bar = functools.partial(tqdm, desc="assumed rates", disable=None if progress else True, leave=False)
    return one_at_a_time(lambda p: answers(problem.replace(parameters=p), options), problem.model, ("T0",), bar)


def _ways(problem):
    """What is left besides tumour cells -> threshold."""
    from remission.analysis import separatrix

    T0, T_X, m0, mP = (problem.model.symbol(name) for name in ("T0", "T_X", "m0", "mP"))
    called = m0 + (1 - m0) * T0 / (T0 + T_X)
    starts = {
        "no signal": {"F": 0, "X": 0, "M": m0, "P": m0 / mP},
        "CXCL1/2 in balance, no myeloid cells called": {},
        "all signals of the untreated tumour": {"F": 0, "X": T0 / T_X, "M": called, "P": called / mP},
    }
    return {
        words: separatrix(problem.replace(initial=start)).crossing(along="T0", within=(LEAST, problem.parameters["K"]))
        for words, start in starts.items()
    }


def _over_dose(diagram, options):
    """Residual disease between the curative dose and the fold."""

    curative = float(diagram.limits["curative dose"])
    last = min(clearing_dose(diagram.limits), options["most_dose"])
    e = curative + (last - curative) * np.sin(np.linspace(0, np.pi / 2, options["n_residue"] + 2)[1:-1]) ** 2
    sizes = [residual(treated(0.0, 0.0).at_constant(e=float(x), B=diagram.B)) for x in e]
    return Residue(diagram.B, e, np.array(sizes))


def _maps(problem, curative, options):
    """Numbers and stabilities of steady states over dose and blocker, in proved cells."""
    from remission.analysis import stability_map, steady_states

    if not steady_states(problem).proved:
        return ()
    blockers = (0.0, options["most_blocker"])
    whole = {"e": (0.0, 1.2 * options["most_dose"]), "B": blockers}
    near = {"e": (max(0.0, curative - 0.008), curative + 0.005), "B": blockers}
    return tuple(
        stability_map(problem, over, undecided=left, progress=False)
        for over, left in ((whole, options["undecided"] / 3), (near, options["undecided"]))
    )


def _border(problem, options):
    """The separatrix over the myeloid cells that are left, the fast signals in balance."""
    from remission.analysis import separatrix

    p, e, edge = problem.parameters, options["dose"], separatrix(problem)
    rises = {"T": 1.0, "X": (1 + p["etaF"] * e / (p["eF"] + e)) / p["T_X"]}
    found = []
    for M in np.linspace(0, 1, options["n_residue"]):
        left = {"T": 0.0, "F": e, "X": 0.0, "M": float(M), "P": float(M) / p["mP"]}
        crossed = edge.crossings(left, rises, within=(LEAST, p["K"]))
        found += [(M, float(t)) for t in crossed]
    return np.array(found)


def _pulsed(options):
    """Curative dose given on some days of each period, from the growth of a rare tumour over a period."""
    from remission.analysis import thresholds
    from remission.models import Parameter
    from remission.solvers import Treatment

    dose = Parameter("e_on", options["dose"], unit="1", about="dose while it is given")
    on, off = options["pulse_on"], options["pulse_every"] - options["pulse_on"]
    pulses = Treatment.intermittent({"e": dose}, on=on, off=off)
    found = thresholds(treated(0, 0, treatment=pulses), of="e_on", within=(0.0, MOST_DOSE), kinds="curative dose")
    return found[0] if len(found) else None


def _blocked(options):
    """Lasting chemotherapy, and a blocker of strength `B_on` for `course` days."""
    from remission.models import Parameter
    from remission.solvers import Treatment

    days = Parameter("course", 30.0, unit="day", scale="linear", about="length of the blockade")
    strength = Parameter("B_on", options["full_blocker"], unit="1", about="blocker / its K_B")
    treatment = Treatment.constant({"e": options["dose"]}) + Treatment.constant({"B": strength}, end=days)
    return treated(0, 0, start=options["start"], treatment=treatment)


def _shortest_course(options):
    """Shortest full blockade beside lasting chemotherapy after which the tumour does not come back."""
    from remission.analysis import thresholds

    found = thresholds(_blocked(options), of="course", within=LENGTHS, kinds="minimal duration")
    return found[-1] if len(found) else None


def _course_over(blockade, options):
    """Shortest course over the strength of the blocker, from where any course is long enough."""
    from remission.analysis import threshold_curve

    least = [float(t) for t in blockade.of_kind("critical blockade")]
    span = (1.05 * least[-1] if least else 1.0, 3 * options["full_blocker"])
    n = max(7, options["n_residue"] * 3 // 4)
    return threshold_curve(_blocked(options), "course", "B_on", span, within=LENGTHS, kind="minimal duration", n=n,
                           progress=False)  # fmt: skip


def _course(problem, days, options):
    """Length, and chemotherapy with full blockade for so long."""
    from remission.solvers import Treatment, solve

    course = Treatment.constant({"e": options["dose"]}) + Treatment.constant({"B": options["full_blocker"]}, end=days)
    return days, solve(problem.replace(treatment=course, t_span=(0, 300))).require()
