"""Experiment: a problem beside a table; one problem and one set of curves per subject, checked before any work."""

import math
from dataclasses import dataclass, field, fields

import numpy as np

from remission.models.dimensions import dimension_of
from remission.models.errors import DataError, ModelError, ProblemError, did_you_mean, refuse_unknown_keywords
from remission.models.units import conversion, parse_unit
from remission.solvers import Problem, Treatment

from .tables import Table

__all__ = ["Experiment", "Scaled", "Series"]

RECORDED = "recorded"
SCALES = ("fit", "maximum")


@refuse_unknown_keywords
@dataclass(frozen=True)
class Scaled:
    """An output of the model that is seen up to a factor, one for each subject.

    Parameters
    ----------
    of : str
        State or observable of the model.
    by : {"fit", "maximum"}
        `"fit"`: the factor of largest likelihood, found analytically at each set of parameters; it counts as a
        parameter of the fit. `"maximum"`: the factor that makes the largest model value at the measured times equal to
        the largest value seen, as some papers do; it is not counted, and one value decides over all.

    Examples
    --------
    >>> Scaled("burden")
    Scaled(of='burden', by='fit')
    """

    of: str
    by: str = "fit"

    def __post_init__(self):
        if self.by not in SCALES:
            raise ProblemError(f"Scaled: by={self.by!r} is not known; {did_you_mean(self.by, SCALES)}")


@dataclass(frozen=True, eq=False)
class Series:
    """Values of one observable in one subject, in units of the model, sorted by time.

    Attributes
    ----------
    subject, arm, observable : str
    output : str
        State or observable of the model that it is compared with.
    scaled : str
        How the output is scaled: "" (not at all), "fit" or "maximum".
    unit : str
        Unit of the values.
    time, value, sd, weight, limit, limit_upper : (n,) arrays
        Times in the model's unit; `value` is NaN where censored.
    censoring : (n,) array of str
    """

    subject: str
    arm: str
    observable: str
    output: str
    scaled: str
    unit: str
    time: np.ndarray
    value: np.ndarray
    sd: np.ndarray
    weight: np.ndarray
    limit: np.ndarray
    limit_upper: np.ndarray
    censoring: np.ndarray

    def __len__(self):
        return len(self.time)


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Experiment:
    """What a model has to explain: a problem, a table, and how they belong together.

    Everything is checked here, before any work: names (with the nearest match), units, times, doses.

    Parameters
    ----------
    problem : Problem
        Its time span is extended to each subject's last measurement.
    data : Table
        As `read_table` or a data set gives it. Only the observables named in `observe` are used.
    observe : dict
        Observable in the table -> state or observable of the model, or `Scaled(...)` of it. Values are converted to
        the model's unit where both declare one.
    treatment : "recorded", Treatment or dict
        `"recorded"`: each subject gets the doses that the table holds for it. A dictionary gives a treatment (or
        `"recorded"`) for each arm.
    into : dict, optional
        Name of a drug in the doses -> input or state of the model.

    Raises
    ------
    DataError
        If the table does not fit: unknown observables, units that do not convert, subjects without doses, arms
        without treatment, values before the problem starts.
    ProblemError
        If the model lacks what is named.

    Examples
    --------
    >>> from remission.analysis import read_table
    >>> from remission.models import exponential_growth
    >>> rows = [{"subject": "m1", "time": t, "observable": "burden", "value": v} for t, v in [(0, 1.0), (10, 1.6)]]
    >>> growth = Problem(exponential_growth(), t_span=(0, 1))
    >>> experiment = Experiment(growth, read_table(rows), {"burden": "V"}, treatment=Treatment.none())
    >>> print(experiment)
    exponential_growth beside 2 values of 1 subject
      burden is V
    >>> experiment.problem_of("m1").t_span
    (0.0, 10.0)
    """

    problem: Problem
    data: Table
    observe: dict = field(default_factory=dict)
    treatment: object = RECORDED
    into: dict = field(default_factory=dict)

    def __post_init__(self):
        own = object.__setattr__
        for name, kind in (("problem", Problem), ("data", Table)):
            if not isinstance(getattr(self, name), kind):
                raise ProblemError(f"Experiment: {name} must be a {kind.__name__}, got {getattr(self, name)!r}")
        own(self, "observe", _outputs(self.problem.model, self.data, self.observe))
        own(self, "into", dict(self.into or {}))
        own(self, "_time_factor", _factor(self.data.time_unit, self.problem.model.time_unit, "times"))
        own(self, "series", _series(self))
        if not self.series:
            raise DataError(f"Experiment: the table has no value of {', '.join(self.observe)}")
        treatments = _treatments(self)
        own(self, "_problems", {s: _problem(self, s, treatments[s]) for s in self.subjects})

    def __reduce__(self):
        return Experiment, tuple(getattr(self, f.name) for f in fields(self))

    def __str__(self):
        n, count = sum(map(len, self.series)), len(self.subjects)
        lines = [f"{self.problem.model.name} beside {n} values of {count} subject{'s' if count > 1 else ''}"]
        for name, output in self.observe.items():
            text = output if isinstance(output, str) else f"proportional to {output.of}"
            lines.append(f"  {name} is {text}")
        return "\n".join(lines)

    def __repr__(self):
        return f"<Experiment {str(self).splitlines()[0]}>"

    @property
    def subjects(self) -> tuple:
        """Subjects with values of what is observed, in the order of the table."""
        return tuple(dict.fromkeys(s.subject for s in self.series))

    def problem_of(self, subject) -> Problem:
        """The problem of one subject: its treatment, and a time span up to its last measurement.

        Parameters
        ----------
        subject : str

        Returns
        -------
        Problem
        """
        if subject not in self._problems:
            raise DataError(f"Experiment: no subject {subject!r}; {did_you_mean(subject, self.subjects)}")
        return self._problems[subject]

    def series_of(self, subject) -> tuple:
        """The measured series of one subject.

        Parameters
        ----------
        subject : str

        Returns
        -------
        tuple of Series
        """
        self.problem_of(subject)
        return tuple(s for s in self.series if s.subject == subject)

    def split(self, fraction=0.6, at_least=6) -> tuple:
        """Cut every subject's follow-up in an early part to fit and a late part to predict.

        Parameters
        ----------
        fraction : float
            Part of the time from a subject's first to its last value that is early.
        at_least : int
            Times that are early in any case.

        Returns
        -------
        (Experiment, Experiment)
            Early values of all subjects; late values of those that have any. Treatments stay whole in both.

        Raises
        ------
        DataError
            If no subject has a late value.

        Examples
        --------
        >>> from remission.analysis import read_table
        >>> from remission.models import exponential_growth
        >>> rows = [{"subject": "m1", "time": t, "observable": "burden", "value": 1.0} for t in range(11)]
        >>> whole = Experiment(Problem(exponential_growth()), read_table(rows), {"burden": "V"}, Treatment.none())
        >>> [len(part.series[0]) for part in whole.split(0.6)]
        [7, 4]
        """
        data = self.data
        early = np.ones(len(data), bool)
        for subject in self.subjects:
            here = (data["subject"] == subject) & np.isin(data["observable"], list(self.observe))
            times = np.unique(data["time"][here])
            end = times[0] + fraction * (times[-1] - times[0])
            count = max(int(np.sum(times <= end * (1 + 1e-12))), at_least)
            early[(data["subject"] == subject) & (data["time"] > times[min(count, len(times)) - 1])] = False
        seen = np.isin(data["observable"], list(self.observe))
        if not np.any(seen & ~early):
            raise DataError(f"Experiment.split: no subject has a value after its first {fraction:.0%} and {at_least}")
        parts = [getattr(self, f.name) for f in fields(self)]
        return tuple(Experiment(parts[0], data.select(where=where), *parts[2:]) for where in (early, ~early))


def _outputs(model, data, observe):
    if not hasattr(observe, "items") or not observe:
        raise ProblemError(
            f"Experiment: observe={{'{data.observables[0] if data.observables else 'PSA'}': 'name in the model'}} is "
            f"needed; the table has: {', '.join(data.observables)}; {model.name} has: {', '.join(_known(model))}"
        )
    found = {}
    for name, output in observe.items():
        if name not in data.observables:
            raise DataError(f"Experiment: the table has no observable {name!r}; {did_you_mean(name, data.observables)}")
        of = getattr(output, "of", getattr(output, "name", output))
        if of not in _known(model):
            raise ProblemError(f"Experiment: {model.name} has no output {of!r}; {did_you_mean(of, _known(model))}")
        found[name] = output if isinstance(output, Scaled) else of
    return found


def _known(model):
    return [*(s.name for s in model.states), *model.observables]


def _factor(given, wanted, what):
    """Factor from a unit in the table to one of the model; 1 where either does not say."""
    if not given or wanted is None or wanted == "":
        return 1.0
    try:
        return conversion(given, wanted)
    except ModelError as fault:
        raise DataError(f"Experiment: {what}: {fault}") from None


def _unit_of(model, name):
    """Declared unit of a state or observable, or None."""
    if name in model.observables:
        return dimension_of(model.observables[name], model.time_unit)
    unit = model.symbol(name).info.unit
    return parse_unit(unit) if unit else None


def _series(experiment):
    data, model, found = experiment.data, experiment.problem.model, []
    for name, output in experiment.observe.items():
        scaled = isinstance(output, Scaled)
        of = output.of if scaled else output
        given, unit = data.units[name], None if scaled else _unit_of(model, of)
        what = f"{name!r} is compared with {of!r} of {model.name}, whose unit is another: write Scaled({of!r}), or read"
        try:
            factor = _factor(given, unit, name)
        except DataError as fault:
            raise DataError(f"{fault}; {what} the table in that unit") from None
        for subject in data.subjects:
            rows = np.flatnonzero((data["observable"] == name) & (data["subject"] == subject))
            rows = rows[np.argsort(data["time"][rows], kind="stable")]
            if not len(rows):
                continue
            start, first = experiment.problem.t_span[0], float(data["time"][rows[0]]) * experiment._time_factor
            if first < start - 1e-9 * max(1.0, abs(start)):
                raise DataError(
                    f"Experiment: subject {subject!r} has {name!r} at {first:g}, before the problem starts at "
                    f"{start:g} {model.time_unit}; start it earlier with t_span=({first:g}, ...)"
                )
            numbers = [data[c][rows] * factor for c in ("value", "sd", "limit", "limit_upper")]
            found.append(
                Series(
                    subject, data.arms[subject], name, of, output.by if scaled else "",
                    given if factor == 1.0 else str(unit), data["time"][rows] * experiment._time_factor,
                    numbers[0], numbers[1], data["weight"][rows], numbers[2], numbers[3], data["censoring"][rows],
                )
            )  # fmt: skip
    order = {s: i for i, s in enumerate(data.subjects)}
    return tuple(sorted(found, key=lambda s: order[s.subject]))


def _treatments(experiment):
    """Subject -> treatment; all subjects without one are named together."""
    given, subjects, arms = experiment.treatment, experiment.subjects, experiment.data.arms
    if hasattr(given, "items"):
        lost = sorted({arms[s] for s in subjects} - set(given))
        if lost:
            raise DataError(f"Experiment: no treatment for arm {lost[0]!r}; {did_you_mean(lost[0], given)}")
        choice = {s: given[arms[s]] for s in subjects}
    else:
        choice = dict.fromkeys(subjects, given)
    for value in choice.values():
        if not (isinstance(value, Treatment) or value == RECORDED):
            raise ProblemError(
                f"Experiment: treatment is 'recorded', a Treatment or a dictionary by arm, got {value!r}"
            )
    if RECORDED in [v for v in choice.values() if isinstance(v, str)]:
        recorded = [s for s in subjects if isinstance(choice[s], str)]
        choice |= _recorded(experiment, recorded)
    return choice


def _recorded(experiment, subjects):
    data, model = experiment.data, experiment.problem.model
    what = 'write treatment=Treatment.none(), or a dictionary by arm such as {"control": Treatment.none(), ...}'
    if data.doses is None:
        raise DataError(f"Experiment: treatment='recorded', but the table holds no doses; {what}")
    rows = {s: data.dose_rows(s) for s in subjects}
    bare = [s for s in subjects if not rows[s]]
    if bare:
        names = ", ".join(bare[:8]) + (f" and {len(bare) - 8} more" if len(bare) > 8 else "")
        raise DataError(f"Experiment: treatment='recorded', but no doses are recorded for {names}; {what}")
    drugs = {row["into"] for s in subjects for row in rows[s]}
    for name in experiment.into:
        if name not in drugs:
            raise DataError(f"Experiment: into names {name!r}, which is not in the doses; {did_you_mean(name, drugs)}")
    targets = [s.name for s in (*model.inputs, *model.states)]
    for name in sorted(drugs):
        target = experiment.into.get(name, name)
        if target not in targets:
            raise ProblemError(
                f"Experiment: the doses go into {name!r}, but {model.name} has no input or state {target!r}; "
                f"{did_you_mean(target, targets)}; write into={{{name!r}: ...}}"
            )
    return {s: _from_rows(experiment, s, rows[s]) for s in subjects}


def _from_rows(experiment, subject, rows):
    """Dose rows in units of the model as a treatment; a dose before the problem starts is refused, not forgotten."""
    problem, start, converted = experiment.problem, experiment.problem.t_span[0], []
    time_factor = experiment._time_factor
    for row in rows:
        symbol = problem.model.symbol(experiment.into.get(row["into"], row["into"]))
        factor = _factor(row.get("unit", ""), symbol.info.unit, f"doses of {subject!r} into {symbol.name!r}")
        row = dict(row, time=row["time"] * time_factor)
        if "duration" in row:
            row["duration"] *= time_factor
        if "amount" in row and row["time"] < start:
            raise DataError(
                f"Experiment: subject {subject!r} has a dose at {row['time']:g}, before the problem starts at {start:g}"
            )
        for kind, by in (("amount", factor), ("on", factor), ("rate", factor / time_factor)):
            if kind in row:
                row[kind] = row[kind] * by
        converted.append(row)
    return Treatment.from_table(converted, into=experiment.into)


def _problem(experiment, subject, treatment):
    problem = experiment.problem
    last = max(float(s.time[-1]) for s in experiment.series if s.subject == subject)
    end = last if last > problem.t_span[0] else max(problem.t_span[1], math.nextafter(last, math.inf))
    return problem.replace(treatment=treatment, t_span=(problem.t_span[0], end))
