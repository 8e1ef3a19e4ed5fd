"""The fits of the resistance chapter: which model, what varies, from where the searches start."""

import tomllib
from dataclasses import dataclass, field
from importlib import resources

import numpy as np

from remission.analysis.experiment import Experiment, Scaled
from remission.analysis.fit_statistics import information_criteria
from remission.analysis.fitting import Own, Shared, fit
from remission.models import selective_kill, two_clone_competition
from remission.models.errors import DataError
from remission.solvers import Problem

__all__ = ["CANDIDATES", "Candidate", "Fitted", "estimate", "experiment_of", "shipped_starts"]

OBSERVABLE = "PSA"
RATE, FRACTION = (0.002, 0.3), (1e-6, 0.99)
# Clones fall to 1e-30 of the niche under years of drug or competition and grow back: only a tolerance that is relative
# all the way down keeps the regrowth from being noise.
ALL_THE_WAY_DOWN = 1e-40


@dataclass(frozen=True)
class Candidate:
    """One way to explain the data.

    Attributes
    ----------
    label : str
        What it is called in tables.
    model : function
        Of the catalogue.
    vary : dict
        Parameter -> Own or Shared.
    parameters : dict
        Values that are held.
    by : {"fit", "maximum"}
        How PSA is scaled, as in `Scaled`.
    chosen : int
        Numbers that were chosen on the same data without being searched for; they count as parameters.
    atol : float, optional
        Where the model's own tolerance is too wide.
    """

    label: str
    model: object
    vary: dict
    parameters: dict = field(default_factory=dict)
    by: str = "fit"
    chosen: int = 0
    atol: float | None = None


_OURS = {
    "kill": Shared(bounds=(0.005, 1.0), start=0.07),
    "r_R": Shared(bounds=(3e-4, 0.1), start=0.006),
    "r": Own(bounds=RATE, start=0.025),
    "f_R": Own(bounds=FRACTION, start=0.05),
}
_ZHANG = {
    "alpha": Shared(bounds=(0.5, 30.0), start=6.0),
    "scale": Shared(bounds=(0.3, 10.0), start=4 / 3),
    "S0": Own(bounds=(1.0, 1e4), start=1000.0),
    "R0": Own(bounds=(1.0, 1e4), start=100.0),
}
_FOUR = _ZHANG | {
    "r_R": Shared(bounds=(4e-4, 0.1), start=0.0091),
    "shrink": Shared(bounds=(0.5, 0.995), scale="linear", start=0.95),
}
_N0 = Shared(bounds=(1e-3, 0.95), start=0.1)

CANDIDATES = {
    "ours": Candidate("two clones, n0 given", selective_kill, _OURS, chosen=1, atol=ALL_THE_WAY_DOWN),
    "ours_n0_free": Candidate("two clones, n0 estimated", selective_kill, {"n0": _N0, **_OURS}, atol=ALL_THE_WAY_DOWN),
    # In a niche of a million times the tumour nothing is ever crowded.
    "ours_no_crowding": Candidate(
        "two clones without crowding (own kill, f_R)",
        selective_kill,
        {
            "r": Shared(bounds=RATE, start=0.01),
            "r_R": Shared(bounds=(3e-4, 0.1), start=0.006),
            "kill": Own(bounds=(0.005, 1.0), start=0.07),
            "f_R": Own(bounds=FRACTION, start=0.05),
        },
        parameters={"n0": 1e-6},
        atol=ALL_THE_WAY_DOWN,
    ),
    "ours_two_numbers": Candidate(
        "two clones, two numbers per man (f_R, scale)",
        selective_kill,
        {
            "n0": _N0,
            "r": Shared(bounds=RATE, start=0.014),
            "kill": Shared(bounds=(0.005, 1.0), start=0.05),
            "r_R": Shared(bounds=(3e-4, 0.1), start=0.006),
            "f_R": Own(bounds=FRACTION, start=0.05),
        },
        atol=ALL_THE_WAY_DOWN,
    ),
    "zhang": Candidate("Zhang, alpha and rate refitted", two_clone_competition, _ZHANG, atol=ALL_THE_WAY_DOWN),
    "zhang_four": Candidate("Zhang, four cohort numbers refitted", two_clone_competition, _FOUR, atol=ALL_THE_WAY_DOWN),
    "zhang_maximum": Candidate(
        "Zhang, two numbers per man (S0, R0), divided by its maximum",
        two_clone_competition,
        _FOUR,
        by="maximum",
        atol=ALL_THE_WAY_DOWN,
    ),
}


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit with the numbers that the tables compare.

    Attributes
    ----------
    key : str
        Of the candidate.
    fit : Fit
    n_parameters : int
        Scale factors, cohort parameters, noise and what was chosen on the data counted.
    rss : float
        Sum of squares of PSA / largest fitted PSA of the subject.
    """

    key: str
    fit: object
    n_parameters: int
    rss: float

    @property
    def candidate(self) -> Candidate:
        """What was fitted."""
        return CANDIDATES[self.key]

    @property
    def aicc(self) -> float:
        """Akaike's small-sample criterion for relative PSA with normal noise of one standard deviation."""
        n = self.fit.n_data
        return information_criteria(-0.5 * n * np.log(self.rss / n), self.n_parameters, n)[0]

    @property
    def rmse(self) -> np.ndarray:
        """(n_subjects,) root mean square of each subject's residuals."""
        return np.array(list(self.fit.rmse_by_subject.values()))

    def at_bound(self, name, subject) -> str:
        """ "low", "high" or "" where the estimate is inside its range."""
        reason = self.fit.reasons.get((name, subject), "")
        return {"at its lower bound": "low", "at its upper bound": "high"}.get(reason, "")


def experiment_of(key, table, **parameters) -> Experiment:
    """A candidate beside a table, under the recorded drug.

    Parameters
    ----------
    key : str
        Of `CANDIDATES`.
    table : Table
        With the observable PSA and the recorded state of one drug.
    **parameters
        Values that are held, beside those of the candidate.

    Returns
    -------
    Experiment
    """
    candidate = CANDIDATES[key]
    problem = Problem(candidate.model(), parameters=candidate.parameters | parameters, atol=candidate.atol)
    if table.doses is None:
        raise DataError("the resistance chapter needs the recorded drug of every subject")
    drugs = dict.fromkeys(np.unique(table.doses["into"]).tolist(), "u")
    return Experiment(problem, table, {OBSERVABLE: Scaled("burden", by=candidate.by)}, into=drugs)


def estimate(key, experiment, *, starts=None, n_starts=1, rng=0, workers=None) -> Fitted:
    """Fit a candidate: noise is the same part of each subject's largest fitted value.

    Parameters
    ----------
    key : str
    experiment : Experiment
        Of `experiment_of`, or a part of it.
    starts : dict, optional
        Parameter -> value, or dict subject -> value: where the first search starts.
    n_starts, rng, workers
        As in `fit`.

    Returns
    -------
    Fitted
    """
    candidate, vary = CANDIDATES[key], {}
    for name, varied in candidate.vary.items():
        given = (starts or {}).get(name, varied.start)
        if isinstance(given, dict):
            usual = varied.start
            given = {s: given.get(s, usual) for s in experiment.subjects}
        vary[name] = type(varied)(bounds=varied.bounds, scale=varied.scale, start=given)
    found = fit(experiment, vary, noise="relative", n_starts=n_starts, rng=rng, workers=workers, progress=False)
    if not np.isfinite(found.log_likelihood):
        raise DataError(f"{candidate.label}: the fit failed: {found.message}")
    residuals = np.concatenate([r for of in found.residuals.values() for r in of.values()])
    return Fitted(key, found, found.n_parameters + candidate.chosen, float(residuals @ residuals))


def shipped_starts() -> dict:
    """Where searches start: candidate (or `forecast_` and candidate) -> parameter -> value or dict by subject.

    Returns
    -------
    dict
        Ends of an earlier, longer search. A fit moves away from them wherever that fits better.

    Examples
    --------
    >>> sorted(shipped_starts())[:2]
    ['forecast_ours', 'forecast_zhang']
    """
    return tomllib.loads(resources.files(__package__).joinpath("resistance_starts.toml").read_text())
