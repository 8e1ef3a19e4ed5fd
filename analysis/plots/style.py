"""How every figure looks: colours by clone, labels with units, journal sizes, files that reproduce byte for byte.

Nothing here touches matplotlib's global settings. A figure of ours is a `matplotlib.figure.Figure` that pyplot has
never heard of, so none is left open; text and line sizes are written on the artists themselves.
"""

import re
import zlib
from pathlib import Path

from remission.models.errors import refuse_unknown_keywords
from remission.models.units import parse_unit

__all__ = [
    "FONT",
    "PALETTE",
    "colour_of",
    "figure",
    "label",
    "line_of",
    "log_ticks",
    "new_axes",
    "pretty_powers",
    "pretty_unit",
    "save",
    "style_axes",
    "time_label",
]

# Okabe and Ito (2008), told apart by colour-blind readers; yellow is darkened to be seen on white.
PALETTE = {
    "black": "#222222",
    "blue": "#0072B2",
    "sky": "#56B4E9",
    "green": "#009E73",
    "gold": "#B8860B",
    "orange": "#E69F00",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "wine": "#882255",
    "grey": "#7F7F7F",
}
SOLID, DASHED, DOTTED, DASHDOT = "-", (0, (5, 1.6)), (0, (1, 1.3)), (0, (5, 1.4, 1, 1.4))
LINES = (SOLID, DASHED, DASHDOT, DOTTED, (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))

# One look per letter of the catalogue, in every figure: colour first, line style as a second cue.
KNOWN = {
    "S": ("blue", SOLID),
    "A": ("orange", DASHDOT),
    "R": ("vermilion", DASHED),
    "T": ("black", SOLID),
    "N": ("black", SOLID),
    "burden": ("black", SOLID),
    "at_risk": ("grey", DASHED),
    "resistant_fraction": ("vermilion", DASHED),
    "aneuploid_fraction": ("orange", DASHDOT),
    "F": ("sky", SOLID),
    "X": ("green", DASHED),
    "M": ("purple", DASHDOT),
    "P": ("gold", DOTTED),
    "protection": ("gold", DOTTED),
    "u": ("grey", SOLID),
    "e": ("grey", SOLID),
    "B": ("sky", DASHED),
    "cin": ("gold", DASHED),
    "C": ("green", SOLID),
}
POOLS = {
    "tumour": ("blue", "vermilion", "orange", "wine", "black"),
    "signal": ("sky", "green", "gold"),
    "immune": ("purple", "wine"),
    "drug": ("green", "grey"),
    "input": ("grey", "sky", "gold"),
    "observable": ("black", "grey", "wine"),
    "other": ("grey", "wine", "green"),
}
FONT = {"label": 9.0, "tick": 8.0, "legend": 8.0, "title": 9.5, "note": 8.0}  # points at print size
SPINE, GRID = "#444444", "#E4E4E4"
WIDTHS = {"single": 85.0, "double": 180.0}  # mm, columns of most journals
MM = 1 / 25.4
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def colour_of(name, kind="other") -> str:
    """Colour of a clone, signal, immune cell, drug or observable: the same in every figure.

    Parameters
    ----------
    name : str
        Name of a state, input or observable.
    kind : {"tumour", "signal", "immune", "drug", "input", "observable", "other"}
        Names that are not in our table take a colour of this kind, the same one in every process.

    Returns
    -------
    str
        Hexadecimal colour from a palette that colour-blind readers can tell apart.

    Examples
    --------
    >>> colour_of("S"), colour_of("R"), colour_of("my_clone", "tumour") == colour_of("my_clone", "tumour")
    ('#0072B2', '#D55E00', True)
    """
    name = str(getattr(name, "name", name))
    if name in KNOWN:
        return PALETTE[KNOWN[name][0]]
    pool = POOLS.get(kind, POOLS["other"])
    return PALETTE[pool[zlib.crc32(name.encode()) % len(pool)]]


def line_of(name):
    """Line style that goes with the colour of a name, so that figures survive a grey print.

    Parameters
    ----------
    name : str

    Returns
    -------
    str or tuple
        A matplotlib line style.

    Examples
    --------
    >>> line_of("S"), line_of("R")
    ('-', (0, (5, 1.6)))
    """
    name = str(getattr(name, "name", name))
    return KNOWN[name][1] if name in KNOWN else LINES[zlib.crc32(name.encode()) // 7 % 4]


def pretty_unit(unit) -> str:
    """A unit as it is printed: powers raised, "per" before what divides; empty where there is nothing to print.

    Parameters
    ----------
    unit : str or Unit

    Returns
    -------
    str

    Examples
    --------
    >>> pretty_unit("1e6 cells"), pretty_unit("mm^3"), pretty_unit("1/day"), pretty_unit("1")
    ('10⁶ cells', 'mm³', 'per day', '')
    """
    text = str(unit or "").strip()
    if text in ("", "1", "dimensionless", "fraction"):
        return ""
    text = pretty_powers(text)
    text = re.sub(r"(?:\^|\*\*)\(?(-?\d+)(?:\)|(?![\d/]*\)))", lambda m: m[1].translate(SUPERSCRIPT), text)
    text = re.sub(r"([A-Za-z])(\d)(?!\d)", lambda m: m[1] + m[2].translate(SUPERSCRIPT), text)
    text = re.sub(r"^1\s*/\s*", "per ", text)
    text = re.sub(r"\bug\b", "µg", re.sub(r"\bum\b", "µm", text)).replace("*", "·")
    return "days" if text == "day" else text


def pretty_powers(text) -> str:
    """Powers of ten in a text as they are printed: "1e6" as "10⁶".

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> pretty_powers("tumour cells / 1e6")
    'tumour cells / 10⁶'
    """
    return re.sub(r"\b1[eE]\+?0*(\d+)", lambda m: "10" + m[1].translate(SUPERSCRIPT), text)


def label(name, unit="") -> str:
    """Text of an axis: what it is, and its unit in brackets.

    Parameters
    ----------
    name : str
    unit : str
        `""` and `"1"` print nothing.

    Returns
    -------
    str

    Examples
    --------
    >>> label("tumour volume", "mm^3"), label("relapsed fraction", "1")
    ('tumour volume (mm³)', 'relapsed fraction')
    """
    printed = pretty_unit(unit)
    return f"{name} ({printed})" if printed else str(name)


def time_label(unit="day") -> str:
    """Label of a time axis.

    Parameters
    ----------
    unit : str
        The model's `time_unit`.

    Returns
    -------
    str

    Examples
    --------
    >>> time_label("day"), time_label("month"), time_label("1")
    ('time (days)', 'time (months)', 'scaled time')
    """
    if unit in ("", "1"):
        return "scaled time"
    for plural in ("days", "weeks", "months", "hours", "years"):
        if unit in (plural, plural[:-1]):
            return f"time ({plural})"
    return f"time ({pretty_unit(unit)})"


@refuse_unknown_keywords
def figure(ncols=1, nrows=1, *, width="single", height=None, sharex=False, sharey=False):
    """A new figure of journal width with its axes, in constrained layout.

    Parameters
    ----------
    ncols, nrows : int
    width : {"single", "double"} or float
        85 mm, 180 mm, or millimetres.
    height : float, optional
        Millimetres; by default three quarters of the width of one panel for each row.
    sharex, sharey : bool
        As in `matplotlib.figure.Figure.subplots`.

    Returns
    -------
    Figure, Axes or array of Axes of shape (nrows, ncols)
        One Axes where there is one panel. The figure is unknown to pyplot, so it need not be closed.

    Examples
    --------
    >>> fig, axes = figure(2, width="double")
    >>> axes.shape, round(float(fig.get_size_inches()[0] * 25.4))
    ((1, 2), 180)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    wide = WIDTHS[width] if isinstance(width, str) else float(width)
    tall = float(height) if height else nrows * max(0.72 * wide / ncols, 42.0)
    fig = Figure(figsize=(wide * MM, tall * MM), layout="constrained", dpi=150)
    FigureCanvasAgg(fig)
    axes = fig.subplots(nrows, ncols, squeeze=False, sharex=sharex, sharey=sharey)
    for ax in axes.flat:
        style_axes(ax)
    return fig, (axes[0, 0] if axes.size == 1 else axes)


def new_axes(ax=None, *, width=120.0, height=None):
    """The axes that were given, styled, or those of a new figure.

    Parameters
    ----------
    ax : Axes, optional
    width, height : float
        Millimetres of the new figure.

    Returns
    -------
    Axes
    """
    if ax is None:
        return figure(width=width, height=height)[1]
    return style_axes(ax)


def style_axes(ax):
    """Open axes with thin spines and legible ticks; only artists of `ax` are changed.

    Parameters
    ----------
    ax : Axes

    Returns
    -------
    Axes
    """
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set(color=SPINE, linewidth=0.8)
    ax.tick_params(which="major", labelsize=FONT["tick"], color=SPINE, width=0.8, length=3.5)
    ax.tick_params(which="minor", color=SPINE, width=0.6, length=2.0)
    ax.xaxis.label.set_fontsize(FONT["label"])
    ax.yaxis.label.set_fontsize(FONT["label"])
    ax.title.set_fontsize(FONT["title"])
    ax.set_axisbelow(True)
    return ax


def log_ticks(axis):
    """Tick labels of a logarithmic axis: powers of ten, or 1, 2 and 5 times where it spans little more than one.

    Parameters
    ----------
    axis : Axis
        `ax.xaxis` or `ax.yaxis`, its limits set; nothing is done where it is not logarithmic.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    if axis.get_scale() != "log" or not 0 < low < high:
        return
    if high / low < 40:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


@refuse_unknown_keywords
def save(fig, path, *, title="") -> tuple:
    """Write a figure as PNG (200 dpi) and PDF, without dates, so that the same figure is the same file.

    Legends that `place_legend` placed are placed again first, as the layout may have changed since.

    Parameters
    ----------
    fig : Figure or Axes
    path : path
        With or without a suffix; both files get the same stem. Missing folders are made.
    title : str
        Title stored in both files.

    Returns
    -------
    tuple of pathlib.Path
        PNG and PDF.

    Examples
    --------
    >>> fig, ax = figure()
    >>> line = ax.plot([0, 1], [0, 1])
    >>> [path.name for path in save(fig, "growth")]
    ['growth.png', 'growth.pdf']
    """
    from matplotlib import rc_context

    from .legend import replace_legends

    fig = getattr(fig, "figure", None) or fig
    path = Path(path)
    stem = path.with_suffix("") if path.suffix.lower() in (".png", ".pdf") else path
    stem.parent.mkdir(parents=True, exist_ok=True)
    replace_legends(fig)
    tight = {} if fig.get_layout_engine() else {"bbox_inches": "tight"}
    files = tuple(stem.parent / f"{stem.name}{suffix}" for suffix in (".png", ".pdf"))
    extra = {"Title": title} if title else {}
    with rc_context({"pdf.fonttype": 42}):  # text stays text
        fig.savefig(files[0], dpi=200, metadata={"Software": "remission", **extra}, **tight)
        fig.savefig(files[1], metadata={"Creator": "remission", "CreationDate": None, **extra}, **tight)
    _forget(fig)
    return files


def _forget(fig):
    """Close a figure that pyplot holds, without loading pyplot where nobody did."""
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(fig)


def same_unit(one, other) -> bool:
    """Whether values in two units may share an axis as they are.

    Parameters
    ----------
    one, other : str or Unit

    Returns
    -------
    bool
    """
    if str(one) == str(other):
        return True
    return bool(one) and bool(other) and parse_unit(str(one)) == parse_unit(str(other))
