"""Pictures of invasion: fronts drawn from the travelling waves that are known."""

import numpy as np

from remission import models
from remission.analysis.plots import PALETTE
from remission.analysis.waves import bistable_speed, front_speed
from remission.solvers import Problem

from .pictures import Recipe
from .strokes import finish, write

__all__ = ["RECIPES"]


def _fisher_front(D, rho):
    """Profile of the front of smallest speed, from its ordinary differential equation; 1/2 stands at zero."""
    from scipy.integrate import solve_ivp

    speed = front_speed(D, rho)
    leaving = (-speed + np.sqrt(speed**2 + 4 * D * rho)) / (2 * D)  # growth of the deviation from c = 1
    found = solve_ivp(
        lambda z, y: [y[1], (-speed * y[1] - rho * y[0] * (1 - y[0])) / D],
        (0, 60 * np.sqrt(D / rho)), [1 - 1e-6, -1e-6 * leaving], rtol=1e-9, atol=1e-13, max_step=0.2 * np.sqrt(D / rho),
    )  # fmt: skip
    z, c = found.t, np.maximum(found.y[0], 0.0)
    return z - np.interp(0.5, c[::-1], z[::-1]), c


def _glioma(ax):
    k = Problem(models.glioma_invasion()).parameters
    z, c = _fisher_front(k["D"], k["rho"])
    speed = front_speed(k["D"], k["rho"])
    for year, style in ((0, "-"), (1, (0, (5, 1.6))), (2, (0, (5, 1.4, 1, 1.4)))):
        text = "now" if year == 0 else f"{year} year{'s' if year > 1 else ''} later"
        ax.plot(30 + z + 365 * year * speed, c, color=PALETTE["blue"], ls=style, lw=1.8, label=text)
    middle = 30 + 365 * speed
    ax.annotate("", (middle, 0.5), (30, 0.5), arrowprops={"arrowstyle": "->", "color": PALETTE["black"]})
    write(ax, (30 + middle) / 2, 0.53, "28.8 mm", ha="center", va="bottom")
    ax.set(xlabel="distance (mm)", ylabel="cells / carrying capacity")
    finish(ax, xlim=(0, 120), ylim=(0, 1.08), above=3)


def _bistable(ax):
    k = Problem(models.bistable_invasion()).parameters
    x = np.linspace(-3, 3, 400)
    width = np.sqrt(2 * k["D"] / k["k"])
    ax.plot(x, 1 / (1 + np.exp(x / width)), color=PALETTE["black"], lw=1.8, label="now")
    looks = ((0.3, PALETTE["vermilion"], (0, (5, 1.6)), "invades"), (0.7, PALETTE["blue"], (0, (1, 1.1)), "retreats"))
    for a, colour, style, verb in looks:
        moved = 50 * bistable_speed(k["D"], k["k"], a)
        ax.plot(x, 1 / (1 + np.exp((x - moved) / width)), color=colour, ls=style, lw=1.8, label=f"a = {a:g}: {verb}")
    ax.set(xlabel="distance (mm)", ylabel="cells / carrying capacity")
    finish(ax, xlim=(-3, 3), ylim=(0, 1.03), above=3)


RECIPES = {
    "glioma_invasion": Recipe(
        "The travelling wave of smallest speed, 2 sqrt(D rho) = 0.0790 mm a day with D = 0.13 mm^2/day and rho = 0.012 "
        "per day, at yearly intervals: 28.8 mm a year, with a rim that is tens of millimetres wide.", _glioma),
    "bistable_invasion": Recipe(
        "The one front of the equation (D = 0.01 mm^2/day, k = 1 per day) after 50 days: it invades at a threshold "
        "density of 0.3 and retreats at 0.7, 1.41 mm either way.", _bistable),
}  # fmt: skip
