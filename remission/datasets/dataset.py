"""Dataset: a shipped table with where it comes from, under which licence, and what was done to it."""

import csv
import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Dataset:
    """Measured data in the schema of `read_table`, with provenance.

    Parameters
    ----------
    name, title, about : str
        What the set is called and what was measured.
    table : Table
        Measurements, and doses where they are recorded (`dataset.table.doses`).
    source, doi, licence, repository : str
        The article, the terms of the numbers, and the public repository they were taken from.
    cleaning : tuple of str
        Every rule that was applied between the source and the table.
    notes : tuple of str
        What a user should know before fitting.
    tables : dict of str to dict
        Further tables (published parameters, outcomes) as columns, dict of str to array of shape (n,).

    Examples
    --------
    >>> import remission as rm
    >>> data = rm.datasets.adaptive_abiraterone()
    >>> len(data.table), data.units, data.licence
    (439, {'PSA': 'ng/mL'}, 'CC0-1.0')
    >>> sorted(data.tables)
    ['progression_by_arm', 'published_parameters']
    """

    name: str
    title: str
    about: str = field(repr=False)
    table: object
    source: str
    doi: str
    licence: str
    repository: str = field(repr=False)
    cleaning: tuple = field(repr=False)
    notes: tuple = field(repr=False)
    tables: dict = field(repr=False)

    @property
    def units(self) -> dict:
        """Unit of every observable."""
        return self.table.units

    @property
    def doses(self):
        """Columns of the doses, or None where none are recorded."""
        return self.table.doses

    @property
    def page(self) -> str:
        """The set's page in Markdown: provenance, counts, cleaning rules."""
        return (FOLDER / f"{self.name}.md").read_text(encoding="utf-8")

    def __str__(self):
        lines = [f"{self.name}: {self.title}", str(self.table)]
        lines += [f"  table {name!r}: {', '.join(columns)}" for name, columns in self.tables.items()]
        return "\n".join([*lines, f"  doi: {self.doi}; licence: {self.licence}"])


@functools.cache
def facts(name) -> dict:
    """What is written about a set, from its TOML file."""
    with open(FOLDER / f"{name}.toml", "rb") as file:
        return tomllib.load(file)


def read_shipped(name, time_unit=None, folder=FOLDER) -> Dataset:
    """Read one set through `read_table`, so that what ships passes the checks a user's file must pass."""
    from remission.analysis.tables import Table, read_table

    about = facts(name)
    doses = folder / f"{name}_doses.csv"
    table = read_table(
        folder / f"{name}.csv", doses=doses if doses.exists() else None, time_unit=time_unit or about["time_unit"]
    )
    return Dataset(
        name=name,
        title=about["title"],
        about=about["about"].strip(),
        table=Table(table.columns, table.doses, f"{about['source']}, doi:{about['doi']}"),
        source=about["source"],
        doi=about["doi"],
        licence=about["licence"],
        repository=about["repository"],
        cleaning=tuple(about["cleaning"]),
        notes=tuple(about["notes"]),
        tables={extra: read_columns(folder / f"{name}_{extra}.csv") for extra in about.get("tables", {})},
    )


def read_columns(path) -> dict:
    """A plain CSV as columns; numbers where every cell that is filled is one, subjects always text."""
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = {}
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        try:
            values = np.array([float(cell) if cell else np.nan for cell in cells])
        except ValueError:
            values = None
        column = np.array(cells, str) if values is None or name == "subject" else values
        column.flags.writeable = False
        columns[name] = column
    return columns
