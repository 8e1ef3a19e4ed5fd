"""Figures: one verb, `plot(result, ax=None)`, one file for each kind of result behind it."""

import importlib
import inspect

from remission.models.errors import KeywordError, ProblemError, did_you_mean

# kind of result -> (file, function); by name, so that no result has to be imported to draw another
DRAWERS = {
    "Solution": ("solution", "plot_solution"),
    "Model": ("model", "plot_model"),
    "Table": ("table", "plot_table"),
    "Dataset": ("table", "plot_table"),
    "Fit": ("fit", "plot_fit"),
    "Prediction": ("fit", "plot_prediction"),
    "Sweep": ("sweep", "plot_sweep"),
    "Sensitivity": ("sensitivity", "plot_sensitivity"),
    "SteadyStates": ("steady_states", "plot_steady_states"),
    "Branch": ("branches", "plot_branches"),
    "Branches": ("branches", "plot_branches"),
    "Curve": ("branches", "plot_curves"),
    "Curves": ("branches", "plot_curves"),
    "Threshold": ("thresholds", "plot_threshold"),
    "Thresholds": ("thresholds", "plot_thresholds"),
    "ThresholdCurve": ("threshold_curves", "plot_threshold_curve"),
    "CycleBranch": ("cycles", "plot_cycles"),
    "CycleBranches": ("cycles", "plot_cycles"),
    "Orbit": ("cycles", "plot_orbit"),
    "Separatrix": ("phase", "plot_separatrix"),
    "Basins": ("phase", "plot_basins"),
    "Nullclines": ("phase", "plot_nullclines"),
    "PhasePortrait": ("phase", "plot_phase_portrait"),
    "ExpectedLineages": ("survival", "plot_lineages"),
    "StabilityMap": ("stability_map", "plot_stability_map"),
    "Wave": ("waves", "plot_wave"),
    "WaveBranch": ("waves", "plot_wave_branch"),
}
_SHELVES = {
    "solution": "plot_solution solution_panels",
    "space": "field_map plot_fields",
    "animation": "animate",
    "model": "plot_model",
    "table": "plot_table table_panels",
    "fit": "plot_fit plot_prediction plot_subjects",
    "sweep": "plot_sweep plot_band",
    "sensitivity": "plot_sensitivity sensitivity_panels",
    "steady_states": "plot_steady_states plot_steady_branches",
    "branches": "plot_branches plot_curves",
    "thresholds": "plot_threshold plot_thresholds",
    "threshold_curves": "plot_threshold_curve",
    "stability_map": "plot_stability_map",
    "cycles": "plot_cycles plot_periods plot_orbit plot_multipliers",
    "phase": "plot_basins plot_nullclines plot_phase_portrait plot_separatrix",
    "survival": "plot_survival plot_lineages kaplan_meier",
    "waves": "plot_wave plot_wave_branch",
    "plane": "plot_plane mark_threshold",
    "comparison": "plot_forest plot_observed_predicted",
    "legend": "place_legend",
    "treatment": "shade_treatment shade_spans drug_spans",
    "style": "PALETTE colour_of line_of figure label time_label pretty_unit save style_axes",
}
_HOME = {name: module for module, names in _SHELVES.items() for name in names.split()}

__all__ = sorted(["plot", *_HOME])


def plot(result, ax=None, **options):
    """Draw a result.

    Parameters
    ----------
    result : Solution, Model, Table, Dataset, Fit, Prediction, Sweep, Sensitivity, SteadyStates, Branch,
        Branches, Curve, Curves, Threshold, Thresholds, ThresholdCurve, CycleBranch, CycleBranches, Orbit, Separatrix,
        Basins, Nullclines, PhasePortrait, StabilityMap, Wave, WaveBranch or
        ExpectedLineages
    ax : Axes, optional
        Where to draw; a new figure if not given.
    **options
        Those of the function that draws the kind of result: `plot_solution` (`names`, `scale`, ...), on a grid
        `plot_fields` (`kind`, `times`, ...), `plot_fit` (`subject`, `held_out`, ...) and so on in
        `remission.analysis.plots`.

    Returns
    -------
    Axes
        `ax.figure` is the figure; `plots.save(ax, path)` writes it as PNG and PDF.

    Raises
    ------
    ProblemError
        If there is no figure for such a result.
    KeywordError
        If the figure has no such option; with the nearest match.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> daily = Problem(sensitive_resistant(), treatment=Treatment.constant({"u": 1.0}))
    >>> ax = plot(solve(daily), names=["S", "R"])
    >>> ax.get_legend_handles_labels()[1]
    ['S: sensitive', 'R: resistant', 'given: u = 1']
    """
    for kind in type(result).__mro__:
        if kind.__name__ in DRAWERS:
            on_grid = kind.__name__ == "Solution" and result.problem.grid.spatial
            module, name = ("space", "plot_fields") if on_grid else DRAWERS[kind.__name__]
            drawer = getattr(importlib.import_module(f"{__name__}.{module}"), name)
            known = [p for p in inspect.signature(drawer).parameters if p != "ax"][1:]
            for option in options:
                if option not in known:
                    raise KeywordError(f"plot({kind.__name__}) has no option {option!r}; {did_you_mean(option, known)}")
            return drawer(result, ax, **options)
    raise ProblemError(
        f"plot: there is no figure for {type(result).__name__}; it draws {', '.join(DRAWERS)}"
        + ("; solve(problem) first" if type(result).__name__ == "Problem" else "")
    )


def __getattr__(name):
    if name in _HOME:
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        return value
    message = f"remission.analysis.plots has no attribute {name!r}"
    if not name.startswith("__"):
        message += f"; {did_you_mean(name, __all__)}"
    raise AttributeError(message)


def __dir__():
    return sorted([*globals(), *__all__])
