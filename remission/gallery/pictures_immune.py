"""Pictures of immune control: two stable sizes, cycles, windows, and what suppresses the immune cells."""

import numpy as np

from remission import models
from remission.analysis import phase_portrait, plot
from remission.analysis.plots import PALETTE, label
from remission.solvers import Problem, Treatment, solve

from .pictures import Recipe
from .strokes import ARMS, GREY, arms, curves, finish, rest, write

__all__ = ["RECIPES"]


def _kuznetsov(ax):
    """The scaled system, whose states are 1e6 cells."""
    problem = Problem(models.kuznetsov(scaled=True), t_span=(0, 60))
    plane = phase_portrait(problem, {"T": (0.5, 700), "E": (0, 3.3)}, scale={"T": "log"}, box={"E": (0, 5)})
    plot(plane, ax=ax, flow=None, legend=None)
    for E0, T0 in ((0.32, 5.0), (0.32, 100.0)):
        run = solve(problem.replace(initial={"E": E0, "T": T0})).require()
        ax.plot(run["T"], run["E"], color=GREY, lw=1.1)
        ax.plot([T0], [E0], ">", color=PALETTE["black"], ms=4)
    ax.set(xlabel=label("tumour cells", "1e6 cells"), ylabel=label("effector cells", "1e6 cells"))
    lines = [line for line in ax.get_lines() if line.get_label() in ("T' = 0", "E' = 0", "separatrix")]
    finish(ax, lines, [line.get_label() for line in lines], above=3)


def _kirschner_panetta(ax):
    """The last cycle of long runs, in logarithms where the cycles come close to zero."""
    for c, days, look in ((0.025, 151.0, ARMS[0]), (0.03, 107.2, ARMS[1]), (0.045, 1500.0, ARMS[2])):
        settled = 1500.0 if c < 0.04 else 0.0
        start = {"T": 4e4, "E": 2e4, "I": 1e4}
        problem = Problem(
            models.kirschner_panetta(), t_span=(0, settled + days), parameters={"c": c}, initial=start,
            rtol=1e-8, atol=1e-8,
        )  # fmt: skip
        run = solve(problem).require()
        times = np.linspace(settled, settled + days, 1500)
        text = f"c = {c:g}" + ("" if c < 0.04 else " (rest)")
        ax.plot(run.at(times, "T"), run.at(times, "E"), lw=1.5 if c < 0.04 else 1.0, label=text, **look)
    rest(ax, run["T"][-1], run["E"][-1], True, colour=ARMS[2]["color"])
    ax.set(xlabel=label("tumour", "cells"), ylabel=label("effectors", "cells"), xscale="log", yscale="log")
    finish(ax, above=3)


def _de_pillis(ax):
    problem = Problem(models.de_pillis_radunskaya(), t_span=(0, 120))
    given = {f"drug until {end}": Treatment.constant({"v": 1.0}, start=0, end=end) for end in (9, 10)}
    arms(
        ax, problem, {"no drug": Treatment.none()} | given, t_eval=np.linspace(0, 120, 481), ylabel="tumour / capacity",
        xlim=(0, 120), ylim=(0, 0.65), above=3,
    )  # fmt: skip
    ax.axhline(0.236803, color=GREY, lw=0.9, ls=":")
    write(ax, 119, 0.24, "saddle", ha="right", va="bottom")


def _glioma(ax):
    base = Problem(models.glioma_mdsc(), t_span=(0, 90))
    PD_L1, suppression = {"rho": 0.107 / 4}, {"r": 6.92e-6 / 4}
    trials = {
        "no treatment": base,
        "PD-L1 to 1/4": base.replace(parameters=PD_L1),
        "suppressors to 1/4": base.replace(parameters=suppression),
        "both": base.replace(parameters=PD_L1 | suppression),
    }
    times = np.linspace(0, 90, 361)
    arms(ax, base, trials, log=True, t_eval=times, ylabel=label("glioma", "cells"), xlim=(0, 90), above=2)


def _expansion(ax):
    problem, size = Problem(models.mdsc_expansion()), np.geomspace(1e6, 1e13, 300)
    k = problem.parameters
    for d, look in ((0.25, ARMS[0]), (0.015, ARMS[1])):
        ax.plot(
            size, (k["s_M"] + k["a_M"] * size / (k["q_M"] + size)) / d, label=f"death {d:g} per day", lw=1.7, **look
        )
    ax.axvline(k["q_M"], color=GREY, lw=0.9)
    write(ax, 1.3e10, 1.5e6, "half of the rise")
    ax.set(xlabel=label("tumour", "cells"), ylabel="suppressor cells", xscale="log", yscale="log")
    finish(ax, xlim=(1e6, 1e13), ylim=(1e6, 2e10))


def _leukaemia(ax):
    found, times = [], np.linspace(0, 160, 961)
    for stop, look in zip((6, 12, 24, 85.9), (ARMS[0], ARMS[2], ARMS[3], ARMS[1]), strict=True):
        treatment = Treatment.constant({"u": 1.0}, start=0, end=stop)
        run = solve(Problem(models.cml_immune_window(), t_span=(0, 160), treatment=treatment, rtol=1e-8)).require()
        shown = times >= (0 if stop == 85.9 else stop)
        found.append((f"stop in month {stop:g}", times[shown], run.at(times[shown], "ratio"), look))
    curves(ax, found, "BCR-ABL1/ABL1 (%)", "month", log=True, xlim=(0, 160), ylim=(1e-4, 400), above=2)


RECIPES = {
    "kuznetsov": Recipe(
        "Phase plane at the published scaled values: the dormant and the large tumour (full points) are stable, the "
        "separatrix through the saddle (half full) decides which one a start (triangles: 5 and 100 million tumour "
        "cells) reaches.", _kuznetsov),
    "kirschner_panetta": Recipe(
        "Cycles of tumour and effector cells at antigenicity c = 0.025 (period 151 days) and 0.03 (107 days); above "
        "the Hopf bifurcation, at c = 0.045, a start nearby winds in to a small tumour.",
        _kirschner_panetta),
    "de_pillis_radunskaya": Recipe(
        "From T = 0.25, N = 1, I = 0.15 the tumour wins without drug (0.565 in the end). A dose rate of 1 until time 9 "
        "delays it, until time 10 it takes the state across the separatrix, and the tumour goes.", _de_pillis),
    "glioma_mdsc": Recipe(
        "Glioma from 35 000 cells; inhibition of T cells by PD-L1 (rho), by suppressor cells (r), or both at a quarter "
        "of the fitted values.", _glioma),
    "mdsc_expansion": Recipe(
        "Suppressor cells at rest beside a tumour of constant size, at the death rate of the paper (0.25 per day: 5e6 "
        "without a tumour, 4.85e8 beside a large one) and at the slowest in print (0.015).", _expansion),
    "cml_immune_window": Recipe(
        "Patient 1 of the paper, the inhibitor stopped in month 6, 12, 24 and 85.9. Remission lasts only if the "
        "residue at the stop lies within the immune window, as in month 12 and 24; 6 is too early, 85.9 too late.",
        _leukaemia),
}  # fmt: skip
