"""sweep: the same problem at many parameter values, one row of outputs a member.

A member that fails is a row of NaN with a status and a reason. Which members go to a worker together depends on the
table of samples alone, so that any number of workers gives the same numbers.
"""

from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from . import members
from .outcomes import as_outcomes

__all__ = ["Sweep", "sweep"]


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
    values : (n_members, n_outputs) array
        NaN where a member failed; `inf` where an outcome says so.
    status : tuple of str
        `"done"`, a status of the solver such as `"failed"`, `"refused"` (a problem that cannot be posed), `"error"`
        (of a callable output, say) or `"lost"` (a worker process died).
    messages : tuple of str
        Why, where the status is not `"done"`; else a remark on the answer, or nothing.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> found = sweep(Problem(sensitive_resistant()), {"n0": [0.1, 0.4, -1]}, "burden", progress=False)
    >>> print(found)
    sweep of sensitive_resistant over n0: 3 members, 1 failed
      burden at the end  0.747 to 0.7496, median 0.7483
      negative: 1, the first is member 2: ...
    """

    problem: object
    names: tuple
    samples: np.ndarray
    outcomes: tuple
    values: np.ndarray
    status: tuple
    messages: tuple = field(default=())

    def __repr__(self):
        return f"<Sweep of {self.problem.model.name}: {len(self)} members, {', '.join(self.outputs)}>"

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, output):
        label = getattr(output, "label", output)
        short = {o.of: o.label for o in self.outcomes if o.kind == "at_end"}
        label = short.get(label, label)
        if label not in self.outputs:
            raise ProblemError(f"the sweep has no output {label!r}; {did_you_mean(label, self.outputs)}")
        return self.values[:, self.outputs.index(label)]

    @property
    def outputs(self) -> tuple:
        """Labels of the outputs, in the order of the columns of `values`."""
        return tuple(o.label for o in self.outcomes)

    @property
    def failed(self) -> np.ndarray:
        """Which members failed, shape (n_members,)."""
        return np.array([s != "done" for s in self.status], dtype=bool)

    def __str__(self):
        bad = self.failed
        over = ", ".join(self.names)
        lines = [f"sweep of {self.problem.model.name} over {over}: {len(self)} members, {bad.sum()} failed"]
        width = max(map(len, self.outputs)) + 2
        for label, column in zip(self.outputs, self.values.T, strict=True):
            lines.append(f"  {label:<{width}}{_summary(column)}")
        for status in sorted(set(self.status) - {"done"}):
            rows = [i for i, s in enumerate(self.status) if s == status]
            lines.append(f"  {status}: {len(rows)}, the first is member {rows[0]}: {self.messages[rows[0]]}")
        remarked = [i for i, message in enumerate(self.messages) if message and self.status[i] == "done"]
        if remarked:
            lines.append(
                f"  remarks on {len(remarked)}, the first on member {remarked[0]}: {self.messages[remarked[0]]}"
            )
        return "\n".join(lines)

    def to_pandas(self):
        """A DataFrame: one row a member, the varied parameters, the outputs and the status as columns."""
        try:
            import pandas
        except ImportError:
            raise ImportError('to_pandas needs pandas: pip install "remission[data]"') from None
        columns = dict(zip(self.names, self.samples.T, strict=True))
        columns |= dict(zip(self.outputs, self.values.T, strict=True))
        return pandas.DataFrame(columns | {"status": self.status, "message": self.messages})


def _summary(column):
    finite = column[np.isfinite(column)]
    if not finite.size:
        return "no finite value"
    text = f"{finite.min():.4g} to {finite.max():.4g}, median {np.median(finite):.4g}"
    infinite = int(np.isinf(column).sum())
    return text + (f", {infinite} infinite" if infinite else "")


@refuse_unknown_keywords
def sweep(problem, samples, outputs, workers=None, progress=True, names=None) -> Sweep:
    """Solve a problem at many parameter values and keep some outputs.

    Parameters
    ----------
    problem : Problem
    samples : dict, (n, k) array_like or list of dict
        Name -> values (columns of equal length; a number is repeated); or a table with `names=`; or one dict a member.
    outputs : str, Outcome, callable or list of them
        A name means its value at the end. A callable takes a Solution and, with workers, has to be importable.
    workers : int, map-like or Executor, optional
        Number of processes, -1 for all cores; or a function called like `map`; or a
        `concurrent.futures.Executor`. In this process if not given.
    progress : bool
        Show a bar when it takes more than a second.
    names : list of str, optional
        Columns of an array of samples.

    Returns
    -------
    Sweep
        In the order of the samples and the same for any number of workers. A failed member is NaN with a status.

    Raises
    ------
    ProblemError
        If a name is no parameter of the problem, or the samples are no table, before any work is done.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment
    >>> from remission.analysis import sweep, time_to_progression
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> found = sweep(daily, {"f_R": [1e-3, 1e-2, 1e-1]}, ["burden", time_to_progression()])
    >>> found["time to progression of burden"].round().tolist()
    [470.0, 356.0, 241.0]
    """
    outcomes = as_outcomes(outputs, problem)
    names, table = as_table(problem, samples, names)
    values, status, messages = members.run(problem, names, table, outcomes, workers, progress)
    return Sweep(problem, names, table, outcomes, values, status, messages)


def as_table(problem, samples, names=None):
    """Samples in any accepted form as parameter names and a float array (n, k)."""
    if isinstance(samples, np.ndarray) or (not hasattr(samples, "keys") and _is_rows(samples)):
        if names is None:
            raise ProblemError("sweep: samples are a table of numbers, so names=[...] has to say what its columns are")
        columns, table = list(names), np.asarray(samples, dtype=float)
        if table.ndim != 2 or table.shape[1] != len(columns):
            raise ProblemError(f"sweep: samples have shape {table.shape}, but there are {len(columns)} names")
    elif hasattr(samples, "keys"):
        columns, table = _from_columns(samples)
    else:
        columns, table = _from_members(list(samples))
    columns = [getattr(c, "name", c) for c in columns]
    known = problem.system.parameters
    for name in columns:
        if name not in known:
            raise ProblemError(
                f"sweep: {problem.model.name} has no parameter named {name!r}; {did_you_mean(name, known)}"
            )
    if len(set(columns)) < len(columns):
        raise ProblemError(f"sweep: a name comes twice in {columns}")
    if not table.size:
        raise ProblemError("sweep: there are no samples")
    return tuple(columns), table


def _is_rows(samples):
    rows = list(samples) if isinstance(samples, (list, tuple)) else []
    return bool(rows) and not hasattr(rows[0], "keys")


def _from_columns(samples):
    columns = list(samples.keys())
    parts = [np.atleast_1d(np.asarray(samples[c], dtype=float)) for c in columns]
    try:
        return columns, np.column_stack(np.broadcast_arrays(*parts)) if parts else np.empty((0, 0))
    except ValueError:
        sizes = ", ".join(f"{getattr(c, 'name', c)}: {len(p)}" for c, p in zip(columns, parts, strict=True))
        raise ProblemError(f"sweep: columns of samples differ in length ({sizes})") from None


def _from_members(rows):
    if not rows:
        return [], np.empty((0, 0))
    columns = list(rows[0].keys())
    for i, row in enumerate(rows):
        if set(row.keys()) != set(columns):
            raise ProblemError(
                f"sweep: member {i} names {sorted(map(str, row))}, the first {sorted(map(str, columns))}"
            )
    return columns, np.array([[float(row[c]) for c in columns] for row in rows])
