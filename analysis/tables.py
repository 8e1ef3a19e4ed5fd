"""Tables of measurements and doses: one long schema, read with every fault at once, written back exactly."""

import csv
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remission.models.errors import DataError, ModelError, refuse_unknown_keywords
from remission.models.units import same_dimension

from .table_cells import cell_text, near

__all__ = ["Table", "read_table", "write_table"]

REQUIRED = ("subject", "time", "observable", "value")
TEXT = {
    "subject": "",
    "arm": "",
    "observable": "",
    "unit": "",
    "time_unit": "day",
    "censoring": "none",
    "replicate": "",
}
NUMBERS = {
    "time": np.nan,
    "value": np.nan,
    "limit": np.nan,
    "limit_upper": np.nan,
    "sd": np.nan,
    "weight": 1.0,
    "n": np.nan,
}
SCHEMA = ("subject", "arm", "time", "time_unit", "observable", "value", "unit", "censoring", "limit", "limit_upper")
SCHEMA += ("replicate", "sd", "weight", "n")
DOSE_REQUIRED = ("subject", "time", "into")
DOSE_TEXT = {"subject": "", "into": "", "unit": "", "time_unit": "day"}
DOSE_NUMBERS = dict.fromkeys(("time", "amount", "rate", "on", "duration"), np.nan)
DOSE_SCHEMA = ("subject", "time", "time_unit", "amount", "rate", "on", "duration", "into", "unit")


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False)
class Table:
    """Measurements in the long schema, with the doses that were given.

    Parameters
    ----------
    columns : dict of str to array_like
        Columns of equal length (n,). `subject`, `time`, `observable` and `value` are required; `arm`, `unit`,
        `time_unit`, `censoring` ("none", "left", "right", "interval"), `limit`, `limit_upper`, `replicate`, `sd`,
        `weight` and `n` are filled in when they are missing; any other column is kept as it is (a covariate).
        A value that is missing because it is censored is NaN.
    doses : dict of str to array_like, optional
        Columns `subject`, `time`, `into` and one of `amount`, `rate`, `on` in each row (the others NaN), with
        `duration` and `unit`.
    source : str
        Where the numbers come from.

    Raises
    ------
    DataError
        If a required column is missing or the columns differ in length.

    Examples
    --------
    >>> table = Table({"subject": ["a", "a"], "time": [0, 7], "observable": ["PSA"] * 2, "value": [4.0, 2.5]})
    >>> len(table), table.subjects, table["value"]
    (2, ('a',), array([4. , 2.5]))
    """

    columns: dict
    doses: dict | None = None
    source: str = ""

    def __post_init__(self):
        columns = _filled(self.columns, REQUIRED, TEXT, NUMBERS, SCHEMA, "table")
        object.__setattr__(self, "columns", columns)
        if self.doses is not None:
            doses = _filled(self.doses, DOSE_REQUIRED, DOSE_TEXT, DOSE_NUMBERS, DOSE_SCHEMA, "table of doses")
            object.__setattr__(self, "doses", doses)

    def __len__(self):
        return len(self.columns["subject"])

    def __getitem__(self, name):
        if name not in self.columns:
            raise DataError(f"the table has no column {name!r}; {near(name, self.columns)}")
        return self.columns[name]

    def __eq__(self, other):
        if not isinstance(other, Table):
            return NotImplemented
        return _same(self.columns, other.columns) and _same(self.doses, other.doses)

    def __hash__(self):
        return hash((len(self), self.subjects, self.observables))

    @property
    def subjects(self) -> tuple:
        """Subjects in the order in which they first occur."""
        return _unique(self.columns["subject"])

    @property
    def observables(self) -> tuple:
        """Names of what was measured, in the order in which they first occur."""
        return _unique(self.columns["observable"])

    @property
    def arms(self) -> dict:
        """Arm of every subject, "" where none is given."""
        return dict(zip(self.columns["subject"].tolist(), self.columns["arm"].tolist(), strict=True))

    @property
    def units(self) -> dict:
        """Unit of every observable, "" where none is given."""
        return dict(zip(self.columns["observable"].tolist(), self.columns["unit"].tolist(), strict=True))

    @property
    def time_unit(self) -> str:
        """Unit of the times of measurements and doses."""
        return str(self.columns["time_unit"][0]) if len(self) else "day"

    @refuse_unknown_keywords
    def select(self, *, subject=None, observable=None, arm=None, until=None, where=None):
        """Part of the table, as a table.

        Parameters
        ----------
        subject, observable, arm : str or iterable of str, optional
            Names to keep.
        until : float, optional
            Last time to keep, included, in the table's time unit.
        where : array_like of bool, shape (n,), optional
            Rows to keep, such as ``table["n"] > 3``.

        Returns
        -------
        Table
            With all doses of the subjects that remain: `until` cuts what was measured, not what was given.

        Raises
        ------
        DataError
            If a name does not occur (with the nearest match), or `where` has the wrong shape.

        Examples
        --------
        >>> table = Table({"subject": ["a", "b"], "time": [0, 7], "observable": ["PSA"] * 2, "value": [4.0, 2.5]})
        >>> table.select(subject="b").subjects, len(table.select(until=3))
        (('b',), 1)
        """
        keep = np.ones(len(self), bool)
        for column, wanted in (("subject", subject), ("observable", observable), ("arm", arm)):
            if wanted is not None:
                keep &= np.isin(self.columns[column], _names(wanted, column, self.columns[column]))
        if until is not None:
            keep &= self.columns["time"] <= until
        if where is not None:
            where = np.asarray(where)
            if where.shape != keep.shape or where.dtype != bool:
                raise DataError(f"where is one bool for each of {len(self)} rows, got {where.dtype} {where.shape}")
            keep &= where
        columns = {name: values[keep] for name, values in self.columns.items()}
        doses = self.doses
        if doses is not None:
            dosed = np.isin(doses["subject"], np.unique(columns["subject"]))
            doses = {name: values[dosed] for name, values in doses.items()}
        return Table(columns, doses, self.source)

    def dose_rows(self, subject=None) -> list:
        """Doses as dictionaries without their empty entries, for `Treatment.from_table`.

        Parameters
        ----------
        subject : str, optional
            Only the doses of this subject.

        Returns
        -------
        list of dict
            Keys `subject`, `time`, `into`, one of `amount`, `rate`, `on`, and `duration`, `unit` where given.
        """
        if self.doses is None:
            return []
        wanted = None if subject is None else _names(subject, "subject", self.columns["subject"])
        names = [name for name in DOSE_SCHEMA if name != "time_unit"]
        rows = []
        for i in range(len(self.doses["subject"])):
            row = {name: self.doses[name][i].item() for name in names}
            if wanted is None or row["subject"] in wanted:
                rows.append({name: value for name, value in row.items() if value == value and value != ""})
        return rows

    def to_pandas(self):
        """Measurements as a data frame, one row each; needs pandas.

        Returns
        -------
        pandas.DataFrame
            Columns of the schema, then covariates; `attrs` holds the source.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError('to_pandas needs pandas: pip install "remission[data]"') from error
        frame = pandas.DataFrame(dict(self.columns))
        frame.attrs["source"] = self.source
        return frame

    def __repr__(self):
        return f"Table({len(self)} values, {len(self.subjects)} subjects, {', '.join(self.observables)})"

    def __str__(self):
        if not len(self):
            return "empty table"
        time = self.columns["time"]
        span = f"{time.min():g} to {time.max():g} {self.time_unit}"
        subjects = f"{len(self.subjects)} subject" + ("s" if len(self.subjects) > 1 else "")
        lines = [f"{len(self)} values of {subjects}, {span}"]
        lines += [_line(self, name) for name in self.observables]
        counts = {}
        for name in self.arms.values():
            counts[name] = counts.get(name, 0) + 1
        if set(counts) != {""}:
            shown = [f"{name or 'none'} {count}" for name, count in list(counts.items())[:8]]
            lines.append("  arms: " + "; ".join(shown) + ("" if len(counts) <= 8 else f"; and {len(counts) - 8} more"))
        if self.doses is not None:
            lines.append(f"  doses: {len(self.doses['subject'])} rows into {', '.join(_unique(self.doses['into']))}")
        return "\n".join([*lines, f"  source: {self.source}"] if self.source else lines)


def _line(table, name) -> str:
    here = table["observable"] == name
    values, censored = table["value"][here], np.sum(table["censoring"][here] != "none")
    unit = f" {table.units[name]}" if table.units[name] else ""
    text = f"  {name}: {here.sum()} values"
    if not np.isnan(values).all():
        text += f", {np.nanmin(values):g} to {np.nanmax(values):g}{unit}"
    return text + (f", {censored} censored" if censored else "")


def _unique(values) -> tuple:
    return tuple(dict.fromkeys(values.tolist()))


def _names(wanted, column, present) -> list:
    wanted = [wanted] if isinstance(wanted, str) else [str(name) for name in wanted]
    present = _unique(present)
    for name in wanted:
        if name not in present:
            raise DataError(f"the table has no {column} {name!r}; {near(name, present)}")
    return wanted


def _same(one, other) -> bool:
    if one is None or other is None:
        return one is other
    if set(one) != set(other):
        return False
    return all(np.array_equal(one[k], other[k], equal_nan=one[k].dtype.kind == other[k].dtype.kind == "f") for k in one)


def _filled(given, required, text, numbers, schema, what) -> dict:
    """Columns in schema order with their types and defaults, read-only."""
    for name in required:
        if name not in given:
            raise DataError(f"a {what} needs the column {name!r}; {near(name, given)}")
    length = len(given[required[0]])
    columns = {}
    for name in [*schema, *(name for name in given if name not in schema)]:
        if name not in given:
            values = np.full(length, text[name] if name in text else numbers[name])
        else:
            values = np.array(given[name], dtype=str if name in text else float if name in numbers else None)
        if values.dtype.kind == "O":
            values = values.astype(str)
        if values.shape != (length,):
            raise DataError(f"column {name!r} has shape {values.shape}, {required[0]!r} has ({length},)")
        values.flags.writeable = False
        columns[name] = values
    return columns


@refuse_unknown_keywords
def read_table(
    source,
    *,
    columns=None,
    layout="long",
    doses=None,
    dose_columns=None,
    units=None,
    dose_units=None,
    time_unit="day",
    observables=None,
    constants=None,
    dose_constants=None,
    allow_negative_times=False,
    decimal=".",
) -> Table:
    """Read measurements (and doses), check everything, convert the units; all faults are reported at once.

    Parameters
    ----------
    source : path, open file, data frame or list of dict
        A delimited text in UTF-8 (comma, semicolon, tab or "|") with a header row, or rows.
    columns : dict of str to str or None, optional
        Names in the source -> names of the schema, such as ``{"mouse": "subject", "vol": "value"}``; None drops a
        column. In the wide layout a name may also become that of an observable.
    layout : {"long", "wide"}
        Long: one value a row. Wide: one column for each observable, its unit in square brackets
        ("PSA [ng/mL]"); an empty cell was not measured.
    doses : path, open file, data frame or list of dict, optional
        Doses: `subject`, `time`, `into`, one of `amount`, `rate`, `on`, with `duration` and `unit`.
    dose_columns : dict of str to str or None, optional
        Like `columns`, for the doses.
    units, dose_units : dict of str to str, optional
        Unit to convert to, for each observable, or for each target of doses. Without it the first unit of each
        name in the file is used for all its rows. `sd`, `limit` and `limit_upper` are converted with the value.
    time_unit : str
        Unit to convert times and durations to; rows that state none are taken to be in it.
    observables : list of str, optional
        Names that may occur; in the wide layout, the columns that are observables. Without it every name may
        occur, and in the wide layout every column that the schema does not know is an observable.
    constants, dose_constants : dict, optional
        Columns that the source lacks, such as ``{"observable": "PSA"}``; a dictionary gives one cell for each
        observable (or, for doses, each target): ``{"unit": {"PSA": "ng/mL"}}``.
    allow_negative_times : bool
        Accept times before 0.
    decimal : {".", ","}
        Decimal sign of the numbers.

    Returns
    -------
    Table
        Columns that the schema does not know are kept as covariates: numbers if every cell is one, else text.

    Raises
    ------
    DataError
        With every fault and its rows, counted as in a spreadsheet (the header is row 1): missing or misspelt
        columns, text in numbers, numbers that are not finite, unknown units or units that do not convert,
        unknown observables or censoring codes, censored rows without a limit, rows without a value, negative
        times, duplicates, doses that overlap or belong to no subject, and measurements out of a schedule that
        records off (`on` = 0) as well as on.

    Examples
    --------
    >>> rows = [
    ...     {"mouse": "m1", "time": 0, "vol": 0.12, "unit": "mL"},
    ...     {"mouse": "m1", "time": 7, "vol": 95, "unit": "mm3"},
    ... ]
    >>> names = {"mouse": "subject", "vol": "value"}
    >>> table = read_table(rows, columns=names, constants={"observable": "volume"}, units={"volume": "mm^3"})
    >>> print(table)
    2 values of 1 subject, 0 to 7 day
      volume: 2 values, 95 to 120 mm^3
    """
    from .table_reading import read

    if layout not in ("long", "wide"):
        raise DataError(f"layout is 'long' or 'wide', got {layout!r}")
    if decimal not in (".", ","):
        raise DataError(f"decimal is '.' or ',', got {decimal!r}")
    try:
        good = same_dimension(time_unit, "day")
    except ModelError as error:
        raise DataError(f"time_unit: {error}") from error
    if not good:
        raise DataError(f"time_unit is a unit of time such as 'day', got {time_unit!r}")
    measured, given, name = read(
        (source, dict(columns or {}), dict(constants or {}), dict(units or {})),
        None
        if doses is None
        else (doses, dict(dose_columns or {}), dict(dose_constants or {}), dict(dose_units or {})),
        layout=layout,
        time_unit=time_unit,
        observables=observables,
        allow_negative_times=allow_negative_times,
        decimal=decimal,
    )
    return Table(measured, given, name)


@refuse_unknown_keywords
def write_table(table, path, *, doses=None) -> tuple:
    """Write a table so that `read_table` gives it back bit for bit.

    Parameters
    ----------
    table : Table
    path : path
        File for the measurements. It is replaced as a whole or not at all.
    doses : path, optional
        File for the doses; without it they go beside the measurements, as ``<name>_doses.csv``.

    Returns
    -------
    tuple of pathlib.Path
        The files that were written.

    Examples
    --------
    >>> import tempfile
    >>> table = Table({"subject": ["a"], "time": [1.5], "observable": ["PSA"], "value": [0.1]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_table(table, folder + "/psa.csv")
    ...     read_table(files[0]) == table
    True
    """
    path = Path(path)
    files = [path]
    _write_columns(table.columns, path, REQUIRED, {"time_unit": None, **TEXT, **NUMBERS})
    if table.doses is not None:
        files.append(path.with_name(f"{path.stem}_doses.csv") if doses is None else Path(doses))
        _write_columns(table.doses, files[1], DOSE_REQUIRED, {**DOSE_TEXT, **DOSE_NUMBERS})
    return tuple(files)


def _write_columns(columns, path, required, defaults):
    """Columns that hold more than their default, as CSV, by way of a file beside it."""

    def telling(name, values):
        if name in required or name == "time_unit" or name not in defaults:
            return True
        default = defaults[name]
        return not (np.isnan(values).all() if default != default else (values == default).all())

    kept = {name: values for name, values in columns.items() if telling(name, values)}
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", text=False)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(kept)
            writer.writerows(zip(*([cell_text(v) for v in values.tolist()] for values in kept.values()), strict=True))
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
