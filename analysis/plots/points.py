"""Measured values as points: seen ones as circles, censored ones as arrows at their limit."""

import numpy as np

from .style import PALETTE

__all__ = ["draw_points"]


def draw_points(ax, series, *, divide=1.0, colour=None, label=None, hollow=False, size=3.6, joined=False, faint=False):
    """Draw a series of measurements.

    Parameters
    ----------
    ax : Axes
    series : Series
        With `time`, `value`, `censoring`, `limit`, `limit_upper`, and `sd` where there is one.
    divide : float
    colour : str, optional
    label : str, optional
    hollow : bool
        For data that were not fitted.
    size : float
        Of the markers, in points.
    joined : bool
        Whether a thin line joins the values.
    faint : bool
        For one of very many.

    Returns
    -------
    list
        What was drawn.
    """
    colour = colour or PALETTE["black"]
    look = {
        "color": colour,
        "markersize": size,
        "markerfacecolor": "white" if hollow else colour,
        "markeredgewidth": 0.0 if faint else 0.9,
        "zorder": 3,
        "alpha": 0.5 if faint else 1.0,
    }
    time, value = np.asarray(series.time, dtype=float), np.asarray(series.value, dtype=float) / divide
    code = np.asarray(series.censoring)
    seen = (code == "none") & np.isfinite(value)
    line = "-" if joined else "none"
    drawn = list(
        ax.plot(
            time[seen], value[seen], marker="o", linestyle=line, linewidth=0.5 if faint else 0.8, label=label, **look
        )
    )
    sd = np.asarray(getattr(series, "sd", np.full(len(time), np.nan)), dtype=float) / divide
    if (known := seen & np.isfinite(sd) & (sd > 0)).any():
        ax.errorbar(time[known], value[known], sd[known], fmt="none", ecolor=colour, elinewidth=0.8, capsize=1.5)
    for kind, marker, text in (("left", "v", "below detection"), ("right", "^", "above range")):
        here = code == kind
        if here.any():
            limit = np.asarray(series.limit, dtype=float)[here] / divide
            drawn += ax.plot(time[here], limit, marker=marker, linestyle="none", **look | {"markerfacecolor": "white"},
                             label=text)  # fmt: skip
    if (between := code == "interval").any():
        low, high = (np.asarray(v, dtype=float)[between] / divide for v in (series.limit, series.limit_upper))
        drawn.append(ax.vlines(time[between], low, high, color=colour, linewidth=1.2, label="within"))
    return drawn
