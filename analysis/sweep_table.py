"""Samples of a sweep in every accepted form, as one table that is read a chunk at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["SampleTable", "as_table"]


@dataclass(frozen=True, eq=False)
class SampleTable:
    """Rows of parameter values, held in memory, mapped from a file, computed when asked for, or passing by.

    Attributes
    ----------
    names : tuple of str
    n : int or None
        Members; None for a stream, whose end is not known.
    array : (n, k) array or None
    sampler : callable or None
        (first, last) -> rows first..last-1.
    stream : iterator or None
        Of tables (any, k).
    """

    names: tuple
    n: int | None
    array: np.ndarray | None = None
    sampler: object = None
    stream: object = None

    def rows(self, first, last) -> np.ndarray:
        """Rows first..last-1, (last - first, k); not of a stream."""
        if self.array is not None:
            return np.array(self.array[first:last], dtype=float)
        found = self.checked(self.sampler(first, last), f"the sampler's rows {first} to {last - 1}")
        if len(found) != last - first:
            raise ProblemError(
                f"sweep: the sampler gave {len(found)} rows for (first, last) = ({first}, {last}): "
                f"it has to give the {last - first} rows first..last-1"
            )
        return found

    def chunks(self, size):
        """(first, rows) of chunks of `size` members, in order; the last may be smaller."""
        if self.stream is None:
            for first in range(0, self.n, size):
                yield first, self.rows(first, min(first + size, self.n))
            return
        first, held, count = 0, [], 0
        for part in self.stream:
            held.append(self.checked(part, f"samples after row {first + count}"))
            count += len(held[-1])
            while count >= size:
                joined = np.concatenate(held)
                yield first, joined[:size]
                first, held, count = first + size, [joined[size:]], count - size
        if count:
            yield first, np.concatenate(held)
        elif not first:
            raise ProblemError("sweep: there are no samples")

    def checked(self, rows, where):
        rows = np.column_stack([rows[n] for n in self.names]) if hasattr(rows, "keys") else np.asarray(rows)
        if rows.ndim != 2 or rows.shape[1] != len(self.names) or rows.dtype.kind not in "fiu":
            raise ProblemError(
                f"sweep: {where} have shape {rows.shape} of {rows.dtype}, not numbers in {len(self.names)} columns "
                f"({', '.join(self.names)})"
            )
        return np.array(rows, dtype=float)


def as_table(problem, samples, names=None) -> SampleTable:
    """Samples in any accepted form; see `sweep`.

    Parameters
    ----------
    problem : Problem
    samples : dict, array_like, list of dict, path of an .npy file, (sampler, n) or iterator of arrays
    names : list of str, optional
        Columns, where the samples do not say them.

    Returns
    -------
    SampleTable

    Raises
    ------
    ProblemError
        If they are no table, or a column is no parameter of the problem.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> as_table(Problem(sensitive_resistant()), {"r": [0.02, 0.03], "f_R": 0.01}).array.tolist()
    [[0.02, 0.01], [0.03, 0.01]]
    """
    columns, found = _form(samples, names)
    columns = tuple(getattr(c, "name", c) for c in columns)
    known = problem.system.parameters
    for name in columns:
        if name not in known:
            raise ProblemError(
                f"sweep: {problem.model.name} has no parameter named {name!r}; {did_you_mean(name, known)}"
            )
    if len(set(columns)) < len(columns):
        raise ProblemError(f"sweep: a name comes twice in {list(columns)}")
    if found.get("n") == 0 or not columns:
        raise ProblemError("sweep: there are no samples")
    return SampleTable(columns, **{"n": None} | found)


def _form(samples, names):
    """Columns, and the fields of a `SampleTable`."""
    if isinstance(samples, (str, Path)):
        return _named(names, _mapped(samples))
    if isinstance(samples, tuple) and len(samples) == 2 and callable(samples[0]):
        return _sampled(*samples, names)
    if callable(samples):
        raise ProblemError("sweep: a sampler needs the number of members as well: samples=(sampler, n)")
    if isinstance(samples, Iterator):
        return _required(names), {"stream": samples}
    if hasattr(samples, "keys"):
        columns, table = _from_columns(samples)
    elif isinstance(samples, np.ndarray) or _is_rows(samples):
        return _named(names, samples)
    else:
        columns, table = _from_members(list(samples))
    return columns, {"n": len(table), "array": table}


def _required(names):
    if names is None:
        raise ProblemError("sweep: samples are a table of numbers, so names=[...] has to say what its columns are")
    return list(names)


def _named(names, samples):
    columns = _required(names)
    table = samples if isinstance(samples, np.memmap) else np.asarray(samples, dtype=float)
    if table.ndim != 2 or table.shape[1] != len(columns):
        raise ProblemError(f"sweep: samples have shape {table.shape}, but there are {len(columns)} names")
    return columns, {"n": len(table), "array": table}


def _mapped(path):
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as fault:
        raise ProblemError(f"sweep: samples cannot be read from {path}: {fault}; an .npy file of numbers?") from None


def _sampled(sampler, n, names):
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ProblemError(f"sweep: samples=(sampler, n) needs a number of members, got {n!r}")
    return _required(names), {"n": int(n), "sampler": sampler}


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
        raise ProblemError("sweep: there are no samples")
    columns = list(rows[0].keys())
    for i, row in enumerate(rows):
        if set(row.keys()) != set(columns):
            raise ProblemError(
                f"sweep: member {i} names {sorted(map(str, row))}, the first {sorted(map(str, columns))}"
            )
    return columns, np.array([[float(row[c]) for c in columns] for row in rows])
