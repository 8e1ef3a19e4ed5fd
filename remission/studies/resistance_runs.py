"""What the resistance chapter computes: the forecast, the fits to all visits, published curves, progression."""

from dataclasses import dataclass

import numpy as np

from remission.analysis.outcomes import time_to_progression
from remission.analysis.plots.treatment import drug_spans
from remission.models.errors import DataError
from remission.solvers import Problem, Treatment, sample, solve

from .forecast import carried_forward, relative_rmse, subject_mean
from .resistance_fits import CANDIDATES, OBSERVABLE, Fitted, estimate, experiment_of

__all__ = [
    "Forecast",
    "Progression",
    "Settings",
    "early_and_late",
    "fitted",
    "forecast",
    "forecastable",
    "inner_error",
    "inner_jobs",
    "jobs_of",
    "late_errors",
    "progression",
    "progression_tasks",
    "published_curves",
    "ways_to_dose",
]

FACTOR, PAUSE, RESUME = 1.2, 0.5, 1.0
FEWEST_INNER = 4
CAPACITY = 1.0  # selective_kill counts in fractions of it


@dataclass(frozen=True, eq=False)
class Forecast:
    """The early part of every subject fitted, the late part predicted.

    Attributes
    ----------
    early, late : Experiment
    ours, zhang : Fitted
        To the early part.
    errors : dict
        Way to forecast -> (n_subjects,) array, RMSE of the late part / largest early value.
    """

    early: object
    late: object
    ours: Fitted
    zhang: Fitted
    errors: dict

    @property
    def subjects(self) -> tuple:
        """Those with something to predict."""
        return self.late.subjects

    @property
    def arms(self) -> dict:
        """Subject -> arm."""
        return self.early.data.arms


@dataclass(frozen=True)
class Progression:
    """Time to progression of one subject under two ways to dose.

    Attributes
    ----------
    baseline : float
        Burden when the drug was first given, in fractions of carrying capacity.
    continuous, adaptive : float
        Days from then; infinite beyond the horizon, NaN where progression is above what the niche can hold.
    share : float
        Part of the time to progression that adaptive dosing spends on drug.
    """

    baseline: float
    continuous: float = np.nan
    adaptive: float = np.nan
    share: float = np.nan

    @property
    def defined(self) -> bool:
        """Whether a tumour of this baseline can progress at all."""
        return FACTOR * self.baseline < CAPACITY


@dataclass(frozen=True)
class Settings:
    """How subjects are split, and how many searches a fit gets from where.

    Attributes
    ----------
    fraction : float
        Part of the follow-up that is fitted.
    at_least : int
        Visits that are fitted in any case.
    starts : dict
        Fit -> starting values, as `shipped_starts` gives them.
    n_starts : int
    seed : int
    """

    fraction: float
    at_least: int
    starts: dict
    n_starts: int
    seed: int


def forecastable(table, settings):
    """The part of a table whose subjects have visits after the split.

    Parameters
    ----------
    table : Table
    settings : Settings

    Returns
    -------
    Table
    """
    late = experiment_of("ours", table).split(settings.fraction, settings.at_least)[1]
    return table.select(subject=list(late.subjects))


def early_and_late(key, table, n0, settings) -> tuple:
    """Experiment of a candidate, split as the forecast splits it."""
    return experiment_of(key, table, **_held(key, n0)).split(settings.fraction, settings.at_least)


def _held(key, n0):
    return {"n0": n0} if key == "ours" else {}


def jobs_of(dataset, n0, settings) -> dict:
    """Every fit of the chapter: name -> what `fitted` takes.

    Parameters
    ----------
    dataset : Dataset
    n0 : float
        Initial burden of our forecast model, a part of carrying capacity.
    settings : Settings

    Returns
    -------
    dict
        `forecast_ours` and `forecast_zhang` see the early part, the others every visit.
    """
    late_ones = forecastable(dataset.table, settings)
    jobs = {f"forecast_{key}": (key, early_and_late(key, late_ones, n0, settings)[0]) for key in ("ours", "zhang")}
    jobs |= {key: (key, experiment_of(key, dataset.table, **_held(key, n0))) for key in CANDIDATES}
    return {name: (*job, settings.starts.get(name), settings.n_starts, settings.seed) for name, job in jobs.items()}


def fitted(job) -> Fitted:
    """One fit, as a task for a worker.

    Parameters
    ----------
    job : (str, Experiment, dict or None, int, int)
        Candidate, data, starting values, number of searches, seed.

    Returns
    -------
    Fitted
    """
    key, experiment, starts, n_starts, seed = job
    return estimate(key, experiment, starts=starts, n_starts=n_starts, rng=seed)


def forecast(ours, zhang, table, n0, settings) -> Forecast:
    """Predict late visits under the recorded drug, and score all four ways.

    Parameters
    ----------
    ours, zhang : Fitted
        To the early part.
    table : Table
        From `forecastable`.
    n0 : float
        As in the fit of ours.
    settings : Settings

    Returns
    -------
    Forecast
    """
    early, late = early_and_late("ours", table, n0, settings)
    errors = {"ours": late_errors(ours, late)}
    errors["zhang"] = late_errors(zhang, early_and_late("zhang", table, n0, settings)[1])
    errors |= {"carried": carried_forward(early, late), "mean": subject_mean(early, late)}
    scored = {way: np.array(list(relative_rmse(e, early).values())) for way, e in errors.items()}
    return Forecast(early, late, ours, zhang, scored)


def late_errors(done, late) -> dict:
    """Subject -> model minus value at visits that were not fitted."""
    return {s: of[OBSERVABLE] for s, of in done.fit.errors_on(late).items()}


def inner_jobs(table, grid, settings) -> dict:
    """Fits that choose the initial burden: the early part split once more, nothing after it is looked at.

    Parameters
    ----------
    table : Table
        From `forecastable`.
    grid : sequence of float
        Initial burdens that are tried.
    settings : Settings

    Returns
    -------
    dict
        Initial burden -> what `fitted` takes.
    """
    return {
        n0: (
            "ours",
            _inner(table, n0, settings)[0],
            settings.starts.get("forecast_ours"),
            settings.n_starts,
            settings.seed,
        )
        for n0 in grid
    }


def _inner(table, n0, settings):
    return early_and_late("ours", table, n0, settings)[0].split(settings.fraction, FEWEST_INNER)


def inner_error(done, table, n0, settings) -> float:
    """Mean over subjects of the error on the late part of the early part; the least one chooses."""
    early, late = _inner(table, n0, settings)
    return float(np.mean(list(relative_rmse(late_errors(done, late), early).values())))


def published_curves(dataset) -> dict:
    """RMSE of the published curves per subject, both divided by their maximum, or with a free scale.

    Parameters
    ----------
    dataset : Dataset
        With a table `published_parameters`.

    Returns
    -------
    dict
        "maximum" and "free" -> (n_subjects,) array, relative to each subject's largest value; empty where nothing is
        published.
    """
    published = dataset.tables.get("published_parameters")
    if published is None:
        return {}
    experiment = experiment_of("zhang", dataset.table)
    found = {"maximum": [], "free": []}
    rows = {s: i for i, s in enumerate(published["subject"].tolist())}
    for subject in experiment.subjects:
        if subject not in rows:
            raise DataError(f"published_parameters has no subject {subject!r}")
        i = rows[subject]
        values = {"S0": published["S0"][i], "R0": published["R0"][i], "alpha": published["alpha_RS"][i]}
        (series,) = experiment.series_of(subject)
        problem = experiment.problem_of(subject).replace(parameters=values, rtol=1e-8)
        burden, seen = sample(problem, series.time, ["burden"]).values[:, 0], series.value / series.value.max()
        for name, scale in (("maximum", 1 / burden.max()), ("free", burden @ seen / (burden @ burden))):
            found[name].append(np.sqrt(np.mean((scale * burden - seen) ** 2)))
    return {name: np.array(values) for name, values in found.items()}


def ways_to_dose() -> dict:
    """Continuous dosing, and pausing at half of the baseline until it is reached again."""
    adaptive = Treatment.adaptive({"u": 1}, of="burden", pause_below=PAUSE, resume_above=RESUME)
    return {"continuous": Treatment.constant({"u": 1}), "adaptive": adaptive}


def progression(task) -> Progression:
    """Both ways to dose one subject, from the fitted state when the drug was first given.

    Progression is a burden above 1.2 times the baseline: above the level at which adaptive dosing starts again, so that
    it is reached only if the drug fails to hold it, in both ways alike.

    Parameters
    ----------
    task : (Problem, float, float)
        The subject's fitted problem, time of the first dose, horizon in days.

    Returns
    -------
    Progression
    """
    problem, first, horizon = task
    at = sample(problem, [first], ["S", "R"]).values[0]
    baseline = float(at.sum())
    if not Progression(baseline).defined:
        return Progression(baseline)
    start = dict(zip(("S", "R"), map(float, at), strict=True))
    found = {}
    for way, treatment in ways_to_dose().items():
        again = Problem(problem.model, (0.0, horizon), problem.parameters, start, treatment)
        solution = solve(again).require()
        found[way] = float(time_to_progression(solution, "burden", factor=FACTOR))
    end = min(found["adaptive"], horizon)
    on = sum(max(0.0, min(b, end) - a) for a, b in drug_spans(solution, "u"))
    return Progression(baseline, **found, share=on / end)


def progression_tasks(done, horizon) -> dict:
    """Subject -> what `progression` takes, for every subject of a fit that was given the drug.

    Parameters
    ----------
    done : Fitted
        Of `selective_kill`.
    horizon : float
        Days that are looked ahead.

    Returns
    -------
    dict
    """
    table, tasks = done.fit.experiments[0].data, {}
    for subject in done.fit.subjects:
        on = [row["time"] for row in table.dose_rows(subject) if row.get("on", 0) > 0]
        if on:
            tasks[subject] = (done.fit.problem_of(subject), float(min(on)), horizon)
    return tasks
