"""Relapse thresholds: the values of a dose, a duration, a rate or a size at which the outcome changes."""

from .value import Threshold, Thresholds
from .verb import thresholds

__all__ = ["Threshold", "Thresholds", "thresholds"]
