"""Fronts of dividing and migrating cells: the speeds and widths that have a formula."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

__all__ = ["bistable_speed", "critical_width", "front_speed", "front_speed_between"]


def _checked(**values):
    for name, value in values.items():
        if not np.all(np.asarray(value, dtype=float) > 0):
            raise ProblemError(f"{name} is above 0, got {value!r}")


@refuse_unknown_keywords
def front_speed(D, r) -> float:
    """Speed at which a front of c_t = D c_xx + r c (1 - c) finally moves, 2 sqrt(D r).

    Parameters
    ----------
    D : float
        Migration, such as mm^2/day.
    r : float
        Net growth at low density, 1/day.

    Returns
    -------
    float
        mm/day. The same for every law of growth that is largest, per cell, at low density.

    References
    ----------
    .. [1] Kolmogorov, Petrovsky and Piskunov (1937), Moscow University Bulletin of Mathematics 1, 1-25.

    Examples
    --------
    >>> f"{front_speed(0.13, 0.012):.4f} mm/day"
    '0.0790 mm/day'
    """
    _checked(D=D, r=r)
    return 2 * np.sqrt(D * r)


@refuse_unknown_keywords
def front_speed_between(D, r, start, end) -> float:
    """Mean speed of a front between two times after a compact start: the slow approach to `front_speed`.

    Parameters
    ----------
    D, r : float
        As in `front_speed`.
    start, end : float
        Times since the seed, in the unit of r; start below end.

    Returns
    -------
    float
        2 sqrt(D r) - 1.5 sqrt(D/r) ln(end/start)/(end - start); good where r t is large.

    References
    ----------
    .. [1] Bramson (1983), Memoirs of the American Mathematical Society 285.

    Examples
    --------
    >>> print(f"{front_speed_between(0.01, 0.2, 120, 160):.5f}, in the end {front_speed(0.01, 0.2):.5f}")
    0.08703, in the end 0.08944
    """
    _checked(D=D, r=r, start=start)
    if not end > start:
        raise ProblemError(f"front_speed_between: end is after start, got {start!r} and {end!r}")
    return front_speed(D, r) - 1.5 * np.sqrt(D / r) * np.log(end / start) / (end - start)


@refuse_unknown_keywords
def critical_width(D, r) -> float:
    """Width of a patch below which cells that are lost at its walls die out, pi sqrt(D/r).

    Parameters
    ----------
    D, r : float
        As in `front_speed`.

    Returns
    -------
    float
        In the unit of length of D.

    References
    ----------
    .. [1] Skellam (1951), Biometrika 38, 196-218.

    Examples
    --------
    >>> f"{critical_width(0.13, 0.012):.2f} mm"
    '10.34 mm'
    """
    _checked(D=D, r=r)
    return np.pi * np.sqrt(D / r)


@refuse_unknown_keywords
def bistable_speed(D, k, a) -> float:
    """Speed of the front of c_t = D c_xx + k c (1 - c) (c - a), sqrt(D k/2) (1 - 2 a).

    Parameters
    ----------
    D, k : float
        Migration and rate.
    a : float
        Threshold density between 0 and 1.

    Returns
    -------
    float
        Negative where the tumour retreats, zero at a = 1/2.

    References
    ----------
    .. [1] Fife and McLeod (1977), Archive for Rational Mechanics and Analysis 65, 335-361.

    Examples
    --------
    >>> f"{bistable_speed(0.01, 1.0, 0.3):.6f}"
    '0.028284'
    """
    _checked(D=D, k=k)
    if not 0 < a < 1:
        raise ProblemError(f"bistable_speed: the threshold lies between 0 and 1, got {a!r}")
    return np.sqrt(D * k / 2) * (1 - 2 * a)
