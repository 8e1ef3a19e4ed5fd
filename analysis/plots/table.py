"""Raw data: every subject's values over time, and panels of one subject each with the drug shaded."""

from types import SimpleNamespace

import numpy as np

from remission.models.errors import DataError, did_you_mean, refuse_unknown_keywords

from .legend import place_legend
from .names import plain
from .points import draw_points
from .style import FONT, PALETTE, figure, label, log_ticks, new_axes, time_label
from .treatment import shade_spans

__all__ = ["plot_table", "table_panels"]

ORDER = ("blue", "vermilion", "green", "orange", "purple", "sky", "gold", "wine", "grey", "black")
MANY, CROWD, PANEL = 10, 25, 32.0


@refuse_unknown_keywords
def plot_table(table, ax=None, *, observable=None, subjects=None, scale=None, legend=True):
    """Measured values over time, one line a subject, one colour an arm; `plot(table)` calls this.

    Parameters
    ----------
    table : Table, or a Dataset that holds one
        For one subject its recorded drug is shaded.
    ax : Axes, optional
    observable : str, optional
        The first one if not given.
    subjects : str or sequence of str, optional
    scale : {"linear", "log"}, optional
        Logarithmic where all values are positive and span more than two decades, if not given.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If there is no such observable or subject, or no value.

    Examples
    --------
    >>> from remission.analysis import Table
    >>> columns = {"subject": ["a", "a"], "time": [0, 7], "observable": ["PSA"] * 2, "value": [4, 2]}
    >>> plot_table(Table(columns | {"unit": ["ng/mL"] * 2})).get_ylabel()
    'PSA (ng/mL)'
    """
    table, observable, subjects = _checked(table, observable, subjects)
    ax = new_axes(ax)
    arms = {s: table.arms[s] for s in subjects}
    groups = list(dict.fromkeys(arms.values() if len(set(arms.values())) > 1 else subjects))
    few, told = len(groups) <= MANY, set()
    for subject in subjects:
        group = arms[subject] if len(set(arms.values())) > 1 else subject
        colour = PALETTE[ORDER[groups.index(group)]] if few else PALETTE["blue"]
        if len(subjects) == 1:
            colour = PALETTE["black"]
        text = (str(group) or "no arm") if few and group not in told and len(groups) > 1 else None
        told.add(group)
        draw_points(ax, _series(table, subject, observable), colour=colour, label=text, joined=True,
                    size=3.0 if len(subjects) < 12 else 2.0, faint=len(subjects) > CROWD)  # fmt: skip
    ax.set_xlabel(time_label(table.time_unit))
    ax.set_ylabel(label(plain(observable), table.units.get(observable, "")))
    scale = _scale_of(table, observable, subjects) if scale is None else scale
    ax.set_yscale(scale)
    log_ticks(ax.yaxis)
    if scale == "linear" and ax.dataLim.y0 >= 0:
        ax.set_ylim(bottom=0)
    if len(subjects) == 1:
        shade_spans(ax, _drug(table, subjects[0]), text="drug given")
        ax.set_title(str(subjects[0]), loc="left", fontsize=FONT["title"])
    elif not few or len(groups) == 1:
        ax.set_title(f"{len(subjects)} subjects", loc="left", fontsize=FONT["title"])
    if legend:
        _one_each(ax)
    return ax


@refuse_unknown_keywords
def table_panels(table, *, observable=None, subjects=None, scale=None, ncols=4, width="double", sharey=False):
    """One panel a subject, with the recorded drug shaded.

    Parameters
    ----------
    table : Table, or a Dataset that holds one
    observable, subjects, scale
        As in `plot_table`.
    ncols : int
    width : {"single", "double"} or float
    sharey : bool

    Returns
    -------
    Figure
    """
    table, observable, subjects = _checked(table, observable, subjects)
    scale = _scale_of(table, observable, subjects) if scale is None else scale
    ncols = min(ncols, len(subjects))
    nrows = -(-len(subjects) // ncols)
    fig, axes = figure(ncols, nrows, width=width, height=PANEL * nrows + 16, sharey=sharey)
    panels = np.atleast_1d(axes).ravel()
    for ax, subject in zip(panels, subjects, strict=False):
        plot_table(table, ax, observable=observable, subjects=[subject], scale=scale, legend=False)
        ax.set_title(str(subject), loc="left", fontsize=FONT["tick"], pad=3)
    fig.supxlabel(panels[0].get_xlabel(), fontsize=FONT["label"])
    fig.supylabel(panels[0].get_ylabel(), fontsize=FONT["label"])
    entries = {}
    for i, ax in enumerate(panels):
        ax.set(xlabel="", ylabel="", visible=i < len(subjects))
        for handle, text in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(text, handle)
    if entries:
        fig.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=4, frameon=False,
                   fontsize=FONT["legend"])  # fmt: skip
    return fig


def _checked(table, observable, subjects):
    table = getattr(table, "table", table)
    if not len(table):
        raise DataError("plot: the table is empty")
    observable = table.observables[0] if observable is None else observable
    if observable not in table.observables:
        raise DataError(f"plot: no observable {observable!r}; {did_you_mean(observable, table.observables)}")
    subjects = [subjects] if isinstance(subjects, str) else list(table.subjects if subjects is None else subjects)
    for subject in subjects:
        if subject not in table.subjects:
            raise DataError(f"plot: the table has no subject {subject!r}; {did_you_mean(subject, table.subjects)}")
    measured = set(table["subject"][table["observable"] == observable].tolist())
    return table, observable, [s for s in subjects if s in measured]


def _series(table, subject, observable):
    rows = np.flatnonzero((table["subject"] == subject) & (table["observable"] == observable))
    rows = rows[np.argsort(table["time"][rows], kind="stable")]
    names = ("time", "value", "censoring", "limit", "limit_upper", "sd")
    return SimpleNamespace(**{name: table[name][rows] for name in names})


def _drug(table, subject):
    """Spans of the recorded drug; one without an end lasts to the next record, or to the last value."""
    rows = sorted(table.dose_rows(subject) if table.doses is not None else [], key=lambda r: r["time"])
    last = float(np.max(table["time"][table["subject"] == subject]))
    spans = []
    for i, row in enumerate(rows):
        level = row.get("on", row.get("rate", 0.0))
        later = [r["time"] for r in rows[i + 1 :] if r["into"] == row["into"]]
        end = row["time"] + row["duration"] if "duration" in row else (later[0] if later else last)
        if level and end > row["time"]:
            spans.append((row["time"], end))
    return spans


def _scale_of(table, observable, subjects):
    here = (table["observable"] == observable) & np.isin(table["subject"], subjects)
    values = table["value"][here]
    values = values[np.isfinite(values)]
    return "log" if len(values) and values.min() > 0 and values.max() / values.min() > 100 else "linear"


def _one_each(ax):
    """A legend without repeated entries."""
    entries = {}
    for handle, text in zip(*ax.get_legend_handles_labels(), strict=True):
        entries.setdefault(text, handle)
    if entries:
        place_legend(ax, list(entries.values()), list(entries))
