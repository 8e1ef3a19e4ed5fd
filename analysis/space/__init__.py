"""Space: travelling waves and where they stall, steady fields and their branches, the smallest tumour that grows.

Numbers of `models.paracrine_invasion` at its default values, converged to the digits shown (grids of twice as many
cells, lines 1.4 times as long, and time stepping on two grids agree). Speed of the plane front, mm/day:

=====  ===  ==========      =====  ===  ==========
e      B    speed           e      B    speed
=====  ===  ==========      =====  ===  ==========
0.6    0    0.0359668       0.6    5    0.0236652
0.8    0    0.0220948       0.6    10   0.0156355
0.95   0    0.0061048       0.6    15   0.0083784
0.97   0    0.0027283       0.6    20   0.0009056
0.98   0    0.0006822       0.6    25   -0.0079469
0.99   0    -0.0018313
0.995  0    -0.0034337
=====  ===  ==========      =====  ===  ==========

The front stalls at e = 0.982967 (B = 0) and at B = 20.56864 (e = 0.6), below the well-mixed folds 1.0028 and 29.861.

Least amplitude of a tumour within 1 mm of the wall (line) or of the centre (disc, ball) that grows; domain of 10 mm, M
and P at rest, X = 0:

===  ==  ========  =======  =======
e    B   line      disc     ball
===  ==  ========  =======  =======
0.8  0   0.029029  0.10923  0.64905
0.6  0   0.010037  0.03105  0.11286
0.6  10  0.15680   none     none
0.6  30  none      none     none
===  ==  ========  =======  =======

The curved tumour loses more of its signal: at e = 0.6 the least ball is 41 times the well-mixed 0.00274, the least
layer 4 times.
"""

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
