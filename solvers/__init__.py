"""Floor 2, numbers: grids, treatments, problems, and their solution.

What declares a problem needs sympy and is imported when it is first used; what solves one does not.
"""

import importlib
from typing import TYPE_CHECKING

from .gradient_check import check_gradient
from .grid import Grid
from .moving import Event
from .sample import sample
from .saved import SavedProblem, load_problem, save_problem
from .solution import Solution
from .solve import SolveWarning, solve
from .system import System, system

if TYPE_CHECKING:
    from .problem import Problem
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
    "check_gradient",
    "load_problem",
    "sample",
    "save_problem",
    "solve",
    "system",
]

_DECLARING = {"Problem": ".problem", "Treatment": ".treatment"}


def __getattr__(name):
    if name in _DECLARING:
        value = globals()[name] = getattr(importlib.import_module(_DECLARING[name], __name__), name)
        return value
    raise AttributeError(f"remission.solvers has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
