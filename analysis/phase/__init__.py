"""Phase space: separatrices, basins of attraction and nullclines."""

from .separatrix import Separatrix, separatrix

__all__ = ["Separatrix", "separatrix"]
