"""Which method solves a problem on a grid."""

import logging

from remission.models.errors import ProblemError

__all__ = ["spatial_method"]

logger = logging.getLogger("remission")
COMPILED = ("Rodas5P", "Rodas3")
PLANE = "ROS34PW2"
SCIPY = ("BDF", "Radau", "RK45", "RK23", "DOP853")  # those that take a sparse Jacobian, or none
UNCOMPILED = "BDF"


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
    from .discretise import discretise
    from .line.plan import why_not
    from .plane.plan import why_not as why_not_plane

    flat = problem.grid.geometry == "rectangle"
    if flat and (method is None or name == PLANE):
        reason = why_not_plane(discretise(problem))
        if not reason:
            return PLANE, PLANE
        logger.info("solve: %s: %s: %s", problem.model.name, UNCOMPILED, reason)
        return UNCOMPILED, f"{UNCOMPILED} (not {name or 'compiled'}: {reason})"
    if method is None or name in COMPILED:
        reason = why_not(discretise(problem))
        if not reason:
            return name or COMPILED[0], name or COMPILED[0]
        logger.info("solve: %s: %s: %s", problem.model.name, UNCOMPILED, reason)
        return UNCOMPILED, f"{UNCOMPILED} (not {name or 'compiled'}: {reason})"
    if name not in SCIPY and isinstance(method, str):
        raise ProblemError(
            f"{problem.model.name}: {name} does not run on a grid; methods that do: "
            f"{', '.join((PLANE, *SCIPY) if flat else (*COMPILED, *SCIPY))}"
        )
    return method, name
