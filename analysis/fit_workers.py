"""Tasks on one core or many: the same results bit for bit, in the same order."""

import contextlib
import functools
import os
import pickle
import signal

from remission.models.errors import ProblemError

__all__ = ["mapped"]


@contextlib.contextmanager
def mapped(workers):
    """A function `run(function, tasks)` that yields results in order, on as many processes as asked for.

    Parameters
    ----------
    workers : None, int, Executor or map-like
        None or 1: here. A number of processes, -1 for one per core (started by "spawn", ended when the block ends, at
        once when it ends by an error or Ctrl-C). An object with `.map`, or a function like `map`, is used as it is.

    Yields
    ------
    callable

    Raises
    ------
    ProblemError
        If `workers` is none of these.

    Examples
    --------
    >>> with mapped(None) as run:
    ...     list(run(abs, [-1, 2]))
    [1, 2]
    """
    if workers == -1 and not isinstance(workers, bool):
        workers = os.cpu_count() or 1
    if workers is None or (workers == 1 and not isinstance(workers, bool)):
        yield lambda function, tasks: map(function, tasks)
    elif isinstance(workers, int) and not isinstance(workers, bool) and workers > 1:
        yield from _own_pool(workers)
    elif hasattr(workers, "map") or callable(workers):
        spread = workers.map if hasattr(workers, "map") else workers
        yield lambda function, tasks: spread(_Packed(function), list(map(pickle.dumps, tasks)))
    else:
        raise ProblemError(f"workers is a number of processes, an Executor or a function like map, got {workers!r}")


def _own_pool(workers):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_ignore_interrupts)
    try:
        with _one_thread_each(os.environ):
            for started in [pool.submit(abs, 0) for _ in range(workers)]:  # each starts a process while none is idle
                started.result()
        yield lambda function, tasks: pool.map(_Packed(function), list(map(pickle.dumps, tasks)))
        pool.shutdown()
    finally:
        # On an error or Ctrl-C a task may have minutes to go; nobody waits for what it would return.
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


@contextlib.contextmanager
def _one_thread_each(environment):
    """Processes that start meanwhile do linear algebra on one thread: the matrices are small, the cores are taken."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: environment.get(name) for name in names}
    environment.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            environment.pop(name) if value is None else environment.update({name: value})


def _ignore_interrupts():
    """Ctrl-C reaches the whole group of processes: the first one decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Packed:
    """Calls a function on a pickled task; what tasks have in common is read once per process."""

    def __init__(self, function):
        self.function = function

    def __call__(self, packed):
        return self.function(pickle.loads(packed))


@functools.lru_cache(maxsize=64)
def unpacked(packed):
    """The value in a pickle, read once per process: problems compile when they are read."""
    return pickle.loads(packed)
