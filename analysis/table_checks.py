"""What a table of measurements or doses must satisfy; every breach becomes a fault with its rows."""

import numpy as np

from remission.models.errors import ModelError
from remission.models.units import conversion, parse_unit

from .table_cells import near

CENSORING = ("none", "left", "right", "interval")


def converted_times(columns, names, wanted, sheet, faults, label):
    """Scale the time columns to the wanted unit; rows without a unit are taken to be in it."""
    units = columns.pop("time_unit", None)
    if units is None:
        return
    for unit in dict.fromkeys(units):
        if not unit:
            continue
        here = np.array([u == unit for u in units])
        try:
            factor = conversion(unit, wanted)
        except ModelError as error:
            faults.add(f"time_unit: {error}", np.array(sheet.rows)[here], label)
            continue
        for name in names:
            if name in columns:
                columns[name][here] *= factor


def converted_values(columns, names, group, targets, sheet, faults, label, arguments="units"):
    """Scale value columns so that each group (observable, compartment) has one unit; returns the unit texts."""
    units, groups = list(columns["unit"]), columns[group]
    rows = np.array(sheet.rows)
    known = list(dict.fromkeys(g for g in groups if g))
    for name in targets:
        if name not in known:
            faults.add(f"{arguments}= names {name!r}, which does not occur; {near(name, known)}", 1, label)
    for name in known:
        here = np.array([g == name for g in groups])
        given = list(dict.fromkeys(u for u, h in zip(units, here, strict=True) if h))
        wanted = targets.get(name) or next((u for u in given if u), "")
        for unit in given:
            these = here & np.array([u == unit for u in units])
            factor = _factor(name, unit, wanted, rows[these], faults, label)
            for column in names:
                columns[column][these] *= factor
        units = [wanted if h else u for u, h in zip(units, here, strict=True)]
    return units


def _factor(name, unit, wanted, rows, faults, label):
    if unit == wanted == "":
        return 1.0
    if unit == "":
        faults.add(
            f"{name!r} has no unit, {wanted!r} is wanted; state it in a unit column or in constants", rows, label
        )
        return 1.0
    try:
        parse_unit(unit)
        return conversion(unit, wanted)
    except ModelError as error:
        faults.add(f"{name!r}: {error}", rows, label)
        return 1.0


def check_names(sheet, column, allowed, what, faults, label):
    """Cells that are none of the allowed names."""
    for row, cell in zip(sheet.rows, sheet.columns[column], strict=True):
        if cell and cell not in allowed:
            faults.add(f"unknown {what} {cell!r}; {near(cell, allowed)}", row, label)


def check_censoring(columns, empty, bad, sheet, faults, label):
    """A value or a limit in every row, as its censoring code asks."""
    codes, limit, upper = columns["censoring"], columns["limit"], columns["limit_upper"]
    for i, row in enumerate(sheet.rows):
        code = codes[i]
        if code not in CENSORING or bad[i]:
            continue
        if code == "none" and empty[i]:
            faults.add("no value; a value that was not seen needs a censoring code and a limit", row, label)
        elif code != "none" and np.isnan(limit[i]):
            faults.add(f"censored ({code}) without a limit", row, label)
        elif code == "interval" and not limit[i] < upper[i]:
            faults.add("censored (interval) needs limit < limit_upper", row, label)


def check_signs(columns, sheet, faults, label):
    """No negative sd or weight, and counts above zero."""
    for name, wrong, words in (
        ("sd", np.less, "negative"),
        ("weight", np.less, "negative"),
        ("n", np.less_equal, "not"),
    ):
        if name in columns:
            rows = np.array(sheet.rows)[wrong(columns[name], 0)]
            if len(rows):
                faults.add(f"{name} is {words + ' above zero' if name == 'n' else words}", rows, label)


def check_duplicates(columns, sheet, faults, label):
    """One row for each subject, observable, time and replicate."""
    seen = {}
    keys = zip(columns["subject"], columns["observable"], columns["time"], columns["replicate"], strict=True)
    for row, (subject, observable, time, replicate) in zip(sheet.rows, keys, strict=True):
        if not subject or not observable or np.isnan(time):
            continue
        first = seen.setdefault((subject, observable, float(time), replicate), row)
        if first != row:
            which = f", replicate {replicate!r}" if replicate else ""
            text = f"repeats row {first}: subject {subject!r}, {observable!r} at {time:g}{which}; number the replicates"
            faults.add(text, row, label)


def check_dose_kind(columns, empty, bad, sheet, faults, label):
    """Exactly one of amount, rate and on; a duration where one is needed; nothing below zero."""
    for i, row in enumerate(sheet.rows):
        given = [name for name in ("amount", "rate", "on") if not empty[name][i]]
        if len(given) != 1:
            faults.add(f"a dose has one of amount, rate and on; here {' and '.join(given) or 'none'}", row, label)
            continue
        if columns[given[0]][i] < 0:
            faults.add(f"{given[0]} is negative", row, label)
        duration = columns["duration"][i]
        if duration < 0 or (duration == 0 and given[0] != "amount"):
            faults.add(f"duration {duration:g} is not above zero", row, label)
        elif given[0] != "amount" and empty["duration"][i] and not bad["duration"][i]:
            faults.add(f"{given[0]} needs a duration", row, label)


def check_overlaps(columns, sheet, faults, label):
    """Infusions and on-intervals of one subject into one compartment do not overlap; doses at an instant add."""
    order = np.lexsort((columns["time"], columns["into"], columns["subject"]))
    last = None
    for i in order:
        start, length = columns["time"][i], columns["duration"][i]
        if np.isnan(start) or not length > 0 or not np.isnan(columns["amount"][i]):
            continue
        key = (columns["subject"][i], columns["into"][i])
        if last and last[0] == key and start < last[1] - 1e-9 * max(1.0, abs(last[1])):
            text = f"overlaps row {last[2]} (subject {key[0]!r}, into {key[1]!r}), which lasts until {last[1]:g}"
            faults.add(text, sheet.rows[i], label)
        if last is None or last[0] != key or start + length > last[1]:
            last = (key, start + length, sheet.rows[i])


def check_dosed_subjects(doses, subjects, sheet, faults, label):
    """Every subject with doses has measurements."""
    known = set(subjects)
    for subject in dict.fromkeys(s for s in doses["subject"] if s and s not in known):
        rows = [row for row, s in zip(sheet.rows, doses["subject"], strict=True) if s == subject]
        hint = near(subject, list(dict.fromkeys(subjects)), short=True)
        faults.add(f"subject {subject!r} has doses and no measurement" + (f"; {hint}" if hint else ""), rows, label)


def check_schedule(columns, doses, sheet, faults):
    """Measurements lie inside a schedule that records off as well as on.

    A file that lists only the intervals with drug says nothing about the time between them, so it is not a
    record of the whole follow-up and nothing can lie outside it.
    """
    if not np.any(doses["on"] == 0):
        return
    intervals = {}
    for i in np.flatnonzero(~np.isnan(doses["on"]) & ~np.isnan(doses["time"] + doses["duration"])):
        key = (doses["subject"][i], doses["into"][i])
        intervals.setdefault(key, []).append((doses["time"][i], doses["time"][i] + doses["duration"][i]))
    by_subject = {}
    for (subject, into), spans in intervals.items():
        by_subject.setdefault(subject, []).append((into, np.array(spans)))
    for row, subject, time in zip(sheet.rows, columns["subject"], columns["time"], strict=True):
        for into, spans in by_subject.get(subject, ()):
            slack = 1e-9 * max(1.0, abs(time))
            if np.isnan(time) or np.any((spans[:, 0] - slack <= time) & (time <= spans[:, 1] + slack)):
                continue
            text = f"time {time:g} is out of the schedule of {into!r} ({spans.min():g} to {spans.max():g})"
            faults.add(f"{text} of subject {subject!r}", row)
