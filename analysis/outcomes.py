"""Outcomes: what a solution is asked for, as values that pickle, hash, print, differentiate and label axes."""

import inspect
import math
import sys
from dataclasses import dataclass

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem, Solution
from remission.solvers.grid import refuse_grid

from .outcome_kinds import KINDS

__all__ = [
    "Outcome",
    "as_outcome",
    "at_end",
    "cure_fraction",
    "doubling_time",
    "nadir",
    "nadir_time",
    "relapse_probability",
    "time_to_progression",
]


@refuse_unknown_keywords
@dataclass(frozen=True)
class Outcome:
    """A number that is read off a solution; made by `at_end`, `nadir`, `time_to_progression` and the like.

    Parameters
    ----------
    kind : str
        Which outcome: `"at_end"`, `"nadir"`, `"nadir_time"`, `"time_to_progression"`, `"doubling_time"`,
        `"relapse_probability"`, `"cure_fraction"`, `"time_to_relapse"`, `"threshold"`, `"front_position"`,
        `"front_width"`, `"invasion_speed"` or `"function"`.
    of : str, optional
        State, observable or input that it is about; on a grid its mean over the grid.
    options : tuple of (str, value)
        Its other settings, sorted.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> progression = time_to_progression(of="burden", factor=1.2)
    >>> print(progression, "=", round(progression(solve(daily)), 1), progression.unit(daily))
    time to progression of burden = 356.4 day
    """

    kind: str
    of: str | None = None
    options: tuple = ()

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ProblemError(f"Outcome: there is no kind {self.kind!r}; {did_you_mean(self.kind, KINDS)}")

    def __call__(self, solution) -> float:
        """The number; NaN if the solution failed. A threshold may be asked of a Problem, which is not solved."""
        if self.unsolved and isinstance(solution, (Problem, Solution)):
            problem = getattr(solution, "problem", solution)
            self.check(problem)
            return self.asked(problem)
        if not isinstance(solution, Solution):
            raise ProblemError(f"{self.label} is read off a Solution, got {type(solution).__name__}: solve() it first")
        self.check(solution.problem)
        if not solution.success:
            return math.nan
        return float(KINDS[self.kind].value(solution, self.of, **dict(self.options)))

    def __str__(self):
        return self.label

    @property
    def label(self) -> str:
        """Text for axes and tables, without the unit."""
        return KINDS[self.kind].label(self.of, **dict(self.options))

    @property
    def unsolved(self) -> bool:
        """Whether it is asked of a problem, which need not be solved for it."""
        return KINDS[self.kind].asked is not None

    def asked(self, problem, base=None) -> float:
        """The number of a problem that is not solved for it.

        Parameters
        ----------
        problem : Problem
        base : Problem, optional
            The same at other numbers, from which it is followed.

        Returns
        -------
        float
        """
        return float(KINDS[self.kind].asked(problem, self.of, base=base, **dict(self.options)))

    @property
    def needs_lineages(self) -> bool:
        """Whether the model must declare lineages."""
        return self.kind in ("relapse_probability", "cure_fraction")

    def unit(self, problem) -> str:
        """Unit of the number.

        Parameters
        ----------
        problem : Problem

        Returns
        -------
        str
            `""` not declared, `"1"` dimensionless.
        """
        return KINDS[self.kind].unit(problem, self.of)

    def check(self, problem):
        """Refuse, before any work, a problem that does not have what this outcome is about.

        Parameters
        ----------
        problem : Problem

        Raises
        ------
        ProblemError
            If it lacks the output or the lineage.
        """
        kind = KINDS[self.kind]
        if not kind.on_grids:
            refuse_grid(problem, self.label)
        kind.check(problem, self.of)

    def gradient(self, solution) -> dict:
        """Exact derivatives by the parameters whose sensitivities the solution carries.

        Parameters
        ----------
        solution : Solution
            Of `solve(problem, sensitivities=[...])`. Of a threshold a Problem: the derivatives by all parameters.

        Returns
        -------
        dict of str -> float
            NaN where the number itself is NaN or infinite.

        Raises
        ------
        ProblemError
            If no sensitivities were carried, or this outcome has no exact derivative.
        """
        exact = KINDS[self.kind].gradient
        if exact is None:
            raise ProblemError(f"{self.label} has no exact gradient; sensitivity() uses differences for it")
        if not self.unsolved and solution.problem.grid.spatial:
            raise ProblemError(f"{self.label} has no exact gradient on a grid; use differences")
        if self.unsolved:
            found = exact(getattr(solution, "problem", solution), self.of, **dict(self.options))
            return {name: found[name] for name in getattr(solution, "carried", found)}
        if not solution.carried:
            raise ProblemError(f"gradient of {self.label}: solve(problem, sensitivities=[...]) carries what it needs")
        if not math.isfinite(self(solution)):
            return dict.fromkeys(solution.carried, math.nan)
        values = exact(solution, self.of, **dict(self.options))
        return dict(zip(solution.carried, map(float, values), strict=True))

    @property
    def differentiable(self) -> bool:
        """Whether `gradient` is there."""
        if self.kind == "threshold":
            from .critical.cases import FATES
            from .critical.lever import CYCLES
            from .critical.steady import STEADY_KINDS

            return dict(self.options)["which"] in (*STEADY_KINDS, *FATES) and self.of not in CYCLES
        return KINDS[self.kind].gradient is not None


def _ask(solution, of, kind, default=None, **options):
    """The number if a solution was given, else the outcome; the first argument may be the name instead."""
    if isinstance(solution, str) or hasattr(solution, "info"):
        if of is not None:
            raise ProblemError(f"{kind}: give a Solution first, or one name; got {solution!r} and {of!r}")
        solution, of = None, solution
    if solution is not None and not isinstance(solution, Solution):
        raise ProblemError(f"{kind}: the first argument is a Solution or a name, got {solution!r}")
    of = default if of is None else getattr(of, "name", of)
    outcome = Outcome(kind, of, tuple(sorted(options.items())))
    return outcome if solution is None else outcome(solution)


@refuse_unknown_keywords
def at_end(solution=None, of=None) -> "Outcome | float":
    """Value of a state or observable at the end of the time span.

    Parameters
    ----------
    solution : Solution, optional
        Without it an `Outcome` is returned; the name may stand in its place.
    of : str
        State, observable or input; `"burden"` if not given.

    Returns
    -------
    Outcome or float
        The number, in units of `of`, if a solution was given.

    Examples
    --------
    >>> print(at_end("burden"))
    burden at the end
    """
    return _ask(solution, of, "at_end", "burden")


@refuse_unknown_keywords
def nadir(solution=None, of=None) -> "Outcome | float":
    """Smallest value over the time span, both sides of every dose looked at.

    Parameters
    ----------
    solution : Solution, optional
        Without it an `Outcome` is returned; the name may stand in its place.
    of : str
        State or observable; `"burden"` if not given.

    Returns
    -------
    Outcome or float
        In units of `of`. Its gradient is that of the value at the place of the nadir (envelope theorem), with the
        movement of a switch at which the nadir sits.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> round(nadir(solve(daily), of="burden"), 4)
    0.0812
    """
    return _ask(solution, of, "nadir", "burden")


@refuse_unknown_keywords
def nadir_time(solution=None, of=None) -> "Outcome | float":
    """Time of the smallest value, in the model's unit of time.

    Parameters
    ----------
    solution : Solution, optional
        Without it an `Outcome` is returned; the name may stand in its place.
    of : str
        State or observable; `"burden"` if not given.

    Returns
    -------
    Outcome or float
        Good to about 1e-8 of a step: a curve is flat at its nadir. It has no exact gradient.

    Examples
    --------
    >>> print(nadir_time("burden"))
    time of the nadir of burden
    """
    return _ask(solution, of, "nadir_time", "burden")


@refuse_unknown_keywords
def time_to_progression(solution=None, of=None, *, factor=1.2, since="start") -> "Outcome | float":
    """First time an observable reaches its reference value times a factor.

    Parameters
    ----------
    solution : Solution, optional
        Without it an `Outcome` is returned; the name may stand in its place.
    of : str
        State or observable; `"burden"` if not given.
    factor : float
        Growth that counts as progression, dimensionless, above 1.
    since : {"start", "nadir"}
        Reference: the initial value [1]_ or the smallest value so far [2]_. A nadir below ten absolute tolerances
        of the problem counts as those ten: below, numbers are noise.

    Returns
    -------
    Outcome or float
        Time since the start of the span in the model's unit, located on the dense output to rounding (not between
        output times); `inf` if the tumour is still under control at the end, NaN if the solution failed.

    Raises
    ------
    ProblemError
        If `factor` is not above 1, or the initial value is 0 and is the reference.

    References
    ----------
    .. [1] Strobl et al. (2021), Cancer Research 81, 1135-1147.
    .. [2] Eisenhauer et al. (2009), European Journal of Cancer 45, 228-247 (RECIST 1.1; diameters).

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> round(time_to_progression(solve(daily)), 1), round(time_to_progression(solve(daily), since="nadir"), 1)
    (356.4, 179.1)
    """
    if not (isinstance(factor, (int, float)) and factor > 1):
        raise ProblemError(f"factor must be above 1 to mean growth, got {factor!r}; 1.2 is +20 %")
    if since not in ("start", "nadir"):
        raise ProblemError(f"since is 'start' or 'nadir', got {since!r}")
    return _ask(solution, of, "time_to_progression", "burden", factor=float(factor), since=since)


@refuse_unknown_keywords
def doubling_time(solution=None, of=None, *, between=None) -> "Outcome | float":
    """Doubling time over a window, ln 2 (t2 - t1) / ln(y(t2) / y(t1)).

    Parameters
    ----------
    solution : Solution, optional
        Without it an `Outcome` is returned; the name may stand in its place.
    of : str
        State or observable; `"burden"` if not given.
    between : (t1, t2), optional
        Window in the model's unit of time, `t1 < t2`; the whole span if not given. With values after a dose at t1
        and before a dose at t2.

    Returns
    -------
    Outcome or float
        In the model's unit of time, as tumour volumes are compared in clinics [1]_; negative is a halving time,
        `inf` means no change. The time until the first doubling is `time_to_progression(factor=2)`.

    Raises
    ------
    ProblemError
        If the window is empty or outside the span.

    References
    ----------
    .. [1] Schwartz (1961), Cancer 14, 1272-1294.

    Examples
    --------
    >>> from remission.models import exponential_growth
    >>> from remission.solvers import Problem, solve
    >>> growing = solve(Problem(exponential_growth(), t_span=(0, 30)))
    >>> round(doubling_time(growing, of=growing.problem.system.states[0]) * growing.problem.parameters["r"], 4)
    0.6931
    """
    if between is not None:
        first, last = (float(v) for v in between)
        if not first < last:
            raise ProblemError(f"doubling_time: between=(t1, t2) needs t1 < t2, got {between!r}")
        between = (first, last)
    return _ask(solution, of, "doubling_time", "burden", between=between)


@refuse_unknown_keywords
def relapse_probability(solution=None, of=None) -> "Outcome | float":
    """Probability that at least one resistant lineage founds a relapse, by the lineage model.

    Parameters
    ----------
    solution : Solution, optional
        Without it an `Outcome` is returned; the name may stand in its place.
    of : str, optional
        Clone with a declared `Lineage`; all of them together if not given.

    Returns
    -------
    Outcome or float
        1 - exp(-Lambda); see `expected_lineages` for what is assumed. It has no exact gradient: `sensitivity` uses
        differences.

    Raises
    ------
    ProblemError
        If the model declares no lineage.

    Examples
    --------
    >>> from remission.models import oncogene_withdrawal
    >>> from remission.solvers import Problem, Treatment, solve
    >>> withdrawal = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    >>> solution = solve(Problem(oncogene_withdrawal(), t_span=(0, 350), treatment=withdrawal))
    >>> round(relapse_probability(solution), 3)
    0.363
    """
    return _ask(solution, of, "relapse_probability")


@refuse_unknown_keywords
def cure_fraction(solution=None, of=None) -> "Outcome | float":
    """Probability that no resistant lineage establishes: the plateau of relapse-free survival.

    Parameters
    ----------
    solution : Solution, optional
        Without it an `Outcome` is returned; the name may stand in its place.
    of : str, optional
        Clone with a declared `Lineage`; all of them together if not given.

    Returns
    -------
    Outcome or float
        exp(-Lambda), 1 - `relapse_probability`; accurate where relapse is almost certain, which that difference is
        not. It has no exact gradient: `sensitivity` uses differences.

    Raises
    ------
    ProblemError
        If the model declares no lineage.

    Examples
    --------
    >>> from remission.models import oncogene_withdrawal
    >>> from remission.solvers import Problem, Treatment, solve
    >>> withdrawal = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    >>> solution = solve(Problem(oncogene_withdrawal(), t_span=(0, 350), treatment=withdrawal))
    >>> round(cure_fraction(solution), 3)
    0.637
    """
    return _ask(solution, of, "cure_fraction")


def as_outcome(output) -> Outcome:
    """An outcome from a name (its value at the end), an outcome, or a function of a solution.

    Parameters
    ----------
    output : str, Outcome or callable
        A callable has to be importable: defined with `def` at the top of a module.

    Returns
    -------
    Outcome

    Raises
    ------
    ProblemError
        If it is none of these.

    Examples
    --------
    >>> as_outcome("burden") == at_end("burden")
    True
    """
    if isinstance(output, Outcome):
        return output
    if isinstance(output, str) or hasattr(output, "info"):
        return at_end(output)
    if callable(output):
        return Outcome("function", None, (("function", output),))
    raise ProblemError(f"an output is a name, an Outcome such as at_end('burden'), or a function, got {output!r}")


def as_outcomes(outputs, problem) -> tuple:
    """One or several outputs as a tuple of outcomes, each checked against the problem."""
    if not isinstance(problem, Problem):
        raise ProblemError(f"the first argument must be a Problem, got {type(problem).__name__}")
    several = isinstance(outputs, (list, tuple))
    found = tuple(as_outcome(o) for o in (outputs if several else [outputs]))
    if not found:
        raise ProblemError("no output was asked for: give a name or an Outcome such as at_end('burden')")
    for outcome in found:
        outcome.check(problem)
    labels = [o.label for o in found]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ProblemError(f"the output {twice[0]!r} is asked for twice")
    return found


def refuse_unless_importable(outcome):
    """A worker process gets a function by its name, so it has to have one."""
    function = dict(outcome.options).get("function") if outcome.kind == "function" else None
    if function is None:
        return
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    name = getattr(function, "__qualname__", "")
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    shell = module is not None and module.__name__ == "__main__" and not hasattr(module, "__file__")
    if found is not function or shell or not inspect.isroutine(function):
        raise ProblemError(
            f"the output {name or function!r} cannot be imported by worker processes: define it with def at the top "
            "of a module, or use workers=1"
        )
