"""Everything that `remission.models` offers, imported when the first of it is asked for."""

from . import derive, errors, kinetics, units
from .catalogue import *  # noqa: F403
from .catalogue import __all__ as _catalogue
from .composition import compose
from .dimensions import dimension_of
from .errors import CertificateError, DataError, KeywordError, ModelError, ProblemError, RemissionError, SolveError
from .invariant import InvariantBox, invariant_box
from .model import Model
from .nondimensional import ScaledModel, nondimensionalise
from .parse import parse_expression
from .symbols import Input, Letter, Lineage, Parameter, State, grad, t, x, y

__all__ = [
    "CertificateError",
    "DataError",
    "Input",
    "InvariantBox",
    "KeywordError",
    "Letter",
    "Lineage",
    "Model",
    "ModelError",
    "Parameter",
    "ProblemError",
    "RemissionError",
    "ScaledModel",
    "SolveError",
    "State",
    "compose",
    "derive",
    "dimension_of",
    "errors",
    "grad",
    "invariant_box",
    "kinetics",
    "nondimensionalise",
    "parse_expression",
    "t",
    "units",
    "x",
    "y",
    *_catalogue,
]
