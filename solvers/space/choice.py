"""Which method solves a problem on a grid."""

import logging

from remission.models.errors import ProblemError

__all__ = ["spatial_method"]

logger = logging.getLogger("remission")
COMPILED = ("Rodas5P", "Rodas3")
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

    if method is None or name in COMPILED:
        reason = why_not(discretise(problem))
        if not reason:
            return name or COMPILED[0], name or COMPILED[0]
        logger.info("solve: %s: %s: %s", problem.model.name, UNCOMPILED, reason)
        return UNCOMPILED, f"{UNCOMPILED} (not {name or 'compiled'}: {reason})"
    if name not in SCIPY and isinstance(method, str):
        raise ProblemError(
            f"{problem.model.name}: {name} does not run on a grid; methods that do: {', '.join((*COMPILED, *SCIPY))}"
        )
    return method, name
