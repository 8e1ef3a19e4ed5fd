"""What a chapter of a study hands over: numbers with unit and uncertainty, tables, figures, and words."""

from dataclasses import asdict, dataclass, field

__all__ = ["Chapter", "Figure", "Number", "TableOut"]


@dataclass(frozen=True)
class Number:
    """One result.

    Parameters
    ----------
    name : str
        Key in numbers.json, unique in its chapter.
    value : float or None
        None when it could not be computed; `note` says why.
    unit : str
        `""` for a plain number.
    low, high : float, optional
        Interval; `interval` says which one, such as "95 % paired bootstrap".
    interval : str
    label : str
        Words for the report.
    note : str
    headline : bool
        Whether the report shows it at the top.

    Examples
    --------
    >>> str(Number("t", 12.3456, unit="day", low=11, high=14, interval="95 %"))
    '12.3 day (95 %: 11 to 14)'
    """

    name: str
    value: float | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    interval: str = ""
    label: str = ""
    note: str = ""
    headline: bool = False

    def __str__(self):
        text = "not available" if self.value is None else f"{self.value:.3g}"
        text += f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            text += f" ({self.interval + ': ' if self.interval else ''}{self.low:.3g} to {self.high:.3g})"
        return text


@dataclass(frozen=True)
class TableOut:
    """A table, written as CSV and shown in the report.

    Parameters
    ----------
    name, caption : str
    columns : tuple of (str, str)
        Name and unit of each column.
    rows : tuple of tuple
        In the order of the columns.
    """

    name: str
    caption: str
    columns: tuple
    rows: tuple


@dataclass(frozen=True)
class Figure:
    """A figure that is already saved as `figures/<name>.png` and `.pdf`.

    Parameters
    ----------
    name, caption : str
    """

    name: str
    caption: str


@dataclass(frozen=True)
class Chapter:
    """Everything a chapter found.

    Parameters
    ----------
    name, title : str
    summary : tuple of str
        Paragraphs for the report, plain text, the answer first.
    numbers, tables, figures : tuple
        Of `Number`, `TableOut` and `Figure`.
    methods : tuple of str
        Paragraphs on how it was done: data, model, settings, seeds.
    warnings : tuple of str
        What a reader must know before quoting a number.
    seconds : float
        Time it took.

    Examples
    --------
    >>> chapter = Chapter("a", "A title", ("It works.",), (Number("x", 1.0),))
    >>> Chapter.from_dict(chapter.to_dict()) == chapter
    True
    """

    name: str
    title: str
    summary: tuple = ()
    numbers: tuple = ()
    tables: tuple = ()
    figures: tuple = ()
    methods: tuple = ()
    warnings: tuple = ()
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, parts) -> "Chapter":
        """The chapter that `to_dict` wrote.

        Parameters
        ----------
        parts : dict
        """
        made = dict(parts)
        made["numbers"] = tuple(Number(**{k: _finite_or_not(k, v) for k, v in n.items()}) for n in parts["numbers"])
        made["figures"] = tuple(Figure(**f) for f in parts["figures"])
        made["tables"] = tuple(
            TableOut(t["name"], t["caption"], tuple(map(tuple, t["columns"])), tuple(map(tuple, t["rows"])))
            for t in parts["tables"]
        )
        for name in ("summary", "methods", "warnings"):
            made[name] = tuple(parts[name])
        return cls(**made)


def _finite_or_not(name, value):
    """JSON has no infinity: "inf" and "nan" come back as the floats they were."""
    return float(value) if name in ("value", "low", "high") and isinstance(value, str) else value
