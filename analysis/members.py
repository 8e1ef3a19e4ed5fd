"""Members of a sweep, in this process or in others: chunks that depend on the table alone, results in order."""

import functools
import logging
import os
import pickle
import signal
import warnings

import numpy as np

from remission.models.errors import ProblemError, RemissionError
from remission.solvers import SolveWarning, sample, solve

from .outcomes import refuse_unless_importable
from .remarks import kept_remarks

__all__ = ["run"]

logger = logging.getLogger("remission")
LARGEST_CHUNK = 32


def run(problem, names, table, outcomes, workers, progress):
    """Outputs of all members.

    Parameters
    ----------
    problem : Problem
    names : tuple of str
        Parameters that are varied.
    table : (n, k) array
        Their values.
    outcomes : tuple of Outcome
    workers : int, map-like, Executor or None
    progress : bool

    Returns
    -------
    values : (n, n_outputs) array
    status, messages : tuple of str
    """
    chunks = np.array_split(np.arange(len(table)), max(1, -(-len(table) // chunk_size(len(table)))))
    pool, processes = _workers(workers)
    if pool is None and processes == 1:
        results = ((i, evaluate(problem, names, table[rows], outcomes)) for i, rows in enumerate(chunks))
        return _gather(results, chunks, len(table), len(outcomes), progress)
    for outcome in outcomes:
        refuse_unless_importable(outcome)
    blob = pickle.dumps((problem, names, outcomes))
    tasks = [(blob, table[rows]) for rows in chunks]
    if pool is None:
        results = _in_processes(tasks, min(processes, len(tasks)))
    elif hasattr(pool, "submit"):
        results = _submitted(pool, tasks)
    else:
        results = enumerate(pool(evaluate_task, tasks))
    return _gather(results, chunks, len(table), len(outcomes), progress)


def chunk_size(n) -> int:
    """Members of a chunk: at least sixteen chunks to share out, at most 32 members each."""
    return int(np.clip(-(-n // 16), 1, LARGEST_CHUNK))


def _workers(workers):
    """(map-like or Executor, None) or (None, number of processes)."""
    if workers is None:
        return None, 1
    if isinstance(workers, (int, np.integer)) and not isinstance(workers, bool):
        count = (os.cpu_count() or 1) if workers == -1 else int(workers)
        if count < 1:
            raise ProblemError(f"workers is a number of processes, or -1 for all cores, got {workers}")
        return None, count
    if hasattr(workers, "submit") or callable(workers):
        return workers, None
    raise ProblemError(f"workers is a number, an Executor or a function like map, got {workers!r}")


def _in_processes(tasks, count):
    """Own processes. On an interrupt, nothing new starts, running chunks end by themselves, and no process stays."""
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(count, initializer=_quiet)
    try:
        yield from _submitted(pool, tasks)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _quiet():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to answer


def _submitted(pool, tasks):
    from concurrent.futures import as_completed

    futures = {pool.submit(evaluate_task, task): i for i, task in enumerate(tasks)}
    try:
        if hasattr(next(iter(futures)), "_state"):  # of concurrent.futures: in the order in which they end
            for future in as_completed(futures):
                yield futures[future], _result(future)
        else:
            for future, i in futures.items():
                yield i, _result(future)
    finally:
        for future in futures:
            future.cancel()


def _result(future):
    """What a chunk returned; None if its process died (killed for its memory, say)."""
    from concurrent.futures import BrokenExecutor

    try:
        return future.result()
    except BrokenExecutor:
        return None


def _gather(results, chunks, n, n_outputs, progress):
    values = np.full((n, n_outputs), np.nan)
    status, messages = np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    try:
        with _bar(n, progress) as bar:
            for i, result in results:
                rows = chunks[i]
                if result is None:
                    status[rows], messages[rows] = "lost", "the worker process died"
                else:
                    values[rows], status[rows], messages[rows] = result
                bar.update(len(rows))
    finally:
        if hasattr(results, "close"):  # an interrupt here must reach the processes as well
            results.close()
    _say(status, messages)
    return values, tuple(status.tolist()), tuple(messages.tolist())


def _say(status, messages):
    """Once for all members: how many failed, and what there is to remark on the others."""
    failed = status != "done"
    if failed.any():
        logger.info(
            "sweep: %d of %d members failed; the first reason: %s", failed.sum(), len(status), messages[failed][0]
        )
    remarked = ~failed & (messages != "")
    if remarked.any():
        logger.warning("sweep: on %d of %d members: %s", remarked.sum(), len(status), messages[remarked][0])


def _bar(n, progress):
    from tqdm import tqdm

    return tqdm(total=n, disable=not progress or None, delay=1.0, unit="run", leave=False)


@functools.lru_cache(maxsize=4)
def _unpacked(blob):
    return pickle.loads(blob)


def evaluate_task(task):
    """A chunk in a worker process: unpack the problem once for all chunks of a sweep."""
    blob, table = task
    problem, names, outcomes = _unpacked(blob)
    return evaluate(problem, names, table, outcomes)


def evaluate(problem, names, table, outcomes):
    """Values (m, n_outputs), statuses and messages of the members of one chunk."""
    values = np.full((len(table), len(outcomes)), np.nan)
    status, messages = [], []
    for i, row in enumerate(table):
        values[i], state, message = one_member(problem, dict(zip(names, row.tolist(), strict=True)), outcomes)
        status.append(state)
        messages.append(message)
    return values, status, messages


def one_member(problem, parameters, outcomes):
    """Outputs of one member, and what came of it; never an exception but an interrupt."""
    nothing = np.full(len(outcomes), np.nan)
    try:
        member = problem.replace(parameters=parameters)
        if _only_ends(member, outcomes):
            found = sample(member, [member.t_span[1]], [o.of for o in outcomes])
            if found.success:
                return found.values[0], "done", ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SolveWarning)
            solution = solve(member)
        if not solution.success:
            return nothing, solution.status, solution.message
        with kept_remarks() as remarks:
            values = np.array([outcome(solution) for outcome in outcomes])
        return values, "done", "; ".join(remarks)
    except RemissionError as fault:
        return nothing, "refused", str(fault)
    except Exception as fault:  # one member's fault must not lose the others
        return nothing, "error", f"{type(fault).__name__}: {fault}"


def _only_ends(problem, outcomes):
    return all(o.kind == "at_end" for o in outcomes) and not problem.treatment.rules and not problem.extinction_gate
