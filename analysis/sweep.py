"""sweep: the same problem at many parameter values, one row of outputs a member.

A member that fails is a row of NaN with a status and a reason. Which members go to a worker together depends on the
table of samples alone, so that any number of workers gives the same numbers.
"""

import logging
from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers.solve import output_times

from . import members
from .chunks import Work, chunk_size, way_of
from .outcomes import as_outcomes, refuse_unless_importable
from .run_folder import RunFolder
from .sweep_results import InMemory, first_message, where
from .sweep_table import as_table

__all__ = ["Sweep", "sweep"]

logger = logging.getLogger("remission")


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """Outputs of the members of a sweep; index it by the label of an output.

    Attributes
    ----------
    problem : Problem
    names : tuple of str
        Parameters that were varied.
    samples : (n_members, n_names) array
    outcomes : tuple of Outcome
        With `times`, the names are those behind them.
    values : (n_members, n_outputs) array, or (n_members, n_times, n_outputs)
        NaN where a member failed; `inf` where an outcome says so.
    status : sequence of str
        `"done"`, a status of the solver such as `"failed"`, `"refused"` (a problem that cannot be posed), `"error"`
        (of a callable output, say) or `"lost"` (a worker process died).
    messages : sequence of str
        Why, where the status is not `"done"`; else a remark on the answer, or nothing.
    again : (n_members,) bool array
        Members that were solved a second time: alone, because they failed beside others, or more tightly, because a
        clone regrew from below its tolerance.
    times : (n_times,) array or None
        Times of the outputs, if they are courses.
    folder : str or None
        Run folder, of which the arrays are mapped files.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> found = sweep(Problem(sensitive_resistant()), {"n0": [0.1, 0.4, -1]}, "burden", progress=False)
    >>> print(found)
    sweep of sensitive_resistant over n0: 3 members, 1 failed
      burden at the end  0.747 to 0.7496, median 0.7483
      n...: 1, the first is member 2: ...
    """

    problem: object
    names: tuple
    samples: np.ndarray
    outcomes: tuple
    values: np.ndarray
    status: tuple
    messages: tuple = field(default=())
    again: np.ndarray | None = None
    times: np.ndarray | None = None
    folder: str | None = None

    def __repr__(self):
        return f"<Sweep of {self.problem.model.name}: {len(self)} members, {', '.join(self.outputs)}>"

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, output):
        label = getattr(output, "label", getattr(output, "name", output))
        if self.times is None:
            short = {o.of: o.label for o in self.outcomes if o.kind == "at_end"}
            label = short.get(label, label)
        if label not in self.outputs:
            raise ProblemError(f"the sweep has no output {label!r}; {did_you_mean(label, self.outputs)}")
        return self.values[..., self.outputs.index(label)]

    @property
    def outputs(self) -> tuple:
        """Labels of the outputs, in the order of the last axis of `values`."""
        return tuple(o.label if self.times is None else o.of for o in self.outcomes)

    @property
    def failed(self) -> np.ndarray:
        """Which members failed, shape (n_members,)."""
        bad = np.ones(len(self.status), dtype=bool)
        bad[where(self.status, "done")] = False
        return bad

    def __str__(self):
        over = ", ".join(self.names)
        head = f"sweep of {self.problem.model.name} over {over}: {len(self)} members, {self.failed.sum()} failed"
        lines = [head]
        width = max(map(len, self.outputs)) + 2
        for i, label in enumerate(self.outputs):
            if self.times is None:
                lines.append(f"  {label:<{width}}{_summary(self.values[..., i])}")
            else:
                lines.append(f"  {label:<{width}}at {len(self.times)} times, {self.times[0]:g} to {self.times[-1]:g}")
        for status in sorted(set(getattr(self.status, "words", self.status)) - {"done"}):
            rows = where(self.status, status)
            if len(rows):
                first = int(rows[0])
                lines.append(f"  {status}: {len(rows)}, the first is member {first}: {self.messages[first]}")
        _, (remarked, member, remark) = first_message(self.status, self.messages)
        if remarked:
            lines.append(f"  remarks on {remarked}, the first on member {member}: {remark}")
        if self.again is not None and self.again.any():
            lines.append(f"  solved a second time: {np.count_nonzero(self.again)}")
        return "\n".join(lines)

    def to_pandas(self):
        """A DataFrame: one row a member; the varied parameters, the outputs and the status as columns.

        With `times` an output has one column a time, named such as `burden at 30`.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError('to_pandas needs pandas: pip install "remission[data]"') from None
        columns = dict(zip(self.names, self.samples.T, strict=True))
        for i, label in enumerate(self.outputs):
            if self.times is None:
                columns[label] = self.values[:, i]
            else:
                columns |= {f"{label} at {t:g}": self.values[:, k, i] for k, t in enumerate(self.times)}
        return pandas.DataFrame(columns | {"status": list(self.status), "message": list(self.messages)})


def _summary(column):
    finite = column[np.isfinite(column)]
    if not finite.size:
        return "no finite value"
    text = f"{finite.min():.4g} to {finite.max():.4g}, median {np.median(finite):.4g}"
    infinite = int(np.isinf(column).sum())
    return text + (f", {infinite} infinite" if infinite else "")


@refuse_unknown_keywords
def sweep(problem, samples, outputs, workers=None, progress=True, names=None, times=None, folder=None) -> Sweep:
    """Solve a problem at many parameter values and keep some outputs.

    Parameters
    ----------
    problem : Problem
    samples : dict, (n, k) array_like, list of dict, path, (callable, int) or iterator
        Name -> values (columns of equal length; a number is repeated); or one dict a member; or, with `names=`, a
        table, an array mapped from a file, the path of an `.npy` file, a pair `(sampler, n)` of a function
        `sampler(first, last)` that gives rows first..last-1 and the number of members, or an iterator of tables. The
        last four need not fit into memory. A sampler must give the same rows whenever it is asked for them.
    outputs : str, Outcome, callable or list of them
        A name means its value at the end. A callable takes a Solution and, with workers or a folder, has to be
        importable.
    workers : int, map-like or Executor, optional
        Number of workers, -1 for all cores; or a function called like `map`; or a
        `concurrent.futures.Executor`. Workers are threads where compiled kernels do the work, else processes. If not
        given: all cores for the first, this process alone for the second.
    progress : bool
        Show a bar when it takes more than a second; nothing is shown where there is no terminal.
    names : list of str, optional
        Columns of samples that are numbers alone.
    times : (n_times,) array_like, optional
        With names as outputs: their values at these times instead of at the end; at a dose those before it.
    folder : str or Path, optional
        Run folder. Finished chunks are written to it; the same call after an interrupt goes on where it stopped, with
        the same numbers to the last bit on the same machine and versions. The arrays of the result are then mapped
        from its files, and memory does not grow with the number of members.

    Returns
    -------
    Sweep
        In the order of the samples and the same for any number of workers. A failed member is NaN with a status.

    Raises
    ------
    ProblemError
        If a name is no parameter of the problem, the samples are no table, or the folder holds another sweep (the
        message says what differs), before any work is done.
    RemissionError
        If the folder cannot be written, or another process is using it.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment
    >>> from remission.analysis import sweep, time_to_progression
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> found = sweep(daily, {"f_R": [1e-3, 1e-2, 1e-1]}, ["burden", time_to_progression()])
    >>> found["time to progression of burden"].round().tolist()
    [470.0, 356.0, 241.0]

    Whole courses, and a table that is made while the sweep runs and kept in a folder:

    >>> sweep(daily, {"f_R": [1e-3, 1e-2]}, ["S", "R"], times=[0, 100, 200])["R"].round(4).tolist()
    [[0.0005, 0.0019, 0.0128], [0.005, 0.0187, 0.1103]]
    >>> import tempfile
    >>> import numpy as np
    >>> def draws(first, last):
    ...     return 10 ** np.random.default_rng([7, first]).uniform(-4, -1, (last - first, 1))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     found = sweep(daily, (draws, 1000), "burden", names=["f_R"], folder=place, progress=False)
    ...     print(found.values.shape, found.failed.any())
    (1000, 1) False
    """
    outcomes = as_outcomes(outputs, problem)
    times = _checked_times(problem, outcomes, times)
    table = as_table(problem, samples, names)
    work = Work(problem, table.names, outcomes, times, way_of(problem, outcomes, times))
    members.worker_kind(workers, work.way)
    size = chunk_size(table.n, work.way, int(np.prod(work.shape)))
    if folder is None:
        sink = InMemory(work)
        members.run_chunks(work, table, size, workers, progress, sink)
        parts = sink.finished()
    else:
        for outcome in outcomes:
            refuse_unless_importable(outcome)
        parts = _in_folder(folder, work, table, size, workers, progress)
    return Sweep(problem, table.names, outcomes=outcomes, times=times, folder=folder and str(folder), **parts)


def _checked_times(problem, outcomes, times):
    if times is None:
        return None
    for outcome in outcomes:
        if outcome.kind != "at_end":
            raise ProblemError(
                f"sweep: times= is for names, whose course is wanted, but {outcome.label!r} is a number of the whole "
                "course; ask for it in a sweep of its own"
            )
    return output_times(problem, times)


def _in_folder(folder, work, table, size, workers, progress):
    sink = RunFolder(folder, work, table, size)
    try:
        members.run_chunks(work, table, sink.size, workers, progress, sink)
        return sink.finished()
    except KeyboardInterrupt as stop:
        text = f"sweep: stopped with {len(sink.chunks)} chunks in {folder}; the same call goes on from there"
        logger.warning(text)
        stop.add_note(text)
        sink.close("interrupted")
        raise
    except BaseException:
        sink.close("stopped")
        raise
