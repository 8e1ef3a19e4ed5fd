"""Least and largest values of periodic curves known at points."""

import numpy as np

from ..continuation.machine import compiled

__all__ = ["ends_of", "ends_of_rows"]


def ends_of(x, values) -> tuple:
    """Least and largest value of smooth periodic curves; positive ones are read in logarithms.

    Parameters
    ----------
    x : (k,) array
        From 0 to 1, both included.
    values : (k,) or (r, k) array

    Returns
    -------
    (array, array)
        Each of shape () or (r,).

    Examples
    --------
    >>> x = np.linspace(0, 1, 100)
    >>> [round(float(v), 6) for v in ends_of(x, np.cos(2 * np.pi * x - 1))]
    [-1.0, 1.0]
    """
    rows = np.atleast_2d(np.asarray(values, dtype=float))
    with np.errstate(all="ignore"):
        low, high = ends_of_rows(np.ascontiguousarray(x, dtype=float), np.ascontiguousarray(rows))
    shape = np.shape(values)[:-1]
    return low.reshape(shape), high.reshape(shape)


@compiled
def ends_of_rows(x, rows):
    """Least and largest values of periodic curves (r, k) over x (k,), 0 to 1, by parabolas through three points.

    Curves that are positive are read in logarithms.
    """
    r, count = rows.shape[0], rows.shape[1] - 1
    found = np.empty((2, r))
    for a in range(r):
        least, most = 0, 0
        for i in range(count):
            if rows[a, i] < rows[a, least]:
                least = i
            if rows[a, i] > rows[a, most]:
                most = i
        positive = rows[a, least] > 0.0
        for which in range(2):
            i = least if which == 0 else most
            before = i - 1 if i > 0 else count - 1
            left = x[i] - x[before] if i > 0 else x[count] - x[before]
            right = x[i + 1] - x[i]
            lower, here, upper = rows[a, before], rows[a, i], rows[a, i + 1]
            if positive:
                lower, here, upper = np.log(lower), np.log(here), np.log(upper)
            up, down = (here - lower) / left, (upper - here) / right
            bend, slope = (down - up) / (left + right), (up * right + down * left) / (left + right)
            if (bend < 0.0) if which == 1 else (bend > 0.0):
                here -= slope**2 / (4.0 * bend)
            found[which, a] = np.exp(here) if positive else here
    return found
