"""What each arithmetic can do: one table, operation -> how NumPy and plain Python floats do it.

Generated source calls operations by name; the same source runs on floats (`SCALAR`, fast for one cell) and on
arrays (`ARRAY`, over times or members). A back end that lacks an operation names it in its message.
"""

import math

import numpy as np

__all__ = ["ARRAY", "OPERATIONS", "SCALAR"]

# operation: (on floats, on arrays)
TABLE = {
    "exp": (math.exp, np.exp),
    "log": (math.log, np.log),
    "sqrt": (math.sqrt, np.sqrt),
    "power": (math.pow, np.power),
    "sin": (math.sin, np.sin),
    "cos": (math.cos, np.cos),
    "tan": (math.tan, np.tan),
    "tanh": (math.tanh, np.tanh),
    "sinh": (math.sinh, np.sinh),
    "cosh": (math.cosh, np.cosh),
    "absolute": (abs, np.abs),
    "sign": (lambda a: (a > 0) - (a < 0), np.sign),
    "step": (lambda a: 1.0 if a > 0 else 0.5 if a == 0 else 0.0, lambda a: np.heaviside(a, 0.5)),
    "minimum": (min, np.minimum),
    "maximum": (max, np.maximum),
    "where": (lambda c, a, b: a if c else b, np.where),
}
OPERATIONS = tuple(TABLE)
SCALAR = {name: pair[0] for name, pair in TABLE.items()}
ARRAY = {name: pair[1] for name, pair in TABLE.items()}
