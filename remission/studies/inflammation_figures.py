"""Figures of the chapter on inflammation."""

import numpy as np

from .inflammation import ONE_CELL
from .panels import legend_below, letters

__all__ = ["dose_blocker", "trajectories"]

DASHED = (0, (5, 1.6))


def trajectories(given, options):
    """Tumour and protection under each treatment.

    Parameters
    ----------
    given : dict of str -> Arm
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import PALETTE, figure

    e, B = options["dose"], options["blocker"]
    strong, weak = options["strong_dose"], options["weak_blocker"]
    first = (
        ("untreated", "untreated", PALETTE["grey"], "-"),
        ("blocker", f"blocker B = {B:g} alone", PALETTE["sky"], DASHED),
        ("chemo", f"chemotherapy e = {e:g} alone", PALETTE["vermilion"], "-"),
        ("both", f"e = {e:g} and B = {B:g}", PALETTE["blue"], (0, (5, 1.4, 1, 1.4))),
    )
    second = (
        ("strong chemo", f"chemotherapy e = {strong:g} alone", PALETTE["wine"], "-"),
        ("strong chemo and weak blocker", f"e = {strong:g} and B = {weak:g}", PALETTE["green"], DASHED),
    )
    fig, axes = figure(3, width="double", height=82)
    left, middle, right = axes[0]
    _curves(left, given, first, "T")
    _curves(middle, given, first, "protection")
    _curves(right, given, second, "T")
    left.set(yscale="log", ylim=(ONE_CELL, 3e3), ylabel="tumour (10⁶ cells)")
    right.set(ylim=(0, None), ylabel="tumour (10⁶ cells)")
    right.axhline(options["start"], color=PALETTE["grey"], linestyle=":", linewidth=1.1, label="size at the start")
    middle.set(ylim=(0, 1.02), ylabel="protection θ by S100A8/9")
    for ax in axes[0]:
        ax.set(xlim=(0, options["t_end"]), xlabel="time (days)")
    letters(axes[0], ("tumour", "protection", "stronger chemotherapy"))
    legend_below(fig, axes[0], 3)
    return fig


def _curves(ax, given, chosen, name):
    for key, text, colour, line in chosen:
        solution = given[key].solution
        ax.plot(solution.t, solution[name], color=colour, linestyle=line, linewidth=1.6, label=text)


def dose_blocker(grid, options):
    """Residual tumour over dose and blocker, with the lines between the outcomes.

    Parameters
    ----------
    grid : Plane
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.plane import plot_plane
    from remission.analysis.plots.style import figure

    fig, axes = figure(len(grid.starts), width="double", height=88, sharey=True)
    panels = np.atleast_1d(axes).ravel()
    for ax, residual in zip(panels, grid.residual, strict=True):
        plot_plane(
            grid.e, grid.B, residual, ax, xlabel="dose of chemotherapy, e", value_label="tumour on day "
            f"{options['residual_day']:g}", unit="1e6 cells", scale="log", levels=(), limits=(ONE_CELL, 1e3),
        )  # fmt: skip
        _lines(ax, grid)
    for ax in panels[:-1]:
        ax.collections[0].colorbar.remove()
    panels[0].set_ylabel("CXCR2 blocker / its K_B, B")
    letters(panels, [f"start: {_cells(size)}" for size in grid.starts])
    legend_below(fig, panels, 2)
    return fig


def _cells(size):
    from .panels import power

    return f"{power(size * 1e6, 1)} cells"


def _lines(ax, grid):
    from matplotlib.patheffects import Stroke, withStroke

    from remission.analysis.plots.style import FONT, PALETTE

    halo = [Stroke(linewidth=3.4, foreground="white"), withStroke(linewidth=0)]
    look = {"color": PALETTE["vermilion"], "path_effects": halo}
    ax.plot(*grid.edges["fold"].T, linewidth=2.0, label="critical blockade: above it no tumour lasts", **look)
    ax.plot(*grid.edges["transcritical"].T, linewidth=1.8, linestyle=DASHED,
            label="curative dose: below it every tumour lasts", **look)  # fmt: skip
    ax.set(xlim=grid.e[[0, -1]], ylim=grid.B[[0, -1]])
    place = {"fontsize": FONT["note"], "ha": "center", "va": "center", "transform": ax.transAxes}
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}
    for x, y, text in ((0.14, 0.5, "lasts"), (0.47, 0.12, "depends\non size"), (0.78, 0.72, "cleared")):
        ax.text(x, y, text, bbox=box, **place)
