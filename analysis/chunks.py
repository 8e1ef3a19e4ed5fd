"""One chunk of a sweep: rows of parameter values in, outputs with a status each out.

Four ways, chosen for the whole sweep by what is asked and not by the members: *lanes* (values at known times, eight
members a step in one call of a compiled kernel), *steps* (what is read off the whole course, from the logged steps of
a kernel), *solve* (rules, the extinction gate, lineages, functions of a solution, models without a kernel) and *asked*
(thresholds alone, for which nothing is solved). The first three answer as `solve` does, within the tolerances of the
problem.
"""

import threading
import warnings
from dataclasses import dataclass, replace

import numpy as np

from remission.models.errors import RemissionError
from remission.solvers import SolveWarning, kernels, sample, solve

from .remarks import kept_remarks

__all__ = ["Chunk", "Work", "chunk_size", "evaluate", "one_member", "way_of"]

LEAST = {
    "lanes": 64,
    "steps": 16,
    "solve": 1,
    "asked": 16,
}  # members: what there is to say once a chunk costs less than these
LARGEST = {"lanes": 4096, "steps": 512, "solve": 32, "asked": 256}  # about a second of work at most, in bounded memory
ONE_BY_ONE = ("solve", "asked")  # these hold the interpreter lock
MOST_VALUES = 2**20  # numbers that a chunk may put out
BLOCK = 64  # members whose steps are in memory at once
FILTERS = threading.Lock()
AGAIN = ("negative", "step too small", "too many steps", "stiff")  # one method's doubt is no reason to lose a member


@dataclass(frozen=True, eq=False)
class Work:
    """What is asked of every member; it pickles.

    Attributes
    ----------
    problem : Problem
    names : tuple of str
        What is varied.
    outcomes : tuple of Outcome
    times : (n_times,) array or None
        Times at which the names behind the outcomes are wanted, instead of the outcomes themselves.
    way : {"lanes", "steps", "solve", "asked"}
    """

    problem: object
    names: tuple
    outcomes: tuple
    times: np.ndarray | None
    way: str

    @property
    def shape(self):
        """Shape of the outputs of a member."""
        return (len(self.outcomes),) if self.times is None else (len(self.times), len(self.outcomes))


@dataclass(frozen=True, eq=False)
class Chunk:
    """Outputs (m, ...) of m members, a word each, messages where there is any, and who was solved twice."""

    values: np.ndarray
    status: list
    messages: dict
    again: np.ndarray


def way_of(problem, outcomes, times=None) -> str:
    """How the members of a sweep are solved: `"lanes"`, `"steps"`, `"solve"`, or `"asked"` where none is.

    Parameters
    ----------
    problem : Problem
    outcomes : tuple of Outcome
    times : array, optional

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.analysis import at_end, relapse_probability
    >>> from remission.models import oncogene_withdrawal
    >>> from remission.solvers import Problem
    >>> way_of(Problem(oncogene_withdrawal()), (at_end("burden"), relapse_probability()))
    'solve'
    """
    from .step_curves import READABLE

    if times is None and all(o.unsolved for o in outcomes):
        return "asked"
    outcomes = tuple(o for o in outcomes if not o.unsolved)
    if problem.grid.spatial or problem.treatment.rules or problem.extinction_gate or kernels.reason_not(problem):
        return "solve"
    if times is not None or all(_at_known_times(problem, o) for o in outcomes):
        return "lanes"
    return "steps" if all(o.kind in READABLE for o in outcomes) else "solve"


def _at_known_times(problem, outcome):
    if outcome.kind == "doubling_time":  # a window inside opens after a dose, and lanes put out what is before one
        return dict(outcome.options)["between"] in (None, problem.t_span)
    return outcome.kind == "at_end"


def chunk_size(n, way, width=1) -> int:
    """Members of a chunk: sixteen chunks or more to share out, whole groups of lanes, none too small or too large.

    Parameters
    ----------
    n : int or None
        Members, if it is known.
    way : str
    width : int
        Numbers that a member puts out.
    """
    group = 1 if way in ONE_BY_ONE else kernels.LANES
    largest = LARGEST[way]
    if way == "lanes":
        largest = min(largest, max(1, MOST_VALUES // (width * group)) * group)
    if n is None:
        return largest
    wanted = -(-n // 16)
    return int(np.clip(-(-wanted // group) * group, min(LEAST[way], largest), largest))


def evaluate(work, rows) -> Chunk:
    """Solve the members of one chunk.

    Parameters
    ----------
    work : Work
    rows : (m, k) array

    Returns
    -------
    Chunk
        A member's fault is its own status, never an exception.
    """
    chunk = Chunk(np.full((len(rows), *work.shape), np.nan), ["done"] * len(rows), {}, np.zeros(len(rows), dtype=bool))
    sound = np.isfinite(rows).all(axis=1)
    for member in np.flatnonzero(~sound):
        column = int(np.flatnonzero(~np.isfinite(rows[member]))[0])
        chunk.status[member] = "refused"
        chunk.messages[int(member)] = (
            f"{work.problem.model.name}: parameter {work.names[column]} must be finite, got {rows[member, column]}"
        )
    inside = np.flatnonzero(sound)
    if inside.size:
        asked = [o.unsolved for o in work.outcomes] if work.times is None else [False]
        if any(asked):
            _ask(work, rows, inside, chunk, np.array(asked))
        else:
            {"lanes": _lanes, "steps": _steps, "solve": _solve}[work.way](work, rows, inside, chunk)
    return chunk


def _keep(chunk, member, values, status, message):
    member = int(member)
    chunk.values[member], chunk.status[member] = values, status
    if message:
        chunk.messages[member] = message


# --- what is asked of a problem alone ---------------------------------------------------------------------------------


def _ask(work, rows, inside, chunk, asked):
    """Outcomes that need no solution, after those that do."""
    if not asked.all():
        others = tuple(o for o, alone in zip(work.outcomes, asked, strict=True) if not alone)
        solved = evaluate(replace(work, outcomes=others), rows)
        chunk.values[:, ~asked], chunk.again[:] = solved.values, solved.again
        chunk.status[:] = solved.status
        chunk.messages.update(solved.messages)
    for member in inside:
        if chunk.status[member] == "done":
            parameters = dict(zip(work.names, rows[member].tolist(), strict=True))
            values, status, message = _answers(work.problem, parameters, work.outcomes, asked)
            chunk.values[member, asked] = values
            if status != "done":
                _keep(chunk, member, np.nan, status, message)


def _answers(problem, parameters, outcomes, asked):
    alone = [o for o, is_asked in zip(outcomes, asked, strict=True) if is_asked]
    try:
        member = problem.replace(parameters=parameters)
        return np.array([o.asked(member, problem) for o in alone]), "done", ""
    except RemissionError as fault:
        return np.full(len(alone), np.nan), "refused", str(fault)
    except Exception as fault:  # one member's fault must not lose the others
        return np.full(len(alone), np.nan), "error", f"{type(fault).__name__}: {fault}"


# --- values at known times --------------------------------------------------------------------------------------------


def _lanes(work, rows, inside, chunk):
    problem = work.problem
    outputs = list(dict.fromkeys(o.of for o in work.outcomes))
    times = problem.t_span if work.times is None else work.times
    if all(o.kind == "at_end" for o in work.outcomes) and work.times is None:
        times = problem.t_span[1:]
    found = kernels.ensemble(problem, work.names, rows[inside], times, outputs, threads=1)
    chunk.again[inside] = found.again
    with np.errstate(all="ignore"):
        columns = [_column(problem, o, work.times, found.values[:, :, outputs.index(o.of)]) for o in work.outcomes]
    chunk.values[inside] = np.stack(columns, axis=-1)
    for place in found.failed:
        member = int(inside[place])
        if found.status[place] in AGAIN:
            _alone(work, rows, member, chunk)
        else:
            # a course keeps what was reached before the failure, a number is lost
            values = np.nan if work.times is None else chunk.values[member]
            _keep(chunk, member, values, found.status[place], found.messages[place])


def _column(problem, outcome, times, values):
    if times is not None:
        return values
    if outcome.kind == "at_end":
        return values[:, -1]
    first, last = problem.t_span
    growth = np.log(values[:, -1] / values[:, 0])
    doubling = np.where(growth == 0, np.inf, np.log(2) * (last - first) / growth)
    return np.where((values[:, 0] > 0) & (values[:, -1] > 0), doubling, np.nan)


# --- what is read off the steps ---------------------------------------------------------------------------------------


def _steps(work, rows, inside, chunk):
    from .step_curves import READABLE, StepCurves

    for block in np.array_split(inside, -(-len(inside) // BLOCK)):
        logs = kernels.step_logs(work.problem, work.names, rows[block])
        chunk.again[block] = logs.again
        if len(logs.start):  # some member is done
            curves = StepCurves(work.problem, logs)
            with np.errstate(all="ignore"):
                columns = [READABLE[o.kind](curves, o.of, **dict(o.options)) for o in work.outcomes]
            chunk.values[block] = np.stack(columns, axis=1)
        asks_twice = _unposed(work, chunk.values[block])
        for place, member in enumerate(block):
            word = logs.status[place]
            if word in AGAIN or (word == "done" and asks_twice[place]):
                _alone(work, rows, int(member), chunk)
            elif word != "done":
                _keep(chunk, member, np.nan, word, logs.messages[place])


def _unposed(work, values):
    """Members for which a question has no meaning: `solve` and the outcome itself say which."""
    asked = [i for i, o in enumerate(work.outcomes) if o.kind == "time_to_progression"]
    return np.isnan(values[:, asked]).any(axis=1)


# --- one by one -------------------------------------------------------------------------------------------------------


def _solve(work, rows, inside, chunk):
    for member in inside:
        _keep(chunk, member, *_one(work, rows[member]))


def _alone(work, rows, member, chunk):
    """A member that a kernel has doubts about, by `solve`: it looks at every step, as LSODA's own loop does not."""
    chunk.again[member] = True
    chunk.messages.pop(member, None)
    _keep(chunk, member, *_one(work, rows[member], stepwise=True))


def _one(work, row, stepwise=False):
    parameters = dict(zip(work.names, row.tolist(), strict=True))
    if work.times is None:
        return one_member(work.problem, parameters, work.outcomes, stepwise)
    return _one_course(work, parameters, stepwise)


def one_member(problem, parameters, outcomes, stepwise=False):
    """Outputs of one member, and what came of it; never an exception but an interrupt.

    Parameters
    ----------
    problem : Problem
    parameters : dict
        Name -> value, where it differs from the problem's.
    outcomes : tuple of Outcome
    stepwise : bool
        Whether to do without `sample`, which is faster where it will do.

    Returns
    -------
    (n_outputs,) array, str, str
        Values, status and message.
    """
    nothing = np.full(len(outcomes), np.nan)
    try:
        member = problem.replace(parameters=parameters)
        if all(outcome.unsolved for outcome in outcomes):
            return np.array([outcome(member) for outcome in outcomes]), "done", ""
        if not stepwise and _only_ends(member, outcomes):
            found = sample(member, [member.t_span[1]], [o.of for o in outcomes])
            if found.success:
                return found.values[0], "done", ""
        solution = _quietly(member)
        if not solution.success:
            return nothing, solution.status, solution.message
        with kept_remarks() as remarks:
            values = np.array([outcome(solution) for outcome in outcomes])
        return values, "done", "; ".join(remarks)
    except RemissionError as fault:
        return nothing, "refused", str(fault)
    except Exception as fault:  # one member's fault must not lose the others
        return nothing, "error", f"{type(fault).__name__}: {fault}"


def _one_course(work, parameters, stepwise):
    names = [o.of for o in work.outcomes]
    try:
        member = work.problem.replace(parameters=parameters)
        if not stepwise and not member.grid.spatial:
            found = sample(member, work.times, names)
            return found.values, "done" if found.success else "failed", found.message
        solution = _quietly(member, t_eval=work.times)
        inputs = member.system.inputs
        values = [solution[n] if n in inputs or not member.grid.spatial else solution.mean(n) for n in names]
        return np.column_stack(values), solution.status, solution.message
    except RemissionError as fault:
        return np.full(work.shape, np.nan), "refused", str(fault)


def _quietly(problem, **more):
    """`solve` without its warning, which is the member's status. Filters are those of all threads: hence the lock."""
    with FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        return solve(problem, **more)


def _only_ends(problem, outcomes):
    if problem.grid.spatial or problem.treatment.rules or problem.extinction_gate:
        return False
    return all(o.kind == "at_end" for o in outcomes)
