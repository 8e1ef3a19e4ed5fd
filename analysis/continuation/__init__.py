"""Continuation: branches of steady states over a parameter, and curves of special points over two."""

from .branches import continue_branches
from .result import Branch, Branches, SpecialPoint

__all__ = ["Branch", "Branches", "SpecialPoint", "continue_branches"]
