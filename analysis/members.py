"""Members of a sweep, in threads or in other processes: chunks that depend on the table alone, results as they come.

Compiled kernels hold no interpreter lock, so what they solve is shared out over threads of this process; what is solved
member by member goes to processes. At any time only a few chunks are in memory.
"""

import functools
import itertools
import os
import pickle
import signal
from collections import deque
from contextlib import closing

import numpy as np

from remission.models.errors import ProblemError

from .chunks import ONE_BY_ONE, Work, chunk_size, evaluate, one_member, way_of
from .outcomes import refuse_unless_importable
from .progress import Progress
from .sweep_results import InMemory
from .sweep_table import SampleTable

__all__ = ["evaluate_task", "one_member", "run", "run_chunks", "worker_kind"]

AHEAD = 2  # chunks given out for each worker: one in work, one waiting


def run(problem, names, table, outcomes, workers, progress):
    """Outputs of all members of a table in memory.

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
    work = Work(problem, names, outcomes, None, way_of(problem, outcomes))
    size = chunk_size(len(table), work.way, len(outcomes))
    held = InMemory(work)
    run_chunks(work, SampleTable(tuple(names), len(table), table), size, workers, progress, held)
    found = held.finished()
    return found["values"], found["status"], found["messages"]


def run_chunks(work, table, size, workers, progress, sink):
    """Solve all chunks of a table that a sink does not have, and give them to it.

    Parameters
    ----------
    work : Work
    table : SampleTable
    size : int
        Members of a chunk.
    workers : int, map-like, Executor or None
    progress : bool
    sink : InMemory or RunFolder
        Has `has(number, first, rows)`, `take(number, first, rows, chunk)`, the chunk None if its process died.
    """
    pool, count = worker_kind(workers, work.way)
    if pool is not None or (count > 1 and work.way in ONE_BY_ONE):
        for outcome in work.outcomes:
            refuse_unless_importable(outcome)
    with Progress(table.n, progress) as bar:
        tasks = _open_tasks(table, size, sink, bar)
        with closing(_results(work, tasks, pool, count)) as results:
            for (number, first, rows), chunk in results:
                sink.take(number, first, rows, chunk)
                bar.add(len(rows), len(rows) if chunk is None else len(rows) - chunk.status.count("done"))


def _open_tasks(table, size, sink, bar):
    """(number, first, rows) of the chunks that are still to be solved."""
    for number, (first, rows) in enumerate(table.chunks(size)):
        if sink.has(number, first, rows):
            bar.found(len(rows))
        else:
            yield number, first, rows


def _results(work, tasks, pool, count):
    """((number, first, rows), Chunk or None) in the order in which they are ready."""
    if pool is None and count == 1:
        return ((task, evaluate(work, task[2])) for task in tasks)
    if pool is None and work.way not in ONE_BY_ONE:
        return _in_threads(work, tasks, count)
    blob = pickle.dumps(work)
    if pool is None:
        return _in_processes(blob, tasks, count)
    if hasattr(pool, "submit"):
        return _submitted(lambda rows: pool.submit(evaluate_task, (blob, rows)), tasks, AHEAD * (os.cpu_count() or 1))
    return _mapped(pool, blob, tasks)


def worker_kind(workers, way):
    """(map-like or Executor, None) or (None, number of threads or processes).

    Parameters
    ----------
    workers : int, map-like, Executor or None
    way : str
        Compiled ways take every processor if nothing is said, the other one stays in this process.
    """
    if workers is None:
        return None, 1 if way in ONE_BY_ONE else _processors()
    if isinstance(workers, (int, np.integer)) and not isinstance(workers, bool):
        count = _processors() if workers == -1 else int(workers)
        if count < 1:
            raise ProblemError(f"workers is a number of workers, or -1 for all cores, got {workers}")
        return None, count
    if hasattr(workers, "submit") or callable(workers):
        return workers, None
    raise ProblemError(f"workers is a number, an Executor or a function like map, got {workers!r}")


def _processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_threads(work, tasks, count):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(count) as pool:
        yield from _submitted(lambda rows: pool.submit(evaluate, work, rows), tasks, AHEAD * count)


def _in_processes(blob, tasks, count):
    """Own processes. On an interrupt, nothing new starts, running chunks end by themselves, and no process stays."""
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(count, initializer=_quiet)
    try:
        yield from _submitted(lambda rows: pool.submit(evaluate_task, (blob, rows)), tasks, AHEAD * count)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _quiet():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to answer


def _submitted(submit, tasks, ahead):
    """Keep `ahead` chunks given out; hand on each as it ends."""
    waiting = {}
    try:
        for task in itertools.chain(tasks, itertools.repeat(None)):
            if task is None and not waiting:
                return
            if task is not None:
                future = _given_out(submit, task)
                if future is None:
                    yield task, None
                else:
                    waiting[future] = task
            if task is None or len(waiting) >= ahead:
                for future in _ended(waiting):
                    yield waiting.pop(future), _result(future)
    finally:
        for future in waiting:
            future.cancel()


def _given_out(submit, task):
    from concurrent.futures import BrokenExecutor

    try:
        return submit(task[2])
    except BrokenExecutor:
        return None


def _ended(waiting):
    """Futures that are ready, at least one; those of other libraries are taken in order."""
    from concurrent.futures import FIRST_COMPLETED, Future, wait

    oldest = next(iter(waiting))
    return wait(waiting, return_when=FIRST_COMPLETED).done if isinstance(oldest, Future) else [oldest]


def _result(future):
    """What a chunk returned; None if its process died (killed for its memory, say)."""
    from concurrent.futures import BrokenExecutor

    try:
        return future.result()
    except BrokenExecutor:
        return None


def _mapped(pool, blob, tasks):
    given = deque()

    def arguments():
        for task in tasks:
            given.append(task)
            yield blob, task[2]

    for chunk in pool(evaluate_task, arguments()):
        yield given.popleft(), chunk


@functools.lru_cache(maxsize=4)
def _unpacked(blob):
    return pickle.loads(blob)


def evaluate_task(task):
    """A chunk in a worker process: unpack the problem once for all chunks of a sweep.

    Parameters
    ----------
    task : (bytes, (m, k) array)
        A pickled `Work`, and rows.

    Returns
    -------
    Chunk
    """
    blob, rows = task
    return evaluate(_unpacked(blob), rows)
