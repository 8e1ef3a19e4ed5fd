"""Floor 2, numbers: grids, treatments, problems, and their solution.

What declares a problem needs sympy and is imported when it is first used, as is what one solution does not need: the
names that are fetched at once are those that their own file would hide.
"""

import importlib
from typing import TYPE_CHECKING

from .sample import sample
from .saved import SavedProblem, load_problem, save_problem
from .solve import SolveWarning, solve
from .system import System, system

if TYPE_CHECKING:
    from .gradient_check import check_gradient
    from .grid import Grid, Wall
    from .moving import Event
    from .problem import Problem
    from .solution import Solution
    from .treatment import Treatment

__all__ = [
    "Event",
    "Grid",
    "Problem",
    "SavedProblem",
    "Solution",
    "SolveWarning",
    "System",
    "Treatment",
    "Wall",
    "check_gradient",
    "load_problem",
    "sample",
    "save_problem",
    "solve",
    "system",
]

_HOME = {
    "Event": ".moving",
    "Grid": ".grid",
    "Problem": ".problem",
    "Solution": ".solution",
    "Treatment": ".treatment",
    "Wall": ".grid",
    "check_gradient": ".gradient_check",
}


def __getattr__(name):
    if name in _HOME:
        value = globals()[name] = getattr(importlib.import_module(_HOME[name], __name__), name)
        return value
    raise AttributeError(f"remission.solvers has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
