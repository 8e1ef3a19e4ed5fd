"""Chapter on resistance in patients: PSA under abiraterone, forecast from the first visits, and what a fit can tell.

The two-clone model `selective_kill` and three rivals see the early visits of every subject and predict the late ones
under the recorded drug. Fits to all visits, progression under two ways to dose, and the published curves stand beside.
"""

import numpy as np

from remission import datasets
from remission.analysis.fit_workers import mapped
from remission.models.errors import RemissionError, did_you_mean

from . import resistance_figures as figures
from . import resistance_tables as tables
from . import resistance_words as words
from .chapter import Chapter
from .forecast import paired, relative_rmse, resamples
from .options import read_options
from .resistance_fits import shipped_starts
from .resistance_runs import (
    Settings,
    fitted,
    forecast,
    forecastable,
    inner_error,
    inner_jobs,
    jobs_of,
    late_errors,
    progression,
    progression_tasks,
    published_curves,
)
from .resistance_tables import Findings

__all__ = ["OPTIONS", "find", "run"]

DEFAULTS = {
    "n0": 0.3,
    "n0_grid": (0.05, 0.1, 0.2, 0.3, 0.5),
    "fraction": 0.6,
    "at_least": 6,
    "resamples": 10000,
    "horizon": 3650.0,
}
OPTIONS = (*DEFAULTS, "dataset", "subjects", "starts")
SEARCHES = {"small": 2, "full": 12}
WITHOUT_SHIPPED = 8  # searches at least where all starts are drawn
REPEATS = 3  # forecast fits from other drawn starts at budget full
BOOTSTRAP_SEED = 0


def run(spec, folder, *, budget, progress, workers, seed) -> Chapter:
    """Compute the chapter and save its figures.

    Parameters
    ----------
    spec : dict
        Table of the chapter in the study file: `name`, `title`, and any of `OPTIONS`.
    folder : RunFolder
    budget : {"small", "full"}
        Small: one search for each fit from the shipped start and one from a drawn one. Full: eleven drawn ones, the
        initial burden chosen anew, and the forecast repeated from other starts.
    progress : bool
    workers : int
    seed : int

    Returns
    -------
    Chapter
    """
    from tqdm import tqdm

    options = _options(spec)
    dataset = _dataset(options)
    bar = tqdm(desc=spec["name"], unit="fit", disable=None if progress else True, leave=False)
    with mapped(workers) as pool, bar:
        found = find(dataset, options, budget, seed, pool, bar)
    folder.write_json(f"chapters/{spec['name']}-fits.json", {n: _kept(f.fit) for n, f in found.fits.items()})
    drawn = {
        "forecast": figures.draw_curves(found.forecast),
        "errors": figures.draw_errors(found.forecast, found.means, found.differences),
        "fractions": figures.draw_fractions(found.fractions),
        "progression": figures.draw_progression(found.progressions, options["horizon"]),
    }
    for name, figure in drawn.items():
        folder.write_figure(figure, f"{spec['name']}-{name}")
    return Chapter(
        name=spec["name"],
        title=spec["title"],
        summary=words.summary(found),
        numbers=tables.numbers(found),
        tables=tables.every_table(found, spec["name"]),
        figures=words.captions(found, spec["name"], tuple(drawn)),
        methods=words.methods(found),
        warnings=words.warnings(found),
    )


def _options(spec):
    options = read_options(spec, DEFAULTS)
    options["subjects"] = spec.get("subjects")
    options["dataset"] = spec.get("dataset", "adaptive_abiraterone")
    options["starts"] = spec.get("starts", "shipped")
    place = f"chapter {spec.get('name', '')!r}"
    if options["starts"] not in ("shipped", "none"):
        raise RemissionError(f"{place}, option starts: 'shipped' or 'none', got {options['starts']!r}")
    if options["dataset"] not in datasets.list_datasets():
        hint = did_you_mean(str(options["dataset"]), datasets.list_datasets())
        raise RemissionError(f"{place}: there is no data set {options['dataset']!r}; {hint}")
    return options


def _dataset(options):
    from dataclasses import replace

    dataset = datasets.load(options["dataset"])
    if options["subjects"] is None:
        return dataset
    return replace(dataset, table=dataset.table.select(subject=list(options["subjects"])))


def find(dataset, options, budget, seed, pool, bar) -> Findings:
    """Everything that the chapter reports, before it is put into words.

    Parameters
    ----------
    dataset : Dataset
    options : dict
    budget : {"small", "full"}
    seed : int
    pool : callable
        `pool(function, tasks)` yields results in order.
    bar : tqdm

    Returns
    -------
    Findings
    """
    shipped = options["starts"] == "shipped" and options["dataset"] == "adaptive_abiraterone"
    n = SEARCHES[budget] if shipped else max(SEARCHES[budget], WITHOUT_SHIPPED)
    settings = Settings(options["fraction"], options["at_least"], shipped_starts() if shipped else {}, n, seed)
    table = forecastable(dataset.table, settings)

    def done(function, tasks, text):
        bar.set_description(text)
        bar.total = (bar.total or 0) + len(tasks)
        results = {}
        for name, result in zip(tasks, pool(function, list(tasks.values())), strict=True):
            results[name] = result
            bar.update()
        return results

    n0, inner, repeats = options["n0"], {}, {}
    if budget == "full":
        tried = done(fitted, inner_jobs(table, options["n0_grid"], settings), "inner hold-out")
        inner = {value: inner_error(result, table, value, settings) for value, result in tried.items()}
        n0 = min(inner, key=inner.get)
    jobs = jobs_of(dataset, n0, settings)
    fits = done(fitted, jobs, "fits")
    if budget == "full":
        again = {i: (*jobs["forecast_ours"][:2], None, WITHOUT_SHIPPED, seed + i) for i in range(1, REPEATS + 1)}
        repeats = done(fitted, again, "other starts")
    seen = forecast(fits["forecast_ours"], fits["forecast_zhang"], table, n0, settings)
    ahead = {}
    for key in ("ours", "ours_n0_free"):
        ahead[key] = done(progression, progression_tasks(fits[key], options["horizon"]), "progression")
    drawn = resamples(len(seen.subjects), options["resamples"], BOOTSTRAP_SEED)
    return Findings(
        dataset=dataset,
        options=options | {"n0": n0, "budget": budget, "n_starts": n, "seed": seed, "shipped": shipped},
        forecast=seen,
        means={way: paired(e, drawn) for way, e in seen.errors.items()},
        differences={way: paired(seen.errors["ours"], drawn, e) for way, e in seen.errors.items() if way != "ours"},
        fits=fits,
        published=published_curves(dataset),
        progressions={tables.fit_words(key, fits[key]): value for key, value in ahead.items()},
        inner=inner,
        repeats=tuple(_mean_error(seen, result) for result in repeats.values()),
        bootstrap=resamples(len(fits["ours"].fit.subjects), options["resamples"], BOOTSTRAP_SEED),
    )


def _kept(fit):
    """A fit as JSON; with the covariance other chapters can give errors to what they compute from it."""
    return fit.to_dict() | {"covariance_of": fit.labels, "covariance": fit.covariance}


def _mean_error(seen, result):
    """Mean forecast error of our model by another fit, and its sum of squares."""
    return float(np.mean(list(relative_rmse(late_errors(result, seen.late), seen.early).values()))), result.rss
