"""The vector that a search moves, and the residuals it makes: all subjects, then priors."""

from dataclasses import dataclass, replace

import numpy as np

from remission.models.errors import DataError, ProblemError, did_you_mean

from .fit_members import Member, Target, evaluate
from .fit_noise import INTERVAL, LEFT, NOISES, RIGHT, SEEN, Seen
from .fit_vary import Own, Shared, range_of

__all__ = ["Objective", "build"]

CODES = {"none": SEEN, "left": LEFT, "right": RIGHT, "interval": INTERVAL}
FIRST_SIGMA = {"normal": 0.1, "lognormal": 0.3, "relative": 0.1}  # only where priors or limits make it matter


@dataclass(frozen=True, eq=False)
class Objective:
    """Members, the numbers that are varied, and which member uses which.

    Attributes
    ----------
    members : tuple of Member
    ranges : tuple of Range
        One for each entry of x.
    columns : tuple of dict
        For each member: parameter -> position in x.
    fixed : dict
        Parameter -> value, for what is held while the rest moves.
    groups : tuple of str
        Observables, each with a sigma.
    """

    members: tuple
    ranges: tuple
    columns: tuple
    fixed: dict
    groups: tuple

    @property
    def low(self) -> np.ndarray:
        """Lower bounds, each on its own scale."""
        return np.array([r.low for r in self.ranges])

    @property
    def high(self) -> np.ndarray:
        """Upper bounds."""
        return np.array([r.high for r in self.ranges])

    @property
    def start(self) -> np.ndarray:
        """Where the first search starts."""
        return np.array([r.start for r in self.ranges])

    @property
    def coupled(self) -> bool:
        """Whether anything is common to subjects, so that they cannot be fitted one by one."""
        return any(r.subject is None for r in self.ranges)

    @property
    def priors(self) -> tuple:
        """Positions in x that have a prior, with the position of its estimated centre or None."""
        centres = {r.centre_of: i for i, r in enumerate(self.ranges) if r.centre_of}
        return tuple((i, centres.get(r.name)) for i, r in enumerate(self.ranges) if r.prior is not None)

    def values(self, number, x) -> dict:
        """Natural values of the parameters of one member."""
        return self.fixed | {name: self.ranges[c].natural(x[c]) for name, c in self.columns[number].items()}

    def member(self, number, x, sigmas, gradient=True):
        """Evaluation of one member."""
        return evaluate(self.members[number], self.values(number, x), tuple(self.columns[number]), sigmas, gradient)

    def evaluations(self, x, sigmas, gradient=True) -> list:
        """Evaluation of every member."""
        return [self.member(i, x, sigmas, gradient) for i in range(len(self.members))]

    def assemble(self, x, evaluations, part="jacobian"):
        """Residuals of all members and priors, and their derivative by x (or the rows of the information)."""
        k, slopes = len(self.ranges), np.array([r.slope(v) for r, v in zip(self.ranges, x, strict=True)])
        residuals, rows = [e.residual for e in evaluations], []
        for columns, evaluation in zip(self.columns, evaluations, strict=True):
            block, at = np.zeros((len(evaluation.residual), k)), list(columns.values())
            block[:, at] = getattr(evaluation, part) * slopes[at]
            rows.append(block)
        for i, centre in self.priors:
            value, row = _prior_row(self.ranges, x, i, centre, slopes)
            residuals.append(np.array([value]))
            rows.append(row[None, :])
        return np.concatenate(residuals), np.vstack(rows)

    def prior_cost(self, x) -> float:
        """Half the square sum of the priors' residuals."""
        slopes = np.ones(len(x))
        return 0.5 * sum(_prior_row(self.ranges, x, i, centre, slopes)[0] ** 2 for i, centre in self.priors)

    def alone(self, number, x) -> "Objective":
        """One member with its own numbers free and all that is common held at x."""
        columns = self.columns[number]
        own = [c for c in columns.values() if self.ranges[c].subject is not None]
        ranges = []
        for c in own:
            prior, centre = self.ranges[c].prior, dict(self.priors).get(c)
            if centre is not None:
                held = {"mean" if prior.scale == "linear" else "median": self.ranges[centre].natural(x[centre])}
                prior = replace(prior, **held)
            ranges.append(replace(self.ranges[c], prior=prior, start=float(x[c])))
        fixed = {name: self.ranges[c].natural(x[c]) for name, c in columns.items() if c not in own}
        positions = {name: own.index(c) for name, c in columns.items() if c in own}
        return Objective((self.members[number],), tuple(ranges), (positions,), self.fixed | fixed, self.groups)


def _prior_row(ranges, x, i, centre, slopes):
    """Residual of a prior and its derivative by x."""
    prior, row = ranges[i].prior, np.zeros(len(x))

    def place(at):
        natural = ranges[at].natural(x[at])
        if prior.scale == "log":
            return np.log(natural), slopes[at] / natural
        return natural, slopes[at]

    here, row[i] = place(i)
    if centre is None:
        there = np.log(prior.centre) if prior.scale == "log" else prior.centre
    else:
        there, row[centre] = place(centre)
        row[centre] = -row[centre]
    return (here - there) / prior.width, row / prior.width


def build(experiments, vary, noise, sd) -> tuple:
    """Check what is asked for and lay it out.

    Parameters
    ----------
    experiments : tuple of Experiment
    vary : dict
        Parameter -> Own or Shared.
    noise : {"normal", "lognormal", "relative"}
    sd : None, float, dict or "column"

    Returns
    -------
    (Objective, sigmas, estimated)
        With a first sigma for each observable, and whether sigmas are estimated.

    Raises
    ------
    ProblemError
        If a parameter, range, noise or sd cannot be used.
    DataError
        If values do not suit the noise.
    """
    if noise not in NOISES:
        raise ProblemError(f"fit: noise {noise!r} is not known; {did_you_mean(noise, NOISES)}")
    vary = _varied(experiments, vary)
    groups = tuple(dict.fromkeys(s.observable for e in experiments for s in e.series))
    sigmas, estimated = _sigmas(experiments, groups, noise, sd)
    members, homes = [], []
    for experiment in experiments:
        for subject in experiment.subjects:
            if subject in [m.subject for m in members]:
                raise DataError(f"fit: subject {subject!r} is in two experiments; give it two names")
            members.append(_member(experiment, subject, groups, noise, sd))
            homes.append(experiment)
    ranges, columns = _lay_out(homes, members, vary)
    return Objective(tuple(members), ranges, columns, {}, groups), sigmas, estimated


def _varied(experiments, vary):
    if not hasattr(vary, "items") or not vary:
        raise ProblemError('fit: vary={"r": Own(), "K": Shared()} names the parameters to estimate, at least one')
    names = list(dict.fromkeys(n for e in experiments for p in e._problems.values() for n in p.system.parameters))
    found = {}
    for key, value in vary.items():
        name = getattr(key, "name", key)
        if name not in names:
            states = {s.name for e in experiments for s in e.problem.model.states}
            hint = f"; {name!r} is a state: give it an initial value that is a Parameter" if name in states else ""
            raise ProblemError(f"fit: no parameter named {name!r}{hint}; {did_you_mean(name, names)}")
        if not isinstance(value, Own | Shared):
            raise ProblemError(f"fit: {name!r} is Own(...) or Shared(...), got {value!r}")
        found[name] = value
    return found


def _lay_out(homes, members, vary):
    """Ranges of x, shared ones first, then subject by subject; and each member's positions in it."""
    ranges = []

    def symbol_in(problem, name):
        return problem.system.parameter_symbols[problem.system.parameters.index(name)]

    for name, varied in vary.items():
        problem = next(m.problem for m in members if name in m.problem.parameters)
        if isinstance(varied, Shared):
            ranges.append(range_of(symbol_in(problem, name), varied, problem.parameters[name]))
        elif varied.prior is not None and varied.prior.centre is None:
            centre = range_of(symbol_in(problem, name), varied, problem.parameters[name])
            ranges.append(replace(centre, prior=None, centre_of=name))
    shared, columns = {r.name: i for i, r in enumerate(ranges) if not r.centre_of}, []
    for member in members:
        known, positions = member.problem.parameters, {}
        for name, varied in vary.items():
            if name not in known:
                continue
            if isinstance(varied, Own):
                positions[name] = len(ranges)
                symbol = symbol_in(member.problem, name)
                ranges.append(range_of(symbol, varied, known[name], member.subject))
            else:
                positions[name] = shared[name]
        if not positions:
            raise ProblemError(f"fit: nothing of what is varied is a parameter of subject {member.subject!r}")
        columns.append(positions)
    _check_starts(vary, [m.subject for m in members])
    return tuple(ranges), tuple(columns)


def _check_starts(vary, subjects):
    for name, varied in vary.items():
        for subject in varied.start if isinstance(varied.start, dict) else ():
            if subject not in subjects:
                raise DataError(f"fit: start of {name!r} names subject {subject!r}; {did_you_mean(subject, subjects)}")


def _sigmas(experiments, groups, noise, sd):
    if sd is None:
        first = []
        for name in groups:
            seen = [s.value[s.censoring == "none"] for e in experiments for s in e.series if s.observable == name]
            size = np.sqrt(np.mean(np.concatenate(seen) ** 2)) if noise == "normal" and sum(map(len, seen)) else 1.0
            first.append(FIRST_SIGMA[noise] * (size or 1.0))
        return np.array(first), True
    if isinstance(sd, str):
        if sd != "column":
            raise ProblemError(
                f"fit: sd is None (estimated), a number, a dictionary by observable or 'column', got {sd!r}"
            )
        return np.ones(len(groups)), False
    given = dict(sd) if hasattr(sd, "items") else dict.fromkeys(groups, sd)
    for name in groups:
        if name not in given:
            raise ProblemError(f"fit: sd has no entry for {name!r}")
        if not (isinstance(given[name], int | float) and 0 < given[name] < np.inf):
            raise ProblemError(f"fit: sd of {name!r} must be a number above 0, got {given[name]!r}")
    return np.array([float(given[name]) for name in groups]), False


def _member(experiment, subject, groups, noise, sd):
    series = experiment.series_of(subject)
    times = np.unique(np.concatenate([s.time for s in series]))
    targets = tuple(
        Target(
            s.observable, s.output, s.scaled, noise == "lognormal", np.searchsorted(times, s.time),
            _seen(s, groups.index(s.observable), noise, sd), _largest(s) if noise == "relative" else 1.0,
        )
        for s in series
    )  # fmt: skip
    return Member(subject, experiment.problem_of(subject), times, targets)


def _seen(series, group, noise, sd) -> Seen:
    who = f"fit: {series.observable!r} of subject {series.subject!r}"
    for text in series.censoring.tolist():
        if text not in CODES:
            raise DataError(f"{who} has the censoring code {text!r}; {did_you_mean(text, CODES)}")
    code = np.array([CODES[c] for c in series.censoring.tolist()])
    value = np.where(code == SEEN, series.value, 0.0)
    lower, upper = np.where(code == SEEN, 0.0, series.limit), np.where(code == INTERVAL, series.limit_upper, 0.0)
    if not np.all(np.isfinite(value) & np.isfinite(lower) & np.isfinite(upper)):
        raise DataError(f"{who} has a value or limit that is missing or not finite")
    if series.scaled and not np.any(value[code == SEEN] > 0):
        raise DataError(f"{who} is Scaled and has no value above 0 that was seen: its scale has no meaning")
    # what stands for the size of each value where the noise is in proportion to it
    size = np.where(code == SEEN, np.abs(value), np.abs(lower))
    unit_sd = np.ones(len(value))
    if isinstance(sd, str):
        unit_sd = series.sd / size if noise == "lognormal" else series.sd
        if not np.all(unit_sd > 0):
            raise DataError(f"{who}: sd='column', but a standard deviation is missing or 0")
    elif noise == "relative":
        unit_sd = unit_sd * _largest(series)
    log_jacobian = np.zeros(len(value))
    if noise == "lognormal":
        _check_positive(who, series, code, value, lower)
        with np.errstate(divide="ignore"):
            log_jacobian = np.where(code == SEEN, -np.log(np.where(code == SEEN, value, 1.0)), 0.0)
            value = np.where(code == SEEN, np.log(np.where(code == SEEN, value, 1.0)), 0.0)
            lower = np.where(code == SEEN, 0.0, np.log(np.where(lower > 0, lower, 1e-300)))
            upper = np.where(code == INTERVAL, np.log(np.where(upper > 0, upper, 1.0)), 0.0)
    return Seen(value, lower, upper, code, unit_sd, series.weight, log_jacobian, group)


def _largest(series) -> float:
    """Largest value of a series, what relative noise is in proportion to."""
    size = np.where(series.censoring == "none", np.abs(series.value), np.abs(series.limit))
    return float(np.max(size)) or 1.0


def _check_positive(who, series, code, value, lower):
    low = ((code == SEEN) & (value <= 0)) | (np.isin(code, (LEFT, RIGHT)) & (lower <= 0))
    if low.any():
        times = ", ".join(f"{t:g}" for t in series.time[low][:6])
        raise DataError(
            f"{who} is not above 0 at {times}: log-normal noise has no zero; mark such values as censoring 'left' with "
            "the limit of detection, or use noise='normal'"
        )
