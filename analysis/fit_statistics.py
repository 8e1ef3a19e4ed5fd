"""What a finished fit says about its numbers: likelihood, noise, standard errors."""

from dataclasses import dataclass

import numpy as np

from .fit_members import likelihood
from .fit_noise import update_sigma

__all__ = ["Uncertainty", "information_criteria", "uncertainty"]

CLOSE_TO_BOUND = 1e-4  # of the range, on the parameter's own scale
SINGULAR = 1e-7  # of the largest singular value, columns scaled
INVOLVED = 1e-2  # part of a direction without information
SMALLEST_SIGMA = 1e-12


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Standard errors on the natural scale, covariance on the search's scale, and why a number has none.

    Attributes
    ----------
    errors : (k,) array
        NaN where there is a reason.
    covariance : (k, k) array
        NaN in the rows and columns of numbers without standard error.
    reasons : dict
        Position -> "at its lower bound", "not determined by the data", ...
    """

    errors: np.ndarray
    covariance: np.ndarray
    reasons: dict


def new_sigmas(objective, evaluations, sigmas) -> np.ndarray:
    """Standard deviation of largest likelihood of each observable at fixed predictions."""
    found = []
    for group, name in enumerate(objective.groups):
        pairs = [
            (target.seen, g)
            for member, evaluation in zip(objective.members, evaluations, strict=True)
            for target, g in zip(member.targets, evaluation.predictions, strict=True)
            if target.observable == name and not evaluation.message
        ]
        sigma = update_sigma(pairs, sigmas[group]) if pairs else sigmas[group]
        found.append(max(sigma, SMALLEST_SIGMA))
    return np.array(found)


def total_likelihood(objective, evaluations, sigmas) -> float:
    """Log-likelihood of all members; NaN if one could not be simulated."""
    if any(e.message for e in evaluations):
        return float("nan")
    return sum(likelihood(m, e, sigmas) for m, e in zip(objective.members, evaluations, strict=True))


def information_criteria(log_likelihood, k, n) -> tuple:
    """Small-sample Akaike criterion (NaN where n <= k + 1) and Bayesian criterion.

    Parameters
    ----------
    log_likelihood : float
    k : int
        Parameters, those of the noise and scale factors included.
    n : int
        Values.

    Returns
    -------
    (float, float)

    References
    ----------
    .. [1] Hurvich and Tsai (1989), Biometrika 76, 297-307.

    Examples
    --------
    >>> information_criteria(-10.0, 2, 6)
    (28.0, 23.58351893845611)
    """
    aicc = 2 * k - 2 * log_likelihood + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else float("nan")
    return float(aicc), float(k * np.log(n) - 2 * log_likelihood)


def uncertainty(objective, x, evaluations, estimated, n_scales) -> Uncertainty:
    """Standard errors from the information at the optimum, by the delta method on the natural scale.

    Numbers at a bound are held there for the others. Where the noise is estimated, its variance is corrected by
    n / (n - k), as in linear regression.

    Parameters
    ----------
    objective : Objective
    x : (k,) array
    evaluations : list of Evaluation
    estimated : bool
        Whether sigmas are estimated.
    n_scales : int
        Scale factors, which use up degrees of freedom too.

    Returns
    -------
    Uncertainty
    """
    k, reasons = len(x), {}
    failed = {c for m, e in zip(objective.columns, evaluations, strict=True) if e.message for c in m.values()}
    room = CLOSE_TO_BOUND * (objective.high - objective.low)
    for i in range(k):
        if i in failed:
            reasons[i] = "its subject was not fitted"
        elif x[i] - objective.low[i] < room[i]:
            reasons[i] = "at its lower bound"
        elif objective.high[i] - x[i] < room[i]:
            reasons[i] = "at its upper bound"
    rows = objective.assemble(x, evaluations, "information")[1]
    free = [i for i in range(k) if i not in reasons]
    covariance = np.full((k, k), np.nan)
    n = sum(m.n_data for m in objective.members) + len(objective.priors)
    left = n - k - n_scales
    if free and (left > 0 or not estimated):
        inner, lost = _inverse(rows[:, free])
        covariance[np.ix_(free, free)] = inner * (n / left if estimated else 1.0)
        for j in lost:
            reasons[free[j]] = "not determined by the data alone, only together with others"
            covariance[free[j], :] = covariance[:, free[j]] = np.nan
    elif free:
        reasons |= dict.fromkeys(free, f"{k + n_scales} parameters for {n} values")
    slopes = np.array([r.slope(v) for r, v in zip(objective.ranges, x, strict=True)])
    return Uncertainty(np.sqrt(np.diag(covariance)) * slopes, covariance, reasons)


def _inverse(rows):
    """(J^T J)^-1 through the singular values of J, and the columns in directions that have none."""
    size = np.linalg.norm(rows, axis=0)
    size = np.where(size > 0, size, 1.0)
    _, values, directions = np.linalg.svd(rows / size, full_matrices=False)
    if len(values) < rows.shape[1]:
        return np.full((rows.shape[1],) * 2, np.nan), range(rows.shape[1])
    good = values > SINGULAR * max(values.max(), 1e-300)
    lost = np.flatnonzero((np.abs(directions[~good]) > INVOLVED).any(axis=0))
    kept = directions[good] / values[good, None]
    return (kept.T @ kept) / np.outer(size, size), lost.tolist()
