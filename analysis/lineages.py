"""From a solution to relapse: the families of cells that a declared `Lineage` founds along it.

The source and the rates of birth and death are read off the solution, and `kendall` does the rest. What is assumed:

- rates after the end of the solution stay as they are at its end, for ever; the source after the end is left out
  (its size is estimated, and a log message says so when it matters);
- cells of the clone that are there at the start, or are put in by a dose, are independent founders (Poisson);
- families do not feel each other: rates are those along the deterministic solution.
"""

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.models.expressions import function_source
from remission.models.operations import ARRAY

from . import curves
from .kendall import establishment_probability, expected_established, lineage_process, relapse_hazard
from .remarks import remark

__all__ = ["ExpectedLineages", "expected_lineages", "relapse_free_survival"]

SMALL = 1e-3  # part of Lambda that may be neglected without a word
LOOKS = 16


@dataclass(frozen=True)
class ExpectedLineages:
    """Expected number of resistant families that never die out, and where they come from.

    Attributes
    ----------
    problem : Problem
    clones : tuple of str
    total : float
        Lambda.
    by_phase : tuple of float
        Those founded in each phase; a phase ends where the treatment changes.
    phases : tuple of (float, float)
        Start and end of each phase, in the model's unit of time.
    by_clone : dict of str -> float
    founders : float
        Those founded by cells that were there at the start (they are in `total`, and in the first phase).
    neglected : float
        Estimate of those that the source would found after the end, not in `total`.

    Examples
    --------
    >>> from remission.models import oncogene_withdrawal
    >>> from remission.solvers import Problem, Treatment, solve
    >>> withdrawal = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    >>> solution = solve(Problem(oncogene_withdrawal(), t_span=(0, 350), treatment=withdrawal))
    >>> print(expected_lineages(solution))
    0.4516 established lineages of R expected: relapse in 36.3 %, cure in 63.7 %
      0.4328 founded from 0 to 118.8 day
      0.0189 founded from 118.8 to 350 day
    """

    problem: object
    clones: tuple
    total: float
    by_phase: tuple
    phases: tuple
    by_clone: dict
    founders: float = 0.0
    neglected: float = 0.0

    @property
    def relapse_probability(self) -> float:
        """Probability that at least one family establishes, 1 - exp(-Lambda)."""
        return float(-np.expm1(-self.total))

    @property
    def cure_fraction(self) -> float:
        """Probability that none does: the plateau of relapse-free survival."""
        return float(np.exp(-self.total))

    @refuse_unknown_keywords
    def between_subjects(self, *, sd=None, shape=None) -> float:
        """Relapse probability in subjects who differ: Lambda times a factor of mean one.

        Parameters
        ----------
        sd : float, optional
            Standard deviation of the logarithm of a log-normal factor.
        shape : float, optional
            Shape of a gamma factor, whose variance is 1/shape.

        Returns
        -------
        float
            Below `relapse_probability`: differences between subjects lower it.

        Raises
        ------
        ProblemError
            Unless one of the two is given.
        """
        return float(spread_relapse(self.total, sd, shape))

    def __str__(self):
        unit = self.problem.model.time_unit
        lines = [
            f"{self.total:.4g} established lineages of {', '.join(self.clones)} expected: "
            f"relapse in {100 * self.relapse_probability:.1f} %, cure in {100 * self.cure_fraction:.1f} %"
        ]
        for (start, end), part in zip(self.phases, self.by_phase, strict=True):
            lines.append(f"  {part:.4f} founded from {start:.4g} to {end:.4g} {unit}")
        if self.founders:
            lines.append(f"  {self.founders:.4f} of them from cells that were there at the start")
        if self.neglected > SMALL * max(self.total, SMALL):
            lines.append(f"  about {self.neglected:.2g} more founded after the end are left out")
        return "\n".join(lines)


@refuse_unknown_keywords
def expected_lineages(solution, clone=None) -> ExpectedLineages:
    """Expected number of resistant families that establish, by phase of the treatment.

    Parameters
    ----------
    solution : Solution
        Of a model with `lineages`. Let it reach until the source is spent and the rates are steady.
    clone : str, optional
        Clone with a declared `Lineage`; all of them, which found families independently, if not given.

    Returns
    -------
    ExpectedLineages

    Raises
    ------
    ProblemError
        If the model declares no lineage or cells have no number (`cells_per_unit`), or an operation removed a part
        of the clone.
    SolveError
        If the solution failed.

    Examples
    --------
    >>> from remission.models import Lineage, Model, Parameter, State
    >>> from remission.solvers import Problem, solve
    >>> b, d, nu, loss = Parameter("b", 0.3), Parameter("d", 0.2), Parameter("nu", 1e-7), Parameter("loss", 0.5)
    >>> S, R = State("S", 1e6, cells_per_unit=1), State("R", 0.0, cells_per_unit=1)
    >>> founding = nu * S
    >>> model = Model("shrinking", rates={S: -loss * S, R: (b - d) * R + founding},
    ...               lineages={R: Lineage(birth=b, death=d, source=founding)})
    >>> f"{expected_lineages(solve(Problem(model, t_span=(0, 60)))).total:.5f}"
    '0.06667'
    """
    solution.require()
    clones = clones_of(solution.problem.model, getattr(clone, "name", clone))
    phases = _phases(solution)
    totals, parts, founders, neglected = {}, np.zeros(len(phases)), 0.0, 0.0
    for name in clones:
        process, dosed = _process(solution, name)
        _warn_of_assumptions(solution, name, process)
        found = expected_established(process)
        parts += _by_phase(found.by_segment, process.breaks, phases)
        parts[0] += found.founders
        extra = 0.0
        for time, cells in dosed:
            share = cells * float(establishment_probability(process, [time])[0])
            parts[_phase_at(phases, time)] += share
            extra += share
        totals[name] = found.total + extra
        founders += found.founders
        neglected += _neglected(process)
    total = float(sum(totals.values()))
    if neglected > SMALL * max(total, SMALL):
        remark(
            "%s: the solution ends at t = %g while families are still being founded; about %.2g of Lambda = %.4g are "
            "left out: use a longer t_span", solution.problem.model.name, solution.problem.t_span[1], neglected, total,
        )  # fmt: skip
    return ExpectedLineages(
        solution.problem, clones, total, tuple(parts.tolist()), phases, totals, founders, float(neglected)
    )


@refuse_unknown_keywords
def relapse_free_survival(solution, times, n_detect=1e7, clone=None, *, sd=None, shape=None) -> np.ndarray:
    """Probability that no resistant family has reached a detectable size, over time.

    Parameters
    ----------
    solution : Solution
        Of a model with `lineages`.
    times : (n_t,) array_like
        Times within the span, in the model's unit.
    n_detect : float
        Cells in a family at which it is seen.
    clone : str, optional
        Clone with a declared `Lineage`; all of them if not given.
    sd, shape : float, optional
        Of a log-normal (standard deviation of the logarithm) or gamma factor of mean one by which the founding of
        families differs between subjects.

    Returns
    -------
    (n_t,) array
        From 1 down to the cure fraction, which a long enough solution reaches.

    Raises
    ------
    ProblemError
        As `expected_lineages`.

    Examples
    --------
    >>> from remission.models import oncogene_withdrawal
    >>> from remission.solvers import Problem, Treatment, solve
    >>> withdrawal = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    >>> solution = solve(Problem(oncogene_withdrawal(), t_span=(0, 500), treatment=withdrawal))
    >>> relapse_free_survival(solution, [118.8, 318.8, 500]).round(3).tolist()
    [1.0, 0.685, 0.637]
    """
    solution.require()
    times = np.atleast_1d(np.asarray(times, dtype=float))
    first, last = solution.problem.t_span
    if times.ndim != 1 or not np.all((times >= first) & (times <= last)):
        raise ProblemError(f"relapse_free_survival: times lie within the solution's span, {first:g} to {last:g}")
    hazard = np.zeros(len(times))
    for name in clones_of(solution.problem.model, getattr(clone, "name", clone)):
        process, dosed = _process(solution, name)
        hazard += relapse_hazard(process, times, n_detect)
        hazard += _hazard_of_dosed(process, dosed, times, n_detect)
    return np.exp(-hazard) if sd is None and shape is None else 1 - spread_relapse(hazard, sd, shape)


def spread_relapse(hazard, sd, shape):
    """Relapse probability at a hazard that differs between subjects, by a log-normal or a gamma factor."""
    from .relapse_counts import gamma_frailty, lognormal_frailty

    if (sd is None) == (shape is None):
        raise ProblemError("subjects that differ: give sd (log-normal factor) or shape (gamma factor), one of them")
    return lognormal_frailty(hazard, sd) if shape is None else gamma_frailty(hazard, shape)


def clones_of(model, clone=None) -> tuple:
    """Names of the clones whose lineages are declared and can be counted; refuses with what to declare."""
    if not model.lineages:
        raise ProblemError(
            f"{model.name} declares no lineage, so relapse has no probability: give the model "
            "lineages={R: Lineage(birth=..., death=..., source=...)} for the clone that relapses"
        )
    known = [s.name for s in model.lineages]
    if clone is not None and clone not in known:
        raise ProblemError(f"{model.name} declares no lineage of {clone!r}; {did_you_mean(clone, known)}")
    for state in model.lineages:
        if not state.info.cells_per_unit:
            raise ProblemError(f"{model.name}: lineages count cells; declare cells_per_unit of State {state.name!r}")
    return tuple(known) if clone is None else (clone,)


@functools.lru_cache(maxsize=64)
def _rates_of(model, clone):
    """Compiled birth, death and source of a clone, on arrays over time."""
    lineage = next(v for s, v in model.lineages.items() if s.name == clone)
    groups = (model.states, model.parameters, model.inputs)
    space = {**ARRAY, "nan": float("nan")}
    exec(function_source("rates", [lineage.birth, lineage.death, lineage.source], groups), space)
    return space["rates"]


def _process(solution, clone):
    """The lineages of a clone as a `LineageProcess`, and the cells of it that doses put in: (time, cells) pairs."""
    problem, system = solution.problem, solution.problem.system
    segments = [s for s in solution.trace.segments if s.end > s.start]
    compiled, part = _rates_of(problem.model, clone), system.model_part(problem.p)
    row = system.states.index(clone)
    cells = problem.model.states[row].info.cells_per_unit
    breaks = np.array([s.start for s in segments] + [segments[-1].end])
    # a solver may leave a cell count within its tolerance below zero; nothing is founded at a negative rate
    lowest = np.array([[0.0 if s.info.positive else -np.inf] for s in problem.model.states])

    def rates(times):
        values = np.empty((3, len(times)))
        number = np.clip(np.searchsorted(breaks, times, side="right") - 1, 0, len(segments) - 1)
        for i in np.unique(number):
            here, segment = number == i, segments[i]
            y = np.maximum(curves.states_in(segment, times[here])[: system.n], lowest)
            with np.errstate(all="ignore"):
                rows = compiled(times[here], list(y), part, segment.inputs.tolist())
            for j in range(3):
                values[j, here] = rows[j]
        values[2] *= cells
        return values

    founders = max(float(segments[0].z_start[row]) * cells, 0.0)
    dosed = _dosed(problem, clone, segments, row, cells)
    return lineage_process(rates, breaks, founders=founders, edges=_edges(segments, rates)), dosed


def _edges(segments, rates):
    """Panels that follow the steps of the solver, cut so that a cell has about one event at most in each.

    Within a step the solution is a polynomial, which ten Gauss nodes integrate; adaptive cutting would chase the
    small bends between steps instead.
    """
    edges = []
    for segment in segments:
        steps = np.asarray(segment.dense.ts, dtype=float)
        steps[0], steps[-1] = segment.start, segment.end
        looks = segment.start + (segment.end - segment.start) * (np.arange(LOOKS) + 0.5) / LOOKS
        turnover = 1.2 * float(np.max(rates(looks)[:2].sum(axis=0)))
        widths = np.diff(steps)
        counts = np.maximum(np.ceil(turnover * widths), 1).astype(int)
        part = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)  # 0, 1, ... within each step
        edges.append(np.repeat(steps[:-1], counts) + part * np.repeat(widths / counts, counts))
    return np.append(np.concatenate(edges), segments[-1].end)


def _warn_of_assumptions(solution, clone, process):
    """Say when rates still move at the end, or when the clone's own size changes its births and deaths."""
    problem, system = solution.problem, solution.problem.system
    name, (first, last) = problem.model.name, problem.t_span
    net = process.birth - process.death
    late = process.times >= last - 0.2 * (last - first)
    late &= process.times > process.breaks[-2]  # a change of treatment is no drift
    drift = np.ptp(net[late]) if late.any() else 0.0
    if drift > 0.02 * max(process.tail):
        remark(
            "%s: births minus deaths of %s still change by %.2g at the end; the lineage model takes them as constant "
            "from there: use a longer t_span", name, clone, drift,
        )  # fmt: skip
    row, segment = system.states.index(clone), solution.trace.segments[-1]
    pair = np.repeat(segment.z_end[: system.n, None], 2, axis=1)
    pair[row, 0] = 0.0
    with np.errstate(all="ignore"):
        rows = _rates_of(problem.model, clone)(
            np.full(2, segment.end), list(pair), system.model_part(problem.p), segment.inputs.tolist()
        )
    change = max(np.ptp(np.broadcast_to(r, 2)) for r in rows[:2])
    if change > 0.02 * max(process.tail):
        remark(
            "%s: %s changes its own births or deaths by %.2g; families then feel each other, which the lineage model "
            "leaves out", name, clone, change,
        )  # fmt: skip


def _dosed(problem, clone, segments, row, cells):
    found = []
    for before, after in itertools.pairwise(segments):
        old, new = before.z_end[row] * cells, after.z_start[row] * cells
        if new < old * (1 - 1e-9) and not problem.extinction_gate:  # the gate tidies an expectation away
            raise ProblemError(
                f"{problem.model.name}: a part of {clone} is removed at t = {after.start:g}; which families it would "
                "take is not part of the lineage model"
            )
        if new > old * (1 + 1e-9) + 1e-9:
            found.append((after.start, new - old))
    return found


def _hazard_of_dosed(process, dosed, times, size):
    from .kendall import size_probability

    hazard = np.zeros(len(times))
    for time, cells in dosed:
        hazard += cells * size_probability(process, times, [time], size)[:, 0]
    return hazard


def _phases(solution) -> tuple:
    """Stretches of constant inputs: segments that a switch or change of level separates, not doses."""
    phases, last = [], None
    for segment in solution.trace.segments:
        if segment.end <= segment.start:
            continue
        if last is not None and np.array_equal(segment.inputs, last):
            phases[-1] = (phases[-1][0], segment.end)
        else:
            phases.append((segment.start, segment.end))
        last = segment.inputs
    return tuple((float(a), float(b)) for a, b in phases)


def _phase_at(phases, time):
    return int(np.clip(np.searchsorted([a for a, _ in phases], time, side="right") - 1, 0, len(phases) - 1))


def _by_phase(by_segment, breaks, phases):
    parts = np.zeros(len(phases))
    for start, value in zip(breaks[:-1], by_segment, strict=True):
        parts[_phase_at(phases, start)] += value
    return parts


def _neglected(process):
    """Families founded after the end if the source goes on falling as in the last tenth; for as long again if not."""
    birth, death = process.tail
    first, last = process.edges[[0, -1]]
    now = float(process.source[-1, -1])
    if birth <= death or now <= 0:
        return 0.0
    back = int(np.searchsorted(process.edges, max(process.breaks[-2], last - 0.1 * (last - first))))
    back = min(back, len(process.source) - 1)
    before, width = float(process.source[back, 0]), process.times[-1, -1] - process.times[back, 0]
    fall = np.log(before / now) / width if before > now else 0.0
    return now * (1 - death / birth) / max(fall, 1 / (last - first))
