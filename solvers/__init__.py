"""Floor 2, numbers: grids, treatments, problems, and their solution."""

from .gradient_check import check_gradient
from .grid import Grid
from .moving import Event
from .problem import Problem
from .sample import sample
from .solution import Solution
from .solve import SolveWarning, solve
from .system import System, system
from .treatment import Treatment

__all__ = [
    "Event",
    "Grid",
    "Problem",
    "Solution",
    "SolveWarning",
    "System",
    "Treatment",
    "check_gradient",
    "sample",
    "solve",
    "system",
]
