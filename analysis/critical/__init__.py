"""Relapse thresholds: the values of a dose, a duration, a rate or a size at which the outcome changes."""

from .curve import threshold_curve
from .curve_synergy import combination_index
from .curve_value import ThresholdCurve
from .fates import Fate, fate
from .output import threshold
from .relapse import time_to_relapse
from .value import Threshold, Thresholds
from .verb import thresholds

__all__ = [
    "Fate",
    "Threshold",
    "ThresholdCurve",
    "Thresholds",
    "combination_index",
    "fate",
    "threshold",
    "threshold_curve",
    "thresholds",
    "time_to_relapse",
]
