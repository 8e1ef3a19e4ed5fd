"""Fit: what was estimated, how well it is known, how well it explains the data, and what it predicts."""

from dataclasses import dataclass, replace

import numpy as np

from remission.models.errors import DataError, ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem, sample, solve

from .fit_noise import SEEN
from .fit_report import as_dict, as_text
from .fit_statistics import information_criteria, total_likelihood, uncertainty

__all__ = ["Fit", "Prediction", "Start"]


@dataclass(frozen=True)
class Start:
    """One search: of which subject (None: all together), where it ended, and why.

    Attributes
    ----------
    subject : str or None
    number : int
        0 started at the values in the problem.
    cost : float
        Half the sum of squares in units of the first guess of the noise; infinite where it could not start.
    status : str
        "converged", "stopped after ... evaluations", or what went wrong.
    n_evaluations : int
    """

    subject: str | None
    number: int
    cost: float
    status: str
    n_evaluations: int


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """A fitted subject's curves.

    Attributes
    ----------
    subject : str
    t : (n_t,) array
        In the model's unit of time.
    values : dict of str to (n_t,) array
        Observables under the names of the table (times their scale factor), then states and observables of the model.
    units : dict of str to str
    solution : Solution
        What they were taken from: `solution.problem`, doses, events.
    """

    subject: str
    t: np.ndarray
    values: dict
    units: dict
    solution: object

    def __getitem__(self, name):
        if name not in self.values:
            raise ProblemError(f"the prediction has no {name!r}; {did_you_mean(name, self.values)}")
        return self.values[name]

    def __repr__(self):
        return f"<Prediction of {self.subject}, t from {self.t[0]:g} to {self.t[-1]:g}: {', '.join(self.values)}>"


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """Parameters estimated from data. Prints as `report()`; pickles; feeds `plot`.

    Attributes
    ----------
    experiments : tuple of Experiment
    vary : dict
        Parameter -> Own or Shared.
    noise : str
    sd : None, float, dict or "column"
        As asked for.
    estimates : dict
        Parameter -> value where shared, or dict subject -> value; NaN for a subject that could not be fitted.
    standard_errors : dict
        The same shape; NaN where there is none.
    reasons : dict
        (parameter, subject or None) -> why it has no standard error.
    centres : dict
        Parameter -> estimated centre of the prior of its own values.
    sigma : dict
        Observable -> standard deviation of the noise, estimated or given (for sd="column" a factor of 1).
    scales : dict
        Subject -> dict observable -> scale factor.
    residuals : dict
        Subject -> dict observable -> model minus value, (n,); in the unit of the values, as a part of the subject's
        largest value (relative noise) or as a difference of natural logarithms. NaN where censored.
    log_likelihood : float
    n_data, n_parameters : int
        Values; numbers estimated, scale factors, centres and sigmas included.
    success : bool
        Whether every subject was fitted, by searches that converged.
    message : str
    starts : tuple of Start
    seed : int
        Repeats the starts as `rng=`.
    labels : tuple
        (parameter, subject or None) of each row of `covariance`.
    covariance : (k, k) array
        On the scale of the search (natural logarithm or linear).
    """

    experiments: tuple
    vary: dict
    noise: str
    sd: object
    estimates: dict
    standard_errors: dict
    reasons: dict
    centres: dict
    sigma: dict
    scales: dict
    residuals: dict
    log_likelihood: float
    n_data: int
    n_parameters: int
    success: bool
    message: str
    starts: tuple
    seed: int
    labels: tuple
    covariance: np.ndarray

    def __str__(self):
        return as_text(self)

    def __repr__(self):
        state = "" if self.success else f", {self.message}"
        return f"<Fit of {', '.join(self.vary)} to {self.n_data} values of {len(self.subjects)} subjects{state}>"

    @property
    def subjects(self) -> tuple:
        """All subjects, experiment by experiment."""
        return tuple(s for e in self.experiments for s in e.subjects)

    @property
    def status(self) -> tuple:
        """How each search ended."""
        return tuple(start.status for start in self.starts)

    @property
    def aicc(self) -> float:
        """Akaike's criterion, corrected for few data; NaN where n_data <= n_parameters + 1 leaves it undefined."""
        return information_criteria(self.log_likelihood, self.n_parameters, self.n_data)[0]

    @property
    def bic(self) -> float:
        """Bayesian information criterion."""
        return information_criteria(self.log_likelihood, self.n_parameters, self.n_data)[1]

    @property
    def rmse(self) -> float:
        """Root mean square of all residuals, in their unit; censored values and failed subjects are left out."""
        return _rms(np.concatenate([r for of in self.residuals.values() for r in of.values()]))

    @property
    def rmse_by_subject(self) -> dict:
        """Root mean square of the residuals of each subject."""
        return {s: _rms(np.concatenate(list(of.values()))) for s, of in self.residuals.items()}

    def parameters_of(self, subject) -> dict:
        """Estimated values of one subject, its own and the shared ones.

        Parameters
        ----------
        subject : str

        Returns
        -------
        dict
            Parameter -> value.
        """
        known = self._experiment(subject).problem_of(subject).parameters
        found = {}
        for name, value in self.estimates.items():
            if name in known:
                found[name] = value[subject] if isinstance(value, dict) else value
        return found

    def problem_of(self, subject) -> Problem:
        """The problem of one subject at its estimates, with its treatment; NaN estimates are refused.

        Parameters
        ----------
        subject : str

        Returns
        -------
        Problem
        """
        values = self.parameters_of(subject)
        if not all(np.isfinite(v) for v in values.values()):
            raise ProblemError(f"fit: subject {subject!r} could not be fitted: {self.message}")
        return self._experiment(subject).problem_of(subject).replace(parameters=values)

    def scale_of(self, subject, observable) -> float:
        """Scale factor of a `Scaled` observable in one subject, 1 for others.

        Parameters
        ----------
        subject : str
        observable : str
            Name in the table.

        Returns
        -------
        float
        """
        observe = self._experiment(subject).observe
        if observable not in observe:
            raise DataError(f"fit: no observable {observable!r}; {did_you_mean(observable, observe)}")
        return self.scales[subject].get(observable, 1.0)

    @refuse_unknown_keywords
    def predict(self, subject=None, treatment=None, t_end=None, times=None):
        """Curves at the estimates.

        Parameters
        ----------
        subject : str, optional
            All of them if not given.
        treatment : Treatment, optional
            Instead of the subject's own. A recorded treatment gives nothing after its last row.
        t_end : float, optional
            Last time; by default that of the subject's last value (or of `times`).
        times : (n_t,) array_like, optional
            Output times; by default 401 even ones and every dose and switch.

        Returns
        -------
        Prediction or dict
            A dictionary subject -> Prediction when no subject is given and there are several.
        """
        if subject is None:
            every = {s: self.predict(s, treatment, t_end, times) for s in self.subjects}
            return every if len(every) > 1 else next(iter(every.values()))
        problem = self.problem_of(subject)
        start, end = problem.t_span
        if times is not None:
            times = np.asarray(times, dtype=float)
            end = max(end, float(np.max(times))) if t_end is None else end
        problem = problem.replace(
            t_span=(start, end if t_end is None else t_end),
            treatment=problem.treatment if treatment is None else treatment,
        )
        solution = solve(problem, t_eval=times)
        series = {s.observable: s for s in self._experiment(subject).series_of(subject)}
        values = {name: self.scale_of(subject, name) * solution[s.output] for name, s in series.items()}
        units = {name: s.unit for name, s in series.items()}
        for name in (*problem.system.states, *problem.system.observables):
            values.setdefault(name, solution[name])
        return Prediction(subject, solution.t, values, units, solution)

    def errors_on(self, experiment) -> dict:
        """Model minus value on other data of the same subjects, such as the late part of `Experiment.split`.

        Parameters
        ----------
        experiment : Experiment
            Its subjects must be among those of the fit; its treatments are used, and the scale factors of the fit.

        Returns
        -------
        dict
            Subject -> dict observable -> (n,) array in the unit of the values, NaN where censored.
        """
        found = {}
        for subject in experiment.subjects:
            problem = experiment.problem_of(subject).replace(parameters=self.parameters_of(subject))
            series = experiment.series_of(subject)
            times = np.unique(np.concatenate([s.time for s in series]))
            outputs = list(dict.fromkeys(s.output for s in series))
            samples = sample(problem, times, outputs)
            found[subject] = {}
            for s in series:
                curve = samples.values[np.searchsorted(times, s.time), outputs.index(s.output)]
                error = self.scale_of(subject, s.observable) * curve - s.value
                found[subject][s.observable] = np.where(s.censoring == "none", error, np.nan)
        return found

    def report(self) -> str:
        """Text for a person: parameters with units and standard errors, bounds that were hit, subjects, criteria."""
        return as_text(self)

    def to_dict(self) -> dict:
        """All numbers in a form that JSON can hold; NaN becomes None."""
        return as_dict(self)

    def _experiment(self, subject):
        for experiment in self.experiments:
            if subject in experiment.subjects:
                return experiment
        raise DataError(f"fit: no subject {subject!r}; {did_you_mean(subject, self.subjects)}")


def _rms(values):
    values = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(values**2))) if len(values) else float("nan")


def result_of(experiments, vary, objective, x, ends, sigmas, estimated, starts, settings) -> Fit:
    """Put the end of a search into a Fit."""
    failed = {s for f in ends if not np.isfinite(f.cost) for s in _subjects_of(f, ends, objective)}
    evaluations = objective.evaluations(x, sigmas)
    evaluations = [
        replace(e, message=e.message or "every start failed") if m.subject in failed else e
        for m, e in zip(objective.members, evaluations, strict=True)
    ]
    scaled = [t for m in objective.members for t in m.targets if t.scaled == "fit"]
    known = uncertainty(objective, x, evaluations, estimated, len(scaled))
    labels = tuple((r.centre_of or r.name, r.subject) for r in objective.ranges)
    natural = np.array([r.natural(v) for r, v in zip(objective.ranges, x, strict=True)])
    natural[[i for i, r in enumerate(objective.ranges) if r.subject in failed or len(failed) == len(evaluations)]] = (
        np.nan
    )
    own = [i for i, r in enumerate(objective.ranges) if not r.centre_of]
    names = [objective.ranges[i].name for i in own]
    return Fit(
        experiments=experiments,
        vary={getattr(k, "name", k): v for k, v in vary.items()},
        noise=settings["noise"],
        sd=settings["sd"],
        estimates=_by_name(names, [objective.ranges[i].subject for i in own], natural[own]),
        standard_errors=_by_name(names, [objective.ranges[i].subject for i in own], known.errors[own]),
        reasons={labels[i]: reason for i, reason in known.reasons.items() if not objective.ranges[i].centre_of},
        centres={r.centre_of: float(natural[i]) for i, r in enumerate(objective.ranges) if r.centre_of},
        sigma=dict(zip(objective.groups, map(float, sigmas), strict=True)),
        scales=_scales(objective, evaluations),
        residuals=_residuals(objective, evaluations),
        log_likelihood=total_likelihood(objective, evaluations, sigmas),
        n_data=sum(m.n_data for m in objective.members),
        n_parameters=len(x) + len(scaled) + (len(sigmas) if estimated else 0),
        success=not failed and all(f.success for f in ends),
        message=_message(failed, ends, starts, objective),
        starts=starts,
        seed=settings["seed"],
        labels=labels,
        covariance=known.covariance,
    )


def _subjects_of(found, ends, objective):
    """Subjects that a search was about: all in a joint fit."""
    subjects = [m.subject for m in objective.members]
    return subjects if objective.coupled else [subjects[[f is found for f in ends].index(True)]]


def _message(failed, ends, starts, objective):
    if failed:
        first = next(s for s in starts if not np.isfinite(s.cost) and s.subject in (None, *failed))
        return f"every start failed for {', '.join(sorted(failed))}; the first said: {first.status}"
    late = [f.message for f in ends if not f.success]
    return late[0] if late else "converged"


def _by_name(names, subjects, values):
    found = {}
    for name, subject, value in zip(names, subjects, values, strict=True):
        if subject is None:
            found[name] = float(value)
        else:
            found.setdefault(name, {})[subject] = float(value)
    return found


def _scales(objective, evaluations):
    found = {}
    for member, evaluation in zip(objective.members, evaluations, strict=True):
        pairs = zip(member.targets, evaluation.scales, strict=True)
        found[member.subject] = {t.observable: float(c) for t, c in pairs if t.scaled}
    return found


def _residuals(objective, evaluations):
    """On the scale of the noise; a part of the largest value for relative noise."""
    found = {}
    for member, evaluation in zip(objective.members, evaluations, strict=True):
        found[member.subject] = {}
        for target, g in zip(member.targets, evaluation.predictions, strict=True):
            seen = target.seen
            difference = (g - seen.y) / target.part_of
            lost = (seen.code != SEEN) | bool(evaluation.message)
            found[member.subject][target.observable] = np.where(lost, np.nan, difference)
    return found
