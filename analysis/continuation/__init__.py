"""Continuation: branches of steady states over a parameter, and curves of special points over two."""

from .branches import continue_branches
from .complete import check_complete
from .curve_result import Curve, Curves
from .curves import continue_points
from .result import Branch, Branches, SpecialPoint

__all__ = [
    "Branch",
    "Branches",
    "Curve",
    "Curves",
    "SpecialPoint",
    "check_complete",
    "continue_branches",
    "continue_points",
]
