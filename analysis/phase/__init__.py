"""Phase space: separatrices, basins of attraction and nullclines."""

from .basins import Basins, basins
from .nullclines import Nullclines, nullclines
from .portrait import PhasePortrait, phase_portrait
from .residual import ResidualDisease, residual_disease
from .separatrix import Separatrix, separatrix

__all__ = [
    "Basins",
    "Nullclines",
    "PhasePortrait",
    "ResidualDisease",
    "Separatrix",
    "basins",
    "nullclines",
    "phase_portrait",
    "residual_disease",
    "separatrix",
]
