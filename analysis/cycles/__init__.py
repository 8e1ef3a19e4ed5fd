"""Periodic orbits: cycles born at Hopf points and forced by periodic dosing, with their Floquet multipliers."""

from .branches import continue_cycles
from .orbit import Orbit
from .result import CycleBranch, CycleBranches, CyclePoint

__all__ = ["CycleBranch", "CycleBranches", "CyclePoint", "Orbit", "continue_cycles"]
