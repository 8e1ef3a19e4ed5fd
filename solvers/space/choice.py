"""Which method solves a problem on a grid."""

from remission.models.errors import ProblemError

__all__ = ["SPATIAL", "spatial_method"]

SPATIAL = ("BDF", "Radau", "RK45", "RK23", "DOP853")  # SciPy's that take a sparse Jacobian, or none


def spatial_method(problem, method, name):
    """The method itself, and the name to show.

    Parameters
    ----------
    problem : Problem
    method : str, type or None
    name : str or None
        Of the method.

    Returns
    -------
    (str or type, str)

    Raises
    ------
    ProblemError
        If the method does not work on a grid.
    """
    if method is None:
        return "BDF", "BDF"
    if name not in SPATIAL and isinstance(method, str):
        raise ProblemError(f"{problem.model.name}: {name} does not run on a grid; methods that do: {', '.join(SPATIAL)}")
    return method, name
