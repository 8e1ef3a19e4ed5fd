"""The steps of `read_table`: sheets to columns in the schema, with the faults of both sheets together."""

import difflib
import re

import numpy as np

from . import table_checks as checks
from .table_cells import UNNAMED, Faults, Sheet, near, number, numbers, read_sheet, source_name
from .tables import DOSE_NUMBERS, DOSE_REQUIRED, DOSE_SCHEMA, DOSE_TEXT, NUMBERS, REQUIRED, SCHEMA, TEXT


def read(measured, dosed, *, layout, time_unit, observables, allow_negative_times, decimal) -> tuple:
    """Columns of measurements, columns of doses or None, and the name of the source; raises DataError."""
    source, columns, constants, units = measured
    faults = Faults(source_name(source))
    sheet = read_sheet(source, faults, decimal=decimal)
    if sheet is not None:
        _rename(sheet, columns, SCHEMA if layout == "long" else None, faults, "")
        if layout == "wide":
            sheet = _long(sheet, observables, faults)
        missing = _complete(sheet, constants, "observable", REQUIRED, SCHEMA, faults, "")
        measured = _measurements(sheet, missing, units, time_unit, observables, allow_negative_times, decimal, faults)
    given = None
    if dosed is not None:
        whole = measured if sheet is not None and "subject" not in missing else None
        given = _doses(dosed, time_unit, allow_negative_times, decimal, faults, sheet, whole)
    faults.refuse()
    return measured, given, faults.name if faults.name != UNNAMED else ""


def _rename(sheet, columns, schema, faults, label, what="columns"):
    """Apply the user's names; a name that the sheet lacks, and one that looks like a slip, is a fault."""
    for old, new in columns.items():
        if old not in sheet:
            faults.add(f"{what}= names {old!r}, which the table does not have; {near(old, sheet.columns)}", 1, label)
        elif schema is not None and new is not None and new not in schema:
            faults.add(f"{what}= wants {old!r} to be {new!r}; {near(new, schema)}", 1, label)
    renamed = {}
    for name, cells in sheet.columns.items():
        new = columns.get(name, name)
        if new is None:
            continue
        if new in renamed:
            faults.add(f"two columns are named {new!r}; drop one with {what}={{name: None}}", 1, label)
        renamed[new] = cells
    sheet.columns = renamed


def _long(sheet, observables, faults) -> Sheet:
    """A wide sheet with one row for each cell of its observable columns; row numbers stay those of the file."""
    found = {}
    for name in sheet.columns:
        match = re.fullmatch(r"(.*?)\s*\[([^\]]*)\]", name)
        bare, unit = (match[1], match[2].strip()) if match else (name, "")
        if bare in observables if observables is not None else name not in SCHEMA:
            found[name] = (bare, unit)
    present = [bare for bare, _ in found.values()]
    for name in observables if observables is not None else ():
        if name not in present:
            faults.add(f"no column for the observable {name!r}; {near(name, sheet.columns)}", 1)
    if observables is None and not found:
        faults.add("no column of the wide table is an observable; did you mean layout='long'?", 1)
    rows, others = [], [name for name in sheet.columns if name not in found]
    long = {name: [] for name in dict.fromkeys([*others, "observable", "value", "unit"])}
    for i, row in enumerate(sheet.rows):
        for name, (bare, unit) in found.items():
            cell = sheet.columns[name][i]
            if not cell:
                continue
            rows.append(row)
            record = {other: sheet.columns[other][i] for other in others} | {"observable": bare, "value": cell}
            record["unit"] = unit or record.get("unit", "")
            for column, cells in long.items():
                cells.append(record[column])
    if not any(long["unit"]):
        del long["unit"]
    if found and not rows:
        faults.add("no observable has a value", 1)
    return Sheet(rows, long)


def _complete(sheet, constants, group, required, schema, faults, label) -> list:
    """Fill constants, ask for the required columns and for near misses of the optional ones.

    A required column that is missing is a fault and returned; it is filled with empty cells, so that the other
    columns can still be checked.
    """
    argument = "dose_constants" if label else "constants"
    present = list(sheet.columns)
    for name, value in sorted(constants.items(), key=lambda item: isinstance(item[1], dict)):
        if name not in schema:
            faults.add(f"{argument}= gives {name!r}; {near(name, schema)}", 1, label)
        elif name in present and any(sheet.columns[name]):
            faults.add(f"{argument}= gives {name!r}, which the table has too; drop one", 1, label)
        elif isinstance(value, dict):
            cells = sheet.columns.get(group, [])
            for key in value:
                if key not in cells:
                    faults.add(f"{argument}= names {key!r}, which does not occur; {near(key, cells)}", 1, label)
            sheet.columns[name] = [str(value.get(cell, "")) for cell in cells]
        else:
            sheet.columns[name] = [str(value)] * len(sheet.rows)
    unknown = [name for name in present if name not in schema]
    missing = [name for name in required if name not in sheet]
    for name in missing:
        faults.add(f"no column {name!r}; {near(name, unknown or present)}; map it with columns=", 1, label)
    for name in unknown:
        slip = difflib.get_close_matches(name.lower(), [s for s in schema if len(s) > 3], n=1, cutoff=0.8)
        if slip and slip[0] not in sheet and slip[0] not in missing:
            text = f"column {name!r} is not in the schema; did you mean {slip[0]!r}? map it, or drop it with"
            faults.add(f"{text} columns={{{name!r}: None}}", 1, label)
    for name in missing:
        sheet.columns[name] = [""] * len(sheet.rows)
    return missing


def _typed(sheet, text, numeric, required, faults, label, decimal) -> tuple:
    """Columns by type with defaults; also, for every number, which cells were empty and which were refused."""
    columns, empty, bad = {}, {}, {}
    count = len(sheet.rows)
    for name, default in numeric.items():
        if name in sheet:
            columns[name], empty[name], bad[name] = numbers(sheet, name, faults, label, decimal)
            columns[name][empty[name]] = default
        else:
            columns[name] = np.full(count, default)
            empty[name], bad[name] = np.ones(count, bool), np.zeros(count, bool)
    for name, default in text.items():
        if name == "time_unit" and name not in sheet:
            continue
        cells = sheet.columns.get(name, [""] * count)
        columns[name] = [cell or ("" if name == "time_unit" else default) for cell in cells]
    for name in sorted(required):
        rows = [row for row, cell in zip(sheet.rows, sheet.columns[name], strict=True) if not cell]
        if rows:
            faults.add(f"{name} is empty", rows, label)
    return columns, empty, bad


def _covariates(sheet, schema, decimal) -> dict:
    """Columns that the schema does not know: numbers when every cell that is filled is one, else text."""
    extra = {}
    for name, cells in sheet.columns.items():
        if name in schema:
            continue
        values = [number(cell, decimal) if cell else np.nan for cell in cells]
        numeric = (
            any(cells)
            and None not in values
            and np.isfinite([v for v, c in zip(values, cells, strict=True) if c]).all()
        )
        # "001" is a code, not the number one
        coded = any(len(cell) > 1 and cell[0] == "0" and cell.isdigit() for cell in cells)
        extra[name] = np.array(values, float) if numeric and not coded else np.array(cells, str)
    return extra


def _measurements(sheet, missing, units, time_unit, observables, allow_negative_times, decimal, faults) -> dict:
    columns, empty, bad = _typed(sheet, TEXT, NUMBERS, set(REQUIRED) - {"value", *missing}, faults, "", decimal)
    checks.converted_times(columns, ["time"], time_unit, sheet, faults, "")
    values = ["value", "limit", "limit_upper", "sd"]
    columns["unit"] = checks.converted_values(columns, values, "observable", units, sheet, faults, "")
    columns["time_unit"] = [time_unit] * len(sheet.rows)
    if observables is not None:
        checks.check_names(sheet, "observable", list(observables), "observable", faults, "")
    if "censoring" in sheet:
        checks.check_names(sheet, "censoring", checks.CENSORING, "censoring code", faults, "")
    if not allow_negative_times:
        _no_negative_times(columns, sheet, faults, "")
    unknown = bad["value"] | bad["limit"] | bad["limit_upper"] | ("value" in missing)
    checks.check_censoring(columns, empty["value"], unknown, sheet, faults, "")
    checks.check_signs(columns, sheet, faults, "")
    checks.check_duplicates(columns, sheet, faults, "")
    return columns | _covariates(sheet, SCHEMA, decimal)


def _no_negative_times(columns, sheet, faults, label):
    rows = np.array(sheet.rows)[columns["time"] < 0]
    if len(rows):
        faults.add("time is negative; shift the clock or say allow_negative_times=True", rows, label)


def _doses(dosed, time_unit, allow_negative_times, decimal, faults, measured_sheet, measured) -> dict | None:
    source, names, constants, units = dosed
    label = "doses"
    sheet = read_sheet(source, faults, label, decimal)
    if sheet is None:
        return None
    _rename(sheet, names, DOSE_SCHEMA, faults, label, "dose_columns")
    missing = _complete(sheet, constants, "into", DOSE_REQUIRED, DOSE_SCHEMA, faults, label)
    required = set(DOSE_REQUIRED) - set(missing)
    columns, empty, bad = _typed(sheet, DOSE_TEXT, DOSE_NUMBERS, required, faults, label, decimal)
    checks.converted_times(columns, ["time", "duration"], time_unit, sheet, faults, label)
    columns["time_unit"] = [time_unit] * len(sheet.rows)
    amounts = ["amount", "rate", "on"]
    columns["unit"] = checks.converted_values(columns, amounts, "into", units, sheet, faults, label, "dose_units")
    if not allow_negative_times:
        _no_negative_times(columns, sheet, faults, label)
    checks.check_dose_kind(columns, empty, bad, sheet, faults, label)
    checks.check_overlaps(columns, sheet, faults, label)
    if measured is not None:
        checks.check_dosed_subjects(columns, measured["subject"], sheet, faults, label)
        checks.check_schedule(measured, columns, measured_sheet, faults)
    return columns | _covariates(sheet, DOSE_SCHEMA, decimal)
