"""Pictures of growth laws, two clones, withdrawal of the oncogene, the inflammatory loop, and drugs in the body."""

import functools

import numpy as np

from remission import models
from remission.analysis import plot
from remission.analysis.plots import PALETTE, colour_of, label, time_label
from remission.solvers import Problem, Treatment, solve

from .pictures import Recipe
from .strokes import GREY, arms, finish, write

__all__ = ["RECIPES"]

LAWS = {
    "exponential_growth": "exponential",
    "power_law_growth": "power law",
    "surface_growth": "surface",
    "von_bertalanffy_growth": "von Bertalanffy",
    "linear_growth": "linear",
    "logistic_growth": "logistic",
    "gompertz_growth": "Gompertz",
}


def _growth(ax, chosen):
    days = np.linspace(0, 200, 401)
    for law in LAWS:
        run = solve(Problem(getattr(models, law)(), t_span=(0, 200))).require()
        own = law == chosen
        options = {"color": colour_of("V", "tumour") if own else GREY, "lw": 2.4 if own else 0.9, "zorder": 2 + own}
        ax.plot(days, run.at(days, "V") / 1000, **options)
    ax.set(xlabel=time_label("day"), ylabel=label("tumour volume", "cm^3"))
    handles = [line for law, line in zip(LAWS, ax.get_lines(), strict=True) if law == chosen]
    handles += [line for law, line in zip(LAWS, ax.get_lines(), strict=True) if law != chosen][:1]
    finish(ax, handles, [LAWS[chosen], "the other six"], xlim=(0, 200), ylim=(0, 16))


def _strobl(ax):
    problem = Problem(models.sensitive_resistant(), t_span=(0, 500))
    adaptive = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0)
    arms(ax, problem, {"continuous": Treatment.constant({"u": 1}), "adaptive, 50 %": adaptive},
         ylabel="burden / capacity", xlim=(0, 500), ylim=(0, 0.85))  # fmt: skip
    ax.axhline(0.6, color=GREY, lw=0.8)
    write(ax, 8, 0.61, "progression: 1.2 times the start", va="bottom")


def _two_clones(ax):
    problem = Problem(models.two_clone_competition(), t_span=(0, 900))
    on_off = Treatment.intermittent({"u": 1}, on=60, off=60)
    plot(solve(problem.replace(treatment=on_off)), ax=ax)


def _selective(ax):
    arms(ax, Problem(models.selective_kill(), t_span=(0, 1200)), {
        "no drug": Treatment.none(), "continuous": Treatment.constant({"u": 1}),
        "30 days on, 30 off": Treatment.intermittent({"u": 1}, on=30, off=30),
    }, ylabel="burden / capacity", xlim=(0, 1200), ylim=(0, 1.05))  # fmt: skip


def _withdrawal(ax):
    """Relapse-free survival of both cohorts after withdrawal: expected part of animals."""
    from remission.analysis import relapse_free_survival

    protocol = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    for p_on, text, style in ((2.5e-4, "stable, p = 2.5e-4", "--"), (2.5e-3, "unstable, p = 2.5e-3", "-")):
        problem = Problem(models.oncogene_withdrawal(), t_span=(0, 600), parameters={"p_on": p_on}, treatment=protocol)
        solution = solve(problem).require()
        start = solution.events[-1].time
        days = np.linspace(0, 400, 81)
        alive = relapse_free_survival(solution, start + days, n_detect=1e7)
        ax.step(days, alive, style, where="post", color=colour_of("R", "tumour"), label=text)
    ax.set(xlabel="time after withdrawal (days)", ylabel="part without relapse")
    finish(ax, xlim=(0, 400), ylim=(0, 1.03))


def _loop(ax):
    problem = Problem(models.paracrine_loop(), t_span=(0, 150))
    e = Treatment.constant({"e": 0.6})
    arms(ax, problem, {
        "no treatment": Treatment.none(), "chemotherapy": e,
        "+ blocker, 30 days": e + Treatment.constant({"B": 100.0}, start=0, end=30),
        "+ blocker": e + Treatment.constant({"B": 100.0}),
    }, log=True, xlim=(0, 150), ylim=(1e-3, 2e3))  # fmt: skip


def _drug(ax, name, state, output, hours=48):
    model = getattr(models, name)()
    dosed = Treatment.bolus({state: 100.0}, every=0.5, times=4)
    solution = solve(Problem(model, t_span=(0, hours / 24), treatment=dosed), t_eval=np.linspace(0, hours / 24, 801))
    hours = np.linspace(0, hours, 961)
    ax.plot(
        hours,
        solution.at(hours / 24, output),
        color=colour_of("C"),
        lw=1.8,
        label="blood" if output == "C" else "drug acting",
    )
    if "C_peripheral" in model.observables:
        ax.plot(hours, solution.at(hours / 24, "C_peripheral"), color=PALETTE["gold"], ls=(0, (5, 1.6)), label="tissue")
    unit = {"dose_rate": "mg/day"}.get(output, "mg/L")
    ax.set(xlabel="time (hours)", ylabel=label({"C": "concentration", "dose_rate": "dose rate"}[output], unit))
    finish(ax, xlim=(0, 48), xticks=range(0, 49, 12), ylim=(0, None))


def _growth_recipe(name):
    return Recipe(
        "The seven laws with the values that Murphy et al. (2016) fitted to the same measurements: alike up to day "
        "100, where there are data (2.6 cm^3), apart on day 200 (4.6 to 30 cm^3).",
        functools.partial(_growth, chosen=name),
    )


def _drug_recipe(name, state, output):
    return Recipe(
        "100 mg every 12 hours at the default values.",
        functools.partial(_drug, name=name, state=state, output=output),
    )


RECIPES = {
    **{name: _growth_recipe(name) for name in LAWS},
    "sensitive_resistant": Recipe(
        "Burden under the full dose and under adaptive dosing (pause at half the start, resume at the start): "
        "progression on day 356 and day 470.", _strobl),
    "two_clone_competition": Recipe("Both clones under 60 days on the drug and 60 off it.", _two_clones),
    "selective_kill": Recipe("Burden without drug, under continuous drug, and with pauses.", _selective),
    "oncogene_withdrawal": Recipe(
        "Expected part of animals without relapse after the oncogene is withdrawn, from lineages founded before; "
        "missegregation 2.5e-4 (stable) and 2.5e-3 (unstable) per chromosome and division.", _withdrawal),
    "paracrine_loop": Recipe(
        "Tumour under chemotherapy (e = 0.6) alone, which the loop protects, and with a CXCR2 blocker (B = 100), for "
        "30 days or throughout.", _loop),
    "bolus_1cpt": _drug_recipe("bolus_1cpt", "central", "C"),
    "oral_1cpt": _drug_recipe("oral_1cpt", "gut", "C"),
    "two_cpt": _drug_recipe("two_cpt", "central", "C"),
    "kpd": _drug_recipe("kpd", "biophase", "dose_rate"),
}  # fmt: skip
