"""Relapse-free survival: model curves with bands and plateau, observed steps, and expected lineages by phase."""

import warnings

import numpy as np

from remission.models.errors import DataError, refuse_unknown_keywords

from .legend import place_legend
from .style import FONT, LINES, PALETTE, new_axes, time_label

__all__ = ["kaplan_meier", "plot_lineages", "plot_survival"]

APART = 0.13  # of two labels of plateaus, in parts of the axis
ORDER = ("blue", "vermilion", "green", "orange", "purple", "black")


@refuse_unknown_keywords
def plot_survival(curves, ax=None, *, observed=None, plateaus=None, colours=None, time_unit="day", start="",
                  what="relapse-free fraction", legend=True):  # fmt: skip
    """Relapse-free fraction over time.

    Parameters
    ----------
    curves : dict
        Legend entry -> (times, fraction) or (times, fraction, low, high), arrays of equal length; the second form
        has a band.
    ax : Axes, optional
    observed : dict, optional
        Legend entry -> (times, relapsed): times of relapse or last look, and whether it relapsed. Drawn as a
        Kaplan-Meier step with ticks where animals were lost from view.
    plateaus : dict, optional
        Legend entry -> fraction that never relapses, drawn as a dotted line.
    colours : dict, optional
        Legend entry -> colour; an entry of both `curves` and `observed` has one colour.
    time_unit : str
    start : str
        What the time counts from, such as "withdrawal".
    what : str
        Label of the y axis.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If arrays differ in length or a fraction lies outside 0 and 1.

    Examples
    --------
    >>> ax = plot_survival({"low": ([0, 100, 200], [1.0, 0.97, 0.95])}, plateaus={"low": 0.95})
    >>> ax.get_ylabel(), float(ax.get_ylim()[1])
    ('relapse-free fraction', 1.02)
    """
    observed, plateaus = observed or {}, plateaus or {}
    names = list(dict.fromkeys([*curves, *observed]))
    chosen = {name: PALETTE[ORDER[i % len(ORDER)]] for i, name in enumerate(names)} | dict(colours or {})
    ax, last = new_axes(ax), 0.0
    for i, (name, parts) in enumerate(curves.items()):
        times, fraction, *band = (np.asarray(p, dtype=float) for p in parts)
        _check(name, times, fraction, *band)
        if len(band) == 2:
            ax.fill_between(times, *band, color=chosen[name], alpha=0.18, linewidth=0)
        ax.plot(times, fraction, color=chosen[name], linestyle=LINES[i % 4], linewidth=1.7, label=name)
        last = max(last, times[-1])
    for name, (times, relapsed) in observed.items():
        last = max(last, float(np.max(times)))
        _steps(ax, name, times, relapsed, chosen[name], f"{name}, observed (n = {len(times)})")
    _plateaus(ax, plateaus, chosen)
    ax.set_ylim(0, 1.02)
    ax.set_xlim(0, last or 1)
    ax.set_xlabel(time_label(time_unit).replace("time", f"time since {start}") if start else time_label(time_unit))
    ax.set_ylabel(what)
    if legend:
        place_legend(ax)
    return ax


def kaplan_meier(times, relapsed, level=0.95) -> tuple:
    """Product-limit estimate with log-log limits (`scipy.stats.ecdf`).

    Parameters
    ----------
    times : (n,) array_like
        Time of relapse, or of the last look where there was none.
    relapsed : (n,) array_like of bool
    level : float
        Of the interval.

    Returns
    -------
    times, fraction, low, high : arrays of equal length
        From time 0, where the fraction is 1; steps to be drawn "post".

    Examples
    --------
    >>> t, fraction, low, high = kaplan_meier([3, 5, 8], [True, False, True])
    >>> fraction.round(3).tolist()
    [1.0, 0.667, 0.667, 0.0]
    """
    from scipy.stats import CensoredData, ecdf

    times, relapsed = np.asarray(times, dtype=float), np.asarray(relapsed, dtype=bool)
    if times.shape != relapsed.shape or times.ndim != 1 or not len(times):
        raise DataError(f"kaplan_meier: times has shape {times.shape}, relapsed {relapsed.shape}; give one for each")
    found = ecdf(CensoredData(uncensored=times[relapsed], right=times[~relapsed])).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # limits are undefined at fractions 1 and 0; set below
        limits = found.confidence_interval(level, method="log-log")
    low, high = limits.low.probabilities, limits.high.probabilities
    low = np.where(np.isnan(low), np.where(found.probabilities >= 1, 1.0, 0.0), low)
    high = np.where(np.isnan(high), np.where(found.probabilities <= 0, low, 1.0), high)
    return (
        np.concatenate([[0.0], found.quantiles]),
        np.concatenate([[1.0], found.probabilities]),
        np.concatenate([[1.0], low]),
        np.concatenate([[1.0], high]),
    )


def _plateaus(ax, plateaus, chosen):
    """Dotted lines; their numbers stand outside on the right, moved apart where they are close."""
    below = np.inf
    for name, level in sorted(plateaus.items(), key=lambda item: -item[1]):
        colour = chosen.get(name, PALETTE["grey"])
        ax.axhline(level, color=colour, linestyle=":", linewidth=1.1)
        below = min(level, below - APART)
        text = f"{100 * level:.3g} %\nnever relapse"
        ax.annotate(
            text, (1.02, below), xycoords=("axes fraction", "data"), va="center", fontsize=FONT["note"], color=colour
        )


def _steps(ax, name, times, relapsed, colour, text):
    times, relapsed = np.asarray(times, dtype=float), np.asarray(relapsed, dtype=bool)
    t, fraction, low, high = kaplan_meier(times, relapsed)
    ax.fill_between(t, low, high, step="post", color=colour, alpha=0.12, linewidth=0)
    ax.step(t, fraction, where="post", color=colour, linewidth=1.1, label=text)
    lost = np.sort(times[~relapsed])
    level = fraction[np.searchsorted(t, lost, side="right") - 1]
    ax.plot(lost, level, linestyle="none", marker="|", markersize=6, color=colour)


def _check(name, times, fraction, *band):
    if any(part.shape != times.shape for part in (fraction, *band)) or len(band) not in (0, 2):
        raise DataError(f"plot_survival: {name!r} is (times, fraction) or (times, fraction, low, high) of one length")
    if np.nanmin(fraction) < -1e-9 or np.nanmax(fraction) > 1 + 1e-9:
        raise DataError(f"plot_survival: {name!r} has fractions from {fraction.min():g} to {fraction.max():g}")


@refuse_unknown_keywords
def plot_lineages(result, ax=None):
    """Expected established lineages by phase of the treatment; `plot(expected_lineages)` calls this.

    Parameters
    ----------
    result : ExpectedLineages
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = new_axes(ax, height=26 + 8.0 * len(result.by_phase))
    unit = result.problem.model.time_unit
    at = np.arange(len(result.by_phase))
    ax.barh(at, result.by_phase, height=0.6, color=PALETTE["vermilion"])
    largest = max(result.by_phase, default=0.0) or 1.0
    for i, value in enumerate(result.by_phase):
        ax.text(value, i, f" {value:.3g}", va="center", ha="left", fontsize=FONT["note"])
    ax.set_yticks(at, [f"{a:.4g} to {b:.4g}" for a, b in result.phases])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.2 * largest)
    ax.set_ylabel(time_label(unit).replace("time", "founded"))
    ax.set_xlabel(f"expected established lineages of {', '.join(result.clones)}")
    ax.set_title(f"relapse in {100 * result.relapse_probability:.3g} %", loc="left", fontsize=FONT["title"])
    return ax
