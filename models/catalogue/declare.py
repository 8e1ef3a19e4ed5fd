"""Parameters from a table, one row each, so that a page reads like the table of its paper."""

from ..symbols import Parameter

__all__ = ["parameters"]


def parameters(rows) -> dict:
    """Parameters by name.

    Parameters
    ----------
    rows : dict
        Name -> (value, unit, plausible range, meaning). A range that starts at 0 is varied linearly, any other
        logarithmically.

    Returns
    -------
    dict of str -> Parameter

    Examples
    --------
    >>> parameters({"r": (0.1, "1/day", (0.01, 1), "growth rate")})["r"].info.scale
    'log'
    """
    return {
        name: Parameter(name, value, unit, plausible, "linear" if plausible[0] == 0 else "log", about)
        for name, (value, unit, plausible, about) in rows.items()
    }
