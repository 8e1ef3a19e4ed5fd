"""Sobol indices of any function over ranges: points, estimators, bootstrap, rows that failed.

The estimators are those of `scipy.stats.sobol_indices` (Saltelli 2010), which takes no incomplete design: here a
row with a failed run is left out of all of its averages.
"""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError

__all__ = ["Indices", "sobol_of"]

RESOLVED = 0.1  # half-width of a 95 % interval
RESAMPLES = 300


@dataclass(frozen=True, eq=False)
class Indices:
    """Sobol indices of several outputs.

    Attributes
    ----------
    first, total, first_halfwidth, total_halfwidth : (n_out, k) arrays
        Indices and half-widths of their 95 % bootstrap intervals.
    used : (n_out,) array
        Rows of the base sample that were used.
    runs, failed : int
        Evaluations, and those of them without a finite value of every output.
    """

    first: np.ndarray
    total: np.ndarray
    first_halfwidth: np.ndarray
    total_halfwidth: np.ndarray
    used: np.ndarray
    runs: int
    failed: int


def seed_of(rng):
    """A seed that can be recorded: the given integer, or one drawn from `rng` (None: from the machine)."""
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool):
        return int(rng)
    return int(np.random.default_rng(rng).integers(2**63))


def to_range(unit, low, high, scale):
    """Points of the unit interval on a range: evenly, or evenly in the logarithm."""
    if scale == "log":
        return np.exp(np.log(low) + unit * (np.log(high) - np.log(low)))
    return low + unit * (high - low)


def sobol_of(function, ranges, n, rng=0) -> Indices:
    """Sobol indices of a function.

    Parameters
    ----------
    function : callable
        Rows (m, k) -> values (m,) or (m, n_out); NaN where a row failed.
    ranges : list of (low, high) or (low, high, "log")
        One per column, independent.
    n : int
        Base sample; rounded up to a power of 2. The function gets n (k + 2) rows.
    rng : int, Generator or None
        Of the scrambled points and the bootstrap.

    Returns
    -------
    Indices
    """
    n, k, seed = base_sample(n), len(ranges), seed_of(rng)
    points = _points(n, 2 * k, seed)
    A, B = (
        np.column_stack([to_range(half[:, j], *_range(r)) for j, r in enumerate(ranges)])
        for half in (points[:, :k], points[:, k:])
    )
    AB = np.repeat(A[None], k, axis=0)
    for j in range(k):
        AB[j, :, j] = B[:, j]
    values = np.asarray(function(np.concatenate([A, B, AB.reshape(k * n, k)])), dtype=float)
    values = values.reshape(len(values), -1).T
    f_A, f_B, f_AB = values[:, :n], values[:, n : 2 * n], values[:, 2 * n :].reshape(-1, k, n)
    failed = int(np.sum(~np.all(np.isfinite(values), axis=0)))
    parts = [_one(a, b, ab, seed) for a, b, ab in zip(f_A, f_B, f_AB, strict=True)]
    stacked = [np.array(part) for part in zip(*parts, strict=True)]
    return Indices(*stacked, runs=values.shape[1], failed=failed)


def _points(n, dimensions, seed):
    from scipy.stats import qmc

    generator = np.random.default_rng(seed)
    try:
        engine = qmc.Sobol(dimensions, rng=generator)
    except TypeError:  # before SciPy 1.15
        engine = qmc.Sobol(dimensions, seed=generator)
    return engine.random(n)


def base_sample(n) -> int:
    """The next power of 2: Sobol points are balanced only then."""
    if not (isinstance(n, (int, np.integer)) and n >= 4):
        raise ProblemError(f"n is the base sample, a whole number of 4 or more, got {n!r}")
    return 1 << (int(n) - 1).bit_length()


def _range(given):
    low, high, scale = (*given, "linear") if len(given) == 2 else given
    return low, high, scale


def _one(a, b, ab, seed):
    """Indices (k,), half-widths (k,) and number of rows used, for one output."""
    good = np.isfinite(a) & np.isfinite(b) & np.all(np.isfinite(ab), axis=0)
    a, b, ab = a[good], b[good], ab[:, good]
    k, used = len(ab), int(good.sum())
    if used < 4:
        return (*(np.full(k, np.nan) for _ in range(4)), used)
    first, total = estimate(a[None], b[None], ab[None])
    draws = np.random.default_rng([seed % 2**63, 1]).integers(used, size=(RESAMPLES, used))
    firsts, totals = np.empty((RESAMPLES, k)), np.empty((RESAMPLES, k))
    for i, draw in enumerate(draws):
        firsts[i], totals[i] = (v[0] for v in estimate(a[None, draw], b[None, draw], ab[None][:, :, draw]))
    return first[0], total[0], _halfwidth(firsts), _halfwidth(totals), used


def _halfwidth(resampled):
    with np.errstate(all="ignore"):
        low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    return (high - low) / 2


def estimate(a, b, ab):
    """First and total order (m, k) from values a, b (m, n) and ab (m, k, n), Saltelli et al. (2010), table 2.

    Constant outputs have no variance to share out: NaN.
    """
    both = np.concatenate([a, b], axis=1)
    mean = both.mean(axis=1)
    spread = both.max(axis=1) - both.min(axis=1)
    variance = np.where(spread > 1e-12 * np.abs(mean), both.var(axis=1), np.nan)
    a, b, ab = a - mean[:, None], b - mean[:, None], ab - mean[:, None, None]
    first = np.mean(b[:, None] * (ab - a[:, None]), axis=-1) / variance[:, None]
    total = 0.5 * np.mean((a[:, None] - ab) ** 2, axis=-1) / variance[:, None]
    return first, total


def more_runs(n, k, halfwidth):
    """Further runs for a half-width of 0.1, if it falls like 1 / sqrt(n); 0 when it is there, None if unknown."""
    if not np.isfinite(halfwidth):
        return None
    if halfwidth <= RESOLVED:
        return 0
    wanted = base_sample(int(np.ceil(n * (halfwidth / RESOLVED) ** 2)))
    return (wanted - n) * (k + 2)
