"""Travelling waves: profiles in the moving frame; speed over a parameter, with the stall."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .branches import _parameter_label
from .legend import place_legend
from .style import PALETTE, colour_of, label, new_axes

__all__ = ["plot_wave", "plot_wave_branch"]


@refuse_unknown_keywords
def plot_wave(wave, ax=None, *, names=None, legend=True):
    """Profiles of a front in the frame that moves with it, each state relative to its largest value.

    Parameters
    ----------
    wave : Wave
    ax : Axes, optional
    names : sequence of str, optional
        States; all by default.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If a state is not there.

    Examples
    --------
    >>> from remission.analysis import travelling_wave
    >>> from remission.models import bistable_invasion
    >>> from remission.solvers import Problem
    >>> ax = plot_wave(travelling_wave(Problem(bistable_invasion())))
    >>> ax.get_xlabel()
    'distance from the front (mm)'
    """
    states = {s.name: s for s in wave.problem.model.states}
    for name in names or ():
        if name not in states:
            raise ProblemError(f"plot: the wave has no {name!r}; {did_you_mean(name, states)}")
    ax = new_axes(ax)
    unit = wave.problem.grid.unit
    near = _near(wave, names or states)
    for name in names or states:
        values = wave[name]
        largest = np.abs(values).max()
        ax.plot(wave.x[near], values[near] / (largest or 1.0), color=colour_of(name, states[name].info.kind),
                label=f"{name} / {largest:.3g}")  # fmt: skip
    ax.axvline(0.0, color=PALETTE["grey"], linewidth=0.8, linestyle=":")
    ax.set_xlabel(label("distance from the front", unit))
    ax.set_ylabel("part of the largest value")
    ax.set_ylim(0, 1.08)
    _arrow(ax, wave, f"{unit}/{wave.problem.model.time_unit}")
    if legend:
        place_legend(ax)
    return ax


def _near(wave, names):
    """Where something changes, and a little around."""
    moving = np.zeros(len(wave.x), dtype=bool)
    for name in names:
        U = wave[name]
        moving |= np.minimum(abs(U - U[0]), abs(U - U[-1])) > 1e-3 * np.abs(U).max()
    where = np.flatnonzero(moving)
    reach = 1.2 * np.abs(wave.x[where]).max() if len(where) else wave.x[-1]
    return np.abs(wave.x) <= reach


def _arrow(ax, wave, unit):
    low, high = ax.get_xlim()
    part = 0.14 * (high - low) * np.sign(wave.speed)
    ax.annotate("", xy=(part, 1.03), xytext=(0.0, 1.03), arrowprops={"arrowstyle": "->", "lw": 1.2})
    ax.text(0.0, 1.1, f"speed {wave.speed:.4g} {unit}", ha="center", va="bottom", fontsize="small")


@refuse_unknown_keywords
def plot_wave_branch(branch, ax=None, *, stall=True, legend=True):
    """Speed of a front over a parameter; where it stalls is marked, invasion and retreat are shaded.

    Parameters
    ----------
    branch : WaveBranch
    ax : Axes, optional
    stall : bool
        Mark zeros of the speed.
    legend : bool

    Returns
    -------
    Axes

    Examples
    --------
    >>> from remission.analysis import continue_waves, travelling_wave
    >>> from remission.models import bistable_invasion
    >>> from remission.solvers import Problem
    >>> ax = plot_wave_branch(continue_waves(travelling_wave(Problem(bistable_invasion())), "a", (0.2, 0.6)))
    >>> ax.get_ylabel()
    'speed of the front (mm/day)'
    """
    from scipy.interpolate import CubicSpline

    ax = new_axes(ax)
    problem = branch.wave.problem
    values, speeds = branch.values, branch.speeds
    if np.all(np.diff(values) > 0) and len(values) > 3:
        fine = np.linspace(values[0], values[-1], 300)
        ax.plot(fine, CubicSpline(values, speeds)(fine), color=PALETTE["blue"], label="speed")
    else:
        ax.plot(values, speeds, color=PALETTE["blue"], label="speed")
    ax.margins(x=0.0)
    low, high = ax.get_ylim()
    ax.axhspan(0.0, max(high, 0.0), color="#F8DFD3", zorder=0, linewidth=0)
    ax.axhspan(min(low, 0.0), 0.0, color="#DCEFE6", zorder=0, linewidth=0)
    ax.set_ylim(low, high)
    ax.axhline(0.0, color=PALETTE["grey"], linewidth=0.8)
    ax.text(0.98, 0.97, "invades", transform=ax.transAxes, ha="right", va="top", fontsize="small")
    if low < 0:
        ax.text(0.02, 0.03, "retreats", transform=ax.transAxes, ha="left", va="bottom", fontsize="small")
    if stall:
        for value in branch.stalls:
            ax.plot([value], [0.0], "o", color=PALETTE["vermilion"], label=f"stall at {value:.4g}", zorder=4)
    ax.set_xlabel(_parameter_label(problem.model, branch.over))
    ax.set_ylabel(label("speed of the front", f"{problem.grid.unit}/{problem.model.time_unit}"))
    if legend:
        place_legend(ax)
    return ax
