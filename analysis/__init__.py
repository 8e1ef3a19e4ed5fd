"""Floor 3, answers: outcomes, relapse by lineages, steady states, sweeps, sensitivity, fits, tables and figures.

Whatever is named here is fetched from its file when it is first used.
"""

import importlib

# These four files are named like their verb: imported here, the name stays the verb and not the file.
from .rescue import rescue
from .sensitivity import Sensitivity, sensitivity
from .steady_states import SteadyState, SteadyStates, steady_states
from .sweep import Sweep, sweep

_SHELVES = {
    "recheck": "Verification verify",
    "proved.points": "certify_fold certify_hopf certify_transcritical",
    "proved.point_value": "CertifiedPoint",
    "proved.all_points": "certified_points",
    "proved.all_points_value": "CertifiedPoints",
    "proved.stability_map": "stability_map",
    "proved.map_value": "StabilityMap",
    "outcomes": """
        Outcome as_outcome at_end cure_fraction doubling_time nadir nadir_time relapse_probability
        time_to_progression
    """,
    "fronts": "front_position front_width invasion_speed",
    "lineages": "ExpectedLineages expected_lineages relapse_free_survival",
    "kendall": """
        Established LineageProcess establishment_probability expected_cells expected_established lineage_process
        relapse_free relapse_hazard size_probability
    """,
    "relapse_counts": """
        LineageEstimate LineageRatio compare_counts count_log_likelihood expected_from_counts gamma_frailty
        lognormal_frailty relapse_time_log_likelihood
    """,
    "establishment": "establishment_by_type ladder_establishment ladder_lineages",
    "rescue": "Rescue",
    "critical": """
        Fate Threshold ThresholdCurve Thresholds combination_index fate threshold threshold_curve thresholds
        time_to_relapse
    """,
    "phase": """
        Basins Nullclines PhasePortrait ResidualDisease Separatrix basins nullclines phase_portrait residual_disease
        separatrix
    """,
    "waves": "bistable_speed critical_width front_speed front_speed_between",
    "space": """
        FieldBranch SteadyField ThresholdAmplitude Wave WaveBranch continue_field continue_waves front_stall
        linear_speed steady_field threshold_amplitude travelling_wave
    """,
    "tables": "Table read_table write_table",
    "experiment": "Experiment Scaled Series",
    "fitting": "Fit LogNormal Normal Own Prediction Shared Start fit",
    "continuation": "Branch Branches Curve Curves SpecialPoint check_complete continue_branches continue_points",
    "cycles": """
        CycleBranch CycleBranches CyclePoint ForcedOrbits Orbit continue_cycles floquet_multipliers forced_orbit
        forced_orbits
    """,
    "plots": "animate plot",
}
_HOME = {name: module for module, names in _SHELVES.items() for name in names.split()}

__all__ = [
    "Sensitivity",
    "SteadyState",
    "SteadyStates",
    "Sweep",
    "rescue",
    "sensitivity",
    "steady_states",
    "sweep",
    *_HOME,
]


def __getattr__(name):
    if name in _HOME:
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        return value
    message = f"remission.analysis has no attribute {name!r}"
    if not name.startswith("__"):
        from remission.models.errors import did_you_mean

        message += f"; {did_you_mean(name, __all__)}"
    raise AttributeError(message)


def __dir__():
    return sorted([*globals(), *__all__])
