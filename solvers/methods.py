"""Names of integration methods -> SciPy's `OdeSolver` classes, or the compiled methods of `kernels`."""

import inspect

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["COMPILED", "UNCOMPILED", "find_method", "method_names"]

UNCOMPILED = "LSODA"  # where nothing can be compiled; it switches between Adams and BDF by itself
NAMES = ("LSODA", "BDF", "Radau", "RK45", "RK23", "DOP853", "Rodas5P", "Rodas3", "Tsit5")
PLANE = "ROS34PW2"  # compiled for rectangles, and only for them
COMPILED = ("Rodas5P", "Rodas3", "Tsit5")  # as in `kernels.tables`, which no look at names imports
ONE_STEP = ("Radau", "RK45", "RK23", "DOP853")  # their dense output is less accurate than their steps
TAKES_JACOBIAN = ("LSODA", "BDF", "Radau")


def method_names() -> tuple:
    """Names that `solve(method=)` understands.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> "Radau" in method_names()
    True
    """
    return NAMES


def find_method(method):
    """The solver class behind a name, and the name that the solution will show.

    Parameters
    ----------
    method : str or type
        A name, or a subclass of `scipy.integrate.OdeSolver`.

    Returns
    -------
    (type or None, str)
        None for a compiled method.

    Raises
    ------
    ProblemError
        If the name is not known.

    Examples
    --------
    >>> find_method("Radau")[1]
    'Radau'
    """
    if method in COMPILED or method == PLANE:
        return None, method
    import scipy.integrate

    if inspect.isclass(method) and issubclass(method, scipy.integrate.OdeSolver):
        return method, method.__name__
    if method not in NAMES:
        raise ProblemError(f"method {method!r} is not known; {did_you_mean(method, NAMES)}, or give an OdeSolver class")
    return getattr(scipy.integrate, method), method
