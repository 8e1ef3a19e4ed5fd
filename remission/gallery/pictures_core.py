"""Pictures of growth laws, two clones, withdrawal of the oncogene, the inflammatory loop, and drugs in the body."""

import functools

import numpy as np

from remission import models
from remission.analysis import plot
from remission.analysis.plots import colour_of, label, place_legend, time_label
from remission.solvers import Problem, Treatment, solve

from .pictures import Recipe

__all__ = ["RECIPES", "arms", "curves"]

GREY = "0.65"


def curves(ax, found, ylabel, unit="day", log=False):
    """Draw (label, times, values, options) curves with a legend and labels."""
    for text, times, values, options in found:
        ax.plot(times, values, label=text, **options)
    ax.set(xlabel=time_label(unit), ylabel=ylabel, yscale="log" if log else "linear")
    place_legend(ax)


def arms(ax, problem, treatments, name="burden", log=False, t_eval=None):
    """One curve for each arm: text -> Treatment."""
    styles = ("-", "--", ":", "-.")
    shades = ("#000000", "#D55E00", "#0072B2", "#009E73")
    found = []
    for k, (text, treatment) in enumerate(treatments.items()):
        solution = solve(problem.replace(treatment=treatment), t_eval=t_eval).require()
        options = {"ls": styles[k % 4], "color": shades[k % 4]}
        found.append((text, solution.t, solution[name], options))
    unit = next(iter(problem.model.states)).info.unit
    curves(ax, found, label(name, unit), problem.model.time_unit, log)


def _growth(ax, chosen):
    laws = ("exponential_growth", "logistic_growth", "gompertz_growth", "von_bertalanffy_growth")
    for law in laws:
        solution = solve(Problem(getattr(models, law)(), t_span=(0, 150)))
        own = law == chosen
        options = {"color": colour_of("V", "tumour") if own else GREY, "lw": 2.2 if own else 1.0, "zorder": 2 + own}
        ax.plot(solution.t, solution["V"], label=law.removesuffix("_growth").replace("_", " "), **options)
    ax.set(xlabel=time_label("day"), ylabel=label("tumour volume", "mm^3"), ylim=(0, 8500))
    place_legend(ax)


def _strobl(ax):
    problem = Problem(models.sensitive_resistant(), t_span=(0, 500))
    adaptive = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0)
    arms(ax, problem, {"continuous": Treatment.constant({"u": 1}), "adaptive, 50 %": adaptive})
    ax.axhline(0.6, color=GREY, lw=0.8)
    ax.text(5, 0.605, "progression: 1.2 times the start", va="bottom", color="0.4", fontsize="small")
    ax.set_ylim(0, 0.8)


def _two_clones(ax):
    problem = Problem(models.two_clone_competition(), t_span=(0, 900))
    on_off = Treatment.intermittent({"u": 1}, on=60, off=60)
    plot(solve(problem.replace(treatment=on_off)), ax=ax)


def _selective(ax):
    arms(ax, Problem(models.selective_kill(), t_span=(0, 1200)), {
        "no drug": Treatment.none(), "continuous": Treatment.constant({"u": 1}),
        "30 days on, 30 off": Treatment.intermittent({"u": 1}, on=30, off=30),
    })  # fmt: skip


def _withdrawal(ax):
    """Relapse-free survival of both cohorts after withdrawal: expected part of animals."""
    from remission.analysis import relapse_free_survival

    protocol = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    for p_on, text, style in ((2.5e-4, "stable", "--"), (2.5e-3, "unstable", "-")):
        problem = Problem(models.oncogene_withdrawal(), t_span=(0, 600), parameters={"p_on": p_on}, treatment=protocol)
        solution = solve(problem).require()
        start = solution.events[-1].time
        days = np.linspace(0, 400, 81)
        alive = relapse_free_survival(solution, start + days, n_detect=1e7)
        ax.step(days, alive, style, where="post", color=colour_of("R", "tumour"), label=text)
    ax.set(xlabel="time after withdrawal (days)", ylabel="expected part without relapse", ylim=(0, 1.03))
    place_legend(ax)


def _loop(ax):
    problem = Problem(models.paracrine_loop(), t_span=(0, 150))
    e = Treatment.constant({"e": 0.6})
    arms(ax, problem, {
        "no treatment": Treatment.none(), "chemotherapy": e,
        "+ blocker, 30 days": e + Treatment.constant({"B": 100.0}, start=0, end=30),
        "+ blocker": e + Treatment.constant({"B": 100.0}),
    }, log=True)  # fmt: skip
    ax.set_ylim(1e-3, 2e3)


def _drug(ax, name, state, output, hours=48):
    model = getattr(models, name)()
    dosed = Treatment.bolus({state: 100.0}, every=0.5, times=4)
    solution = solve(Problem(model, t_span=(0, hours / 24), treatment=dosed), t_eval=np.linspace(0, hours / 24, 801))
    ax.plot(24 * solution.t, solution[output], color=colour_of(output, "drug"), label="100 mg every 12 h")
    unit = {"dose_rate": "mg/day"}.get(output, "mg/L")
    ax.set(xlabel="time (hours)", ylabel=label({"C": "concentration", "dose_rate": "dose rate"}[output], unit))
    place_legend(ax)


def _growth_recipe(name):
    return Recipe(
        "The four laws with the values that Murphy et al. (2016) fitted to the same measurements: alike where there "
        "are data, apart where there are none.",
        functools.partial(_growth, chosen=name),
    )


def _drug_recipe(name, state, output):
    return Recipe(
        "100 mg every 12 hours at the default values.",
        functools.partial(_drug, name=name, state=state, output=output),
    )


RECIPES = {
    **{n: _growth_recipe(n) for n in (
        "exponential_growth", "logistic_growth", "gompertz_growth", "von_bertalanffy_growth")},
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
