"""Pictures of resistance: induced by the drug, held down by sensitive cells, of six origins."""

import numpy as np

from remission import models
from remission.analysis import phase_portrait, plot
from remission.analysis.plots import PALETTE, colour_of, label
from remission.solvers import Problem, Treatment, sample, solve

from .pictures import Recipe
from .strokes import ARMS, GREY, arms, curves, finish, write

__all__ = ["RECIPES"]


def _greene(ax):
    protocol = Treatment.switch_when({"u": 1.5}, of="burden", above=0.1)
    found = []
    for alpha, look in ((0.0, ARMS[0]), (0.01, ARMS[1])):
        problem = Problem(models.greene(), t_span=(0, 90), parameters={"alpha": alpha}, treatment=protocol, rtol=1e-8)
        run = solve(problem).require()
        start = run.events[0].time
        times = np.linspace(0, 90 - start, 881)
        text = f"resistance also induced, alpha = {alpha:g}" if alpha else "resistance spontaneous only"
        found.append((text, times, run.at(start + times, "burden"), look))
    ax.axhline(0.9, color=GREY, lw=0.9)
    curves(ax, found, "burden / capacity", "1", log=True, xlim=(0, 87), ylim=(1e-5, 2), above=1)
    ax.set_xlabel("scaled time on the drug")


def _monro_gaffney(ax):
    """Survival: first time at which the burden reaches the lethal number."""
    problem, times = Problem(models.monro_gaffney(), t_span=(0, 1000)), np.linspace(0, 1000, 2001)
    doses = np.unique(np.concatenate([np.linspace(0, 3, 25), np.linspace(0.6, 1.0, 21)]))
    days = []
    for dose in doses:
        size = np.log(sample(problem.at_constant(C0=dose), times, ["lethal_fraction"]).values[:, 0])
        after = int(np.argmax(size >= 0))
        days.append(np.interp(0.0, size[after - 1 : after + 1], times[after - 1 : after + 1]))
    ax.plot(doses, days, color=PALETTE["black"], lw=1.9)
    best = int(np.argmax(days))
    ax.plot([doses[best]], [days[best]], "o", color=PALETTE["vermilion"], ms=6)
    write(ax, doses[best] + 0.12, days[best], f"{days[best]:.0f} days at {doses[best]:.2f}", va="center")
    ax.set(xlabel="dose (kill per growth)", ylabel="survival (days)")
    finish(ax, xlim=(0, 3), ylim=(0, 800))


def _dose_window(ax):
    problem = Problem(models.dose_window(), t_span=(0, 4000)).at_constant(delta=0.012)
    plane = phase_portrait(problem, over=("S", "R"))
    plot(plane, ax=ax, nullclines=False, flow=None, legend=None)
    ax.plot([0, 500], [500, 0], color=GREY, lw=1.0, ls=":", label="bearable")
    for k, (S0, R0) in enumerate(((800, 190), (200, 200), (450, 500))):
        run = solve(problem.replace(initial={"S": S0, "R": R0})).require()
        ax.plot(run["S"], run["R"], color=PALETTE["black"], lw=1.4, label="" if k else "runs")
        ax.plot([S0], [R0], "o", color=PALETTE["black"], ms=3.5)
    ax.set(xlabel="sensitive cells", ylabel="resistant cells")
    lines = [line for line in ax.get_lines() if line.get_label() in ("separatrix", "bearable", "runs")]
    finish(ax, lines, [line.get_label() for line in lines], above=3)


def _mechanisms(ax):
    names = ("none", "pre-existing", "random", "random and pre-existing", "induced", "induced and pre-existing")
    doses = Treatment.bolus({"D": 5.0}, every=7.0, times=8)
    trials = {
        name: Problem(models.resistance_mechanisms(name), t_span=(0, 100), treatment=doses, rtol=1e-8) for name in names
    }
    short = {n.replace(" and pre-existing", ", pre-existing"): p for n, p in trials.items()}
    arms(
        ax, trials["none"], short, log=True, t_eval=np.linspace(0, 100, 501), ylabel=label("volume", "mm^3"),
        xlim=(0, 100), ylim=(0.1, 3000), above=2,
    )  # fmt: skip
    ax.plot(np.arange(8) * 7.0, np.full(8, 0.16), "^", color=colour_of("D", "drug"), ms=4)


RECIPES = {
    "greene": Recipe(
        "The drug (u = 1.5) begins when the burden passes 0.1. Back at 0.9 (line) after 42.3 where the drug also "
        "induces resistance (alpha = 0.01), after 87.3 where it does not; a unit is the time 1/growth rate.", _greene),
    "monro_gaffney": Recipe(
        "Days until the lethal burden of 5e11 cells against the constant dose: 226 untreated, most (734) at a dose "
        "below that which holds sensitive cells still (1), less again where more of them are killed.",
        _monro_gaffney),
    "dose_window": Recipe(
        "Three starts at delta = 0.012 per day: (800, 190) is held at S = 400 within what is bearable (500 cells), "
        "(200, 200) and (450, 500) end with resistant cells at R = 1000. Full points are stable.", _dose_window),
    "resistance_mechanisms": Recipe(
        "The six members of the family at the default values, 5 units of drug a week for eight weeks (triangles): all "
        "regress and regrow in a similar way, so that volumes at one dose hardly tell them apart.", _mechanisms),
}  # fmt: skip
