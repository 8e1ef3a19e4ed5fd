"""Periodic orbits: cycles born at Hopf points and forced by periodic dosing, with their Floquet multipliers."""

from .branches import continue_cycles
from .forced import ForcedOrbits, floquet_multipliers, forced_orbit, forced_orbits
from .orbit import Orbit
from .result import CycleBranch, CycleBranches, CyclePoint

__all__ = [
    "CycleBranch",
    "CycleBranches",
    "CyclePoint",
    "ForcedOrbits",
    "Orbit",
    "continue_cycles",
    "floquet_multipliers",
    "forced_orbit",
    "forced_orbits",
]
