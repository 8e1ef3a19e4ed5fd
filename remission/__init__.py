"""Compartment models of tumour relapse: declare, solve, analyse, fit and draw.

The front door only re-exports: every noun and verb is fetched from its floor when it is first used, so
`import remission` loads neither sympy nor scipy nor matplotlib.

Examples
--------
>>> import remission as rm
>>> rm.models.sensitive_resistant().name
'sensitive_resistant'
"""

import importlib

__version__ = "0.1.0"

_ROOMS = ("models", "solvers", "analysis", "datasets")

_SHELVES = {
    "remission.models": """
        Model State Parameter Input Lineage t x y grad compose
    """,
    "remission.models.errors": """
        RemissionError ModelError ProblemError DataError SolveError CertificateError KeywordError
    """,
    "remission.solvers": """
        Treatment Grid Wall Problem Solution System solve sample check_gradient system save_problem load_problem
    """,
    "remission.analysis": """
        Outcome at_end nadir time_to_progression doubling_time relapse_probability cure_fraction
        relapse_free_survival
        front_position front_width invasion_speed
        steady_states verify continue_branches continue_points check_complete sensitivity sweep
        separatrix residual_disease basins nullclines phase_portrait
        certified_points certify_fold certify_hopf certify_transcritical stability_map
        thresholds threshold Threshold Thresholds fate time_to_relapse
        continue_cycles forced_orbit forced_orbits floquet_multipliers
        threshold_curve combination_index ThresholdCurve
        travelling_wave continue_waves front_stall linear_speed steady_field continue_field threshold_amplitude
        read_table Experiment Own Shared Scaled fit
        animate plot
    """,
}

_HOME = {name: module for module, names in _SHELVES.items() for name in names.split()}

__all__ = sorted([*_HOME, *_ROOMS])


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"remission.{name}")
    if name in _HOME:
        value = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
        return value
    message = f"remission has no attribute {name!r}"
    if not name.startswith("__"):  # protocols probe for dunder names; answering them must not load a floor
        from remission.models.errors import did_you_mean

        message += f"; {did_you_mean(name, __all__)}"
    raise AttributeError(message)


def __dir__():
    return sorted([*globals(), *__all__])
