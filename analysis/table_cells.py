"""From a file or rows to cells: encoding, separators, headers, numbers, and the list of faults."""

import contextlib
import csv
import io
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from remission.models.errors import DataError, did_you_mean

SHOWN_FAULTS = 25
SHOWN_OPTIONS = 12
UNNAMED = "the table"
SEPARATORS = (",", ";", "\t", "|")


@dataclass
class Faults:
    """Everything that is wrong with a table, said once and together.

    Rows count as in a spreadsheet: the header is row 1. Faults with the same words share one line.
    """

    name: str
    found: dict = field(default_factory=dict)

    def add(self, message, row=1, sheet=""):
        """Note a fault at a row (or at each row of an iterable) of the named sheet."""
        rows = [int(row)] if np.ndim(row) == 0 else [int(r) for r in row]
        self.found.setdefault((sheet, message), []).extend(rows)

    def __len__(self):
        return sum(len(rows) for rows in self.found.values())

    def refuse(self):
        """Raise one DataError with all faults, or do nothing when there is none."""
        if not self.found:
            return
        order = sorted(self.found.items(), key=lambda item: (item[0][0], min(item[1])))
        lines = [f"  {sheet + ' ' if sheet else ''}{spans(rows)}: {text}" for (sheet, text), rows in order]
        more = len(lines) - SHOWN_FAULTS
        if more > 0:
            hidden = sum(len(rows) for _, rows in order[SHOWN_FAULTS:])
            lines[SHOWN_FAULTS:] = [f"  and {hidden} more"]
        count = f"{len(self)} fault{'s' if len(self) > 1 else ''}"
        raise DataError("\n".join([f"{self.name} cannot be used; {count} (row 1 is the header):", *lines]))


def spans(rows) -> str:
    """Row numbers in words, runs joined: "rows 2, 5-9 and 14 more"."""
    rows = sorted(set(rows))
    runs = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    shown, hidden = runs[:8], runs[8:]
    text = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in shown)
    if hidden:
        text += f" and {sum(b - a + 1 for a, b in hidden)} more"
    return ("row " if len(rows) == 1 else "rows ") + text


def near(name, options, short=False) -> str:
    """The nearest match and what there is, without listing hundreds of names."""
    options = list(dict.fromkeys(map(str, options)))
    text = did_you_mean(name, options)
    match, _, rest = text.partition("? ")
    if short:
        return match + "?" if rest else ""
    if len(options) <= SHOWN_OPTIONS:
        return text
    some = ", ".join(options[:SHOWN_OPTIONS])
    return (match + "? " if rest else "") + f"there is: {some} and {len(options) - SHOWN_OPTIONS} more"


@dataclass
class Sheet:
    """Named columns of text cells with the row number of each."""

    rows: list
    columns: dict

    def __contains__(self, name):
        return name in self.columns


def source_name(source) -> str:
    """A short name of a path, an open file or rows for messages."""
    if isinstance(source, str | os.PathLike):
        return Path(source).name
    name = getattr(source, "name", "")
    return Path(name).name if isinstance(name, str) and name else UNNAMED


def read_sheet(source, faults, sheet="", decimal=".") -> Sheet | None:
    """Read a path, an open file, a data frame or rows (dictionaries) into text cells; None if that fails."""
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        source = source.to_dict("records")
    if isinstance(source, str | os.PathLike) or hasattr(source, "read"):
        text = _text(source, faults, sheet)
        lines = None if text is None else _lines(text, faults, sheet, decimal)
    else:
        lines = _lines_of_rows(source, faults, sheet)
    if not lines:
        if lines is not None:
            faults.add("the table is empty", 1, sheet)
        return None
    return _columns(lines, faults, sheet)


def _text(source, faults, sheet):
    try:
        data = source.read() if hasattr(source, "read") else Path(source).read_bytes()
        return data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        faults.add(f"the file is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'", 1, sheet)
    except OSError as error:
        faults.add(f"the file cannot be read: {error.strerror or error}", 1, sheet)
    return None


def _lines(text, faults, sheet, decimal):
    """Cells of a delimited text as [(row number, cells)]; the separator is the one that cuts the header most."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    options = [s for s in SEPARATORS if s != decimal]
    separator = max(options, key=lambda s: len(next(csv.reader([first], delimiter=s), [])))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        lines = [(row, [cell.strip() for cell in cells]) for row, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        faults.add(f"the file is not readable as a table: {error}", 1, sheet)
        return None
    return [(row, cells) for row, cells in lines if any(cells)]


def _lines_of_rows(source, faults, sheet):
    try:
        rows = [dict(row) for row in source]
    except (TypeError, ValueError):
        faults.add("a table is a path, an open file, or a list of rows (dictionaries)", 1, sheet)
        return None
    header = list(dict.fromkeys(key for row in rows for key in row))
    cells = [(number, [cell_text(row.get(key)) for key in header]) for number, row in enumerate(rows, start=2)]
    return [(1, [str(key).strip() for key in header]), *cells] if rows else []


def cell_text(value) -> str:
    """A value as the text of a cell; None and NaN are empty, floats keep every digit."""
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, float | np.floating):
        value = float(value)
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()


def _columns(lines, faults, sheet):
    (top, header), body = lines[0], lines[1:]
    while header and not header[-1]:
        header = header[:-1]
    for position, name in enumerate(header):
        if not name:
            faults.add(f"column {position + 1} has no name", top, sheet)
        elif header.index(name) < position:
            faults.add(f"column {name!r} occurs twice", top, sheet)
    if not body:
        faults.add("there is a header and no row below it", top, sheet)
        return None
    whole = []
    for row, cells in body:
        while len(cells) > len(header) and not cells[-1]:
            cells = cells[:-1]
        if len(cells) != len(header):
            faults.add(f"{len(cells)} cells, but the header has {len(header)}", row, sheet)
            continue
        whole.append((row, cells))
    columns = {
        name: [cells[i] for _, cells in whole] for i, name in enumerate(header) if name and header.index(name) == i
    }
    return Sheet([row for row, _ in whole], columns)


def numbers(sheet, name, faults, label="", decimal=".") -> tuple:
    """A column as floats: (values, empty, bad); empty cells and refused cells are NaN."""
    cells = sheet.columns[name]
    values, empty, bad = np.full(len(cells), np.nan), np.zeros(len(cells), bool), np.zeros(len(cells), bool)
    for i, cell in enumerate(cells):
        if not cell:
            empty[i] = True
            continue
        value = number(cell, decimal)
        if value is not None and math.isfinite(value):
            values[i] = value
            continue
        bad[i] = True
        faults.add(f"{name} {cell!r} {_not_a_number(cell, value)}", sheet.rows[i], label)
    return values, empty, bad


def number(cell, decimal="."):
    """A cell as a float, or None when it is text."""
    if decimal == ",":
        cell = cell.replace(",", ".") if "." not in cell else "text"
    if "_" in cell or not cell.isascii():
        return None
    with contextlib.suppress(ValueError):
        return float(cell)
    return None


def _not_a_number(cell, value) -> str:
    if value is not None:
        return "is not a finite number; leave the cell of a missing value empty"
    if cell.startswith(("<", ">")):
        return "is not a number; write censoring 'left' (below) or 'right' (above) and the number as its limit"
    if cell.lower() in ("na", "n/a", "-", "none", "null", "missing", "."):
        return "is not a number; leave the cell of a missing value empty"
    if "," in cell and number(cell, ",") is not None:
        return 'is not a number; for decimal commas say decimal=","'
    return "is not a number"
