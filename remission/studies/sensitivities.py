"""Chapter on sensitivity: which assumed parameters decide relapse (instability) and residual tumour (inflammation)."""

from dataclasses import dataclass

import numpy as np

from .chapter import Chapter, Figure, Number, TableOut
from .inflammation import treated
from .instability import protocol, relapse_probability_after_withdrawal
from .options import read_options
from .panels import letters

__all__ = ["OPTIONS", "Question", "burden_question", "relapse_question", "run"]

DEFAULTS = {
    "n_relapse": 0,
    "n_burden": 0,
    "dose": 0.6,
    "blocker": 30.0,
    "start": 100.0,
    "residual_day": 180.0,
}
OPTIONS = tuple(DEFAULTS)
SIZES = {"small": {"n_relapse": 512, "n_burden": 1024}, "full": {"n_relapse": 4096, "n_burden": 16384}}
# Held: rates of S and A and what else decides whether a tumour forms, grows to 1e8 cells and goes when the oncogene
# does; where it does not, relapse by independent cells is no question. kap_A from 0.3, so that A goes in time.
RELAPSE_VARY = ("p_on", "p_off", "f_r", "b_R", "d_R", "kap_R", "kap_A")
RELAPSE_RANGES = {"kap_A": (0.3, 0.55)}
RELAPSE_DAYS = 400.0
MOST_BARS = 10
ROUGH = {"rtol": 1e-4, "atol": {"S": 1e-4, "A": 1e-4, "R": 1e250}}  # moves no relapse probability by more than 1e-4
ROUGH_BURDEN = {"rtol": 1e-5, "atol": 1e-8}  # moves no logarithm by more than 1e-3


@dataclass(frozen=True, eq=False)
class Question:
    """Sobol indices of one chapter's answer.

    Attributes
    ----------
    name : str
    words : dict of str -> str
        Label of an output -> what it is called.
    main : str
        Label of the output that is drawn.
    found : Sensitivity
    """

    name: str
    words: dict
    main: str
    found: object

    @property
    def row(self) -> int:
        """Row of the main output."""
        return self.found.outputs.index(self.main)

    @property
    def order(self) -> np.ndarray:
        """Columns by total order of the main output, largest first."""
        return np.argsort(-np.nan_to_num(self.found.total[self.row]), kind="stable")

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.found.n * (len(self.found.parameters) + 2)


def relapse_question(n, seed, progress=False, workers=None) -> Question:
    """Sobol indices of the probability of relapse after withdrawal.

    Parameters
    ----------
    n : int
        Base sample.
    seed : int
    progress : bool
    workers : int, optional

    Returns
    -------
    Question
    """
    from remission.analysis import sensitivity

    problem = protocol({"t_end": RELAPSE_DAYS}).replace(**ROUGH)
    found = sensitivity(
        problem, relapse_probability_after_withdrawal, vary=list(RELAPSE_VARY), method="sobol", n=n, rng=seed,
        ranges=RELAPSE_RANGES, workers=workers, progress=progress,
    )  # fmt: skip
    label = found.outputs[0]
    return Question("relapse", {label: "probability of relapse"}, label, found)


def burden_question(n, seed, options=None, progress=False, workers=None) -> Question:
    """Sobol indices of the residual tumour under chemotherapy with a blocker, and of its logarithm.

    Parameters
    ----------
    n : int
        Base sample.
    seed : int
    options : dict, optional
        `dose`, `blocker`, `start`, `residual_day`.
    progress : bool
    workers : int, optional

    Returns
    -------
    Question
    """
    import sympy as sp

    from remission.analysis import at_end, sensitivity
    from remission.models import Parameter

    from .inflammation import ONE_CELL

    options = DEFAULTS | (options or {})
    problem = treated(options["dose"], options["blocker"], t_end=options["residual_day"], start=options["start"])
    model = problem.model
    # One cell is added, so that tumours far below a cell, which mean nothing, do not stretch the logarithm.
    cell = Parameter("one_cell", ONE_CELL, unit="1e6 cells", about="size of one cell")
    log = sp.log((model.symbol("T") + cell) / cell) / sp.log(10)
    problem = problem.replace(
        model=model.replace(observables={**model.observables, "log10_cells": log}), **ROUGH_BURDEN
    )
    outputs = [at_end("log10_cells"), at_end("burden")]
    found = sensitivity(problem, outputs, method="sobol", n=n, rng=seed, workers=workers, progress=progress)
    words = dict(zip(found.outputs, ("log10 of the residual tumour", "residual tumour"), strict=True))
    return Question("burden", words, found.outputs[0], found)


def run(spec, folder, *, budget, progress, workers, seed) -> Chapter:
    """Run the chapter.

    Parameters
    ----------
    spec : dict
        Its table in the study file; `OPTIONS` says what it may hold.
    folder : RunFolder
    budget : {"small", "full"}
        Decides the base samples where the table does not.
    progress : bool
    workers : int
        Processes.
    seed : int
        Of the sample points and the bootstrap.

    Returns
    -------
    Chapter

    Raises
    ------
    RemissionError
        If an option does not fit.
    """
    options = read_options(spec, DEFAULTS | SIZES[budget])
    relapse = relapse_question(options["n_relapse"], seed, progress, workers)
    burden = burden_question(options["n_burden"], seed, options, progress, workers)
    questions = (relapse, burden)
    folder.write_figure(_figure(questions), "sensitivity-sobol")
    caption = (
        f"Sobol indices of (a) the probability of relapse after withdrawal and (b) the logarithm of the tumour on day "
        f"{options['residual_day']:g} of chemotherapy with a blocker, over the plausible ranges. Lines: 95 % "
        f"intervals; hatched: not resolved. {_letters_explained(questions)}"
    )
    return Chapter(
        spec["name"],
        spec["title"],
        _summary(questions, options),
        tuple(n for q in questions for n in _numbers(q)),
        tuple(_table(q, label) for q in questions for label in q.words),
        (Figure("sensitivity-sobol", caption),),
        _methods(questions, options, seed),
        _warnings(questions),
    )


def _figure(questions):
    from remission.analysis.plots.sensitivity import plot_sensitivity
    from remission.analysis.plots.style import figure

    from .panels import legend_below

    rows = min(max(len(q.found.parameters) for q in questions), MOST_BARS)
    fig, axes = figure(2, width="double", height=34 + 6.0 * rows)
    for ax, question in zip(axes[0], questions, strict=True):
        plot_sensitivity(question.found, ax, output=question.main, most=rows, legend=False)
        ax.set_xlabel("share of variance")
    letters(axes[0], [q.words[q.main].replace("log10", "log₁₀") for q in questions])
    legend_below(fig, axes[0], 3)
    return fig


def _symbol(question, name):
    return next(s for s in question.found.problem.system.parameter_symbols if s.name == name)


def meaning(question, name) -> str:
    """What a parameter is, without the remark on where its value is from.

    Parameters
    ----------
    question : Question
    name : str

    Returns
    -------
    str
    """
    return _symbol(question, name).info.about.split(" [")[0]


def _letters_explained(questions):
    parts = []
    for question in questions:
        top = [question.found.parameters[j] for j in question.order[:4]]
        parts.append("; ".join(f"{name}: {meaning(question, name)}" for name in top))
    return "Largest in (a): " + parts[0] + ". In (b): " + parts[1] + "."


def _summary(questions, options):
    relapse, burden = questions
    return (
        f"Whether tumours relapse after withdrawal hangs most on {_ranked(relapse)}. {_interactions(relapse)}",
        f"How much tumour is left on day {options['residual_day']:g} under chemotherapy of {options['dose']:g} with "
        f"the blocker at {options['blocker']:g} hangs most on {_ranked(burden)}. {_interactions(burden)}",
        _unresolved(questions),
    )


def _ranked(question, most=4):
    found, row = question.found, question.row
    parts = []
    for j in question.order[:most]:
        share, half = found.total[row, j], found.total_halfwidth[row, j]
        name = found.parameters[j]
        parts.append(f"{name} ({meaning(question, name)}; {share:.2f} ± {half:.2f})")
    return ", ".join(parts[:-1]) + f" and {parts[-1]}"


def _interactions(question):
    found, row = question.found, question.row
    alone = float(np.nansum(found.first[row]))
    return (
        f"In brackets: share of the variance in which it takes part. Parameters acting alone explain {alone:.2f} of "
        "it; the rest is what they do together."
    )


def _unresolved(questions):
    from remission.analysis.sobol import more_runs

    parts = []
    for question in questions:
        found, row = question.found, question.row
        names = [p for p, good in zip(found.parameters, found.resolved[row], strict=True) if not good]
        text = question.words[question.main]
        if not names:
            parts.append(f"every index of the {text} is resolved (95 % half-width of 0.1 or less)")
            continue
        worst = np.nanmax(np.maximum(found.first_halfwidth[row], found.total_halfwidth[row]))
        more = more_runs(found.n, len(found.parameters), worst)
        parts.append(
            f"the indices of {', '.join(names)} for the {text} are not resolved (half-width up to {worst:.2f})"
            + (f"; about {more} more runs would do" if more else "")
        )
    text = ". ".join(p[0].upper() + p[1:] for p in parts) + "."
    doubtful = not all(q.found.resolved[q.row].all() for q in questions)
    return text + (" Of these only the order of large and small can be read." if doubtful else "")


def _numbers(question):
    found = question.found
    for row, label in enumerate(found.outputs):
        for j in question.order:
            name, share, half = found.parameters[j], found.total[row, j], found.total_halfwidth[row, j]
            first = label == question.main and j == question.order[0]
            key = f"{question.name}_{name}" if label == question.main else f"{question.name}_linear_{name}"
            yield Number(
                key, _plain(share), "", _plain(share - half), _plain(share + half), "95 % bootstrap",
                f"share of the variance of the {question.words[label]} in which {name} takes part",
                "" if found.resolved[row, j] else "not resolved", headline=first,
            )  # fmt: skip
    where = question.words[question.main]
    yield Number(f"{question.name}_runs", question.runs, "", label=f"runs for the {where}")
    yield Number(f"{question.name}_failed", found.n_failed, "", label=f"of them without an answer, {where}")


def _table(question, label):
    found, row = question.found, question.found.outputs.index(label)
    columns = (
        ("parameter", ""), ("meaning", ""), ("unit", ""), ("from", ""), ("to", ""), ("scale", ""), ("first", ""),
        ("± first", ""), ("total", ""), ("± total", ""), ("resolved", ""),
    )  # fmt: skip
    rows = []
    for j in np.argsort(-np.nan_to_num(found.total[row]), kind="stable"):
        name = found.parameters[j]
        low, high, scale = found.ranges[name]
        unit = _symbol(question, name).info.unit
        values = (found.first, found.first_halfwidth, found.total, found.total_halfwidth)
        rows.append(
            (name, meaning(question, name), "" if unit == "1" else unit, low, high, scale,
             *(_plain(v[row, j]) for v in values), "yes" if found.resolved[row, j] else "no")
        )  # fmt: skip
    ending = "" if label == question.main else "-linear"
    caption = f"Sobol indices of the {question.words[label]}, with half-widths of 95 % intervals."
    return TableOut(f"sensitivity-{question.name}{ending}", caption, columns, tuple(rows))


def _plain(value):
    return float(value) if np.isfinite(value) else None


def _methods(questions, options, seed):
    relapse, burden = questions
    held = f"t_end {RELAPSE_DAYS:g} days, relative tolerance {ROUGH['rtol']:g}"
    return (
        "Variance-based indices (Saltelli et al. 2010) from scrambled Sobol points over the plausible ranges, "
        f"independent, even in the logarithm where the table says so. Seed {seed}; intervals by bootstrap over rows; "
        "an index counts as resolved when both of its 95 % half-widths are 0.1 or less.",
        f"Relapse: {relapse.runs} runs ({relapse.found.n} rows), {relapse.found.n_failed} without an answer, {held}. "
        "Rates of growth of S and A, f_v, K and kap_S are held: outside them the tumour does not form or does not "
        "go, and relapse by independent cells is no question. For the same reason kap_A starts at "
        f"{RELAPSE_RANGES['kap_A'][0]:g} per day. Crowding of the lineage is on.",
        f"Residual tumour: {burden.runs} runs ({burden.found.n} rows), {burden.found.n_failed} without an answer, at "
        f"dose {options['dose']:g} and blocker {options['blocker']:g}; all parameters with a plausible range vary, the "
        "size at the start too. One cell is added before the logarithm is taken.",
    )


def _warnings(questions):
    lost = sum(q.found.n_failed for q in questions)
    text = (
        "The ranges are what is plausible, not what is known: an index says what to measure first, not how likely a "
        "value is.",
    )
    return text + ((f"{lost} runs gave no answer; the rows they belong to are left out.",) if lost else ())
