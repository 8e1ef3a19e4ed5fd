"""Space: travelling waves and where they stall, steady fields and their branches, the smallest tumour that grows."""

import importlib

_SHELVES = {
    "homogeneous": "linear_speed",
    "wave": "Wave travelling_wave",
    "wave_branch": "WaveBranch continue_waves front_stall",
    "steady_fields": "SteadyField steady_field",
    "field_branch": "FieldBranch continue_field",
    "amplitude": "ThresholdAmplitude threshold_amplitude",
}
_HOME = {name: module for module, names in _SHELVES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        return value
    raise AttributeError(f"remission.analysis.space has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
