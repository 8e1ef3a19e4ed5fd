"""Thresholds beside patients' data: the dose that a man's sensitive cells need by his fit, and the dose he was given.

In `selective_kill` the drug does not touch the resistant clone, so no dose is curative. What data can speak about is
the dose, or the part of the time on drug, above which sensitive cells shrink in an empty niche.
"""

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["FITS", "Patient", "patients"]

FITS = {"ours": "n0 given", "ours_n0_free": "n0 estimated"}
Z = 1.959963984540054  # 95 %


@dataclass(frozen=True)
class Patient:
    """One man.

    Attributes
    ----------
    subject, arm : str
    given : float
        Part of the time on drug, from the first dose to the last visit.
    days : float
        Between these.
    needed : dict of str -> (float, float, float)
        Fit -> dose above which sensitive cells shrink in an empty niche, and its 95 % interval; NaN where the growth
        rate is at a bound.
    """

    subject: str
    arm: str
    given: float
    days: float
    needed: dict

    @property
    def adaptive(self) -> bool:
        """Whether his drug was paused."""
        return self.given < 1

    def clear(self, fit) -> bool:
        """Whether what he was given lies outside the interval of what was needed."""
        _, low, high = self.needed[fit]
        return not low <= self.given <= high


def patients(folder, chapter, dataset) -> tuple:
    """Every man of a data set whose fits another chapter of the study has left in the run folder.

    Parameters
    ----------
    folder : RunFolder
    chapter : str
        Name of the chapter on resistance.
    dataset : Dataset

    Returns
    -------
    tuple of Patient
        By arm, then by the dose needed; empty where there are no fits.
    """
    kept = folder.read_json(f"chapters/{chapter}-fits.json")
    if not kept or not all(fit in kept for fit in FITS):
        return ()
    needed = {fit: _needed(kept[fit]) for fit in FITS}
    table, found = dataset.table, []
    for subject in needed["ours"]:
        given, days = _time_on_drug(table, subject)
        arm = table.arms[subject]
        found.append(Patient(subject, arm, given, days, {fit: by[subject] for fit, by in needed.items()}))
    return tuple(sorted(found, key=lambda p: (p.arm, p.needed["ours"][0])))


def _time_on_drug(table, subject):
    """Part of the time on drug from the first dose to the last visit, and the days between."""
    last = float(table.select(subject=[subject])["time"].max())
    spans = [
        (row["time"], min(row["time"] + row["duration"], last)) for row in table.dose_rows(subject) if row["on"] > 0
    ]
    first = min(a for a, _ in spans)
    return sum(max(0.0, b - a) for a, b in spans) / (last - first), last - first


def _needed(fit):
    """Subject -> dose above which S shrinks, and its interval on the logarithm from the fit's covariance."""
    from remission.analysis import thresholds
    from remission.models import selective_kill
    from remission.solvers import Problem, Treatment

    rows = [tuple(label) for label in fit["covariance_of"]]
    covariance = np.array(fit["covariance"], dtype=float)
    kill = rows.index(("kill", None))
    problem = Problem(selective_kill(), treatment=Treatment.constant({"u": 1.0}))
    found = {}
    for subject, r in fit["estimates"]["r"].items():
        own = problem.replace(parameters={"r": r, "kill": fit["estimates"]["kill"]})
        dose = float(thresholds(own, of="u", kinds="clone dose")[0])
        i = rows.index(("r", subject))
        spread = math.sqrt(covariance[i, i] + covariance[kill, kill] - 2 * covariance[i, kill])
        found[subject] = (dose, dose * math.exp(-Z * spread), dose * math.exp(Z * spread))
    return found
