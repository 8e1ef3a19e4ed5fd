"""Chapter on thresholds: the doses, sizes, rates and durations at which the outcome changes, and what they hang on.

The inflammatory loop by steady states that are proved, the clonal models by formulas and lineages, and, where data say
anything, the thresholds of patients' fits beside what the patients were given.
"""

from dataclasses import dataclass

from remission.models.errors import RemissionError, did_you_mean

from .chapter import Chapter
from .options import read_options

__all__ = ["OPTIONS", "Found", "find", "run"]

DEFAULTS = {
    "dose": 0.6,
    "blocker": 30.0,
    "start": 100.0,
    "blockers": (0.0, 10.0, 30.0),
    "check_doses": (0.2, 0.4, 0.6, 0.8, 1.0),
    "most_dose": 1.0,
    "most_blocker": 100.0,
    "full_blocker": 100.0,
    "pulse_on": 7.0,
    "pulse_every": 14.0,
    "undecided": 0.05,
    "n_residue": 0,
}
OPTIONS = (*DEFAULTS, "fits", "dataset")
N_RESIDUE = {"small": 12, "full": 40}


@dataclass(frozen=True, eq=False)
class Found:
    """Everything that the chapter reports.

    Attributes
    ----------
    loop : Loop
    swings : tuple of Swing
        Columns as `threshold_loop.COLUMNS`.
    doses : dict of str -> Thresholds
        Of each clone, by model.
    missegregation : Missegregation
    sizes : Thresholds
        N*.
    surgery : Threshold or None
        Latest operation before lasting chemotherapy.
    men : tuple of Patient
        Empty where no fits are at hand.
    options : dict
    """

    loop: object
    swings: tuple
    doses: dict
    missegregation: object
    sizes: object
    surgery: object
    men: tuple
    options: dict


def run(spec, folder, *, budget, progress, workers, seed) -> Chapter:
    """Run the chapter.

    Parameters
    ----------
    spec : dict
        Its table in the study file; `OPTIONS` says what it may hold. `fits` names the chapter on resistance whose fits
        are put beside the thresholds; it has to be in `after` as well.
    folder : RunFolder
    budget : {"small", "full"}
    progress : bool
    workers : int
        Not used.
    seed : int
        Not used: nothing is drawn at random.

    Returns
    -------
    Chapter

    Raises
    ------
    RemissionError
        If an option does not fit.
    """
    from . import threshold_figures as figures
    from . import threshold_tables as tables
    from . import threshold_words as words

    options = read_options(spec, DEFAULTS | {"n_residue": N_RESIDUE[budget]})
    _check(options, spec)
    found = find(options, folder, spec.get("fits"), spec.get("dataset", "adaptive_abiraterone"), progress)
    drawn = {
        "steady-states": figures.steady_tumours(found.loop, options),
        "map": figures.dose_blocker(found.loop) if found.loop.maps else None,
        "residual-disease": figures.residual_disease(found.loop, options),
        "assumptions": figures.tornado(tables.as_assumed(found), found.swings),
        "missegregation": figures.rates_and_sizes(found.missegregation, found.sizes),
    }
    if not found.loop.maps:
        del drawn["map"]
    if found.men:
        drawn["patients"] = figures.beside_patients(found.men)
    for name, figure in drawn.items():
        folder.write_figure(figure, f"{spec['name']}-{name}")
    return Chapter(
        spec["name"],
        spec["title"],
        words.summary(found),
        tables.numbers(found),
        tables.every_table(found, spec["name"]),
        words.captions(options, spec["name"], tuple(drawn)),
        words.methods(found),
        words.warnings(),
    )


def _check(options, spec):
    from remission import datasets

    place = f"chapter {spec.get('name', '')!r}"
    if options["blocker"] not in options["blockers"]:
        raise RemissionError(f"{place}: blocker = {options['blocker']:g} is not among the blockers that are drawn")
    if "fits" in spec and spec["fits"] not in spec.get("after", []):
        raise RemissionError(
            f"{place}: fits = {spec['fits']!r} has to be in after too, so that it is read when it is new"
        )
    name = spec.get("dataset", "adaptive_abiraterone")
    if name not in datasets.list_datasets():
        raise RemissionError(f"{place}: there is no data set {name!r}; {did_you_mean(name, datasets.list_datasets())}")


def find(options, folder, fits, dataset, progress) -> Found:
    """Everything that the chapter reports, before it is put into words.

    Parameters
    ----------
    options : dict
    folder : RunFolder
    fits : str or None
        Chapter on resistance.
    dataset : str
        That it was fitted to.
    progress : bool

    Returns
    -------
    Found
    """
    from remission import datasets

    from .threshold_lineages import clone_doses, latest_surgery, missegregation, threshold_sizes
    from .threshold_loop import loop, swings_of
    from .threshold_patients import patients

    return Found(
        loop(options),
        swings_of(options, progress),
        clone_doses(),
        missegregation(),
        threshold_sizes(),
        latest_surgery(options),
        patients(folder, fits, datasets.load(dataset)) if fits else (),
        options,
    )
