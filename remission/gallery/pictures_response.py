"""Pictures of the response to treatment: shrinkage and regrowth of a tumour in patients, vessels under an inhibitor."""

import numpy as np

from remission import models
from remission.analysis.plots import PALETTE, colour_of, label
from remission.solvers import Problem, Treatment, solve

from .pictures import Recipe
from .strokes import ARMS, GREY, curves, finish, write

__all__ = ["RECIPES"]


def _claret(ax):
    problem, weeks = Problem(models.claret(), t_span=(0, 52)), np.linspace(0, 52, 313)
    k = problem.parameters
    for E, look in zip((0.0, 1.0, 2.0, 3.0), ARMS, strict=False):
        run = solve(problem.replace(treatment=Treatment.constant({"E": E}))).require()
        ax.plot(weeks, run.at(weeks, "y"), lw=1.7, label=f"{E:g} g a day" if E else "no drug", **look)
        if E:
            nadir = np.log(k["KD0"] * E / k["KL"]) / k["lam"]
            ax.plot([nadir], [run.at(nadir, "y")], "o", color=look["color"], ms=5)
    ax.set(xlabel="time (weeks)", ylabel=label("sum of diameters", "mm"))
    finish(ax, above=2, xlim=(0, 52), ylim=(0, 420))


def _ribba(ax):
    doses = Treatment.bolus({"C": 1.0}, at=[0.0, 1.5, 3.0, 4.5, 6.0, 7.5])
    run = solve(Problem(models.ribba(), t_span=(0, 60), treatment=doses)).require()
    months = np.linspace(0, 60, 601)
    looks = {
        "burden": ("all", {"color": PALETTE["black"]}),
        "P": ("proliferating", {"color": PALETTE["vermilion"], "ls": (0, (5, 1.6))}),
        "Q": ("quiescent", {"color": PALETTE["blue"], "ls": (0, (5, 1.4, 1, 1.4))}),
        "Qp": ("damaged, quiescent", {"color": PALETTE["wine"], "ls": (0, (1, 1.1))}),
    }
    found = [(text, months, run.at(months, name), look) for name, (text, look) in looks.items()]
    ax.plot(np.arange(6) * 1.5, np.full(6, 55), "v", color=colour_of("C", "drug"), ms=4.5, label="doses", ls="none")
    ax.plot([27.1], [run.at(27.1, "burden")], "o", color=PALETTE["black"], ms=5)
    curves(ax, found, label("mean diameter", "mm"), "month", xlim=(0, 60), ylim=(0, 59), above=3)


def _hahnfeldt(ax):
    problem, days = Problem(models.hahnfeldt(), t_span=(0, 60)), np.linspace(0, 60, 601)
    daily = Treatment.infusion({"g": 4.0}, start=0, duration=60)
    looks = {"V": ("tumour", {"color": colour_of("V", "tumour")}), "K": ("vessels carry", {"color": PALETTE["gold"]})}
    found = []
    for treatment, style, arm in ((Treatment.none(), "-", ""), (daily, (0, (4, 1.4)), ", treated")):
        run = solve(problem.replace(treatment=treatment)).require()
        found += [(text + arm, days, run.at(days, n) / 1000, look | {"ls": style}) for n, (text, look) in looks.items()]
    ax.axhline(17.34652, color=GREY, lw=0.9, ls=":")
    write(ax, 59, 17.6, "(b/d)$^{3/2}$", ha="right", va="bottom")
    curves(ax, found, label("volume", "cm^3"), xlim=(0, 60), ylim=(0, 21), above=2)


RECIPES = {
    "claret": Recipe(
        "Exposures of 0, 1, 2 and 3 g a day at the values of capecitabine; nadirs (points) in week 3.3, 16.4 and 24.0. "
        "The drug goes on, its effect fades at 0.053 per week, and the tumour returns.", _claret),
    "ribba": Recipe(
        "Six doses, one every month and a half. The tumour is smallest in month 27.1 (35.2 mm, point), twenty months "
        "after the last dose: damaged tissue still dies while proliferating tissue has begun to grow.", _ribba),
    "hahnfeldt": Recipe(
        "Without drug the tumour grows to the volume that the vessels carry, (b/d)^(3/2) = 17.3 cm^3. An inhibitor of "
        "vessels (infusion of 4 mg/kg a day, effect assumed) lowers that volume without killing a tumour cell.",
        _hahnfeldt),
}  # fmt: skip
