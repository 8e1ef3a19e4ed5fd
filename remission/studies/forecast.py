"""How a forecast is scored: errors on values that were not fitted, rivals without a model, paired resampling."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import DataError

__all__ = ["Interval", "carried_forward", "paired", "relative_rmse", "resamples", "subject_mean"]


@dataclass(frozen=True)
class Interval:
    """A mean over subjects with its 95 % percentile interval.

    Examples
    --------
    >>> print(Interval(-0.179, -0.436, -0.014))
    -0.179 [-0.436, -0.014]
    """

    mean: float
    low: float
    high: float

    def __str__(self):
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def clear(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0


def carried_forward(early, late) -> dict:
    """Errors of a forecast that repeats each subject's last early value.

    Parameters
    ----------
    early, late : Experiment
        The two parts that `Experiment.split` makes, with one observable.

    Returns
    -------
    dict
        Subject -> (n,) array, forecast minus value.
    """
    return _constant(early, late, lambda values: values[-1])


def subject_mean(early, late) -> dict:
    """Errors of a forecast that repeats the mean of each subject's early values.

    Parameters
    ----------
    early, late : Experiment
        The two parts that `Experiment.split` makes, with one observable.

    Returns
    -------
    dict
        Subject -> (n,) array, forecast minus value.
    """
    return _constant(early, late, np.mean)


def _constant(early, late, guess):
    return {s: guess(_values(early, s)) - _values(late, s) for s in late.subjects}


def relative_rmse(errors, early) -> dict:
    """Root mean square error of each subject, divided by the largest value of its early part.

    Parameters
    ----------
    errors : dict
        Subject -> (n,) array.
    early : Experiment
        What was fitted; with one observable.

    Returns
    -------
    dict
        Subject -> float, dimensionless.
    """
    return {s: float(np.sqrt(np.mean(e**2)) / _values(early, s).max()) for s, e in errors.items()}


def _values(experiment, subject):
    series = experiment.series_of(subject)
    if len(series) != 1 or (series[0].censoring != "none").any():
        raise DataError(f"the forecast needs one observable without censored values; subject {subject!r} has others")
    return series[0].value


def resamples(n_subjects, n, seed) -> np.ndarray:
    """Positions of subjects drawn with replacement, the same for everything that is compared.

    Parameters
    ----------
    n_subjects, n : int
        Subjects; resamples.
    seed : int

    Returns
    -------
    (n, n_subjects) array of int
    """
    return np.random.default_rng(seed).integers(0, n_subjects, (n, n_subjects))


def paired(values, drawn, minus=None) -> Interval:
    """Mean over subjects, or mean difference, with a percentile interval from resampled subjects.

    Parameters
    ----------
    values : (n_subjects,) array_like
    drawn : (n, n_subjects) array of int
        From `resamples`.
    minus : (n_subjects,) array_like, optional
        Taken away subject by subject: the same subjects are drawn for both.

    Returns
    -------
    Interval
        Percentiles 2.5 and 97.5 of the resampled means.

    Examples
    --------
    >>> print(paired([1.0, 2.0, 3.0], resamples(3, 2000, seed=1), minus=[0.5, 1.5, 2.5]))
    0.500 [0.500, 0.500]
    """
    values = np.asarray(values, float) - (0.0 if minus is None else np.asarray(minus, float))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))
